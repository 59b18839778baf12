"""Agreement levels: DeepSent's own, and stand-ins for any other set."""

from __future__ import annotations

import numpy as np
import pytest
from deepsent_files import COUNTS, fold_of, write_deepsent

from pixsent_tf.config import LEVELS, DataConfig
from pixsent_tf.studies.paper.levels import has_levels, open_level


@pytest.fixture
def folder(tmp_path):
    """Two classes of noise, twenty pictures each."""
    from PIL import Image

    generator = np.random.default_rng(0)
    for label in ("negative", "positive"):
        (tmp_path / label).mkdir()
        for number in range(20):
            pixels = generator.integers(0, 255, (16, 16, 3)).astype("uint8")
            Image.fromarray(pixels).save(tmp_path / label / f"{number:02}.png")
    return str(tmp_path)


def levels_of(source, **settings):
    return {
        level: open_level(DataConfig(source, level=level), **settings)
        for level in LEVELS
    }


def test_deepsent_keeps_its_levels_and_published_folds(tmp_path):
    source = str(write_deepsent(tmp_path))

    assert has_levels(source)
    for level, dataset in levels_of(source).items():
        numbers = [int(name.split("-")[1][:2]) for name in dataset.ids]
        assert len(dataset) == COUNTS[level]
        assert dataset.folds.tolist() == [fold_of(number) for number in numbers]


def test_stand_ins_are_nested_and_keep_their_folds(folder):
    assert not has_levels(folder)
    levels = levels_of(folder)
    five, four, three = (
        dict(zip(levels[level].ids, levels[level].folds, strict=True))
        for level in LEVELS
    )

    # four pictures of each class and fold: 0.695 and 0.879 of them, rounded
    assert [len(level) for level in (five, four, three)] == [30, 40, 40]
    assert five.items() <= four.items() <= three.items()
    assert set(three.values()) == {1, 2, 3, 4, 5}


def test_a_share_is_taken_of_each_class_and_the_same_whenever_asked(folder):
    first = levels_of(folder, example_fraction=0.5)
    second = levels_of(folder, example_fraction=0.5)

    for level in LEVELS:
        assert first[level].ids == second[level].ids
    assert np.bincount(first["three_agrees"].labels).tolist() == [10, 10]
    whole = set(levels_of(folder)["three_agrees"].ids)
    assert set(first["five_agrees"].ids) <= set(first["three_agrees"].ids) <= whole


def test_a_share_of_deepsent_leaves_pictures_in_their_folds(tmp_path):
    source = str(write_deepsent(tmp_path))
    whole = levels_of(source)["three_agrees"]
    folds = dict(zip(whole.ids, whole.folds, strict=True))

    part = levels_of(source, example_fraction=0.5)["three_agrees"]

    assert 10 < len(part) < 26
    assert {name: folds[name] for name in part.ids} == dict(
        zip(part.ids, part.folds, strict=True)
    )
