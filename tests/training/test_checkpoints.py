"""Two states are kept; a damaged one is named, and the one before is taken."""

from __future__ import annotations

import numpy as np
import pytest

from pixsent_tf.sealed import write_sealed
from pixsent_tf.training.checkpoints import Chain
from tests.heard import Heard

SHAPES = [(2,), (3, 1)]


@pytest.fixture
def chain(tmp_path):
    chain = Chain(tmp_path / "fold-1", Heard())
    for epoch in (1, 2, 3):
        chain.save(epoch, arrays_of(epoch), {"epoch": epoch})
    return chain


def arrays_of(epoch):
    return [np.full(shape, epoch, dtype="float32") for shape in (*SHAPES, (5,))]


def test_the_last_two_are_kept(chain):
    names = sorted(path.name for path in chain.folder.iterdir())

    assert names == ["epoch-00002.npz", "epoch-00003.npz"]


def test_the_last_comes_back_in_order(chain):
    arrays, values = chain.load(SHAPES)

    assert values == {"epoch": 3}
    assert [array.shape for array in arrays] == [(2,), (3, 1), (5,)]
    assert {float(array[0]) for array in arrays[:1]} == {3}
    assert chain.progress.lines == []


def test_nothing_gives_nothing(tmp_path):
    assert Chain(tmp_path / "none").load(SHAPES) is None


def cut(path):
    path.write_bytes(path.read_bytes()[:-100])


def empty(path):
    path.write_bytes(b"")


def flip(path):
    content = bytearray(path.read_bytes())
    content[150] ^= 4
    path.write_bytes(content)


def fewer(path):
    write_sealed(path, {"00000": np.zeros(2, "float32")}, {"epoch": 3})


def longer(path):
    write_sealed(path, {"00000": np.zeros(9), "00001": np.zeros((3, 1))}, {"epoch": 3})


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (cut, "its checksum does not fit"),
        (empty, "it holds 0 bytes"),
        (flip, "its checksum does not fit"),
        (fewer, "it holds 1 arrays that do not fit the 2 of the network"),
        (longer, "it holds 2 arrays that do not fit the 2 of the network"),
    ],
)
def test_a_damaged_one_is_named_and_the_one_before_is_used(chain, damage, why):
    last = chain.folder / "epoch-00003.npz"
    damage(last)
    _, values = chain.load(SHAPES)

    assert values == {"epoch": 2}
    (line,) = chain.progress.lines
    assert line.startswith(f"{last} is damaged: {why}")
    assert line.endswith("; the training goes on from epoch-00002.npz.")


def test_two_damaged_ones_start_from_the_beginning(chain):
    for path in chain.folder.iterdir():
        empty(path)

    assert chain.load(SHAPES) is None
    assert [line.rpartition(" ")[2] for line in chain.progress.lines] == [
        "epoch-00002.npz.",
        "start.",
    ]


def test_more_than_ten_arrays_come_back_in_their_order(tmp_path):
    arrays = [np.full((k % 3 + 1,), k) for k in range(23)]
    chain = Chain(tmp_path / "states")

    chain.save(1, arrays, {})

    found, _ = chain.load([array.shape for array in arrays])
    assert [array[0] for array in found] == list(range(23))
