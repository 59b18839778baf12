"""What trials share: each picture is read once by each network."""

from __future__ import annotations

import numpy as np
import pytest

from pixsent_tf.config import override
from pixsent_tf.data.table import Dataset
from pixsent_tf.studies.search.shared_learners import SharedLearners
from pixsent_tf.studies.trainer import build_learner
from tests.float32 import assert_close_float32
from tests.heard import Heard
from tests.tiny_network import OPERATIONS

TRAIN, TEST = np.arange(16), np.arange(16, 24)


@pytest.fixture
def dataset(pictures):
    """The pictures, bright ones positive; one of three finds the first negative."""
    votes = np.tile([0, 3], (len(pictures), 1))
    votes[0] = [1, 2]
    return Dataset(
        name="noise",
        ids=tuple(map(str, range(len(pictures)))),
        paths=tuple(pictures),
        labels=(np.arange(len(pictures)) % 2).astype("int32"),
        class_names=("negative", "positive"),
        votes=votes,
    )


@pytest.fixture
def shared(dataset, tmp_path):
    return SharedLearners(dataset, [f"{i:064}" for i in range(len(dataset))], tmp_path)


@pytest.mark.parametrize("strategy", ["head", "all", "lp-ft"])
def test_a_witness_notes_what_was_shown_and_changes_nothing(
    shared, dataset, recipe_of, targets, strategy
):
    recipe = recipe_of(strategy)
    plain = build_learner(recipe, 2)
    plain.read(dataset.paths)
    expected = plain.fit(TRAIN, targets).probs(TEST)
    witness = shared.learner(recipe)

    probs = witness.validate(witness.fit(TRAIN, targets), TEST)

    assert_close_float32(probs, expected, operations=OPERATIONS)
    assert witness.trained == set(range(16))
    assert witness.validated == set(range(16, 24))


def test_each_network_looks_at_each_picture_once(shared, dataset, recipe_of, targets):
    recipe, heard = recipe_of("head"), Heard()
    shared.progress = heard
    shared.read([recipe])
    assert heard.steps[0] == (len(dataset), "reading")
    for inverse_penalty in (1.0, 10.0):
        trial = override(recipe, {"training.inverse_penalty": inverse_penalty})
        shared.learner(trial).fit(TRAIN, targets)
    again = SharedLearners(dataset, shared.hashes, shared.cache, heard)
    again.read([recipe])

    assert len(list(shared.cache.iterdir())) == 1
    first = shared.learner(recipe).learner.values
    np.testing.assert_array_equal(again.learner(recipe).learner.values, first)
    assert sum(heard.counts) == 2 * len(dataset)  # the second time from the disk


def test_trials_have_their_own_penalty_and_share_features(shared, recipe_of):
    trials = [
        shared.learner(
            override(recipe_of("head"), {"training.inverse_penalty": inverse_penalty})
        )
        for inverse_penalty in (1.0, 10.0)
    ]

    assert [trial.learner.inverse_penalty for trial in trials] == [1.0, 10.0]
    assert trials[0].learner.values is trials[1].learner.values


def test_other_pictures_or_random_weights_have_other_features(
    shared, dataset, recipe_of, tmp_path
):
    recipe = recipe_of("head")
    shared.read([recipe, override(recipe, {"seed": 1, "model.mirror": True})])
    SharedLearners(dataset, ["other"], tmp_path).read([recipe])

    assert len(list(tmp_path.iterdir())) == 3


def test_pictures_that_cannot_be_read_are_remembered(
    dataset, recipe_of, tmp_path, pictures
):
    from dataclasses import replace

    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"")
    dataset = replace(dataset, paths=(str(broken), *pictures[1:]))
    for _ in range(2):  # computed, then from the disk
        shared = SharedLearners(dataset, ["h"], tmp_path / "cache")
        shared.read([recipe_of("head")])

        assert {i: error.reason for i, error in shared.failures.items()} == {0: "empty"}


def test_fine_tuning_trials_share_the_decoded_pictures(shared, recipe_of):
    first, second = (shared.learner(recipe_of("all", seed=seed)) for seed in (0, 1))

    assert first.learner.canvases is second.learner.canvases
    assert shared.failures == {}


@pytest.mark.parametrize("change", [{"seed": 1}, {"model.mirror": True}])
def test_features_on_the_disk_are_of_one_network_and_one_seed(
    shared, dataset, recipe_of, change
):
    shared.read([recipe_of("head")])
    other = SharedLearners(dataset, shared.hashes, shared.cache)

    other.read([override(recipe_of("head"), change)])

    assert len(list(shared.cache.iterdir())) == 2
    values = [
        each.learner(override(recipe_of("head"), settings)).learner.values
        for each, settings in ((shared, {}), (other, change))
    ]
    assert np.abs(values[0] - values[1]).max() > 1e-3
