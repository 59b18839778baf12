"""Labels come in the terms of the model that they are to adapt, or are refused."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from pixsent_tf.config import DataConfig
from pixsent_tf.errors import DataError, UsageError
from pixsent_tf.studies.labels import count_labels, open_labels, refuse_few

MODEL = ("positive", "negative")  # not in the order of the alphabet


@pytest.fixture
def write(tmp_path):
    for number in range(12):
        Image.new("RGB", (8, 8)).save(tmp_path / f"{number}.png")

    def write(header, row):
        path = tmp_path / "t.csv"
        rows = [f"{number}.png,{row(number)}" for number in range(12)]
        path.write_text("\n".join([header, *rows]) + "\n")
        return DataConfig(str(path))

    return write


def test_labels_and_shares_stand_in_the_order_of_the_model(write):
    shares = [".25,.75", ".625,.375"]
    data = write("path,share_negative,share_positive", lambda n: shares[n % 2])

    found = open_labels(data, MODEL)

    assert found.class_names == MODEL
    assert found.labels[:2].tolist() == [0, 1]
    assert found.votes[:2].tolist() == [[0.75, 0.25], [0.375, 0.625]]


def test_votes_stay_counts(write):
    data = write("path,votes_negative,votes_positive", lambda n: f"{n % 2 * 5},3")

    found = open_labels(data, MODEL)

    assert found.votes[:2].tolist() == [[3, 0], [3, 5]]
    assert np.issubdtype(found.votes.dtype, np.integer)


def test_a_class_that_the_model_does_not_know_is_named(write):
    data = write("path,label", lambda n: ["negative", "neutral"][n % 2])

    with pytest.raises(DataError, match=r"class 'neutral', the model knows positive"):
        open_labels(data, MODEL)


def test_labels_of_one_class_are_too_few_of_the_other(write):
    with pytest.raises(UsageError, match=r"12 labels \(0 positive, 12 negative\)"):
        open_labels(write("path,label", lambda _: "negative"), MODEL)


def test_pictures_of_a_unit_count_once_for_each_class(write):
    data = write("path,label", lambda n: ["negative", "positive"][n % 2])
    dataset = open_labels(data, MODEL)
    read = np.arange(12) != 3  # a picture of the first class

    assert count_labels(dataset) == {"positive": 6, "negative": 6}
    assert count_labels(dataset, read) == {"positive": 5, "negative": 6}
    units = np.arange(12) // 6
    assert count_labels(dataset, read, units) == {"positive": 2, "negative": 2}


@pytest.mark.parametrize("counts", [(7, 3), (3, 7), (3, 30)])
def test_ten_labels_and_three_of_each_class_are_enough(counts):
    refuse_few("t.csv", dict(zip(MODEL, counts, strict=True)))


@pytest.mark.parametrize(
    ("counts", "told"),
    [
        ((6, 3), r"has 9 labels .* 1 more\."),
        ((8, 2), r"has 10 labels .* 1 more, 1 negative among them\."),
        ((4, 1), r"has 5 labels .* 5 more, 2 negative among them\."),
        ((0, 9), r"3 more, 3 positive among them\."),
    ],
)
def test_what_lacks_is_counted(counts, told):
    with pytest.raises(UsageError, match=told):
        refuse_few("t.csv", dict(zip(MODEL, counts, strict=True)))
