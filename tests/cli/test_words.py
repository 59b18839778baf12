"""Results are said to people with what they need to judge them."""

from __future__ import annotations

import numpy as np
import pytest

from pixsent_tf.cli.words import (
    describe_comparison,
    describe_evaluation,
    describe_map_check,
    describe_probe,
    describe_study,
)
from pixsent_tf.evaluation.compare import compare
from pixsent_tf.evaluation.metrics import summarize

LABELS = np.array([0, 0, 0, 1, 1, 1, 1, 1])
POSITIVE = np.array([0.1, 0.4, 0.7, 0.9, 0.8, 0.6, 0.3, 0.95])
PROBS = np.stack([1 - POSITIVE, POSITIVE], axis=1)
UNREAD = [{"id": name, "reason": "empty", "message": ""} for name in "ab"]


def study(labels=LABELS, probs=PROBS, folds=None, unreadable=()):
    """What a study tells that took 2 s."""
    numbers = summarize(labels=labels, probs=probs, folds=folds)
    return {
        **numbers,
        "unreadable": unreadable,
        "per_source": [],
        "distribution": None,
        "seconds": 2.0,
        "out": "runs/a",
    }


def evaluation(**more):
    """What an evaluation tells that was asked for nothing more."""
    return {
        **summarize(labels=LABELS, probs=PROBS),
        "ten_crop": None,
        "abstention": [],
        "unreadable": [],
        "per_source": [],
        "distribution": None,
        "label_ceiling": None,
        "polarity": None,
        "settings_tried": None,
        "report": "runs/a/report.html",
        **more,
    }


def test_metrics_come_with_the_interval_the_rate_and_the_null_band():
    rows = describe_study(study(folds=np.array([1, 1, 2, 2, 1, 2, 1, 2])))

    said = dict(rows)
    assert rows[0] == ("accuracy", "0.750 (95 % interval 0.409 to 0.929)")
    assert said["mean over folds"] == "0.750 ± 0.000"
    assert said["majority rate"] == "0.625"
    assert "a calibrated model: " in said["calibration error"]
    assert said["each fold"] == "0.750  0.750"
    assert rows[-2:] == [("seconds", "2.0"), ("out", "runs/a")]


def test_an_auc_that_is_not_known_is_not_told():
    found = study(labels=np.zeros(3, int), probs=PROBS[:3])

    assert "AUC" not in dict(describe_study(found))


def test_what_could_not_be_read_is_counted():
    rows = dict(describe_study(study(unreadable=UNREAD)))

    assert rows["pictures"] == "8 of 10; 2 unreadable"


def test_what_only_one_study_tells_stands_before_where_it_is():
    rows = describe_study(study(), more=[("settings tried", "4")])

    assert [name for name, _ in rows[-3:]] == ["seconds", "settings tried", "out"]


def test_an_evaluation_tells_only_what_it_knows():
    names = [name for name, _ in describe_evaluation(evaluation())]

    assert names[-2:] == ["pictures", "report"]
    assert not {"with ten crops", "label ceiling", "settings tried"} & set(names)


def test_an_evaluation_tells_crops_ceiling_silence_and_competition():
    row = {"target": 0.95, "precision": 0.9, "coverage": 0.5, "num_answered": 4}
    found = evaluation(
        ten_crop=summarize(labels=LABELS, probs=PROBS),
        label_ceiling=0.9623,
        abstention=[row],
        settings_tried=7,
    )

    said = dict(describe_evaluation(found))

    assert said["with ten crops"] == "0.750 (0.409 to 0.929)"
    assert said["label ceiling"] == "0.962  (agreement of another person)"
    assert said["answering at 0.95"] == "0.500 of the pictures, right on 0.900"
    assert said["settings tried"] == "7"


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


AREAS = {
    **{"map": 0.2, "random": 0.5, "center": 0.4},
    **{"gain_over_random": 0.3, "gain_over_random_interval": [0.1, 0.45]},
    **{"gain_over_center": 0.2, "gain_over_center_interval": [0.1, 0.3]},
}
HIT = {"hits": 0.75, "interval": [0.5, 0.9], "chance": 0.1}


@pytest.mark.parametrize("game", [None, {"face": HIT, "mouth": HIT}])
def test_a_check_of_maps_tells_the_gain_and_where_boxes_are_known_the_hits(game):
    rows = describe_map_check(
        {
            "num_examples": 4,
            "kind": "exact",
            "deletion": AREAS,
            "insertion": AREAS,
            "correlation_with_random_weights": -0.125,
            "pointing": game,
        }
    )

    said = dict(rows)
    assert said["deletion"] == (
        "0.200, random 0.500, center 0.400; gain over random +0.300 "
        "(95 % interval +0.100 to +0.450)"
    )
    assert said["random weights"] == "correlation of the maps -0.125"
    hits = said.get("peak in the mouth")
    assert hits == (game and "0.750 (0.500 to 0.900), chance 0.100")


def test_a_probe_tells_each_layer_beside_the_majority_rate():
    layer = {
        **{"name": "conv5", "num_features": 256, "mean": 0.8, "std": 0.05},
        **{"accuracy": 0.81, "accuracy_interval": [0.7, 0.9]},
    }

    rows = describe_probe({"layers": [layer], "majority_rate": 0.6, "out": "runs/p"})

    assert rows == [
        (
            "conv5",
            "0.800 ± 0.050  (pooled 0.810, 95 % interval 0.700 to 0.900; 256 features)",
        ),
        ("majority rate", "0.600"),
        ("out", "runs/p"),
    ]


def test_each_source_is_told_with_its_recalls():
    source = {
        "source": "tweets",
        "num_examples": 8,
        "accuracy": 0.75,
        "accuracy_interval": [0.4, 0.9],
        "majority_rate": 0.5,
        "balanced_accuracy": 0.7,
        "recalls": {"negative": 0.6, "positive": 0.8},
        "auc": None,
        "ece": 0.1,
        "answering": {"precision": 1.0, "coverage": 0.25, "num_answered": 2},
    }
    lines = [text for _, text in describe_study(study() | {"per_source": [source]})]

    assert "0.750 of 8 (0.400 to 0.900), majority rate 0.500" in lines
    assert "balanced 0.700 (negative 0.600, positive 0.800)" in lines
    assert "calibration error 0.100; at .95 answering 0.250, right on 1.000" in lines


@pytest.mark.parametrize(
    ("error", "verdict"),
    [(0.02, "no evidence of"), (0.05, "no evidence of"), (0.06, "shows")],
)
def test_an_error_above_its_band_shows_miscalibration(error, verdict):
    told = study() | {"ece": error, "ece_null_band": [0.01, 0.05]}

    text = dict(describe_study(told))["calibration error"]

    assert text.startswith(f"{error:.3f}  (a calibrated model: 0.010 to 0.050; ")
    assert text.endswith(f"{verdict} miscalibration)")


def test_folds_spread_with_the_divisor_of_a_sample():
    said = dict(describe_study(study(folds=np.array([2, 2, 2, 1, 1, 1, 1, 1]))))

    # .8 and 2/3: the mean, and the difference over the root of two
    assert said["mean over folds"] == "0.733 ± 0.094"
