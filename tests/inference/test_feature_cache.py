"""Features are recalled by what a picture shows, not by where it lies."""

from __future__ import annotations

import hashlib
import os

import numpy as np
import pytest

from pixsent_tf.inference.feature_cache import FeatureCache, prune

PLENTY = 10**9


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path):
    """Where the features of the network `net` are kept."""
    monkeypatch.setenv("PIXSENT_CACHE", str(tmp_path))
    return tmp_path / "features" / "net"


def digest(number):
    return hashlib.sha256(str(number).encode()).hexdigest()


def keep(numbers, width=3, max_bytes=PLENTY):
    cache = FeatureCache("net", max_bytes)
    rows = np.array([[number] * width for number in numbers], dtype="float32")
    cache.keep([digest(number) for number in numbers], rows)
    cache.write()


def test_what_is_kept_is_recalled_by_another_process(folder):
    keep([5, 6])
    keep([7])

    cache = FeatureCache("net", PLENTY)

    assert len(cache) == 3
    assert digest(8) not in cache
    assert cache.recall(digest(6)).tolist() == [6, 6, 6]
    assert cache.recall(digest(7)).dtype == np.float32


def test_another_network_knows_nothing_of_it():
    keep([5])

    assert len(FeatureCache("other", PLENTY)) == 0


def test_a_picture_without_a_digest_is_not_kept():
    cache = FeatureCache("net", PLENTY)
    cache.keep(["", digest(1)], np.ones((2, 3), "float32"))
    cache.write()

    assert len(FeatureCache("net", PLENTY)) == 1


def test_many_pictures_are_written_before_the_end(folder):
    cache = FeatureCache("net", PLENTY)
    cache.keep([digest(n) for n in range(600)], np.ones((600, 1000), "float32"))

    assert len(FeatureCache("net", PLENTY)) == 600  # nothing called `write`


@pytest.mark.parametrize("size", [0, 7, 200, 250])
def test_a_damaged_file_is_as_good_as_none(folder, size):
    keep([5, 6])
    keep([7])
    first = min(folder.iterdir())
    first.write_bytes(first.read_bytes()[:size])

    assert len(FeatureCache("net", PLENTY)) in (1, 2)


def test_a_folder_that_cannot_be_written_to_costs_only_the_time(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PIXSENT_CACHE", str(tmp_path / "file"))

    keep([5])

    assert len(FeatureCache("net", PLENTY)) == 0


def test_what_was_used_last_stays(folder):
    for number in range(4):
        keep([number], width=1000)
    for age, path in enumerate(sorted(folder.iterdir())):
        os.utime(path, ns=(age * 10**9,) * 2)
    oldest, *_, newest = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime)

    prune(folder.parent, 3 * newest.stat().st_size)

    assert len(list(folder.iterdir())) == 2  # and some room beside them
    assert newest.exists()
    assert not oldest.exists()


def test_there_is_never_more_than_may_be(folder):
    for number in range(10):
        keep([number], width=1000, max_bytes=15_000)

    assert sum(path.stat().st_size for path in folder.iterdir()) <= 15_000
    assert digest(9) in FeatureCache("net", PLENTY)


def test_each_picture_has_its_own_row_of_its_own_file():
    for numbers in ([1, 2, 3], [4], [5, 6]):
        keep(numbers)

    cache = FeatureCache("net", PLENTY)

    for number in range(1, 7):
        assert cache.recall(digest(number)).tolist() == [number] * 3


def test_what_is_kept_is_what_it_was_though_the_array_is_used_again():
    cache, rows = FeatureCache("net", PLENTY), np.ones((1, 3), "float32")
    cache.keep([digest(1)], rows)
    rows[:] = 7  # the next batch
    cache.write()

    assert FeatureCache("net", PLENTY).recall(digest(1)).tolist() == [1, 1, 1]


def test_what_is_opened_was_used_now(folder):
    keep([1])
    (path,) = folder.iterdir()
    os.utime(path, ns=(0, 0))

    FeatureCache("net", PLENTY)

    assert path.stat().st_mtime > 10**9
