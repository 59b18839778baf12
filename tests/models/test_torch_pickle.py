"""Checkpoints are written here opcode by opcode, so no PyTorch is needed."""

from __future__ import annotations

import hashlib
import os
import pickle
import random
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from pixsent_tf.errors import WeightsError
from pixsent_tf.models.torch_pickle import read_state_dict

MATRIX = np.arange(6, dtype="<f4").reshape(2, 3)
MAGIC = pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(1001, 2)
SYSTEM = pickle.dumps({"protocol_version": 1001, "little_endian": True}, 2)


def _text(text: str) -> bytes:
    return b"X" + struct.pack("<I", len(text)) + text.encode()


def _tuple(*values: int) -> bytes:
    return b"(" + b"".join(b"J" + struct.pack("<i", value) for value in values) + b"t"


def _tensor(
    storage: str = "FloatStorage",
    key: str = "0",
    count: int = 6,
    offset: int = 0,
    shape: tuple[int, ...] = (2, 3),
    strides: tuple[int, ...] = (3, 1),
) -> bytes:
    """Opcodes that call `_rebuild_tensor_v2` with a storage, as PyTorch writes them."""
    storage_id = (
        b"(" + _text("storage") + b"ctorch\n%s\n" % storage.encode() + _text(key)
    ) + (_text("cpu") + b"J" + struct.pack("<i", count) + b"NtQ")
    arguments = b"J" + struct.pack("<i", offset) + _tuple(*shape) + _tuple(*strides)
    empty_hooks = b"ccollections\nOrderedDict\n)R"
    return b"ctorch._utils\n_rebuild_tensor_v2\n(" + (
        storage_id + arguments + b"\x89" + empty_hooks + b"tR"
    )


def _state_dict(**tensors: bytes) -> bytes:
    items = b"".join(_text(name) + tensor for name, tensor in tensors.items())
    return b"\x80\x02ccollections\nOrderedDict\n)R(" + items + b"u."


def _legacy(state: bytes, *storages: np.ndarray, system: bytes = SYSTEM) -> bytes:
    keys = pickle.dumps([str(number) for number in range(len(storages))], 2)
    numbers = (struct.pack("<q", s.size) + s.tobytes() for s in storages)
    return MAGIC + system + state + keys + b"".join(numbers)


LEGACY = _legacy(
    _state_dict(weight=_tensor(), steps=_tensor("LongStorage", "1", 1, 0, (), ())),
    MATRIX,
    np.array([7], "<i8"),
)


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    return tmp_path / "net.pth"


def test_legacy_checkpoint_gives_names_numbers_and_types_in_order(checkpoint):
    checkpoint.write_bytes(LEGACY)

    tensors = read_state_dict(checkpoint)

    assert list(tensors) == ["weight", "steps"]
    assert tensors["weight"].tolist() == [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]
    assert tensors["weight"].dtype == np.float32
    assert tensors["steps"].shape == ()
    assert tensors["steps"] == 7


def test_zip_checkpoint_gives_the_same(checkpoint):
    with zipfile.ZipFile(checkpoint, "w") as archive:
        archive.writestr("net/data.pkl", _state_dict(weight=_tensor()))
        archive.writestr("net/byteorder", "little")
        archive.writestr("net/data/0", MATRIX.tobytes())

    assert read_state_dict(checkpoint)["weight"].tolist() == MATRIX.tolist()


def test_transposed_slice_of_a_storage_is_cut_out_as_its_strides_say(checkpoint):
    column_major = _tensor(offset=1, shape=(2, 2), strides=(1, 3))
    checkpoint.write_bytes(_legacy(_state_dict(weight=column_major), MATRIX))

    weight = read_state_dict(checkpoint)["weight"]

    assert weight.tolist() == [[1.0, 4.0], [2.0, 5.0]]
    assert weight.flags.c_contiguous
    assert weight.flags.owndata


def test_two_tensors_may_share_a_storage(checkpoint):
    state = _state_dict(all=_tensor(), last=_tensor(offset=5, shape=(1,), strides=(1,)))
    checkpoint.write_bytes(_legacy(state, MATRIX))

    assert read_state_dict(checkpoint)["last"].tolist() == [5.0]


def test_right_sha256_is_accepted_in_either_case(checkpoint):
    checkpoint.write_bytes(LEGACY)
    digest = hashlib.sha256(LEGACY).hexdigest()

    assert read_state_dict(checkpoint, digest.upper()).keys() == {"weight", "steps"}


def test_wrong_sha256_is_refused_and_both_are_shown(checkpoint):
    checkpoint.write_bytes(LEGACY)
    actual = hashlib.sha256(LEGACY).hexdigest()

    with pytest.raises(WeightsError, match=f"SHA-256 {actual}, not {'0' * 64}; fetch"):
        read_state_dict(checkpoint, "0" * 64)


@pytest.mark.parametrize("prologue", [b"", MAGIC + SYSTEM])
def test_hostile_pickle_is_named_and_not_run(checkpoint, tmp_path, prologue):
    class Hostile:
        def __reduce__(self):
            return os.system, (f"touch {tmp_path / 'hacked'}",)

    checkpoint.write_bytes(prologue + pickle.dumps(Hostile(), 2))

    with pytest.raises(WeightsError, match=r"asks to run \w+\.system, which no"):
        read_state_dict(checkpoint)
    assert not (tmp_path / "hacked").exists()


def test_hostile_zip_is_named_and_not_run(checkpoint):
    with zipfile.ZipFile(checkpoint, "w") as archive:
        archive.writestr("net/data.pkl", b"cbuiltins\neval\n(X\x01\0\0\x001tR.")

    with pytest.raises(WeightsError, match=r"asks to run builtins\.eval"):
        read_state_dict(checkpoint)


@pytest.mark.parametrize("name", ["load", "nn.Module", "_utils._rebuild_tensor_v2"])
def test_other_names_of_torch_are_refused(checkpoint, name):
    checkpoint.write_bytes(MAGIC + SYSTEM + b"ctorch\n%s\n." % name.encode())

    with pytest.raises(WeightsError, match=rf"asks to run torch\.{name}"):
        read_state_dict(checkpoint)


def test_file_cut_short_anywhere_is_refused(checkpoint):
    for length in range(len(LEGACY)):
        checkpoint.write_bytes(LEGACY[:length])
        with pytest.raises(WeightsError, match="no PyTorch checkpoint or is damaged"):
            read_state_dict(checkpoint)


def test_zip_cut_short_is_refused(checkpoint):
    with zipfile.ZipFile(checkpoint, "w") as archive:
        archive.writestr("net/data.pkl", _state_dict(weight=_tensor()))
        archive.writestr("net/data/0", MATRIX.tobytes())
    content = checkpoint.read_bytes()
    checkpoint.write_bytes(content[: len(content) // 2])

    with pytest.raises(WeightsError, match="BadZipFile"):
        read_state_dict(checkpoint)


def _message_of(checkpoint: Path) -> str:
    try:
        read_state_dict(checkpoint)
    except WeightsError as error:
        return str(error)
    return ""


def test_any_changed_byte_gives_tensors_or_one_line(checkpoint):
    generator = random.Random(0)
    for position in range(len(LEGACY)):
        damaged = bytearray(LEGACY)
        damaged[position] ^= generator.randrange(1, 256)
        checkpoint.write_bytes(damaged)
        message = _message_of(checkpoint)
        assert "\n" not in message, position


@pytest.mark.parametrize(
    "fields",
    [
        {"offset": 1},
        {"offset": -1},
        {"shape": (2, 4)},
        {"strides": (4, 1)},
        {"strides": (-3, 1)},
        {"shape": (2, 3, 2)},
        {"shape": (1 << 30, 1 << 30), "strides": (0, 0)},
    ],
)
def test_tensor_that_reaches_beyond_its_storage_is_refused(checkpoint, fields):
    checkpoint.write_bytes(_legacy(_state_dict(weight=_tensor(**fields)), MATRIX))

    with pytest.raises(WeightsError, match="ValueError: shape"):
        read_state_dict(checkpoint)


def test_memo_place_that_would_fill_the_memory_is_refused(checkpoint):
    checkpoint.write_bytes(MAGIC + SYSTEM + b"Nr\xff\xff\xff\xff.")

    with pytest.raises(WeightsError, match="memo place 4294967295"):
        read_state_dict(checkpoint)


def test_storage_of_another_length_than_announced_is_refused(checkpoint):
    checkpoint.write_bytes(_legacy(_state_dict(weight=_tensor(count=9)), MATRIX))

    with pytest.raises(WeightsError, match="storage 0 has 6 numbers, not 9"):
        read_state_dict(checkpoint)


def test_checkpoint_of_more_than_tensors_says_to_save_the_state_dict(checkpoint):
    checkpoint.write_bytes(_legacy(_state_dict(epoch=b"K\x03")))

    with pytest.raises(
        WeightsError, match=r"an? int under 'epoch'.*state_dict.. alone"
    ):
        read_state_dict(checkpoint)


def test_single_tensor_is_no_state_dict(checkpoint):
    checkpoint.write_bytes(_legacy(b"\x80\x02" + _tensor() + b".", MATRIX))

    with pytest.raises(WeightsError, match="holds a _Tensor, not a state_dict"):
        read_state_dict(checkpoint)


def test_pickle_of_something_else_is_refused(checkpoint):
    checkpoint.write_bytes(pickle.dumps([1, 2, 3]))

    with pytest.raises(WeightsError, match=r"not one that torch\.save wrote"):
        read_state_dict(checkpoint)


def test_big_endian_file_is_refused(checkpoint):
    system = pickle.dumps({"little_endian": False}, 2)
    checkpoint.write_bytes(_legacy(_state_dict(), system=system))

    with pytest.raises(WeightsError, match="big-endian"):
        read_state_dict(checkpoint)


def test_compressed_zip_is_refused(checkpoint):
    with zipfile.ZipFile(checkpoint, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("net/data.pkl", _state_dict())

    with pytest.raises(WeightsError, match=r"is compressed, which torch\.save never"):
        read_state_dict(checkpoint)


def test_missing_file_is_refused(checkpoint):
    with pytest.raises(WeightsError, match=r"Cannot read .*net\.pth: No such file"):
        read_state_dict(checkpoint)


@pytest.mark.dev
@pytest.mark.parametrize("zipped", [False, True])
def test_what_torch_saves_is_read_back(checkpoint, zipped):
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    saved = {
        "kernel": torch.nn.Parameter(torch.randn(4, 3, 5, 5)),
        "transposed": torch.randn(4, 3).t(),
        "slice": torch.arange(10)[3:7],
        "half": torch.randn(3).half(),
        "mask": torch.tensor([True, False]),
        "empty": torch.zeros(0, 3),
    }
    torch.save(saved, checkpoint, _use_new_zipfile_serialization=zipped)

    read = read_state_dict(checkpoint)

    assert list(read) == list(saved)
    for name, tensor in saved.items():
        np.testing.assert_array_equal(read[name], tensor.detach().numpy(), strict=True)
