"""Results are said to people with what they need to judge them."""

from __future__ import annotations

import numpy as np
import pytest

from pixsent_tf.cli.words import describe_comparison, describe_metrics
from pixsent_tf.evaluation.compare import compare
from pixsent_tf.evaluation.metrics import summarize

LABELS = np.array([0, 0, 0, 1, 1, 1, 1, 1])
POSITIVE = np.array([0.1, 0.4, 0.7, 0.9, 0.8, 0.6, 0.3, 0.95])
PROBS = np.stack([1 - POSITIVE, POSITIVE], axis=1)


@pytest.fixture(scope="module")
def results():
    return summarize(
        labels=LABELS, probs=PROBS, folds=np.array([1, 1, 2, 2, 1, 2, 1, 2])
    )


def test_metrics_come_with_the_interval_the_rate_and_the_null_band(results):
    rows = dict(describe_metrics(results))

    assert rows["accuracy"] == "0.750 (95 % interval 0.409 to 0.929)"
    assert rows["majority rate"] == "0.625"
    assert rows["mean over folds"] == "0.750 ± 0.000"
    assert "a calibrated model: " in rows["calibration error"]


def test_an_auc_that_is_not_known_is_not_told():
    found = summarize(labels=np.zeros(3, int), probs=PROBS[:3])

    assert "AUC" not in dict(describe_metrics(found))


def test_what_could_not_be_read_is_counted(results):
    rows = dict(describe_metrics({**results, "unreadable": [{"id": "a"}, {"id": "b"}]}))

    assert rows["pictures"] == "8 of 10; 2 unreadable"


@pytest.mark.parametrize(
    ("models", "printed"), [(2, "p = 1.0000"), (3, "p = 1.0000, by Holm 1.0000")]
)
def test_a_comparison_tells_the_difference_and_the_test(models, printed):
    better = [0.9, 0.8, 0.7, 0.3, 0.2, 0.6]  # one mistake
    worse = [0.9, 0.4, 0.3, 0.2, 0.1, 0.3]  # two others
    positive = np.array([better, worse, better][:models])
    pairs = compare(
        names="abc"[:models],
        labels=np.array([1, 1, 1, 0, 0, 0]),
        probs=np.stack([1 - positive, positive], axis=2),
        has_probs=[True] * models,
    )

    rows = describe_comparison({"num_examples": 6, "pairs": pairs[:1] * (models - 1)})

    assert rows[0] == ("pictures", "6")
    assert rows[1] == ("a – b", "")
    said = dict(rows)
    assert said["  accuracy"].startswith("0.833 – 0.667 = +0.167  (95 % interval -")
    assert said["  only one is right"] == "2 : 1"
    assert said["  McNemar"] == printed
