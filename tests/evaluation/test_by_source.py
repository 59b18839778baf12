"""Are the numbers of each source its own?"""

from __future__ import annotations

import numpy as np
import pytest

from pixsent_tf.evaluation.by_source import summarize_sources

# Source 0 is answered well, of source 1 every negative picture is missed.
LABELS = np.array([0, 0, 1, 1, 0, 0, 1, 1, 1, 1])
POSITIVE = np.array([0.1, 0.2, 0.8, 0.9, 0.6, 0.7, 0.75, 0.8, 0.9, 0.65])
SOURCES = np.array([0, 0, 0, 0, 1, 1, 1, 1, 1, 1])


def summarized(folds):
    return summarize_sources(
        labels=LABELS,
        probs=np.stack([1 - POSITIVE, POSITIVE], axis=1),
        folds=folds,
        sources=SOURCES,
        source_names=("tweets", "trips"),
        class_names=("negative", "positive"),
    )


def test_each_source_has_its_own_numbers():
    good, bad = summarized(np.zeros(10, int))

    assert (good["source"], bad["source"]) == ("tweets", "trips")
    assert (good["accuracy"], bad["accuracy"]) == (1.0, pytest.approx(4 / 6))
    assert bad["balanced_accuracy"] == 0.5
    assert bad["recalls"] == {"negative": 0.0, "positive": 1.0}
    assert bad["majority_rate"] == pytest.approx(4 / 6)
    # of eight pairs, .7 beats .65: one is ranked wrongly
    assert bad["auc"] == pytest.approx(7 / 8)
    assert bad["answering"] is None  # a single fold: nothing else could choose


def test_the_threshold_of_a_source_is_chosen_by_other_folds():
    good, bad = summarized(SOURCES)

    # Source 0 is always right, so that its smallest probability, .8, will do.
    assert bad["answering"] == {
        "precision": 1.0,
        "coverage": pytest.approx(2 / 6),
        "num_answered": 2,
    }
    # Source 1 is right from .75 on.
    assert good["answering"]["num_answered"] == 4


def test_a_source_with_one_class_has_no_auc():
    kept = LABELS == 1
    (row, _) = summarize_sources(
        labels=LABELS[kept],
        probs=np.stack([1 - POSITIVE, POSITIVE], axis=1)[kept],
        folds=SOURCES[kept],
        sources=SOURCES[kept],
        source_names=("tweets", "trips"),
        class_names=("negative", "positive"),
    )

    assert row["auc"] is None
    assert row["recalls"] == {"positive": 1.0}


def test_answers_of_a_source_are_to_be_right_in_95_of_100():
    # fold 1: 18 right at .9, then one wrong at .8 (18 of 19 is .947); fold 2 is at .85
    sureness = np.r_[np.full(18, 0.9), 0.8, 0.85, 0.85]
    labels = np.r_[np.ones(18, int), 0, 1, 1]

    (row,) = summarize_sources(
        labels=labels,
        probs=np.stack([1 - sureness, sureness], axis=1),
        folds=np.repeat([1, 2], [19, 2]),
        sources=np.zeros(21, int),
        source_names=("tweets",),
        class_names=("negative", "positive"),
    )

    assert row["answering"]["num_answered"] == 18  # of fold 1, at .85 of fold 2


def test_pictures_of_a_source_err_together_where_they_are_of_a_group():
    alone, together = (
        summarize_sources(
            labels=LABELS.repeat(9),
            probs=np.stack([1 - POSITIVE, POSITIVE], axis=1).repeat(9, axis=0),
            folds=np.zeros(90, int),
            sources=SOURCES.repeat(9),
            source_names=("tweets", "trips"),
            class_names=("negative", "positive"),
            groups=groups,
        )[1]["accuracy_interval"]
        for groups in (None, np.arange(10).repeat(9))
    )

    assert together[1] - together[0] > 2 * (alone[1] - alone[0])


def test_sources_keep_their_names_where_one_before_them_has_no_pictures():
    (row,) = summarize_sources(
        labels=LABELS[4:],
        probs=np.stack([1 - POSITIVE, POSITIVE], axis=1)[4:],
        folds=np.zeros(6, int),
        sources=SOURCES[4:],
        source_names=("tweets", "trips"),
        class_names=("negative", "positive"),
    )

    assert row["source"] == "trips"
