"""Test pictures, each mapped by the model that has not seen it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from pixsent_tf.analysis import drawing
from pixsent_tf.config import DataConfig, ModelConfig, Recipe
from pixsent_tf.data.decode.files import read_image
from pixsent_tf.data.splits import find_named_units
from pixsent_tf.inference.model import SentimentModel
from pixsent_tf.runs import Run
from pixsent_tf.studies.crossval import crossval
from pixsent_tf.studies.folds import Folds, choose, divide
from pixsent_tf.studies.paper.fold_maps import NUM_PAIRS, Mapped, write_fold_maps
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


def test_the_maps_of_all_folds_are_counted_and_the_surest_shown(
    colored_folder: Path, tmp_path: Path
) -> None:
    dataset = open_level(DataConfig(str(colored_folder), num_folds=3))
    networks, folder = Run.create(tmp_path / "networks"), tmp_path / "maps"
    networks.write_recipe(Recipe(seed=6))
    made_by = {"recipe": asdict(networks.read_recipe())}
    parts = choose(
        divide(dataset, dataset.folds, units=find_named_units(dataset)), (3, 1)
    )
    generator = np.random.default_rng(2)
    lost, paths, probs, cells = {}, [], [], []
    for part in parts:
        read = part.test[1:] if part.number == 3 else part.test
        positive = generator.random(len(read))
        shades = generator.random((len(read), 2, 3))
        shades[0, 0, 0] = 0.5  # is not more likely positive
        (folder / f"fold-{part.number}").mkdir(parents=True)
        np.savez(
            folder / f"fold-{part.number}" / "maps.npz",
            paths=np.array([dataset.paths[i] for i in read]),
            probs=np.stack([1 - positive, positive], axis=1),
            cells=np.stack([1 - shades, shades], axis=-1),
        )
        paths += [dataset.paths[i] for i in read]
        probs += positive.tolist()
        cells += list(shades)
        row = {"id": f"lost in {part.number}", "reason": "empty", "message": ""}
        lost[part.number] = Mapped([row] if part.number == 3 else [])
    kept = Folds(Run(folder), dataset, Mapped, made_by)
    kept.find(parts, lambda part: lost[part.number])

    found = write_fold_maps(dataset, networks, folder, folds=(3, 1))

    assert found.num_examples == len(paths)
    assert found.cells == "2 × 3"
    assert found.positive_share == pytest.approx(np.mean([c > 0.5 for c in cells]))
    assert [row["id"] for row in found.unreadable] == ["lost in 3"]
    ordered = sorted(range(len(paths)), key=lambda i: probs[i])
    half = NUM_PAIRS // 2
    images, captions = [], []
    for i in [*ordered[-half:][::-1], *ordered[:half]]:  # the surest of each side first
        small = drawing.thumbnail(read_image(paths[i]))
        images += [small, drawing.cells_overlay(small, cells[i])]
        captions += [Path(paths[i]).name, f"positive {probs[i]:.2f}"]
    expected = drawing.contact_sheet(images, captions, columns=4)
    np.testing.assert_array_equal(np.asarray(found.sheet), expected)
