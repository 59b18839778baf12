"""Do splits keep the classes even, the copies together, and the levels consistent?"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from deepsent_files import name_of, write_deepsent
from PIL import Image

from pixsent_tf.config import LEVELS
from pixsent_tf.data import splits
from pixsent_tf.data.levels.layout import open_deepsent
from pixsent_tf.data.splits import (
    find_named_units,
    find_units,
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


@pytest.fixture(scope="module")
def noises(tmp_path_factory):
    """Twenty-four pictures, none like another, of two classes in turn."""
    folder = tmp_path_factory.mktemp("noises")
    generator = np.random.default_rng(0)
    ids = tuple(f"{number:02}.png" for number in range(24))
    for name in ids:
        pixels = generator.integers(0, 255, (32, 32, 3)).astype("uint8")
        Image.fromarray(pixels).save(folder / name)
    return Dataset(
        "noises",
        ids,
        tuple(str(folder / name) for name in ids),
        np.arange(24, dtype="int32") % 2,
        ("n", "p"),
    )


def joined(dataset, count, **known):
    """The last pictures are labelled elsewhere and may only train."""
    only_trains = np.arange(len(dataset)) >= len(dataset) - count
    return replace(dataset, joined=only_trains.astype("float32"), **known)


def test_what_only_trains_is_in_no_fold(noises):
    dealt = published_or_stratified(joined(noises, 4), 3)
    published = published_or_stratified(
        joined(noises, 4, folds=np.arange(24) % 3 + 1), 3
    )

    assert (dealt[-4:] == 0).all()
    assert (dealt[:-4] > 0).all()
    assert published.tolist() == [*(np.arange(20) % 3 + 1), 0, 0, 0, 0]


def test_what_only_trains_is_never_held_out(noises):
    for seed in range(3):
        assert not held_out(joined(noises, 12), 0.5, seed=seed)[-12:].any()

    splits = np.array(["train"] * 18 + ["test"] * 6)
    assert held_out(joined(noises, 3, splits=splits), 0.2).tolist() == (
        [False] * 18 + [True] * 3 + [False] * 3
    )


def test_pictures_of_a_group_stay_together_where_none_is_a_copy(noises):
    people = [f"p{number // 3}" for number in range(24)]
    dataset = noises.grouped(people)

    units = find_units(dataset)

    assert len(np.unique(units)) == 8
    assert (units.reshape(8, 3) == units[::3, None]).all()
    for seed in range(3):
        folds = published_or_stratified(dataset, 4, seed=seed)
        test = held_out(dataset, 0.25, seed=seed)
        assert all(len(set(folds[i : i + 3])) == 1 for i in range(0, 24, 3))
        assert all(len(set(test[i : i + 3])) == 1 for i in range(0, 24, 3))


def test_a_copy_ties_the_groups_of_both_together(noises):
    paths = (*noises.paths[:-1], noises.paths[0])  # the last is the first again
    people = [f"p{number // 3}" for number in range(24)]

    units = find_units(replace(noises, paths=paths).grouped(people))

    assert len(np.unique(units)) == 7
    assert len(np.unique(units[[0, 1, 2, 21, 22, 23]])) == 1


def test_a_level_is_tied_by_pictures_that_it_leaves_out(noises):
    names = [f"p{number // 3}" for number in range(24)]
    whole = noises.grouped(names)
    # the third of each group is in the whole only; so is what ties 0 to 23
    paths = (*whole.paths[:2], whole.paths[23], *whole.paths[3:])
    whole = replace(whole, paths=paths)
    level = replace(whole.take(np.arange(24) % 3 < 2), whole=whole)

    units = find_units(level)

    assert len(units) == 16
    assert units[0] == units[1] == units[-1]


def test_the_seed_decides_what_a_data_set_is_dealt(noises):
    folds, masks = (
        {tuple(deal(noises, share, seed=seed).tolist()) for seed in range(4)}
        for deal, share in ((published_or_stratified, 3), (held_out, 0.25))
    )

    assert len(folds) > 1
    assert len(masks) > 1


def test_votes_and_sources_are_even_among_the_folds(noises):
    sure = np.arange(24) // 2 % 2  # 5 : 0 and 3 : 2, in each class
    votes = np.where(sure, 5, 3)
    label = noises.labels
    both = np.stack(
        [np.where(label, 5 - votes, votes), np.where(label, votes, 5 - votes)]
    )

    for known, kind in (
        ({"votes": both.T}, sure),
        (
            {"sources": np.arange(24) // 12, "source_names": ("a", "b")},
            np.arange(24) // 12,
        ),
    ):
        for seed in range(4):
            dealt = published_or_stratified(replace(noises, **known), 3, seed=seed)
            kept = held_out(replace(noises, **known), 0.5, seed=seed)
            for k, one in np.ndindex(2, 2):
                members = (label == k) & (kind == one)
                assert np.bincount(dealt[members], minlength=4).tolist() == [0, 2, 2, 2]
                assert kept[members].sum() == 3


def test_half_may_be_held_out_and_a_tenth_needs_ten_pictures():
    assert holdout(LABELS, 0.5).sum() == pytest.approx(51.5, abs=1)
    with pytest.raises(DataError, match="10 parts need 10 different pictures"):
        holdout(np.repeat([0, 1], [9, 40]), 0.1)


def test_folds_are_even_in_votes_within_each_source(noises):
    label, source = noises.labels, np.arange(24) // 12
    # 10 : 0 or 9 : 1, and in the other source 9 : 1 or 8 : 2
    votes = np.where(np.arange(24) // 2 % 2, 10, 9) - source
    both = np.where(label == 1, [10 - votes, votes], [votes, 10 - votes])
    known = replace(
        noises, votes=both.T, sources=source, source_names=("tweets", "trips")
    )

    for seed in range(4):
        dealt = published_or_stratified(known, 3, seed=seed)
        for k, agreeing, one in np.ndindex(2, 11, 2):
            members = (label == k) & (votes == agreeing) & (source == one)
            assert len(np.unique(dealt[members])) == members.sum()  # 3, or none


def test_a_large_group_finds_room_whatever_comes_before_it():
    # one group of ten among singles: dealt late, it would fit into no fold
    labels = np.tile([0, 1], 20)
    units = np.r_[np.zeros(10, int), np.arange(1, 31)]

    for seed in range(5):
        folds = stratified_folds(labels, 4, seed=seed, units=units)
        assert np.bincount(folds)[1:].tolist() == [10] * 4


def test_copies_are_kept_apart_where_somebody_grouped_or_divided_the_pictures(noises):
    paths = (*noises.paths[:-1], noises.paths[0])  # the last is the first again
    copied = replace(noises, paths=paths)
    divided = replace(copied, splits=np.array(["train"] * 18 + ["test"] * 6))

    assert find_named_units(copied) is None  # published folds stand as they are
    for known in (divided, copied.grouped([""] * 24)):
        units = find_named_units(known)
        assert units[0] == units[-1]
        assert len(np.unique(units)) == 23


def test_what_was_selected_lies_in_the_folds_of_what_it_was_selected_from(monkeypatch):
    monkeypatch.setattr(
        splits, "find_units", lambda dataset, progress=None: np.arange(len(dataset))
    )
    whole = Dataset(
        name="whole",
        ids=tuple(f"p{i}" for i in range(30)),
        paths=tuple(f"/p{i}" for i in range(30)),
        labels=(np.arange(30) % 2).astype("int32"),
        class_names=("negative", "positive"),
    )
    chosen = np.array([29, 3, 4, 17, 8, 22, 11, 0])
    part = replace(whole.take(chosen), whole=whole)

    folds = splits.published_or_stratified(whole, 3, seed=2)

    found = splits.published_or_stratified(part, 3, seed=2)
    assert found.tolist() == folds[chosen].tolist()
    assert len(set(found.tolist())) == 3
