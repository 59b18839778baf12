"""How the pictures are divided between a search and its test."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pixsent_tf.config import override
from pixsent_tf.data.sources import open_folder
from pixsent_tf.errors import RunError
from pixsent_tf.runs import Run
from pixsent_tf.studies.folds import _checksum
from pixsent_tf.studies.search.searches import Searches
from pixsent_tf.studies.search.space import SearchConfig

SEARCH = SearchConfig(backbones=("mean_color",), trials=1)


@pytest.fixture
def divided(mean_color, colored_folder, tmp_path):
    """Divide the pictures of a folder, some of its entries replaced."""
    dataset = open_folder(colored_folder)

    def build(*, config=SEARCH, **changes):
        recipe = override(mean_color, {"data.num_folds": 3})
        run = Run(tmp_path)
        return Searches(recipe, replace(dataset, **changes), run, config)

    return build


def test_each_search_sees_the_other_folds_only(divided):
    parts = divided().parts

    assert [part.number for part in parts] == [1, 2, 3]
    tested = np.concatenate([part.test for part in parts])
    assert sorted(tested) == list(range(24))
    for part in parts:
        assert sorted([*part.train, *part.test]) == list(range(24))


def test_pictures_in_no_published_fold_are_neither_seen_nor_tested(divided):
    folds = (np.arange(24) % 3).astype("int32")  # a third in none

    parts = divided(folds=folds).parts

    assert len(parts) == 2
    assert parts[0].train.tolist() == parts[1].test.tolist() == [*range(2, 24, 3)]


def test_without_nesting_one_search_sees_all_but_the_held_out_part(divided):
    (part,) = divided(config=replace(SEARCH, nested=False)).parts

    assert len(part.test) == 5
    assert sorted([*part.train, *part.test]) == list(range(24))


def test_a_fold_that_tested_other_pictures_is_refused(divided):
    searches = divided()
    (searches.run.path / "folds").mkdir()
    kept = {"tested": ["another.png"]}
    searches.run.write_json("folds/fold-1.json", {**kept, "sha256": _checksum(kept)})

    with pytest.raises(RunError, match="tested other pictures in fold 1; name another"):
        searches.find()
