"""Are files told apart by their bytes?"""

from __future__ import annotations

import hashlib
import os

import pytest

from pixsent_tf.data.copies.digests import hash_files
from tests.heard import Heard


def test_hashes_are_of_the_bytes_in_the_order_of_the_files(tmp_path):
    for name in "ab":
        (tmp_path / name).write_bytes(name.encode() * 3)
    heard = Heard()

    hashes = hash_files(
        [tmp_path / name for name in ("b", "gone", "a")], progress=heard
    )

    first, last = (hashlib.sha256(text).hexdigest() for text in (b"bbb", b"aaa"))
    assert hashes == [first, "", last]
    assert (heard.steps, heard.counts) == ([(2, "hashing")], [1, 1])


def test_a_file_is_hashed_again_once_it_has_changed(tmp_path):
    path, heard = tmp_path / "a", Heard()
    path.write_bytes(b"aaa")
    first = hash_files([path, path])
    assert hash_files([path], progress=heard) == first[:1]
    assert heard.steps == []

    path.write_bytes(b"bbb")

    assert hash_files([path]) == [hashlib.sha256(b"bbb").hexdigest()]


def test_what_could_wait_for_ever_or_fill_the_memory_is_not_read(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "sparse.jpg").touch()
    os.truncate(tmp_path / "sparse.jpg", 6_000_000_000)
    names = ("pipe.jpg", "sparse.jpg", "nul\0byte.jpg", "x" * 300)

    assert hash_files([str(tmp_path / name) for name in names]) == [""] * 4


@pytest.mark.parametrize("changed", ["the size", "the time"])
def test_a_change_of_either_size_or_time_is_enough(tmp_path, changed):
    path = tmp_path / "a"
    path.write_bytes(b"aaa")
    os.utime(path, ns=(10**18, 10**18))
    hash_files([path])

    after = b"aaaa" if changed == "the size" else b"bbb"
    path.write_bytes(after)
    time = 10**18 + (changed == "the time")  # a nanosecond later
    os.utime(path, ns=(time, time))

    assert hash_files([path]) == [hashlib.sha256(after).hexdigest()]
