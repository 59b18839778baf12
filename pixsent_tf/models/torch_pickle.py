"""What tensors does a PyTorch checkpoint hold? Read without PyTorch, into NumPy.

A checkpoint is a pickle, and a pickle is a program. The one here may name the
handful of things in `_Unpickler.find_class` and nothing else, so a hostile file ends
in a `WeightsError`, not in a shell.
"""

from __future__ import annotations

import hashlib
import io
import math
import pickle
import pickletools
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pixsent_tf.errors import WeightsError

LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
LEGACY_PROTOCOL = 1001

STORAGE_DTYPES = {
    "DoubleStorage": "<f8",
    "FloatStorage": "<f4",
    "HalfStorage": "<f2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "<i1",
    "ByteStorage": "<u1",
    "BoolStorage": "|b1",
}

_BIG_ENDIAN = "was written on a big-endian machine; save it again on another."


def read_state_dict(
    path: str | Path, sha256: str | None = None
) -> dict[str, np.ndarray]:
    """Read the tensors of a checkpoint that `torch.save(model.state_dict())` wrote.

    Both forms are read: the one up to 2020 (five pickles, then raw numbers) and the
    zip archive that replaced it.

    Args:
        path: The checkpoint, usually `*.pth` or `*.pt`.
        sha256: What the file's SHA-256 must be, 64 hexadecimal digits.

    Returns:
        Name -> array, in the order of the file. Arrays are contiguous and own
        their memory.

    Raises:
        WeightsError: If the file cannot be read, has another SHA-256, is damaged,
            names code that no checkpoint needs, or holds anything but tensors.
    """
    path = Path(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise WeightsError(f"Cannot read {path}: {error.strerror or error}.") from error
    if sha256 is not None:
        _check_sha256(path, content, sha256)
    read = _read_zip if content.startswith(b"PK\x03\x04") else _read_legacy
    try:
        return read(content)
    except _RefusedError as error:
        raise WeightsError(f"{path} {' '.join(str(error).split())}") from error
    except Exception as error:  # a damaged pickle can end in nearly any exception
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise WeightsError(
            f"{path} is no PyTorch checkpoint or is damaged ({reason}); "
            "fetch the file again."
        ) from error


def _check_sha256(path: Path, content: bytes, expected: str) -> None:
    actual = hashlib.sha256(content).hexdigest()
    if actual != expected.lower():
        raise WeightsError(
            f"{path} has the SHA-256 {actual}, not {expected}; fetch the file again."
        )


class _RefusedError(Exception):
    """What `read_state_dict` says after the name of the file."""


class _Storage(NamedTuple):
    """A run of numbers that tensors are cut from, by the key the file gives it."""

    key: str
    dtype: np.dtype
    length: int


class _Tensor(NamedTuple):
    """Where a tensor lies in its storage, in elements."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class _StorageType(NamedTuple):
    """Stands in for `torch.FloatStorage` and its like; a tuple can be told nothing."""

    name: str


class _Unpickler(pickle.Unpickler):
    """Build dictionaries of `_Tensor`; refuse every other name."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _describe_tensor
        if (module, name) == ("torch._utils", "_rebuild_parameter"):
            return _describe_parameter
        if module == "torch" and name in STORAGE_DTYPES:
            return _StorageType(name)
        raise _RefusedError(
            f"asks to run {module}.{name}, which no state_dict needs; do not trust it."
        )

    def persistent_load(self, pid: Any) -> _Storage:
        kind, storage_type, key, _location, count, *view = pid
        if kind != "storage" or any(part is not None for part in view):
            raise pickle.UnpicklingError("a persistent id that is no plain storage")
        dtype = np.dtype(STORAGE_DTYPES[storage_type.name])
        return _Storage(str(key), dtype, int(count))


def _describe_tensor(
    storage: _Storage, offset: int, shape: tuple, strides: tuple, *_: Any
) -> _Tensor:
    """Stand in for `torch._utils._rebuild_tensor_v2`."""
    return _Tensor(storage, int(offset), tuple(shape), tuple(strides))


def _describe_parameter(tensor: _Tensor, *_: Any) -> _Tensor:
    """Stand in for `torch._utils._rebuild_parameter`."""
    return tensor


def _read_legacy(content: bytes) -> dict[str, np.ndarray]:
    """Read magic, protocol, system, tensors and keys, then each key's numbers."""
    stream = io.BytesIO(content)
    if _unpickle(stream) != LEGACY_MAGIC or _unpickle(stream) != LEGACY_PROTOCOL:
        raise _RefusedError("is a pickle, but not one that torch.save wrote.")
    if not _unpickle(stream)["little_endian"]:
        raise _RefusedError(_BIG_ENDIAN)
    tensors = _checked_tensors(_unpickle(stream))
    storages = {tensor.storage.key: tensor.storage for tensor in tensors.values()}
    numbers = {}
    for key in _unpickle(stream):
        storage = storages[key]
        (count,) = np.frombuffer(stream.read(8), "<i8")
        if count != storage.length:
            raise ValueError(f"storage {key} has {count} numbers, not {storage.length}")
        numbers[key] = _numbers(stream.read(count * storage.dtype.itemsize), storage)
    return {name: _cut(tensor, numbers) for name, tensor in tensors.items()}


def _read_zip(content: bytes) -> dict[str, np.ndarray]:
    """Read `data.pkl` and the members `data/KEY` beside it."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        (member,) = (n for n in archive.namelist() if n.endswith("/data.pkl"))
        root = member.removesuffix("data.pkl")
        if any(info.compress_type for info in archive.infolist()):
            raise _RefusedError("is compressed, which torch.save never does.")
        order = f"{root}byteorder"
        if order in archive.namelist() and archive.read(order) != b"little":
            raise _RefusedError(_BIG_ENDIAN)
        tensors = _checked_tensors(_unpickle(io.BytesIO(archive.read(member))))
        storages = {tensor.storage.key: tensor.storage for tensor in tensors.values()}
        numbers = {
            key: _numbers(archive.read(f"{root}data/{key}"), storage)
            for key, storage in storages.items()
        }
    return {name: _cut(tensor, numbers) for name, tensor in tensors.items()}


def _unpickle(stream: io.BytesIO) -> Any:
    """Run one pickle, once it is known not to ask for a memo larger than itself.

    The C unpickler allocates as many places as the highest number it is given.
    """
    start = stream.tell()
    limit = stream.getbuffer().nbytes
    for opcode, argument, _ in pickletools.genops(stream):
        if opcode.name in ("PUT", "LONG_BINPUT") and int(argument or 0) > limit:
            raise pickle.UnpicklingError(f"memo place {argument}")
    stream.seek(start)
    return _Unpickler(stream, encoding="utf-8").load()


def _checked_tensors(state: Any) -> dict[str, _Tensor]:
    """Check that a checkpoint is a state dict: names and tensors, nothing nested."""
    if not isinstance(state, dict):
        raise _RefusedError(f"holds a {type(state).__name__}, not a state_dict.")
    for name, value in state.items():
        if not (isinstance(name, str) and isinstance(value, _Tensor)):
            raise _RefusedError(
                f"holds a {type(value).__name__} under {name!r}, not a tensor; "
                "save model.state_dict() alone."
            )
    return dict(state)


def _numbers(content: bytes, storage: _Storage) -> np.ndarray:
    """View a storage's bytes as numbers, if they are all there."""
    if len(content) != storage.length * storage.dtype.itemsize:
        raise EOFError(f"storage {storage.key} is cut short")
    return np.frombuffer(content, storage.dtype)


def _cut(tensor: _Tensor, numbers: dict[str, np.ndarray]) -> np.ndarray:
    """Copy a tensor out of its storage.

    NumPy checks no bounds when it is given strides, so the file's are checked here:
    wrong ones would read foreign memory.
    """
    storage = numbers[tensor.storage.key]
    shape, strides = tensor.shape, tensor.strides
    if len(shape) != len(strides) or min((tensor.offset, *shape, *strides)) < 0:
        raise ValueError(f"shape {shape} with strides {strides}")
    size = math.prod(shape)
    last = sum((side - 1) * step for side, step in zip(shape, strides, strict=True))
    if size and (size > storage.size or tensor.offset + last >= storage.size):
        raise ValueError(f"shape {shape} does not fit its {storage.size} numbers")
    view = np.lib.stride_tricks.as_strided(
        storage[tensor.offset :] if size else storage[:0],
        shape,
        [step * storage.itemsize for step in strides],
    )
    return np.array(view, order="C")
