"""Scores of trials: inner folds only, copies together, everything written down."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from pixsent_tf.data.sources import open_folder
from pixsent_tf.errors import DataError
from pixsent_tf.studies.provenance.witness import Witness
from pixsent_tf.studies.search import scorer
from pixsent_tf.studies.search.scorer import Scorer
from pixsent_tf.studies.search.shared_learners import SharedLearners

SEEN = np.r_[0:9, 12:21]  # three pictures of each class are not for the search


@pytest.fixture
def scorer_of(mean_color, colored_folder, tmp_path):
    dataset = open_folder(colored_folder)
    hashes = [f"{i:02}" for i in range(len(dataset))]

    def build(*, units=None, scored_folds=5, labels=None):
        pictures = dataset if labels is None else replace(dataset, labels=labels)
        return Scorer(
            mean_color,
            SharedLearners(pictures, hashes, tmp_path / "features"),
            SEEN,
            units=np.arange(len(dataset)) if units is None else units,
            scored_folds=scored_folds,
            folder=tmp_path / "search",
        )

    return build


def test_every_picture_that_is_seen_is_validated_and_no_other(scorer_of):
    scorer = scorer_of()

    found = scorer({"training.inverse_penalty": 30.0}, 1.0)

    seen = [f"{i:02}" for i in SEEN]
    assert scorer.saw() == {"trained": seen, "validated": seen}
    assert found["accuracy"] == 1.0
    assert 0 < found["loss"] < 0.3


def test_labels_that_a_search_may_not_see_cannot_change_a_score(scorer_of):
    dataset = scorer_of().shared.dataset
    labels = dataset.labels.copy()
    hidden = np.setdiff1d(np.arange(24), SEEN)
    labels[hidden] = 1 - labels[hidden]

    first, second = (
        scorer_of(labels=each)({"training.inverse_penalty": 3.0}, 1.0)
        for each in (dataset.labels, labels)
    )

    assert first == second


def test_less_effort_scores_a_head_on_fewer_folds(scorer_of):
    scorer = scorer_of()

    scorer({"training.inverse_penalty": 1.0}, 0.3)  # two of five

    assert len(scorer.saw()["validated"]) == (scorer.folds <= 2).sum()


def test_however_little_effort_scores_a_head_on_one_fold(scorer_of):
    scorer = scorer_of()

    scorer({"training.inverse_penalty": 1.0}, 0.1)

    assert len(scorer.saw()["validated"]) == (scorer.folds == 1).sum()


def test_a_class_of_one_picture_is_what_is_refused(scorer_of):
    labels = np.zeros(24, dtype="int32")
    labels[4] = 1

    with pytest.raises(DataError, match="2 parts need 2 different pictures"):
        scorer_of(labels=labels)


def test_a_class_of_two_pictures_leaves_two_inner_folds(scorer_of):
    labels = np.zeros(24, dtype="int32")
    labels[[4, 15]] = 1

    assert np.unique(scorer_of(labels=labels).folds).tolist() == [1, 2]


@pytest.mark.parametrize(("share", "epochs"), [(1.0, 9), (0.5, 4), (0.01, 1)])
def test_less_effort_trains_a_network_for_fewer_epochs(
    share, epochs, scorer_of, monkeypatch
):
    class Asked(Exception):
        """Ends the trial once it is known what it trains."""

    def note(recipe):
        raise Asked(recipe.training.epochs)

    scorer = scorer_of()
    monkeypatch.setattr(scorer.shared, "learner", note)

    with pytest.raises(Asked, match=f"^{epochs}$"):
        scorer({"training.strategy": "all", "training.epochs": 9}, share)


def test_copies_share_an_inner_fold(scorer_of):
    units = np.arange(24)
    units[[0, 3, 7]] = 0

    scorer = scorer_of(units=units)

    assert len(set(scorer.folds[[0, 3, 7]])) == 1


def test_what_other_processes_saw_counts(scorer_of):
    scorer = scorer_of(scored_folds=1)
    scorer({"training.inverse_penalty": 1.0}, 1.0)
    other = {"trained": ["99"], "validated": []}
    (scorer.folder / "saw-1.json").write_text(json.dumps(other))

    assert "99" in scorer.saw()["trained"]


def test_what_scores_a_trial_has_not_trained_it(scorer_of, monkeypatch):
    fit, validate, pairs = Witness.fit, Witness.validate, []

    def noted_fit(self, indices, targets, **units):
        pairs.append([indices])
        return fit(self, indices, targets, **units)

    def noted_validate(self, fitted, indices):
        pairs[-1].append(indices)
        return validate(self, fitted, indices)

    monkeypatch.setattr(Witness, "fit", noted_fit)
    monkeypatch.setattr(Witness, "validate", noted_validate)
    scorer_of()({"training.inverse_penalty": 30.0}, 1.0)

    assert len(pairs) == 5
    for trained, judged in pairs:
        assert sorted([*trained, *judged]) == sorted(SEEN)


class Asked(Exception):
    """Ends a trial where it asks for its learner."""


@pytest.mark.parametrize(("share", "epochs"), [(1.0, 8), (0.5, 4), (0.3, 2), (0.01, 1)])
def test_less_effort_fine_tunes_for_fewer_epochs_and_calibrates_nothing(
    scorer_of, monkeypatch, share, epochs
):
    asked = []

    def noted(self, recipe):
        asked.append(recipe.training)
        raise Asked

    monkeypatch.setattr(SharedLearners, "learner", noted)
    settings = {"training.strategy": "all", "training.epochs": 8}
    with pytest.raises(Asked):
        scorer_of()(settings, share)

    assert asked[0].epochs == epochs
    assert asked[0].calibration_folds == 0


def test_trials_are_scored_by_the_loss_of_the_label_and_the_share_of_right_answers():
    probs = np.array([[0.25, 0.75], [0.5, 0.5], [0.9, 0.1]])

    found = scorer._measure(np.array([1, 1, 0]), probs)

    assert found["loss"] == pytest.approx(-np.log([0.75, 0.5, 0.9]).mean())
    assert found["accuracy"] == pytest.approx(2 / 3)


def test_ratings_are_scored_by_errors_as_parts_of_their_spread():
    values = np.array([[1.0, 10.0], [2.0, 30.0], [3.0, 20.0]])
    said = values + np.array([[0.5, 0.0], [-0.5, 0.0], [0.5, 6.0]])

    found = scorer._measure_ratings(values, said)

    errors = np.sqrt([0.25, 36 / 3]) / values.std(axis=0)
    assert found["loss"] == pytest.approx(errors.mean())
    r = [np.corrcoef(*pair)[0, 1] for pair in zip(values.T, said.T, strict=True)]
    assert found["pearson_r"] == pytest.approx(np.mean(r))
