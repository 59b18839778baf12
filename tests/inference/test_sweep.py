"""Every picture passes the network once, in its place; broken ones are named."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from pixsent_tf.config import PreprocessConfig
from pixsent_tf.data.preprocess import Preprocessor
from pixsent_tf.errors import DataError
from pixsent_tf.inference.sweep import (
    Sweep,
    compile_look,
    mean_of_views,
    score_views,
)
from tests.heard import Heard

PREPROCESSOR = Preprocessor(PreprocessConfig(canvas_size=6, crop_size=4))
BROKEN = (1, 4)


@pytest.fixture
def paths(tmp_path):
    """Five gray pictures, ten times brighter by position; two are none."""
    files = [tmp_path / f"{number}.png" for number in range(5)]
    for number, path in enumerate(files):
        if number in BROKEN:
            path.write_bytes(b"<html>")
        else:
            Image.new("RGB", (8, 8), (10 * number,) * 3).save(path)
    return [str(path) for path in files]


def level(canvases):
    """A network that says how bright the first pixel is."""
    return np.asarray(canvases)[:, 0, 0, :1].astype("float32")


def test_outputs_come_with_their_positions_in_batches(paths):
    found = list(Sweep(paths, PREPROCESSOR, level, batch_size=2))

    assert [positions.tolist() for positions, _ in found] == [[0, 2], [3]]
    assert [outputs.tolist() for _, outputs in found] == [[[0], [20]], [[30]]]


def test_in_order_a_broken_file_has_its_error_in_its_place(paths):
    found = list(Sweep(paths, PREPROCESSOR, level, batch_size=2).in_order())

    assert [position for position, _ in found] == [0, 1, 2, 3, 4]
    assert [found[i][1].reason for i in BROKEN] == ["not_an_image"] * 2
    assert [found[i][1].tolist() for i in (0, 2, 3)] == [[0], [20], [30]]


@pytest.mark.parametrize("order", [[1, 0, 2], [0, 2, 1], [1, 4, 3], [3, 1, 4], [4, 1]])
def test_broken_files_stand_in_their_places_at_either_end_too(order, paths):
    some = [paths[i] for i in order]

    found = list(Sweep(some, PREPROCESSOR, level, batch_size=2).in_order())

    assert [position for position, _ in found] == list(range(len(order)))
    for i, (_, said) in zip(order, found, strict=True):
        if i in BROKEN:
            assert said.reason == "not_an_image"
        else:
            assert said.tolist() == [10 * i]


def test_named_outputs_are_gathered_by_name(paths):
    sweep = Sweep(
        paths,
        PREPROCESSOR,
        lambda canvases: {"level": level(canvases), "twice": 2 * level(canvases)},
        batch_size=2,
    )
    positions, found = sweep.collect()

    assert positions.tolist() == [0, 2, 3]
    assert found["twice"].ravel().tolist() == [0, 40, 60]
    assert set(sweep.failures) == set(BROKEN)


def test_progress_counts_broken_files_too(paths):
    heard = Heard()
    list(Sweep(paths, PREPROCESSOR, level, progress=heard, what="scoring"))

    assert heard.steps == [(5, "scoring")]
    assert sum(heard.counts) == 5


def test_pictures_of_which_none_can_be_read_are_refused(paths):
    with pytest.raises(DataError, match=r"None of the 2 .*1\.png is not a picture"):
        Sweep([paths[i] for i in BROKEN], PREPROCESSOR, level).collect()


def test_a_look_uses_the_network_as_it_is_not_in_training():
    crops = keras.Input((4, 4, 3))
    x = keras.layers.Flatten()(keras.layers.Dropout(0.9)(crops))
    network = keras.Model(crops, keras.layers.Rescaling(0.5)(x))
    pixels = np.arange(2 * 4 * 4 * 3, dtype="uint8").reshape(2, 4, 4, 3)

    look = compile_look(network, 4, after=lambda values: values + 1)

    np.testing.assert_allclose(look(pixels), pixels.reshape(2, -1) * 0.5 + 1)
    assert look(pixels).dtype == tf.float32


def test_a_look_is_traced_once_for_any_number_of_pictures():
    traces = []

    def network(crops, training):
        traces.append(training)
        return tf.reduce_sum(tf.cast(crops, tf.float16), axis=[1, 2, 3])

    look = compile_look(network, 4)
    for count in (1, 3, 2):
        assert look(np.ones((count, 4, 4, 3), "uint8")).numpy().tolist() == [48] * count

    assert traces == [False]


def test_ten_views_are_scored_each_and_averaged():
    canvas = np.zeros((1, 6, 6, 3), dtype="uint8")
    canvas[0, 0, 0] = 80  # only the top left crop and its mirror see it

    def brightest(crops):
        return tf.cast(tf.reduce_max(crops, axis=[1, 2]), tf.float32)

    each = score_views(brightest, PREPROCESSOR, canvas, "ten_crop")
    center = score_views(brightest, PREPROCESSOR, canvas, "center")

    assert each.numpy()[0, :, 0].tolist() == [80, 0, 0, 0, 0, 80, 0, 0, 0, 0]
    assert mean_of_views(each).numpy().tolist() == [[16] * 3]
    assert mean_of_views(center).numpy().tolist() == [[0] * 3]


def test_no_pictures_at_all_are_refused():
    with pytest.raises(DataError, match=r"None of the 0 pictures .*: there is none"):
        Sweep([], PREPROCESSOR, level).collect()


def test_the_first_of_several_broken_files_is_the_reason(tmp_path):
    names = [str(tmp_path / f"{name}.png") for name in ("b", "a", "c")]

    with pytest.raises(DataError, match=r"None of the 3 pictures .*b\.png"):
        Sweep(names, PREPROCESSOR, level).collect()
