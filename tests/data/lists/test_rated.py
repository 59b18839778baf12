"""Tables of ratings that a model is to answer with."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from pixsent_tf.config import DataConfig
from pixsent_tf.data.lists.rated import ranges
from pixsent_tf.data.sources import open_dataset
from pixsent_tf.errors import ConfigError, DataError

COLUMNS = "path,valence,valence_sd,valence_n,arousal"
ROWS = {
    "dog_1.png": "6.0,1.5,100,2.5",
    "dog_2.png": "4.5,1.5,100,3.0",
    "war_1.png": "2.0,,,6.5",
    "sea.png": "5.0,1.0,25,1.5",
}


@pytest.fixture
def table(tmp_path):
    for name in ROWS:
        Image.new("RGB", (4, 4)).save(tmp_path / name)
    path = tmp_path / "ratings.csv"
    lines = [f"{name},{cells}" for name, cells in ROWS.items()]
    path.write_text("\n".join([COLUMNS, *lines]))
    return path


def asked(table, **settings):
    return DataConfig(str(table), target=("valence", "arousal"), **settings)


def test_every_picture_is_kept_with_its_ratings(table):
    known = open_dataset(asked(table)).ratings

    assert known.values.tolist() == [[6.0, 2.5], [4.5, 3.0], [2.0, 6.5], [5.0, 1.5]]
    assert known.noise[0, 0] == pytest.approx(1.5**2 / 100)
    assert np.isnan(known.noise[2, 0])
    assert not known.has_raters(0)  # a cell is empty
    assert not known.has_raters(1)  # there is no such column


def test_the_scale_is_the_one_named_or_the_whole_numbers_around(table):
    assert open_dataset(asked(table)).ratings.scale == (1, 7)
    assert open_dataset(asked(table, scale="0:10")).ratings.scale == (0, 10)


def test_ratings_beyond_the_scale_are_refused(table):
    with pytest.raises(DataError, match=r"rates from 1\.5 to 6\.5, and --scale says"):
        open_dataset(asked(table, scale="2:7"))


def test_numbered_series_are_groups_and_a_column_is_when_named(table):
    dataset = open_dataset(asked(table))
    assert [dataset.group_names[i] for i in dataset.groups] == ["dog", "dog", "war", ""]

    named = open_dataset(asked(table, group="valence_n"))
    assert named.groups[0] == named.groups[1] != named.groups[3]


def test_the_numbers_of_a_camera_are_no_series(tmp_path):
    lines = [COLUMNS]
    for number in range(60):
        name = f"IMG_{number:04}.png"
        Image.new("RGB", (4, 4)).save(tmp_path / name)
        lines.append(f"{name},{1 + number / 10},,,2")
    path = tmp_path / "ratings.csv"
    path.write_text("\n".join(lines))

    assert open_dataset(asked(path)).groups is None
    assert len(set(open_dataset(asked(path, group="series")).groups)) == 1


def test_a_folder_with_a_table_of_ratings_is_that_table(table):
    assert open_dataset(asked(table.parent)).ids == tuple(ROWS)


def test_selected_pictures_keep_their_ratings(table):
    part = open_dataset(asked(table)).take(np.array([3, 0]))

    assert part.ratings.values[:, 0].tolist() == [5.0, 6.0]
    assert part.said(1) == "6±1.5/100 2.5"


@pytest.mark.parametrize(
    ("target", "message"),
    [("beauty", "--target beauty needs beauty too"), ("path", "it is a number")],
)
def test_a_column_that_is_missing_or_no_number_is_refused(table, target, message):
    with pytest.raises(DataError, match=message):
        open_dataset(DataConfig(str(table), target=(target,)))


def test_ratings_that_are_all_the_same_are_refused(table):
    table.write_text("path,valence\ndog_1.png,3\ndog_2.png,3")

    with pytest.raises(DataError, match="there is nothing to learn"):
        open_dataset(DataConfig(str(table), target=("valence",)))


def test_a_source_without_ratings_is_refused(table, colored_folder):
    with pytest.raises(ConfigError, match="is no table; --target is for a CSV"):
        open_dataset(DataConfig(str(colored_folder), target=("valence",)))
    with pytest.raises(ConfigError, match="smileys is no table; --threshold"):
        open_dataset(DataConfig(threshold=4.0))


def test_a_threshold_makes_classes_and_leaves_nothing_out(table):
    dataset = open_dataset(DataConfig(str(table), threshold=5.0))

    assert dataset.ids == tuple(ROWS)
    assert dataset.labels.tolist() == [1, 0, 0, 1]
    # 4.5 is a third of 1.5 below 5: 36.9 % of a normal curve are above
    assert dataset.votes[1].tolist() == [63, 37]


def test_what_a_rated_picture_shows_is_no_label(table):
    head, *rows = table.read_text().splitlines()
    lines = [f"{head},category", *(f"{row},Object" for row in rows)]
    table.write_text("\n".join(lines))

    dataset = open_dataset(DataConfig(str(table)))
    assert dataset.class_names == ("negative", "positive")
    named = DataConfig(str(table), columns=("label=category",), threshold=4.0)
    with pytest.raises(ConfigError, match="holds labels and no ratings"):
        open_dataset(named)


def test_ranges_hold_equally_many_and_keep_ties_together():
    numbers, names = ranges(np.repeat(np.arange(10.0), 5))

    assert np.bincount(numbers).tolist() == [10] * 5
    assert names[0] == "0 to 1"
    assert len(set(ranges(np.ones(50))[0])) == 1
