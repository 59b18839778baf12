"""Drawn posts: what was planted is there, and is the same each time."""

from __future__ import annotations

import csv
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from pixsent_tf.data.sample.posts import SHARES, write_posts
from pixsent_tf.data.sample.smileys import draw_smiley


@pytest.fixture(scope="module")
def posts(tmp_path_factory):
    return write_posts(tmp_path_factory.mktemp("posts"), count=48)


def read(posts):
    with posts.open() as file:
        return list(csv.DictReader(file))


def test_each_post_has_a_picture_a_hashtag_a_week_and_a_user(posts):
    rows = read(posts)

    assert Counter(row["hashtag"] for row in rows) == dict.fromkeys(SHARES, 24)
    assert set(Counter(row["user"] for row in rows).values()) == {4}
    assert all("2024-01-01" <= row["date"] <= "2024-01-28" for row in rows)
    assert {row["planted"] for row in rows} == {"negative", "positive"}


def test_a_picture_is_a_drawn_face_darkened(posts):
    row = read(posts)[7]

    found = np.asarray(Image.open(row["path"]), dtype=float)

    clear = draw_smiley((0, 1, 7), int(row["planted"] == "positive")).image
    assert found.mean() < 0.9 * clear.mean()
    assert np.corrcoef(found.ravel(), clear.ravel())[0, 1] > 0.7


def test_the_same_seed_draws_the_same_posts(tmp_path):
    first, second, other = (
        write_posts(tmp_path / name, count=2, seed=seed)
        for name, seed in (("a", 0), ("b", 0), ("c", 1))
    )

    pictures = [
        (one.parent / "0001.jpg").read_bytes() for one in (first, second, other)
    ]
    assert pictures[0] == pictures[1] != pictures[2]
    assert [row["date"] for row in read(first)] == [row["date"] for row in read(second)]
