"""What is said of shares has the numbers of the shares, and no sentence too many."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from pixsent_tf.studies.shares.answer_tables import AnswerSums
from pixsent_tf.studies.shares.label_tables import LabelTable
from pixsent_tf.studies.shares.words import methods, notes

CLASSES = ("sad", "glad")
RANDOM = "The labelled pictures are taken for a random sample of the table."


def cell(**changes: Any) -> Any:
    share = {"plain": 0.25, "corrected": 0.125, "interval": [0.0625, 0.5]}
    other = {"plain": 0.75, "corrected": 0.875, "interval": None}
    return {
        "num_examples": 1500,
        "num_unreadable": 0,
        "borrowed": False,
        "shares": {"sad": share, "glad": other},
        **changes,
    }


def results(*cells: Any, **changes: Any) -> Any:
    return {"cells": list(cells), "differences": [], "trends": [], **changes}


def sums(groups: int = 3, labelled: int = 3) -> AnswerSums:
    rows = {f"{i}": ((), f"u{i % groups}", [0.5, 0.5]) for i in range(labelled)}
    return AnswerSums(CLASSES, {}, rows)


def told(count: int = 3, **changes: Any) -> LabelTable:
    votes = {f"{i}": Counter({"sad": 1}) for i in range(count)}
    return LabelTable(
        **{"probabilities": {}, "num_skipped": 0, "votes": votes} | changes
    )


def test_pictures_of_all_cells_are_counted_and_the_unreadable_only_if_there_are() -> (
    None
):
    both = results(cell(num_unreadable=1200), cell(num_examples=7, num_unreadable=34))

    text = methods(both, sums(), None, None)

    assert text == (
        "A model answered 1,507 pictures (sad, glad); 1,234 more could not be read. "
        "Shares are plain counts of its answers, not corrected for its errors, and "
        "have no interval."
    )
    assert methods(results(cell()), sums(), None, None).startswith(
        "A model answered 1,500 pictures (sad, glad). Shares are plain"
    )


def test_a_single_share_is_told_with_its_bounds_in_order() -> None:
    text = methods(results(cell()), sums(labelled=1234), told(), None)

    assert ". 1,234 of them were labelled. Shares were estimated by" in text
    assert text.endswith(
        " Estimated shares: sad 12.5% (95 % interval 6.2% to 50.0%; plain count 25.0%)."
    )


def test_no_share_is_told_of_several_cells_or_without_an_interval() -> None:
    share = {"plain": 0.25, "corrected": None, "interval": None}
    bare = cell(shares={"sad": share, "glad": share})

    for shown in (results(cell(), cell()), results(bare)):
        assert "Estimated shares" not in methods(shown, sums(), told(), None)


@pytest.mark.parametrize(
    ("changes", "group", "sentence"),
    [
        (
            {"probabilities": {"0": 0.5}},
            None,
            ", 2023), with inverse probabilities of sampling as weights, with score",
        ),
        ({"votes": {"0": Counter(sad=1, glad=1)}}, None, "votes, in equal parts."),
        ({}, "user", " Variances are clustered by user."),
    ],
)
def test_methods_say_how_labels_were_used_only_where_they_were(
    changes: Any, group: str | None, sentence: str
) -> None:
    shown = results(cell())

    assert sentence in methods(shown, sums(), told(**changes), group)
    assert sentence not in methods(shown, sums(), told(), None)


def test_methods_count_the_cells_that_borrow() -> None:
    cells = [cell(borrowed=True), cell(), cell(borrowed=True)]

    text = methods(results(*cells), sums(), told(), None)

    assert " 2 of 3 cells had fewer than 20 labels and were corrected by" in text
    assert "Welch" not in methods(results(cell(), cell()), sums(), told(), None)


@pytest.mark.parametrize("key", ["differences", "trends"])
def test_holm_s_method_is_named_where_something_was_tested(key: str) -> None:
    tested = results(cell(), **{key: [{}]})

    assert "Holm's method" in methods(tested, sums(), told(), None)
    assert "Holm" not in methods(results(cell()), sums(), told(), None)


def test_without_labels_the_one_note_is_that_shares_are_uncorrected() -> None:
    (note,) = notes([cell(borrowed=True)], sums(), None, "user")

    assert note.startswith("Shares are uncorrected counts without an interval: ")


def test_a_plain_random_sample_is_told_as_such_and_nothing_else() -> None:
    assert notes([cell()], sums(), told(), None) == [RANDOM]
    assert notes([cell()], sums(), told(probabilities={"0": 0.5}), None) == []


def test_labels_of_other_pictures_and_skipped_ones_are_counted() -> None:
    found = notes([cell()], sums(labelled=4), told(11, num_skipped=5), None)

    assert found == [
        "7 labelled pictures are not in the table, or unreadable.",
        "5 pictures were skipped by who labelled: shares are of pictures that people "
        "can judge.",
        RANDOM,
    ]


def test_votes_and_borrowed_cells_are_noted() -> None:
    several = {"0": Counter(sad=2), "1": Counter(glad=1), "2": Counter(sad=1)}
    cells = [cell(), cell(borrowed=True), cell()]

    found = notes(cells, sums(), told(votes=several), None)

    assert found[1] == "A picture with several labels counts by the share of its votes."
    assert found[2].startswith(
        "Cells marked as borrowed are corrected by the labels of"
    )
    assert len(found) == 3


@pytest.mark.parametrize(("groups", "is_noted"), [(19, True), (20, False)])
def test_nineteen_labelled_groups_are_few_and_twenty_are_not(
    groups: int, is_noted: bool
) -> None:
    shown = notes([cell()], sums(groups, 40), told(40), "user")

    few = (
        f"Only {groups} values of user are labelled; intervals from fewer than 20 may "
        f"be too narrow."
    )
    assert shown == [RANDOM, few][: 1 + is_noted]
