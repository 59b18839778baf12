"""Epochs come in an order and in pixels that the seed alone decides."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from pixsent_tf.config import PreprocessConfig
from pixsent_tf.data.augment import Augmentation
from pixsent_tf.data.canvases import (
    Canvases,
    Examples,
    cut,
    order_of_epoch,
    training_batches,
)
from pixsent_tf.data.preprocess import Preprocessor
from pixsent_tf.errors import DataError
from tests.heard import Heard

PREPROCESSOR = Preprocessor(PreprocessConfig(canvas_size=16, crop_size=12))
COUNT = 10
TARGETS = np.eye(COUNT, dtype="float32")  # each picture is a class of its own
PLAIN = Augmentation(12, crop=False, flip=False)


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    """Nine JPEG files, and a TIFF, which TensorFlow does not read."""
    folder = tmp_path_factory.mktemp("pictures")
    pixels = np.random.default_rng(0).integers(0, 256, (COUNT, 16, 16, 3), "uint8")
    names = [f"{i}.jpg" for i in range(COUNT - 1)] + ["9.tiff"]
    for name, picture in zip(names, pixels, strict=True):
        Image.fromarray(picture).save(folder / name, quality=95)
    return [str(folder / name) for name in names]


@pytest.fixture(scope="module")
def both(paths):
    """The same pictures, in memory and decoded each time."""
    return {
        size: Canvases.read(paths, PREPROCESSOR, memory_bytes=size)
        for size in (2**20, 0)
    }


@pytest.fixture(params=[2**20, 0], ids=["in memory", "decoded each time"])
def canvases(request, both):
    return both[request.param]


def pixels_of(paths):
    return np.stack([np.asarray(Image.open(path)) for path in paths])


def epochs_of(canvases, augmentation=PLAIN, indices=None, **settings):
    indices = np.arange(COUNT) if indices is None else indices
    settings = {"batch_size": 4, "seed": 0, "epochs": 2, **settings}
    batches = training_batches(
        canvases, Examples(indices, TARGETS), augmentation, **settings
    )
    return list(batches.as_numpy_iterator())


def order_of(batches):
    return [int(i) for _, targets, _ in batches for i in targets.argmax(axis=1)]


def test_every_picture_comes_once_an_epoch_in_a_new_order(canvases):
    order = order_of(epochs_of(canvases))

    assert sorted(order[:COUNT]) == sorted(order[COUNT:]) == list(range(COUNT))
    assert order[:COUNT] != order[COUNT:]


def test_pixels_belong_to_their_targets(canvases, paths):
    batches = epochs_of(canvases, epochs=1)

    crops = np.concatenate([crops for crops, _, _ in batches])
    np.testing.assert_array_equal(
        crops, pixels_of(paths)[order_of(batches), 2:14, 2:14]
    )


def test_batches_do_not_span_epochs(canvases):
    sizes = [len(crops) for crops, _, _ in epochs_of(canvases)]

    assert sizes == [4, 4, 2, 4, 4, 2]


def test_only_the_pictures_asked_for_come(canvases):
    assert set(order_of(epochs_of(canvases, indices=np.array([7, 2, 9])))) == {2, 7, 9}


def test_weights_follow_their_pictures(canvases):
    weights = np.arange(COUNT, dtype="float32")
    batches = training_batches(
        canvases,
        Examples(np.arange(COUNT), TARGETS, weights),
        PLAIN,
        batch_size=4,
        seed=0,
        epochs=1,
    )

    for _, targets, weighed in batches.as_numpy_iterator():
        assert weighed.tolist() == targets.argmax(axis=1).tolist()


@pytest.mark.parametrize("mixup", [0, 0.5])
def test_the_device_makes_the_pictures_that_the_pipeline_makes(canvases, mixup):
    augmentation = Augmentation(12, min_area_fraction=0.5, jitter=0.3, mixup=mixup)

    in_pipeline = epochs_of(canvases, augmentation)
    on_device = epochs_of(canvases, augmentation, on_device=True)

    for batch, canvas_batch in zip(in_pipeline, on_device, strict=True):
        for ours, theirs in zip(batch, cut(augmentation, *canvas_batch), strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_a_later_start_gives_what_would_have_come(canvases):
    augmentation = Augmentation(12)

    everything = epochs_of(canvases, augmentation, epochs=3)
    later = epochs_of(canvases, augmentation, epochs=3, first_epoch=2)

    for batch, again in zip(everything[-3:], later, strict=True):
        np.testing.assert_array_equal(batch[0], again[0])


def test_decoding_again_gives_the_pixels_that_are_kept(both):
    kept, again = (epochs_of(canvases) for canvases in both.values())

    for first, second in zip(kept, again, strict=True):
        np.testing.assert_array_equal(first[0], second[0])


def test_the_number_of_threads_changes_nothing(canvases):
    augmentation, results = Augmentation(12), []
    for threads in (1, 8):
        options = tf.data.Options()
        options.threading.private_threadpool_size = threads
        batches = training_batches(
            canvases,
            Examples(np.arange(COUNT), TARGETS),
            augmentation,
            batch_size=4,
            seed=3,
            epochs=2,
        ).with_options(options)
        results.append(np.concatenate([b[0] for b in batches.as_numpy_iterator()]))

    np.testing.assert_array_equal(*results)


def test_pixels_reach_the_device_as_bytes(canvases):
    assert epochs_of(canvases)[0][0].dtype == np.uint8
    assert epochs_of(canvases, on_device=True)[0][0][0].dtype == np.uint8


def test_batches_in_order_hold_the_pictures_asked_for(canvases, paths):
    found = list(canvases.batches(np.array([3, 9, 0]), batch_size=2))

    assert [ranks.tolist() for ranks, _ in found] == [[0, 1], [2]]
    pixels = np.concatenate([batch for _, batch in found])
    np.testing.assert_array_equal(pixels, pixels_of(paths)[[3, 9, 0]])


def test_files_that_cannot_be_read_are_named_and_counted(paths, tmp_path):
    (tmp_path / "empty.jpg").write_bytes(b"")
    heard = Heard()

    canvases = Canvases.read(
        [paths[0], str(tmp_path / "empty.jpg")], PREPROCESSOR, progress=heard
    )

    assert canvases.failures[1].reason == "empty"
    assert sum(heard.counts) == 2


def test_no_readable_file_at_all_is_an_error_that_names_the_first(tmp_path):
    paths = [str(tmp_path / name) for name in ("first.jpg", "second.jpg")]

    with pytest.raises(DataError, match=r"None of the 2 pictures .*first\.jpg"):
        Canvases.read(paths, PREPROCESSOR)


def test_no_seed_repeats_in_an_epoch_what_another_did_in_another():
    indices = np.arange(5, 25)  # members of an ensemble have seeds that follow
    orders = {
        tuple(order_of_epoch(indices, seed=seed, epoch=epoch).tolist())
        for seed in range(4)
        for epoch in range(5)
    }

    assert len(orders) == 20
    assert {tuple(sorted(order)) for order in orders} == {tuple(range(5, 25))}


def test_a_picture_is_drawn_by_its_own_number_wherever_it_trains(both):
    moving = Augmentation(6, jitter=0.2)
    indices = np.array([7, 0, 4, 9, 2])

    batches = epochs_of(
        both[2**20], moving, indices=indices, batch_size=2, seed=3, on_device=True
    )

    draws = np.concatenate([drawn for (_, drawn), _, _ in batches])
    trained = np.array(order_of(batches))
    assert sorted(trained[:5].tolist()) == sorted(indices.tolist())
    for epoch, part in enumerate((slice(0, 5), slice(5, 10))):
        for i, row in zip(trained[part], draws[part], strict=True):
            (own,) = moving.draw(np.array([i]), canvas_size=16, seed=3, epoch=epoch)
            assert row.tolist() == own.tolist()


def test_each_canvas_lies_at_the_place_of_its_file_between_broken_ones(paths, tmp_path):
    (tmp_path / "empty.jpg").write_bytes(b"")
    broken = str(tmp_path / "empty.jpg")
    mixed = [broken, *paths[:2], broken, broken, *paths[2:4]]

    canvases = Canvases.read(mixed, PREPROCESSOR)

    assert sorted(canvases.failures) == [0, 3, 4]
    assert canvases.stored is not None
    stored = canvases.stored.numpy()
    np.testing.assert_array_equal(stored[[1, 2, 5, 6]], pixels_of(paths[:4]))
    assert not stored[[0, 3, 4]].any()


def test_canvases_are_kept_up_to_the_last_byte_of_the_budget(paths):
    size = COUNT * 16 * 16 * 3

    assert Canvases.read(paths, PREPROCESSOR, memory_bytes=size).stored is not None
    assert Canvases.read(paths, PREPROCESSOR, memory_bytes=size - 1).stored is None


def test_no_pictures_at_all_are_refused():
    with pytest.raises(DataError, match=r"None of the 0 pictures .*: there is none"):
        Canvases.read([], PREPROCESSOR)
