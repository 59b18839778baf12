"""A label is suspect where another class is believed, not where a model is shy."""

from __future__ import annotations

import numpy as np

from pixsent_tf.evaluation.suspects import find_suspects


def two_classes(*positive: float) -> np.ndarray:
    prob = np.array(positive)
    return np.stack([1 - prob, prob], axis=1)


def lists(probs: np.ndarray, labels: list[int]) -> tuple[list[int], list[bool]]:
    found, believed = find_suspects(probs=probs, labels=np.array(labels))
    return found.tolist(), believed.tolist()


def test_the_least_believable_label_comes_first():
    probs = two_classes(0.1, 0.6, 0.2, 0.8, 0.95, 0.3)

    found, believed = lists(probs, [0, 0, 0, 1, 0, 1])

    # positive has .55 in the mean, negative .5375: all three reach it
    assert found == [4, 5, 1]
    assert believed == [True, True, True]


def test_a_class_that_the_model_is_shy_of_is_not_doubted_as_a_whole():
    probs = two_classes(0.1, 0.1, 0.1, 0.4, 0.3, 0.45, 0.05)

    found, believed = lists(probs, [0, 0, 0, 1, 1, 1, 1])

    # each positive is answered negative; only one by more than negatives are
    assert found == [6, 4, 3, 5]
    assert believed == [True, False, False, False]


def test_what_is_answered_as_it_is_labelled_is_no_suspect():
    assert lists(two_classes(0.1, 0.2, 0.9, 0.8), [0, 0, 1, 1]) == ([], [])


def test_a_class_without_labels_is_never_believed():
    probs = np.array([[0.3, 0.1, 0.6], [0.1, 0.3, 0.6], [0.8, 0.1, 0.1]])

    assert lists(probs, [0, 1, 0]) == ([0, 1], [False, False])


def test_a_class_is_believed_from_the_mean_of_its_own_pictures_on():
    # positive has (.9 + .6) / 2 = .75 of its own, and .63 of all
    probs = two_classes(0.9, 0.6, 0.8, 0.65, 0.2)

    found, believed = lists(probs, [1, 1, 0, 0, 0])

    assert found == [2, 3]
    assert believed == [True, False]


def test_what_is_as_likely_as_the_mean_is_believed():
    found, believed = lists(two_classes(0.75, 0.75, 0.25), [1, 0, 0])

    assert found == [1]
    assert believed == [True]
