"""Metrics by hand and against scikit-learn."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

from pixsent_tf.evaluation.metrics import (
    auc,
    brier_scores,
    log_losses,
    summarize,
)
from pixsent_tf.evaluation.reliability import null_band

# Truth N N N P P P P P; six answers are right: recalls 2/3 and 4/5.
LABELS = np.array([0, 0, 0, 1, 1, 1, 1, 1])
POSITIVE = np.array([0.1, 0.4, 0.7, 0.9, 0.8, 0.6, 0.3, 0.95])
PROBS = np.stack([1 - POSITIVE, POSITIVE], axis=1)


@pytest.fixture(scope="module")
def results():
    return summarize(
        labels=LABELS,
        probs=PROBS,
        folds=np.array([1, 1, 2, 2, 1, 2, 1, 2]),
        class_names=("negative", "positive"),
    )


def test_accuracies_by_hand(results):
    assert results["accuracy"] == 6 / 8
    assert results["majority_rate"] == 5 / 8
    assert results["balanced_accuracy"] == pytest.approx((2 / 3 + 4 / 5) / 2)


def test_fold_values_in_order_of_the_folds(results):
    assert results["per_fold"] == [3 / 4, 3 / 4]


def test_per_class_values_by_hand(results):
    negative, positive = results["per_class"]

    assert negative == pytest.approx(
        {
            "name": "negative",
            "precision": 2 / 3,
            "recall": 2 / 3,
            "f1": 2 / 3,
            "num_examples": 3,
        }
    )
    assert (positive["precision"], positive["recall"]) == (4 / 5, 4 / 5)


def test_rows_of_the_confusion_are_the_truth():
    probs = np.array([[0.9, 0.1], [0.2, 0.8], [0.3, 0.7], [0.1, 0.9]])

    found = summarize(labels=np.array([0, 0, 1, 1]), probs=probs)

    assert found["confusion"] == [[1, 1], [0, 2]]


def test_auc_counts_pairs(results):
    # 15 pairs; lost: .6<.7 .3<.7 .3<.4
    assert results["auc"] == pytest.approx(12 / 15)


def test_losses_by_hand():
    probs = np.array([[0.25, 0.75], [0.5, 0.5]])
    labels = np.array([1, 0])

    assert log_losses(labels=labels, probs=probs) == pytest.approx(
        [math.log(4 / 3), math.log(2)]
    )
    assert brier_scores(labels=labels, probs=probs) == pytest.approx([1 / 16, 1 / 4])


def test_losses_agree_with_scikit_learn(results):
    assert results["log_loss"] == pytest.approx(sklearn_metrics.log_loss(LABELS, PROBS))
    assert results["brier"] == pytest.approx(
        sklearn_metrics.brier_score_loss(LABELS, POSITIVE)
    )


def test_a_sure_mistake_costs_much_but_not_everything():
    probs = np.array([[1.0, 0.0]], dtype="float32")

    (loss,) = log_losses(labels=np.array([1]), probs=probs)

    assert loss == pytest.approx(-math.log(1e-7))


def test_every_interval_holds_its_number(results):
    for name, (low, high) in results["bootstrap_intervals"].items():
        assert low <= results[name] <= high
    low, high = results["accuracy_interval"]
    assert low < results["accuracy"] < high


def test_results_are_strict_json(results):
    assert json.loads(json.dumps(results, allow_nan=False)) == results


def test_one_class_only_has_no_auc():
    found = summarize(labels=np.zeros(3, int), probs=PROBS[:3])

    assert found["auc"] is None
    assert found["auc_interval"] is None


def test_auc_of_three_classes_is_the_mean_of_one_against_the_rest():
    labels = np.array([0, 0, 1, 1, 2, 2])
    generator = np.random.default_rng(0)
    probs = generator.dirichlet([1, 1, 1], size=6)

    expected = sklearn_metrics.roc_auc_score(labels, probs, multi_class="ovr")
    assert auc(labels=labels, probs=probs) == pytest.approx(expected)


def test_pictures_that_err_together_widen_the_interval():
    labels = np.repeat([0, 1], 50)
    probs = np.tile([0.2, 0.8], (100, 1))
    probs[:40] = probs[:40, ::-1]  # right but for 10 pictures: one whole group
    alone = summarize(labels=labels, probs=probs)
    together = summarize(labels=labels, probs=probs, groups=np.arange(100) // 10)

    (low, high), (least, most) = (
        each["accuracy_interval"] for each in (alone, together)
    )
    assert most - least > 1.5 * (high - low)
    assert (alone["interval_unit"], together["interval_unit"]) == ("picture", "group")
    assert together["accuracy"] == alone["accuracy"]


def test_the_interval_of_accuracy_is_wilsons(results):
    share, count, z = 6 / 8, 8, 1.959964
    middle = (share + z**2 / (2 * count)) / (1 + z**2 / count)
    margin = z * math.sqrt(share * (1 - share) / count + (z / count) ** 2 / 4)
    margin /= 1 + z**2 / count

    expected = [middle - margin, middle + margin]
    assert results["accuracy_interval"] == pytest.approx(expected, abs=1e-6)


def scattered(count):
    """Answers of a model that ranks many pictures well, not perfectly."""
    labels = np.arange(count) % 2
    scores = 2 * labels + np.random.default_rng(0).normal(size=count)
    positive = 1 / (1 + np.exp(1 - scores))
    return labels, np.stack([1 - positive, positive], axis=1)


def test_intervals_hold_95_of_100_samples():
    labels, probs = scattered(2000)

    found = summarize(labels=labels, probs=probs)

    losses = sklearn_metrics.log_loss(labels, probs)
    spread = np.std(-np.log(probs[np.arange(2000), labels]))
    margin = 1.959964 * spread / math.sqrt(2000)
    bounds = found["bootstrap_intervals"]["log_loss"]
    assert bounds == pytest.approx([losses - margin, losses + margin], rel=0.02)


def test_the_interval_of_the_area_is_that_of_the_positive_probability():
    labels, probs = scattered(400)
    area = sklearn_metrics.roc_auc_score(labels, probs[:, 1])
    wins = probs[labels == 1, 1][:, None] > probs[labels == 0, 1]
    variance = sum(np.var(wins.mean(axis), ddof=1) / 200 for axis in (0, 1))

    low, high = summarize(labels=labels, probs=probs)["auc_interval"]

    margin = 1.959964 * math.sqrt(variance)
    assert (low, high) == pytest.approx((area - margin, area + margin))


def test_the_interval_of_the_area_draws_whole_groups():
    labels, probs = scattered(40)

    alone = summarize(labels=labels, probs=probs, groups=np.arange(40))
    fivefold = summarize(
        labels=labels.repeat(5),
        probs=probs.repeat(5, axis=0),
        groups=np.arange(40).repeat(5),
    )

    assert fivefold["auc_interval"] == pytest.approx(alone["auc_interval"])


def test_one_picture_of_a_class_has_an_area_without_an_interval():
    found = summarize(labels=LABELS[2:], probs=PROBS[2:])

    assert found["auc"] is not None
    assert found["auc_interval"] is None


def test_the_squared_distances_of_three_classes_are_not_halved():
    probs = np.array([[0.5, 0.3, 0.2]])

    (found,) = brier_scores(labels=np.array([0]), probs=probs)

    assert found == pytest.approx(0.25 + 0.09 + 0.04)


def test_unequal_folds_stand_in_their_order():
    found = summarize(labels=LABELS, probs=PROBS, folds=np.array([2, 2, 2] + 5 * [1]))

    assert found["per_fold"] == [4 / 5, 2 / 3]


def test_precision_is_of_the_answers_and_recall_of_the_labels():
    probs = np.array([[0.9, 0.1], [0.2, 0.8], [0.3, 0.7], [0.1, 0.9]])

    negative, positive = summarize(labels=np.array([0, 0, 0, 1]), probs=probs)[
        "per_class"
    ]

    assert (negative["precision"], negative["recall"]) == (1, pytest.approx(1 / 3))
    assert (positive["precision"], positive["recall"]) == (pytest.approx(1 / 3), 1)


def test_calibration_is_that_of_the_positive_probability():
    positive = np.array([0.9, 0.9, 0.9, 0.9, 0.9, 0.2, 0.2, 0.2, 0.2, 0.2])
    labels = np.array([1, 1, 1, 1, 1, 0, 0, 0, 0, 0])

    found = summarize(labels=labels, probs=np.stack([1 - positive, positive], axis=1))

    assert found["ece"] == pytest.approx((0.1 + 0.2) / 2)
    assert found["ece_null_band"] == list(null_band(positive))


def test_the_majority_is_that_of_the_labels_not_of_the_answers():
    found = summarize(labels=np.array([0, 0, 1, 1]), probs=PROBS[4:])

    assert found["majority_rate"] == 1 / 2  # three of the answers are positive
    assert summarize(labels=np.zeros(2, int), probs=PROBS[:2])["majority_rate"] == 1


def test_a_sample_without_a_class_has_no_balanced_accuracy():
    # one picture of the rare class, always right: recalls are 1 and 1 / 2 where it is
    labels = np.array([1, 0, 0, 0, 0, 0, 0])
    probs = np.eye(2)[[1, 0, 0, 0, 1, 1, 1]]

    low, _ = summarize(labels=labels, probs=probs)["bootstrap_intervals"][
        "balanced_accuracy"
    ]

    assert low >= 0.5  # not below, as it would be with the other class alone


def test_the_area_of_a_rare_class_counts_as_much_as_that_of_a_frequent_one():
    # one picture of class 0, two of class 1, three of class 2; wins by class:
    # 4 of 5, 6.5 of 8 (a tie is a half), 9 of 9
    labels = np.array([0, 1, 1, 2, 2, 2])
    probs = np.array(
        [
            [0.5, 0.2, 0.3],
            [0.6, 0.3, 0.1],
            [0.1, 0.7, 0.2],
            [0.1, 0.4, 0.5],
            [0.2, 0.1, 0.7],
            [0.3, 0.3, 0.4],
        ]
    )

    assert auc(labels=labels, probs=probs) == pytest.approx((4 / 5 + 6.5 / 8 + 1) / 3)


def test_a_single_part_is_its_own_fold():
    whole = summarize(labels=LABELS, probs=PROBS)
    later = summarize(labels=LABELS, probs=PROBS, folds=np.repeat([5, 2], [3, 5]))

    assert whole["per_fold"] == [6 / 8]
    assert later["per_fold"] == [4 / 5, 2 / 3]  # fold 2, then fold 5
