"""Are votes and shares of them found, read, and told from each other?"""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from pixsent_tf.config import DataConfig
from pixsent_tf.data.lists.votes import votes_columns
from pixsent_tf.data.sources import open_dataset
from pixsent_tf.errors import ConfigError, DataError
from tests.heard import Heard

HEADER = "image,anger,Disgust,fear,number"


@pytest.fixture
def write(tmp_path):
    for name in "abc":
        Image.new("RGB", (8, 8)).save(tmp_path / f"{name}.png")

    def write(header, *rows):
        path = tmp_path / "t.csv"
        path.write_text("\n".join([header, *rows]) + "\n")
        return str(path)

    return write


def test_columns_of_any_name_are_votes_where_they_are_named(write):
    source = write(HEADER, "a.png,1,4,0,9", "b.png,3,2,0,9", "c.png,0,1,7,9")
    data = DataConfig(source, columns=("votes=anger|disgust|fear",))

    dataset = open_dataset(data)

    assert dataset.class_names == ("Disgust", "anger", "fear")
    assert dataset.votes.tolist() == [[4, 1, 0], [2, 3, 0], [1, 0, 7]]
    assert dataset.labels.tolist() == [0, 1, 2]
    assert dataset.has_counts


def test_without_their_names_the_remedy_is_told(write):
    with pytest.raises(
        DataError, match=r"or votes with --columns votes=COLUMN\|COLUMN"
    ):
        open_dataset(DataConfig(write(HEADER, "a.png,1,4,0,9")))


def test_with_votes_as_labels_columns_of_numbers_are_votes_and_that_is_said(write):
    header, rows = "image,anger,Disgust,who,fold", ("a.png,1,4,x,1", "b.png,3,2,y,2")
    heard = Heard()

    dataset = open_dataset(
        DataConfig(write(header, *rows), labels="votes"), progress=heard
    )

    assert dataset.class_names == ("Disgust", "anger")
    assert dataset.votes.tolist() == [[4, 1], [2, 3]]
    assert any("votes from anger, Disgust" in line for line in heard.lines)


@pytest.mark.parametrize("whole", [1, 100])
def test_shares_are_kept_to_their_parts(write, whole):
    shares = np.array([[0.3, 0.45, 0.25], [0.125, 0.375, 0.5], [0.6, 0.29, 0.1]])
    rows = [
        f"{name}.png," + ",".join(f"{each * whole:g}" for each in own)
        for name, own in zip("abc", shares, strict=True)
    ]
    heard = Heard()

    dataset = open_dataset(
        DataConfig(write("path,share_x,share_y,share_z", *rows)), progress=heard
    )

    expected = shares / shares.sum(axis=1, keepdims=True)  # the last was rounded
    np.testing.assert_allclose(dataset.votes, expected, rtol=1e-6)
    np.testing.assert_allclose(dataset.targets("votes"), expected, rtol=1e-6)
    np.testing.assert_allclose(
        dataset.agreement, np.maximum(2 * expected.max(axis=1) - 1, 0), atol=1e-6
    )
    assert not dataset.has_counts
    assert dataset.labels.tolist() == [1, 2, 0]
    assert any(
        "shares of x, y, z; how many voted is not told" in x for x in heard.lines
    )


def test_whole_percentages_are_shares_and_no_votes_of_a_hundred_people(write):
    rows = ("a.png,30,70", "b.png,80,20", "c.png,45,55")

    dataset = open_dataset(DataConfig(write("path,share_x,share_y", *rows)))

    assert not dataset.has_counts
    np.testing.assert_allclose(dataset.votes, [[0.3, 0.7], [0.8, 0.2], [0.45, 0.55]])


def test_a_column_of_groups_is_none_of_votes(write):
    header, rows = "path,anger,joy,person", ("a.png,1,4,7", "b.png,3,2,7")
    data = DataConfig(write(header, *rows), labels="votes", group="person")

    dataset = open_dataset(data)

    assert dataset.class_names == ("anger", "joy")
    assert len(set(dataset.groups.tolist())) == 1


def test_shares_that_do_not_sum_up_are_refused_by_their_picture(write):
    rows = ("a.png,0.6,0.4", "b.png,0.5,0.8", "c.png,0.1,0.9")

    with pytest.raises(DataError, match=r"shares of b\.png that sum to 1\.3; those of"):
        open_dataset(DataConfig(write("path,share_x,share_y", *rows)))


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("anger", "names one column; votes need two or more"),
        ("anger|joy", "has no column 'joy', which --columns names"),
    ],
)
def test_columns_that_cannot_be_votes_are_refused(named, said, tmp_path):
    with pytest.raises(ConfigError, match=said):
        votes_columns(HEADER.split(","), tmp_path / "t.csv", named.split("|"))


def test_votes_are_left_alone_on_demand(write):
    header, rows = "path,label,votes_x,votes_y", ("a.png,x,1,4", "b.png,y,3,2")

    dataset = open_dataset(DataConfig(write(header, *rows), columns=("votes=",)))

    assert dataset.votes is None


def test_a_class_that_others_always_outvote_is_one_where_shares_are_learnt(write):
    source = write(
        "path,votes_x,votes_y,votes_z", "a.png,4,1,1", "b.png,0,3,2", "c.png,5,0,1"
    )

    learnt = open_dataset(DataConfig(source, labels="votes"))
    hard = open_dataset(DataConfig(source))

    assert learnt.class_names == ("x", "y", "z")
    assert learnt.votes.tolist() == [[4, 1, 1], [0, 3, 2], [5, 0, 1]]
    assert learnt.labels.tolist() == hard.labels.tolist() == [0, 1, 0]
    assert hard.class_names == ("x", "y")
