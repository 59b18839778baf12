"""What a model sees of labelled pictures, and what each fold of them is shown."""

from __future__ import annotations

from dataclasses import replace

import keras
import numpy as np
import pytest
from PIL import Image

from pixsent_tf.config import PreprocessConfig
from pixsent_tf.data.lists.rated import Ratings
from pixsent_tf.data.table import Dataset
from pixsent_tf.inference.model import SentimentModel
from pixsent_tf.models.output import RatingOutput
from pixsent_tf.models.zoo import HEAD, attach_head
from pixsent_tf.progress import NO_PROGRESS
from pixsent_tf.studies.adapting import classes, ratings
from pixsent_tf.studies.adapting.classes import OfClasses
from pixsent_tf.studies.adapting.looked import Looked
from pixsent_tf.studies.adapting.ratings import OfRatings

COUNT, BROKEN = 24, 5
GEOMETRY = PreprocessConfig(10, 8)


def mean_colors():
    """A network that answers by the mean color, over 100."""
    crops = keras.Input((8, 8, 3), name="crops")
    features = keras.layers.GlobalAveragePooling2D(name="features")(crops)
    network = attach_head(keras.Model(crops, features), 2)
    kernel = np.array([[1, 0], [0, 1], [0, 0]], "float32") / 100
    network.get_layer(HEAD).set_weights([kernel, np.array([0, 0.5], "float32")])
    return network


def draw(folder, count, offset=0):
    """Noise of a mean color of its own in each picture; paths and those colors."""
    generator = np.random.default_rng(offset)
    colors = generator.integers(20, 200, (count, 3)) + offset
    folder.mkdir()
    for number, color in enumerate(colors):
        noise = generator.integers(-15, 16, (10, 10, 3))
        pixels = (color + noise).clip(0, 255).astype("uint8")
        Image.fromarray(pixels).save(folder / f"{number:02}.png")
        colors[number] = pixels[1:9, 1:9].mean(axis=(0, 1)).round()
    return [str(folder / f"{number:02}.png") for number in range(count)], colors


@pytest.fixture
def pictures(tmp_path):
    paths, colors = draw(tmp_path / "labelled", COUNT)
    (tmp_path / "labelled" / f"{BROKEN:02}.png").write_bytes(b"")
    return paths, colors


@pytest.fixture
def dataset(pictures):
    """Two classes by turns, in groups of two; ratings of the red."""
    paths, colors = pictures
    values = np.stack([1 + colors[:, 0] / 40, 1 + colors[:, 1] / 40], axis=1)
    unknown = np.full(values.shape, np.nan)
    return Dataset(
        name="mine",
        ids=tuple(f"{number}" for number in range(COUNT)),
        paths=tuple(paths),
        labels=(np.arange(COUNT) // 2 % 2).astype("int32"),
        class_names=("negative", "positive"),
        ratings=Ratings(("valence", "arousal"), values, (1, 7), unknown, unknown),
    ).grouped([f"g{number // 2}" for number in range(COUNT)])


def of_classes():
    return SentimentModel.build(
        mean_colors(), GEOMETRY, ("negative", "positive"), temperature=2.0
    )


def read(dataset, model=None, others=()):
    return Looked.read(model or of_classes(), dataset, others, 0, NO_PROGRESS)


def test_rows_after_a_broken_picture_keep_their_features(dataset, pictures):
    looked = read(dataset)

    assert list(looked.failures) == [BROKEN]
    assert looked.readable.tolist() == [i for i in range(COUNT) if i != BROKEN]
    off = looked.features - pictures[1]
    assert np.abs(off[looked.readable]).max() < 1
    assert not looked.features[BROKEN].any()


def test_features_are_standardized_on_the_collection_where_there_is_one(
    dataset, pictures, tmp_path
):
    others, colors = draw(tmp_path / "others", 9, offset=30)

    alone, beside = read(dataset), read(dataset, others=others)

    own = np.delete(pictures[1], BROKEN, axis=0)
    np.testing.assert_allclose(alone.standard.mean, own.mean(axis=0), atol=1)
    np.testing.assert_allclose(beside.standard.mean, colors.mean(axis=0), atol=1)
    np.testing.assert_array_equal(alone.features, beside.features)


def test_folds_hold_whole_groups_and_no_broken_picture(dataset):
    dealt = read(dataset).deal()

    assert dealt[BROKEN] == 0
    others = [i for i in range(0, COUNT, 2) if i != BROKEN - 1]
    assert all(dealt[i] == dealt[i + 1] > 0 for i in others)
    assert set(dealt) == {0, 1, 2, 3, 4, 5}


@pytest.fixture
def shown(monkeypatch):
    """Features and units that each head was adapted by; the last are all."""
    seen = []

    def note(module, name):
        adapt = getattr(module, name)

        def noted(head, features, told, **settings):
            seen.append((features, settings["units"]))
            return adapt(head, features, told, **settings)

        monkeypatch.setattr(module, name, noted)

    note(classes, "adapt_head")
    note(ratings, "adapt_ratings")
    return seen


def check_folds(looked, shown):
    """Each fold's head was shown all readable pictures but those of the fold."""
    dealt = looked.deal()
    assert len(shown) == 6
    for fold, (features, units) in enumerate(shown, start=1):
        trains = (dealt > 0) & (dealt != fold)
        np.testing.assert_array_equal(features, looked.features[trains])
        assert units.tolist() == looked.units[trains].tolist()


def test_a_label_is_judged_by_a_head_that_was_not_shown_it(dataset, shown):
    looked = read(dataset)

    came = OfClasses(looked).adapt(NO_PROGRESS)

    check_folds(looked, shown)
    assert came.model.output.temperature == pytest.approx(came.told["temperature"])
    assert set(came.table.asked) == set(dataset.ids)


def test_a_rating_is_judged_by_a_head_that_was_not_shown_it(dataset, shown):
    output = RatingOutput(("valence", "arousal"), (1, 7), (1.0, 2.0))
    looked = read(dataset, SentimentModel.wrap(mean_colors(), GEOMETRY, output))

    told = OfRatings(looked).adapt(NO_PROGRESS).told

    check_folds(looked, shown)
    before, after = (told[when]["targets"][0]["rmse"] for when in ("before", "after"))
    difference = told["differences"][0]
    assert (difference["first"], difference["second"]) == ("after", "before")
    assert difference["rmse"] == pytest.approx([after, before])
    assert difference["rmse_difference"] == pytest.approx(after - before)


def test_an_adapted_model_keeps_the_temperature_and_the_answers_of_its_labels(
    dataset, pictures, monkeypatch
):
    blue = pictures[1][:, 2]
    told = replace(dataset, labels=(blue > np.median(blue)).astype("int32"))
    calibrate = classes.calibrate
    monkeypatch.setattr(
        classes,
        "calibrate",
        lambda *given, **more: replace(calibrate(*given, **more), temperature=1.75),
    )

    came = OfClasses(read(told)).adapt(NO_PROGRESS)

    assert came.choice == "head"  # the old one did not look at the blue
    assert came.model.output.temperature == came.told["temperature"] == 1.75
    assert len(came.model.output.held_out) == COUNT - 1
