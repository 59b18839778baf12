"""A table's numbers by hand."""

from __future__ import annotations

import numpy as np
import pytest

from pixsent_tf.studies.paper.measured_table import majority_rate, measure, to_markdown

FOLDS = np.repeat([1, 2], 10)
CORRECT = np.array([True] * 9 + [False] + [True] * 7 + [False] * 3)  # 0.9 and 0.7


def test_mean_spread_and_difference():
    found = measure(CORRECT, FOLDS, paper=0.83)

    assert found["ours"] == pytest.approx(0.8)
    assert found["std"] == pytest.approx(0.2 / np.sqrt(2))
    assert found["difference"] == pytest.approx(-0.03)
    # Wilson, 16 of 20: statsmodels' proportion_confint
    assert found["interval"] == pytest.approx([0.5840, 0.9193], abs=1e-4)
    assert found["same_within_noise"] is True


def test_a_number_outside_the_interval_is_not_the_same():
    assert measure(CORRECT, FOLDS, paper=0.95)["same_within_noise"] is False


def test_another_protocol_is_not_compared():
    found = measure(CORRECT, FOLDS, paper=0.83, is_comparable=False)

    assert (found["difference"], found["same_within_noise"]) == (None, None)
    assert found["paper"] == 0.83


def test_one_fold_has_no_spread():
    assert measure(CORRECT[:10], FOLDS[:10])["std"] is None


def test_the_paired_test_counts_what_only_one_gets_right():
    partner = CORRECT.copy()
    partner[:6] = False  # six that only the row gets right: 2 * 0.5**6

    found = measure(CORRECT, FOLDS, partner=partner, partner_name="other")

    assert found["p"] == pytest.approx(2 * 0.5**6)
    assert found["partner"] == "other"


def test_seeds_are_averaged_picture_by_picture():
    seeds = np.stack([CORRECT, np.ones(20, dtype=bool)])

    found = measure(seeds, FOLDS)

    assert found["ours"] == pytest.approx(0.9)
    assert found["num_repeats"] == 2
    low, high = found["interval"]
    # resampling pictures: values of 1 (16 pictures) and 0.5 (4)
    assert 0.8 <= low < 0.9 < high <= 1.0


def test_the_majority_rate():
    assert majority_rate(np.array([0, 1, 1, 1])) == 0.75


def test_the_text_names_shortcuts_missing_rows_and_the_larger_class():
    row = {"name": "fc7-2", "view": "ten_crop", **measure(CORRECT, FOLDS, paper=0.83)}
    table = {
        "title": "Table 4",
        "notes": ["Only 8 % of the pictures."],
        "rows": [row],
        "missing": [{"name": "fc6-2", "reason": "no weights."}],
        "majority": {"five_agrees": 0.658},
        "remarks": [],
    }

    text = to_markdown(table)

    assert "> **Only 8 % of the pictures.**" in text
    assert (
        "| fc7-2 | ten crops | 0.830 | 0.800 ± 0.141 | -0.030 | 0.584–0.919 (n=20) "
        "| – | yes |" in text
    )
    assert "- fc6-2 was not run: no weights." in text
    assert "five_agrees 0.658" in text


def test_folds_count_alike_whatever_their_sizes():
    folds = np.array([1, 1, 2, 2, 2, 2, 2, 2])
    correct = np.array([True, False] + [True] * 6)

    assert measure(correct, folds)["ours"] == pytest.approx((0.5 + 1) / 2)


def test_the_paired_test_is_of_the_first_seed_of_both():
    worse = np.zeros(20, dtype=bool)
    partner = CORRECT.copy()
    partner[:6] = False

    found = measure(
        np.stack([CORRECT, worse]),
        FOLDS,
        partner=np.stack([partner, ~worse]),
        partner_name="other",
    )

    assert found["p"] == pytest.approx(2 * 0.5**6)


def test_a_number_below_the_interval_is_not_the_same_either():
    assert measure(CORRECT, FOLDS, paper=0.5)["same_within_noise"] is False
