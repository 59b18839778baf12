"""Do ratings become labels, votes and series as the module says?"""

from __future__ import annotations

import pytest

from pixsent_tf.config import DataConfig
from pixsent_tf.data.sources import open_dataset
from pixsent_tf.errors import ConfigError, DataError

ROWS = {"dog_1": 6.0, "dog_2": 4.5, "war_1": 2.0, "war_12": 3.5, "sea": 5.0}


@pytest.fixture
def table(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ROWS:
        (folder / f"{name}.jpg").touch()
    lines = [f"{name}.jpg,{value},1.5,100" for name, value in ROWS.items()]
    path = folder / "ratings.csv"
    path.write_text("\n".join(["path,valence,valence_sd,valence_n", *lines]))
    return path


def test_the_ends_of_the_scale_are_labels_and_the_middle_is_left_out(table):
    dataset = open_dataset(DataConfig(str(table)))

    assert dataset.name == "photos"
    assert dataset.ids == ("dog_1.jpg", "war_1.jpg", "war_12.jpg", "sea.jpg")
    assert dataset.labels.tolist() == [1, 0, 0, 1]


def test_pictures_of_a_numbered_series_are_a_group(table):
    dataset = open_dataset(DataConfig(str(table)))

    names = [dataset.group_names[number] for number in dataset.groups]
    assert names == ["dog", "war", "war", ""]


def test_raters_vote_by_the_side_of_the_middle_they_would_stand_on(table):
    dataset = open_dataset(DataConfig(str(table)))

    # (6 - 4.25) / 1.5 = 1.167 deviations above the middle: 87.8 % of a normal curve
    assert dataset.votes[0].tolist() == [12, 88]
    # half a deviation below: 30.9 %
    assert dataset.votes[2].tolist() == [69, 31]


def test_a_table_of_ratings_has_no_level(table):
    with pytest.raises(ConfigError, match="has no level 'five_agrees'"):
        open_dataset(DataConfig(str(table), level="five_agrees"))


@pytest.mark.parametrize(
    ("value", "message"),
    [("good", "has the valence 'good' for 'dog_1.jpg'"), ("9", "rates from 2 to 9")],
)
def test_a_rating_that_is_none_is_refused(table, value, message):
    table.write_text(table.read_text().replace("dog_1.jpg,6.0", f"dog_1.jpg,{value}"))

    with pytest.raises(DataError, match=message):
        open_dataset(DataConfig(str(table)))
