"""Do splits keep the classes even, the copies together, and the levels consistent?"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from deepsent_files import name_of, write_deepsent

from pixsent_tf.config import LEVELS
from pixsent_tf.data.levels.layout import open_deepsent
from pixsent_tf.data.splits import (
    held_out,
    holdout,
    published_or_stratified,
    stratified_folds,
)
from pixsent_tf.data.table import Dataset
from pixsent_tf.errors import DataError

LABELS = np.repeat([0, 1], [43, 60])
# Four triples of each class, a pair of both classes, and pictures of their own.
GROUPS = np.arange(103)
GROUPS[:12] = np.arange(12) // 3
GROUPS[43:55] = 200 + np.arange(12) // 3
GROUPS[[42, 102]] = 300


@pytest.mark.parametrize("groups", [None, GROUPS])
def test_each_fold_has_its_share_of_each_class(groups):
    folds = stratified_folds(LABELS, 5, seed=3, units=groups)

    for fold in range(1, 6):
        assert abs((LABELS[folds == fold] == 0).sum() - 43 / 5) < 1
        assert abs((LABELS[folds == fold] == 1).sum() - 60 / 5) < 1


def test_every_picture_is_tested_once():
    assert set(stratified_folds(LABELS, 4).tolist()) == {1, 2, 3, 4}


def test_a_group_is_never_torn_apart():
    folds = stratified_folds(LABELS, 5, units=GROUPS)

    assert all(len(set(folds[group == GROUPS])) == 1 for group in np.unique(GROUPS))


def test_finer_strata_are_even_too():
    strata = np.tile([3, 4, 5], 35)[:103]

    folds = stratified_folds(LABELS, 5, strata=strata)

    for label, stratum in np.ndindex(2, 3):
        members = (label == LABELS) & (strata == stratum + 3)
        counts = np.bincount(folds[members], minlength=6)[1:]
        assert counts.max() - counts.min() <= 1


def test_seed_decides_the_folds():
    first, again = (stratified_folds(LABELS, 5, seed=1) for _ in range(2))

    assert (first == again).all()
    assert (first != stratified_folds(LABELS, 5, seed=2)).any()


@pytest.mark.parametrize("fraction", [0.1, 0.2, 0.3, 0.45])
def test_holdout_is_the_share_asked_for(fraction):
    test = holdout(LABELS, fraction, units=GROUPS)

    for label, size in enumerate((43, 60)):
        assert abs(test[label == LABELS].sum() - fraction * size) < 1


@pytest.mark.parametrize("fraction", [0, -0.1, 0.6])
def test_holdout_out_of_range_is_refused(fraction):
    with pytest.raises(DataError, match=r"must be above 0, at most 0.5"):
        holdout(LABELS, fraction)


def test_class_with_too_few_pictures_is_refused():
    with pytest.raises(DataError, match=r"need 5 different .*; class 1 has 4\.$"):
        stratified_folds(np.repeat([0, 1], [9, 4]), 5)


def test_copies_do_not_count_as_pictures():
    groups = np.array([*range(9), 9, 9, 9, 9, 9])

    with pytest.raises(DataError, match=r"class 1 has 1 \(4 more are copies"):
        stratified_folds(np.repeat([0, 1], [9, 5]), 5, units=groups)


def test_one_fold_is_refused():
    with pytest.raises(DataError, match=r"1 folds leave nothing to train on"):
        stratified_folds(LABELS, 1)


def test_published_folds_stand():
    folds = np.array([2, 1, 0, 3], dtype="int32")
    dataset = Dataset("d", tuple("abcd"), tuple("abcd"), folds % 2, ("n", "p"), folds)

    assert published_or_stratified(dataset, 10) is folds


def test_levels_of_agreement_share_their_folds(tmp_path):
    write_deepsent(tmp_path, folds=False)
    parts = [open_deepsent(tmp_path, level) for level in LEVELS]
    dealt = [
        dict(zip(part.ids, published_or_stratified(part, 4).tolist(), strict=True))
        for part in parts
    ]

    assert dealt[0].items() <= dealt[1].items() <= dealt[2].items()


def test_levels_of_agreement_share_what_is_held_out(tmp_path):
    write_deepsent(tmp_path)
    parts = [open_deepsent(tmp_path, level) for level in LEVELS]
    five, _, three = (
        dict(zip(part.ids, held_out(part, 0.25), strict=True)) for part in parts
    )

    assert five.items() <= three.items()
    assert abs(sum(five.values()) - 20 / 4) <= 1
    assert sum(three.values()) == 32 / 4


def test_copies_are_held_out_together(tmp_path):
    write_deepsent(tmp_path, copies=True)
    dataset = replace(open_deepsent(tmp_path, "three_agrees"), folds=None)

    for seed in range(5):
        folds = published_or_stratified(dataset, 4, seed=seed)
        test = held_out(dataset, 0.25, seed=seed)
        copies = [dataset.ids.index(name_of(number)) for number in (1, 3, 30)]
        assert len(set(folds[copies])) == len(set(test[copies])) == 1
