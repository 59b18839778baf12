"""Test pictures, each mapped by the model that has not seen it."""

from __future__ import annotations

import numpy as np
import pytest

from pixsent_tf.config import DataConfig, ModelConfig, Recipe
from pixsent_tf.inference.model import SentimentModel
from pixsent_tf.runs import Run
from pixsent_tf.studies.crossval import crossval
from pixsent_tf.studies.paper.fold_maps import write_fold_maps
from pixsent_tf.studies.paper.levels import open_level
from tests.small_network import small

__all__ = ["small"]


@pytest.fixture(scope="module")
def dataset(colored_folder):
    return open_level(DataConfig(str(colored_folder), num_folds=3))


@pytest.fixture(scope="module")
def networks(dataset, small, tmp_path_factory):
    """A cross-validation that has kept its models."""
    run = Run.create(tmp_path_factory.mktemp("runs") / "networks")
    recipe = Recipe(data=DataConfig(num_folds=3), model=ModelConfig("small"))
    crossval(recipe, dataset, run)
    return run


def test_each_fold_is_mapped_once_and_kept(dataset, networks, tmp_path, monkeypatch):
    folder = tmp_path / "maps"
    first = write_fold_maps(dataset, networks, folder, folds=(1, 2))
    monkeypatch.delattr(SentimentModel, "load")
    again = write_fold_maps(dataset, networks, folder, folds=(1, 2))

    tested = int(np.isin(dataset.folds, (1, 2)).sum())
    assert first.num_examples == again.num_examples == tested
    assert first.unreadable == again.unreadable == []
    assert first.positive_share == again.positive_share
    for fold in (1, 2):
        with np.load(folder / f"fold-{fold}" / "maps.npz") as stored:
            expected = [dataset.paths[i] for i in np.flatnonzero(dataset.folds == fold)]
            assert stored["paths"].tolist() == expected


def test_a_map_that_was_cut_off_is_drawn_again(dataset, networks, tmp_path):
    folder = tmp_path / "maps"
    write_fold_maps(dataset, networks, folder, folds=(1,))
    (folder / "folds" / "fold-1.json").unlink()  # written last, to vouch for the rest
    (folder / "fold-1" / "maps.npz").unlink()

    found = write_fold_maps(dataset, networks, folder, folds=(1,))

    assert found.num_examples == int((dataset.folds == 1).sum())
