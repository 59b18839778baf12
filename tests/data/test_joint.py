"""Does a data set of several sources keep what each source knows?"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pixsent_tf.data import splits
from pixsent_tf.data.joint import join_sources
from pixsent_tf.data.table import Dataset
from pixsent_tf.errors import DataError


def table(name, ids, labels, **known):
    return Dataset(
        name=name,
        ids=tuple(ids),
        paths=tuple(f"{name}/{each}" for each in ids),
        labels=np.array(labels, dtype="int32"),
        class_names=("negative", "positive"),
        **known,
    )


TWEETS = table("tweets", "abc", [0, 1, 1], votes=np.array([[5, 0], [2, 3], [0, 5]]))
TRIPS = table("trips", "cde", [1, 0, 0]).grouped(["x", "x", ""])


def test_pictures_know_their_source_and_colliding_ids_begin_with_it():
    joint = join_sources([TWEETS, TRIPS])

    assert joint.ids == ("a", "b", "tweets/c", "trips/c", "d", "e")
    assert joint.sources.tolist() == [0, 0, 0, 1, 1, 1]
    assert joint.source_names == ("tweets", "trips")
    assert joint.labels.tolist() == [0, 1, 1, 1, 0, 0]
    assert joint.paths[3] == "trips/c"


def test_a_picture_of_a_source_without_weights_counts_once():
    weighted = replace(TWEETS, weights=np.array([2, 0, 3], "float32"))

    assert join_sources([weighted, TRIPS]).weights.tolist() == [2, 0, 3, 1, 1, 1]


def test_weights_stay_where_every_source_knows_some_and_none_are_made_up():
    first = replace(TWEETS, weights=np.array([2, 0, 3], "float32"))
    second = replace(TRIPS, weights=np.array([1, 4, 0.5], "float32"))

    assert join_sources([first, second]).weights.tolist() == [2, 0, 3, 1, 4, 0.5]
    assert join_sources([TWEETS, TRIPS]).weights is None


def test_votes_and_groups_are_kept_and_unknown_ones_bind_nothing():
    joint = join_sources([TWEETS, TRIPS])

    assert joint.votes.tolist() == [[5, 0], [2, 3], [0, 5], [0, 1], [1, 0], [1, 0]]
    groups = joint.groups.tolist()
    assert groups[3] == groups[4]
    assert len(set(groups)) == 5
    assert joint.group_names[groups[3]] == "trips/x"


def test_where_one_source_knows_shares_only_all_are_shares():
    shares = np.array([[0.25, 0.75], [1, 0], [0.5, 0.5]], "float32")
    walks = table("walks", "fgh", [1, 0, 0], votes=shares)

    joint = join_sources([TWEETS, walks, TRIPS])

    expected = [[1, 0], [0.4, 0.6], [0, 1], *shares.tolist(), [0, 1], [1, 0], [1, 0]]
    np.testing.assert_allclose(joint.votes, expected, rtol=1e-6)
    assert not joint.has_counts


def test_a_group_of_one_source_is_none_of_another():
    both = [TRIPS, replace(TRIPS, name="walks", ids=("f", "g", "h"))]
    groups = join_sources(both).groups

    assert not set(groups[:3]) & set(groups[3:])


def test_sources_of_a_source_stay_apart_and_equal_names_are_numbered():
    two = replace(TWEETS, sources=np.array([0, 1, 1]), source_names=("trips", "old"))
    joint = join_sources([two, TRIPS])

    assert joint.source_names == ("trips", "old", "trips-2")
    assert joint.sources.tolist() == [0, 1, 1, 2, 2, 2]


@pytest.mark.parametrize(
    ("first", "second", "kept"),
    [
        ([1, 2, 0], [2, 1, 2], True),
        ([1, 2, 3], [2, 1, 2], False),
        ([1, 2], None, False),
    ],
)
def test_published_folds_stand_where_all_publish_as_many(first, second, kept):
    parts = [
        replace(part, folds=None if folds is None else np.array(folds))
        for part, folds in ((TWEETS, first), (TRIPS, second))
    ]
    joint = join_sources(parts)

    assert (joint.folds is not None) == kept
    if kept:
        assert joint.folds.tolist() == [*first, *second]


def test_folds_are_dealt_within_each_source(monkeypatch):
    monkeypatch.setattr(
        splits, "find_units", lambda dataset, progress=None: np.arange(len(dataset))
    )
    few = table("few", [f"f{i}" for i in range(12)], [0, 1] * 6)
    many = table("many", [f"m{i}" for i in range(60)], [0, 1, 1] * 20)
    joint = join_sources([few, many])

    folds = splits.published_or_stratified(joint, 3)

    for source, label, share in ((0, 0, 2), (0, 1, 2), (1, 0, 20 / 3), (1, 1, 40 / 3)):
        own = (joint.sources == source) & (joint.labels == label)
        counts = np.bincount(folds[own], minlength=4)[1:]
        assert np.abs(counts - share).max() < 1, (source, label, counts)


def test_classes_of_other_names_are_refused_in_one_line():
    moods = replace(TRIPS, name="moods", class_names=("joy", "sorrow"))

    with pytest.raises(
        DataError, match="moods has the classes joy, sorrow, tweets neg"
    ):
        join_sources([TWEETS, moods])


def test_pictures_that_only_train_keep_their_weight_beside_a_source_without_any():
    joining = replace(TWEETS, joined=np.array([0, 0.5, 1], "float32"))

    for parts in ([joining, TRIPS], [TRIPS, joining]):
        joint = join_sources(parts)

        of_tweets = [joint.paths[i].startswith("tweets") for i in range(len(joint))]
        assert joint.joined[of_tweets].tolist() == [0, 0.5, 1]
        assert not joint.joined[np.logical_not(of_tweets)].any()


def test_what_one_source_was_selected_from_is_known_of_both():
    selected = replace(TWEETS.take(np.array([0, 2])), whole=TWEETS)

    joint = join_sources([selected, TRIPS])

    assert len(joint) == 5
    assert len(joint.whole) == 6
    assert joint.whole.labels.tolist() == [0, 1, 1, 1, 0, 0]


def test_a_picture_is_called_alike_however_few_were_selected():
    # both wholes know a `c`, of which only one is left
    selected = replace(TWEETS.take(np.array([0, 1])), whole=TWEETS)

    joint = join_sources([selected, TRIPS])

    assert joint.ids == ("a", "b", "trips/c", "d", "e")
    assert joint.whole.ids == ("a", "b", "tweets/c", "trips/c", "d", "e")


def test_what_was_found_in_each_source_is_told_in_order():
    parts = [
        replace(TWEETS, notes=("one is empty",)),
        TRIPS,
        replace(TRIPS, name="walks", notes=("read as A", "and B")),
    ]

    assert join_sources(parts).notes == ("one is empty", "read as A", "and B")


def test_splits_stay_where_every_source_has_some():
    first = replace(TWEETS, splits=np.array(["train", "test", "val"]))
    second = replace(TRIPS, splits=np.array(["test", "train", "train"]))

    assert join_sources([first, second]).splits.tolist() == (
        ["train", "test", "val", "test", "train", "train"]
    )
    assert join_sources([first, TRIPS]).splits is None
