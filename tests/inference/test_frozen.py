"""A picture passes a frozen network once, whoever asks and however often."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from PIL import Image

from pixsent_tf.config import ModelConfig, PreprocessConfig
from pixsent_tf.data.preprocess import Preprocessor
from pixsent_tf.errors import DataError
from pixsent_tf.inference import engine
from pixsent_tf.inference.frozen import Frozen, FrozenSweep
from pixsent_tf.inference.model import SentimentModel
from pixsent_tf.models import zoo
from pixsent_tf.runs import cache_folder
from tests.heard import Heard
from tests.tiny_network import build_tiny

COUNT = 40
BROKEN = (3, 17, 39)
PREPROCESSOR = Preprocessor(PreprocessConfig(canvas_size=16, crop_size=12))


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("PIXSENT_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("PIXSENT_FEATURES_GB", raising=False)


@pytest.fixture
def paths(tmp_path):
    """Noise of many sizes; three files are no pictures."""
    generator = np.random.default_rng(0)
    files = [str(tmp_path / f"{number:02}.png") for number in range(COUNT)]
    for number, path in enumerate(files):
        if number in BROKEN:
            with open(path, "wb") as file:
                file.write(b"<html>")
        else:
            pixels = generator.integers(0, 256, (20 + number, 30, 3)).astype("uint8")
            Image.fromarray(pixels).save(path)
    return files


@pytest.fixture
def network():
    return build_tiny(None, None, 3)


class Counted(Frozen):
    """Knows how many pictures passed."""

    passed = 0

    def forward(self, num_examples):
        look = super().forward(num_examples)

        def counted(crops):
            self.passed += len(crops)
            return look(crops)

        return counted


def see(network, paths, **options):
    frozen = Counted(network, PREPROCESSOR)
    sweep = FrozenSweep(frozen, paths, batch_size=7, **options)
    positions, values = sweep.collect()
    return frozen.passed, positions.tolist(), values, sorted(sweep.failures)


def test_the_second_time_nothing_passes_and_the_answer_is_the_same(network, paths):
    passed, positions, values, failures = see(network, paths)
    again = see(build_tiny(None, None, 3), paths)

    assert passed == COUNT - len(BROKEN)
    assert failures == list(BROKEN)
    assert again[0] == 0
    assert again[1] == positions
    assert again[3] == failures
    np.testing.assert_array_equal(again[2], values)


def test_new_pictures_take_their_places_among_those_that_are_known(network, paths):
    see(network, [path for i, path in enumerate(paths) if i % 9])
    passed, positions, values, failures = see(network, paths)

    assert passed == len([i for i in range(0, COUNT, 9) if i not in BROKEN])
    assert failures == list(BROKEN)
    assert positions == [i for i in range(COUNT) if i not in BROKEN]
    shutil.rmtree(cache_folder("features"))
    np.testing.assert_allclose(see(network, paths)[2], values, rtol=1e-5, atol=1e-6)


def test_broken_files_have_their_errors_in_order_when_others_are_known(network, paths):
    see(network, paths)
    sweep = FrozenSweep(Frozen(network, PREPROCESSOR), paths)

    found = list(sweep.in_order())

    assert [position for position, _ in found] == list(range(COUNT))
    assert [found[i][1].reason for i in BROKEN] == ["not_an_image"] * 3


def test_a_picture_is_known_by_its_content(network, paths, tmp_path):
    see(network, paths)
    moved = [str(tmp_path / f"moved-{i}.png") for i in range(COUNT)]
    for old, new in zip(paths, moved, strict=True):
        shutil.move(old, new)
    Image.new("RGB", (9, 9), "red").save(moved[5])

    assert see(network, moved)[0] == 1


def test_the_center_of_predict_is_the_feature_of_training(network, paths):
    values = see(network, paths)[2]
    passed, _, views, _ = see(network, paths, view="center")

    assert passed == 0
    np.testing.assert_array_equal(views[:, 0], values)


def test_ten_crops_are_kept_apart(network, paths):
    see(network, paths)
    passed, _, views, _ = see(network, paths, view="ten_crop")
    again, _, same, _ = see(network, paths, view="ten_crop")

    assert (passed, again) == (10 * (COUNT - len(BROKEN)), 0)
    assert views.shape == (COUNT - len(BROKEN), 10, 6)
    np.testing.assert_array_equal(same, views)


def test_another_geometry_or_network_knows_nothing(network, paths):
    see(network, paths)
    other = build_tiny(None, None, 4)
    wide = Preprocessor(PreprocessConfig(canvas_size=12, crop_size=12))
    frozen = Counted(network, wide)
    FrozenSweep(frozen, paths).collect()

    assert see(other, paths)[0] == frozen.passed == COUNT - len(BROKEN)


def test_nothing_is_kept_or_recalled_where_no_room_is_allowed(
    network, paths, monkeypatch
):
    see(network, paths)
    monkeypatch.setenv("PIXSENT_FEATURES_GB", "0")

    assert see(network, paths)[0] == COUNT - len(BROKEN)


def test_who_stops_early_goes_on_where_it_was(network, paths):
    frozen = Counted(network, PREPROCESSOR)
    batches = iter(FrozenSweep(frozen, paths, batch_size=7))
    next(batches), next(batches)
    batches.close()

    assert see(network, paths)[0] == COUNT - len(BROKEN) - frozen.passed


def test_what_follows_is_done_to_known_features_too(network, paths):
    first = see(network, paths, after=lambda values: values * 2)[2]
    passed, _, again, _ = see(network, paths, after=lambda values: values * 3)

    assert passed == 0
    np.testing.assert_allclose(again, first * 1.5, rtol=1e-6)


def test_progress_counts_known_and_broken_pictures(network, paths):
    see(network, paths)
    heard = Heard()
    see(network, paths, progress=heard, what="scoring")

    assert heard.steps[-1] == (COUNT, "scoring")
    assert sum(heard.counts[-100:]) >= COUNT


def test_pictures_of_which_none_can_be_read_are_refused(network, tmp_path):
    paths = [str(tmp_path / f"{i}.png") for i in range(COUNT)]

    with pytest.raises(DataError, match="None of the 40 pictures can be read"):
        see(network, paths)


def test_the_default_network_is_known_from_any_model_on_it():
    config = ModelConfig(weights=None)
    backbone = zoo.build_backbone(config)
    classifier = zoo.attach_head(backbone, 2)
    model = SentimentModel.build(classifier, zoo.preprocess_of(config), ["a", "b"])

    assert engine.digest(model._halves[0].network) == engine.digest(backbone)
