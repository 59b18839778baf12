"""Groups of raters have ratings of their own."""

from __future__ import annotations

import pytest
from PIL import Image

from pixsent_tf.config import DataConfig
from pixsent_tf.data.sources import open_dataset
from pixsent_tf.errors import DataError

HEAD = "path,rater_group,valence,valence_sd,valence_n"


@pytest.fixture
def table(tmp_path):
    """Two groups; the third picture was rated by one of them."""
    for name in "abc":
        Image.new("RGB", (4, 4)).save(tmp_path / f"{name}.png")
    path = tmp_path / "ratings.csv"
    path.write_text(
        f"{HEAD}\na.png,women,5,1,25\na.png,men,4,2,16\nb.png,men,2,1,9\n"
        "b.png,women,3,1,4\nc.png,men,6,1,9\n"
    )
    return path


def test_each_group_has_targets_of_its_own(table):
    dataset = open_dataset(DataConfig(str(table), target=("valence",)))
    known = dataset.ratings

    assert dataset.ids == ("a.png", "b.png")
    assert known.targets == ("valence_men", "valence_women")
    assert known.values.tolist() == [[4, 5], [2, 3]]
    assert known.noise.tolist() == [[4 / 16, 1 / 25], [1 / 9, 1 / 4]]
    assert known.perspectives == ("men", "women")
    assert "1 pictures that not all groups rated" in dataset.notes[0]


def test_the_rating_of_one_group_can_be_asked_for(table):
    known = open_dataset(DataConfig(str(table), target=("valence_women",))).ratings

    assert known.targets == ("valence_women",)
    assert known.values[:, 0].tolist() == [5, 3]


def test_a_group_rates_a_picture_once(table):
    table.write_text(table.read_text() + "a.png,men,1,1,1\n")

    with pytest.raises(DataError, match=r"two rows of 'men' for 'a\.png'"):
        open_dataset(DataConfig(str(table), target=("valence",)))


def test_groups_that_rated_no_picture_together_are_refused(table):
    table.write_text(f"{HEAD}\na.png,men,1,1,9\nb.png,women,2,1,9\n")

    with pytest.raises(DataError, match="no picture that all of men, women rated"):
        open_dataset(DataConfig(str(table), target=("valence",)))
