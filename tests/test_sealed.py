"""A file of arrays is believed only if it is what was written."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from pixsent_tf.sealed import DIGITS, DamagedError, read_sealed, write_sealed


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "new" / "arrays.npz"
    arrays = {"a": np.arange(300.0), "b": np.zeros((0, 2), dtype="int8")}
    write_sealed(path, arrays, {"epoch": 3, "loss": None})
    return path


def test_arrays_and_values_come_back(path):
    arrays, values = read_sealed(path)

    assert values == {"epoch": 3, "loss": None}
    assert list(arrays) == ["a", "b"]
    np.testing.assert_array_equal(arrays["a"], np.arange(300.0))
    assert (arrays["b"].shape, arrays["b"].dtype) == ((0, 2), np.int8)


def test_numpy_opens_it_too(path):
    with np.load(path) as stored:
        assert stored["a"][7] == 7


def test_every_cut_is_told(path):
    content = path.read_bytes()
    for size in (*range(0, len(content), 97), len(content) - 1):
        path.write_bytes(content[:size])
        with pytest.raises(DamagedError, match=r"holds|checksum"):
            read_sealed(path)


def test_every_flipped_bit_is_told(path):
    content = path.read_bytes()
    for position in (*range(0, len(content), 41), len(content) - DIGITS):
        flipped = bytearray(content)
        flipped[position] ^= 1 << (position % 8)
        path.write_bytes(flipped)
        with pytest.raises(DamagedError, match="its checksum does not fit"):
            read_sealed(path)


def test_a_missing_file_and_a_folder_are_told(path):
    with pytest.raises(DamagedError, match="No such file"):
        read_sealed(path.with_name("other"))
    with pytest.raises(DamagedError, match="Is a directory"):
        read_sealed(path.parent)


def test_nothing_with_a_checksum_that_fits_is_nothing(path):
    path.write_bytes(hashlib.sha256(b"").hexdigest().encode())

    with pytest.raises(DamagedError, match="it holds 64 bytes"):
        read_sealed(path)
