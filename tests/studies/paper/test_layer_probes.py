"""Linear classifiers on the layers of a fold's own network."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from pixsent_tf.config import DataConfig, Recipe
from pixsent_tf.data.splits import find_named_units
from pixsent_tf.errors import RunError
from pixsent_tf.recipes import linear_probes
from pixsent_tf.runs import Run
from pixsent_tf.studies.crossval import crossval
from pixsent_tf.studies.folds import Folds, choose, divide
from pixsent_tf.studies.paper.layer_probes import (
    FoldProbes,
    LayerAnswers,
    Probed,
    probe_layers,
)
from pixsent_tf.studies.paper.levels import open_level


@pytest.fixture
def dataset(colored_folder):
    return open_level(DataConfig(str(colored_folder), num_folds=3))


@pytest.fixture
def networks(mean_color, dataset, tmp_path):
    """A cross-validation that has kept its models."""
    run = Run.create(tmp_path / "networks")
    crossval(replace(mean_color, data=DataConfig(num_folds=3)), dataset, run)
    return run


def test_dark_and_bright_are_told_apart_on_every_fold(dataset, networks, tmp_path):
    found = probe_layers(
        dataset, networks, Run(tmp_path / "probes"), ("features",), folds=(1, 2, 3)
    )

    assert set(found) == {("features", "svm"), ("features", "softmax")}
    for probed in found.values():
        assert probed.nested.all()
        assert probed.by_penalty[probed.best_penalty].all()
        assert np.bincount(probed.folds).tolist() == np.bincount(dataset.folds).tolist()


def test_a_finished_fold_is_recalled_without_its_model(dataset, networks, tmp_path):
    run, layers = Run(tmp_path / "probes"), ("features",)
    first = probe_layers(dataset, networks, run, layers, folds=(1, 3))
    for fold in (1, 3):
        networks.fold_model_path(fold).unlink()

    again = probe_layers(dataset, networks, run, layers, folds=(1, 3))

    for key, probed in first.items():
        np.testing.assert_array_equal(again[key].by_penalty, probed.by_penalty)
        np.testing.assert_array_equal(again[key].nested, probed.nested)
    with pytest.raises(RunError, match="used another layers in fold 1"):
        probe_layers(dataset, networks, run, ("logits",), folds=(1,))


def test_what_is_right_is_the_same_after_a_way_through_json():
    right = np.array([[True, False, True], [False, False, True]])
    first = FoldProbes(
        tuple("abc"), {("conv1", "svm"): LayerAnswers(right, chosen=1, num_features=9)}
    )

    again = FoldProbes.from_json(json.loads(json.dumps(first.to_json())))

    assert again.ids == first.ids
    one = again.by_layer["conv1", "svm"]
    assert (one.chosen, one.num_features) == (1, 9)
    np.testing.assert_array_equal(one.right, right)


def test_the_best_penalty_has_the_best_mean_over_folds():
    # 3 of 4 right in all, but a mean over folds of 1/2, against 2/3
    by_penalty = np.array([[True, True, True, False], [True, False, False, True]])

    probed = Probed(by_penalty, by_penalty[0], folds=np.array([1, 1, 1, 2]))

    assert probed.best_penalty == 1


def test_folds_are_pooled_with_the_penalty_that_each_has_chosen(
    colored_folder: Path, tmp_path: Path
) -> None:
    dataset = open_level(DataConfig(str(colored_folder), num_folds=3))
    networks, run = Run.create(tmp_path / "networks"), Run(tmp_path / "probes")
    networks.write_recipe(Recipe(seed=6))
    layers = ["fc7", "conv1"]  # not in the order of the alphabet
    made_by = {"recipe": asdict(networks.read_recipe()), "layers": layers, "seed": 4}
    sizes, chosen = {1: 5, 2: 2, 3: 4}, {1: 2, 2: 0, 3: 1}  # some cannot be read
    generator = np.random.default_rng(1)
    drawn = {
        number: FoldProbes(
            dataset.ids[:size],
            {
                (layer, kind): LayerAnswers(
                    generator.random((3, size)) < 0.5,
                    (chosen[number] + (kind == "svm")) % 3,
                    num_features=8,
                )
                for layer in layers
                for kind in ("svm", "softmax")
            },
        )
        for number, size in sizes.items()
    }
    parts = divide(dataset, dataset.folds, units=find_named_units(dataset))
    kept = Folds(run, dataset, FoldProbes, made_by)
    kept.find(choose(parts, (1, 2, 3)), lambda part: drawn[part.number])

    found = probe_layers(dataset, networks, run, layers, folds=(1, 2, 3), seed=4)

    assert list(found) == [
        (layer, kind) for layer in layers for kind in linear_probes.CLASSIFIERS
    ]
    for (layer, kind), probed in found.items():
        assert probed.folds.tolist() == [1] * 5 + [2] * 2 + [3] * 4
        for number in (1, 2, 3):
            right = drawn[number].by_layer[layer, kind].right
            own = probed.folds == number
            np.testing.assert_array_equal(probed.by_penalty[:, own], right)
            penalty = (chosen[number] + (kind == "svm")) % 3
            np.testing.assert_array_equal(probed.nested[own], right[penalty])
    two = probe_layers(dataset, networks, run, layers, folds=(3, 1), seed=4)
    assert {len(one.nested) for one in two.values()} == {9}
    with pytest.raises(RunError, match="used another seed in fold 1"):
        probe_layers(dataset, networks, run, layers, folds=(1,), seed=5)
