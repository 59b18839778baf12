from __future__ import annotations

import numpy as np
import pytest

from pixsent_tf.errors import ExportError
from pixsent_tf.serving import scorecard
from pixsent_tf.serving.scorecard import Score
from tests.float32 import assert_close_float32
from tests.serving.conftest import OPERATIONS

REFERENCE = np.array([[0.9, 0.1], [0.4, 0.6], [0.2, 0.8], [0.55, 0.45]])
EXPORTED = np.array([[0.8, 0.2], [0.45, 0.55], [0.2, 0.8], [0.45, 0.55]])
LABELS = np.array([0, 1, 0, 0])


def test_accuracy_flips_and_change_are_counted():
    score = scorecard.score_probs(
        "small", probs=EXPORTED, reference=REFERENCE, labels=LABELS
    )

    assert (score.accuracy, score.flips) == (0.5, 1)
    assert score.max_change == pytest.approx(0.1)


def test_a_loss_above_the_limit_is_refused():
    scores = [Score("keras", 0.9, 0, 0.0), Score("tflite int8", 0.88, 3, 0.1)]

    with pytest.raises(
        ExportError, match=r"loses 0\.0200 .* more than --max-drop 0\.01"
    ):
        scorecard.check_drop(scores, 0.01)


@pytest.mark.parametrize("max_change", [np.nan, np.inf])
def test_answers_that_are_no_numbers_are_refused(max_change):
    scores = [Score("keras", 0.9, 0, 0.0), Score("tflite float16", 0.9, 0, max_change)]

    with pytest.raises(ExportError, match=r"float16 answers .* that are not finite"):
        scorecard.check_drop(scores, None)


@pytest.mark.parametrize("max_drop", [0.03, None])
def test_a_loss_within_the_limit_passes(max_drop):
    scores = [Score("keras", 0.9, 0, 0.0), Score("tflite int8", 0.88, 3, 0.1)]

    scorecard.check_drop(scores, max_drop)


def test_rows_leave_blank_what_keras_has_not():
    score = Score("tflite int8", 0.875, 3, 0.1311, 3_966_772, {1: 4.45, 2: 2.6})

    rows = scorecard.to_rows([Score("keras", 0.9, 0, 0.0), score])

    assert rows == [
        ("model", "accuracy", "flips", "max change", "MB", "ms, 1 thread", "2 threads"),
        ("keras", "0.9000", "0", "0", "", "", ""),
        ("tflite int8", "0.8750", "3", "0.13", "4.0", "4.5", "2.6"),
    ]


def test_ratings_are_scored_by_correlation_and_error():
    ratings = np.array([[1.0, 2.0], [2.0, 4.0], [3.0, 6.0]])
    answers = ratings + np.array([0.0, 1.0])

    score = scorecard.score_ratings(
        "small", answers=answers, reference=ratings, ratings=ratings
    )

    assert (score.pearson_r, score.rmse) == (pytest.approx(1), pytest.approx(0.5))
    assert (score.accuracy, score.flips, score.max_change) == (None, None, 1)
    assert scorecard.to_rows([score])[0][1:3] == ("r", "RMSE")


def test_a_loss_of_correlation_is_refused():
    good, bad = (
        Score(n, None, None, 0.0, pearson_r=r, rmse=1.0)
        for n, r in (("k", 0.6), ("e", 0.5))
    )

    with pytest.raises(ExportError, match=r"loses 0\.1000 of correlation"):
        scorecard.check_drop([good, bad], 0.05)


def test_crops_are_scored_one_by_one_in_their_order():
    crops = np.arange(3, dtype="uint8")[:, None, None, None] + np.zeros((2, 2, 3), "u1")
    seen = []

    def runtime(crop):
        seen.append(crop.shape)
        return np.full((1, 2), crop.mean(), "float32")

    probs = scorecard.probs_of(runtime, crops)

    assert probs.tolist() == [[0, 0], [1, 1], [2, 2]]
    assert seen == [(1, 2, 2, 3)] * 3


def test_latency_is_the_median_after_a_warm_up(monkeypatch):
    durations = [9, 9, 9, 0.001, 0.005, 0.002]  # seconds; three to warm up
    ticks = iter(np.cumsum([step for d in durations for step in (1, d)]))
    monkeypatch.setattr(scorecard.time, "perf_counter", lambda: next(ticks))

    latency = scorecard.latency_ms(lambda crops: crops, np.zeros((2, 2, 3)), repeats=3)

    assert latency == pytest.approx(2)


def test_keras_probabilities_are_those_of_the_packaged_model(tiny_model):
    generator = np.random.default_rng(0)
    canvases = generator.integers(0, 256, (40, 20, 20, 3)).astype("uint8")

    probs = scorecard.keras_probs(tiny_model, canvases[:, 2:18, 2:18])

    expected = tiny_model.model(canvases, training=False)
    assert_close_float32(probs, expected, operations=OPERATIONS)


def test_the_export_is_judged_and_not_the_float_file_on_the_way():
    good = [Score("keras", 0.9, 0, 0.0), Score("tflite float", 0.5, 9, 0.1)]
    bad = [Score("keras", 0.9, 0, 0.0), Score("tflite float", 0.9, 0, 0.0)]

    scorecard.check_drop([*good, Score("tflite int8", 0.9, 1, 0.1)], 0.01)
    with pytest.raises(ExportError, match=r"tflite int8 loses 0\.4000"):
        scorecard.check_drop([*bad, Score("tflite int8", 0.5, 9, 0.1)], 0.01)


def test_what_is_lost_exactly_is_accepted():
    scores = [Score("keras", 0.75, 0, 0.0), Score("tflite int8", 0.25, 4, 0.1)]

    scorecard.check_drop(scores, 0.5)


SCORES = [
    Score("keras", 0.9, 0, 0.0, None, {}),
    Score("tflite int8", 0.875, 3, 0.1311, 3_966_772, {1: 4.45, 2: 2.6}),
]
CARD: dict = {
    "preprocess": {
        "canvas_size": 256,
        "crop_size": 224,
        "fit": "squash",
        "resample": "bicubic",
    },
    "input": {"shape": [1, 224, 224, 3]},
    "output": {"name": "probs"},
    "rating": None,
    "class_names": ["sad", "calm", "happy"],
    "num_examples": 77,
}


def test_the_card_says_how_to_make_the_crop_and_what_comes_out():
    card = scorecard.to_card("moods", CARD, SCORES)

    assert card.startswith("# moods\n")
    assert "`crops`: uint8 [1, 224, 224, 3], RGB, 0..255." in card
    assert "`probs`: float32, one probability per class: sad, calm, happy." in card
    assert "Resize the upright picture to 256x256 pixels\n  (bicubic, anti" in card
    assert "then cut the central 224x224." in card
    assert (
        '77 pictures that the training held out; "flips" and "max change" are' in card
    )
    assert "| keras | 0.9000 | 0 | 0 |  |  |  |\n" in card
    assert "| tflite int8 | 0.8750 | 3 | 0.13 | 4.0 | 4.5 | 2.6 |\n" in card
    assert card.index("| --- | --- |") < card.index("| keras")


def test_the_card_of_ratings_on_center_squares_says_so():
    cut = {**CARD["preprocess"], "fit": "crop"}
    rated = {"scale": (1.0, 7.0), "targets": ["valence", "arousal"]}
    scores = [Score("keras", None, None, 0.0, pearson_r=0.61239, rmse=0.9)]
    output = {"name": "ratings"}

    card = scorecard.to_card(
        "rates", {**CARD, "preprocess": cut, "rating": rated, "output": output}, scores
    )

    assert "`ratings`: float32, ratings from 1 to 7: valence, arousal." in card
    assert "Cut the largest square from the middle of the upright picture, res" in card
    assert 'held out; "max change" is' in card
    assert "| keras | 0.6124 | 0.9000 |" in card


def test_scores_are_told_to_programs_under_their_own_names():
    rated = Score("r", None, None, 0.5, 7, {1: 2.5}, pearson_r=0.6, rmse=0.9)

    assert scorecard.to_json([SCORES[1], rated]) == [
        {
            "name": "tflite int8",
            "accuracy": 0.875,
            "flips": 3,
            "pearson_r": None,
            "rmse": None,
            "max_change": 0.1311,
            "size_bytes": 3_966_772,
            "latency_ms": {"1": 4.45, "2": 2.6},
        },
        {
            "name": "r",
            "accuracy": None,
            "flips": None,
            "pearson_r": 0.6,
            "rmse": 0.9,
            "max_change": 0.5,
            "size_bytes": 7,
            "latency_ms": {"1": 2.5},
        },
    ]


def test_each_target_is_scored_by_its_own_answers():
    ratings = np.array([[1.0, 9.0], [2.0, 5.0], [4.0, 6.0], [3.0, 1.0]])
    answers = ratings[:, ::-1] * 0.5 + [0.0, 2.0]

    score = scorecard.score_ratings(
        "swapped", answers=answers, reference=ratings, ratings=ratings
    )

    r = np.corrcoef(ratings[:, 0], ratings[:, 1])[0, 1]
    rmse = np.sqrt(((answers - ratings) ** 2).mean(axis=0))
    assert score.pearson_r == pytest.approx(r)
    assert score.rmse == pytest.approx(rmse.mean())
    assert score.max_change == np.abs(answers - ratings).max()
