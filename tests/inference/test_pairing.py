"""Tables are matched by picture, and say where they do not fit together."""

from __future__ import annotations

import numpy as np
import pytest

from pixsent_tf.errors import DataError
from pixsent_tf.inference.pairing import align
from tests.inference.made_up import make_predictions

LABELS = [1, 1, 1, 0, 0, 0]
A = make_predictions("a", [0.9, 0.8, 0.7, 0.3, 0.2, 0.6], LABELS)  # one mistake
B = make_predictions("b", [0.9, 0.4, 0.3, 0.2, 0.1, 0.3], LABELS)  # two others


def test_rows_are_matched_by_id_not_by_place():
    turned = make_predictions("b", B.probs[::-1, 1], LABELS[::-1], ids=B.ids[::-1])

    aligned = align([A, turned])

    assert np.array_equal(aligned.probs[1], B.probs)
    assert aligned.labels.tolist() == LABELS


def test_paths_match_the_names_of_their_files():
    elsewhere = make_predictions(
        "b", B.probs[:, 1], ids=[f"/photos/{n}" for n in B.ids]
    )

    assert len(align([A, elsewhere]).ids) == 6


def test_rows_that_match_no_other_are_told():
    short = make_predictions("b", [0.9, 0.4], LABELS[:2])

    aligned = align([A, short])

    assert aligned.ids == ("0.jpg", "1.jpg")
    assert "4 of the 6 pictures of a are not in all of the others" in aligned.notes[0]


def test_tables_without_a_common_picture_are_refused():
    with pytest.raises(DataError, match=r"share no picture.*'0\.jpg'.*'x\.jpg'"):
        align([A, make_predictions("b", [0.5], [1], ids=["x.jpg"])])


def test_contradicting_labels_are_refused():
    lied = make_predictions("b", B.probs[:, 1], [0, *LABELS[1:]])

    with pytest.raises(DataError, match=r"label 1 pictures differently, first 0\.jpg"):
        align([A, lied])


def test_tables_without_labels_are_refused():
    with pytest.raises(
        DataError, match="None of the tables says what is right; add a column `label`"
    ):
        align([make_predictions("a", [0.5]), make_predictions("b", [0.5])])


def test_other_classes_are_refused():
    other = make_predictions("b", [0.5] * 6, LABELS, class_names=("cat", "dog"))

    with pytest.raises(DataError, match="b answers cat, dog, a negative, positive"):
        align([A, other])


@pytest.mark.parametrize("has_probs", [True, False])
def test_inverted_labels_are_noticed(has_probs):
    labels = np.repeat([1, 0], 50)
    positive = np.where(labels == 1, 0.2, 0.8)
    right = make_predictions("right", 1 - positive, labels)

    aligned = align([right, make_predictions("turned", positive, has_probs=has_probs)])

    (note,) = aligned.notes
    assert note.startswith("turned is far worse than chance")


@pytest.mark.parametrize("label", [0, 1])
def test_labels_of_one_class_say_nothing_of_inversion(label):
    labels = np.full(40, label)
    wrong = make_predictions("wrong", np.full(40, 0.8 - 0.6 * label), labels)

    assert align([wrong, wrong]).notes == ()


def test_a_model_at_chance_is_not_called_inverted():
    labels = np.repeat([1, 0], 50)
    positive = np.tile([0.4, 0.6], 50)

    assert align([make_predictions("a", positive, labels)] * 2).notes == ()


def test_backslashes_lead_to_the_same_pictures():
    first = make_predictions("a", [0.2, 0.9], labels=[0, 1], ids=["x/a.jpg", "x/b.jpg"])
    second = make_predictions("b", [0.3, 0.8], ids=["C:\\x\\a.jpg", "C:\\x\\b.jpg"])

    assert align([first, second]).ids == ("a.jpg", "b.jpg")


def test_classes_in_another_order_mean_the_same():
    turned = make_predictions(
        "b",
        1 - B.probs[:, 1],
        1 - np.array(LABELS),
        class_names=("positive", "negative"),
    )

    np.testing.assert_allclose(align([A, turned]).probs[1], B.probs)
    assert align([turned, A]).labels.tolist() == [1 - label for label in LABELS]


def test_a_picture_that_one_of_three_lacks_is_left_out_of_all():
    kept = [1, 2, 4, 5]
    short = make_predictions(
        "c",
        B.probs[kept, 1],
        np.array(LABELS)[kept],
        ids=[B.ids[i] for i in kept],
    )

    aligned = align([A, B, short])

    assert aligned.ids == tuple(A.ids[i] for i in kept)
    assert aligned.labels.tolist() == [LABELS[i] for i in kept]
    assert np.array_equal(aligned.probs[0], A.probs[kept])
    assert np.array_equal(aligned.probs[2], B.probs[kept])


def test_one_picture_of_a_class_is_judged_by_accuracy():
    labels = np.r_[1, np.zeros(40, int)]
    turned = make_predictions("turned", np.where(labels == 1, 0.2, 0.8), labels)

    first, second = align([turned, turned]).notes

    assert "(accuracy at most 0.0" in first
    assert first.startswith("turned (1)")
    assert second.startswith("turned (2)")


def test_two_pictures_of_a_class_are_judged_by_the_area():
    labels = np.r_[1, 1, np.zeros(40, int)]
    positive = np.r_[0.1, 0.3, 0.2, np.full(39, 0.8)]
    turned = make_predictions("turned", positive, labels)

    assert "(AUC at most" in align([turned, turned]).notes[0]


def test_names_that_repeat_are_matched_with_their_folders():
    ids = ["negative/a.jpg", "positive/a.jpg"]
    run = make_predictions("run", [0.1, 0.9], [0, 1], ids=ids)
    table = make_predictions("b", [0.8, 0.2], ids=[f"/data/{i}" for i in ids[::-1]])

    found = align([run, table])

    assert found.ids == tuple(ids)
    assert found.correct.all()
