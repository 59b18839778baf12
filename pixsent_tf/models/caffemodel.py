"""What is inside a .caffemodel?

The file is one protobuf message, a network of layers with blobs of numbers. It comes
from strangers, and parsing it whole would cost several times its size, so it is mapped
into memory and walked: the numbers are copied out where they lie, and only what
describes them, at most a few kilobytes a layer, is parsed by the protobuf library.

Command: `pixsent-tf inspect FILE.caffemodel`
"""

from __future__ import annotations

import math
import mmap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from google.protobuf.message import DecodeError, Message

from pixsent_tf.errors import WeightsError
from pixsent_tf.models.caffe_schema import (
    V1_TYPES,
    BlobHeader,
    LayerHeader,
    V1LayerHeader,
)
from pixsent_tf.models.wire import BYTES, FIXED32, FIXED64, Field, WireReader

_LAYERS_V1, _LAYERS_V2 = 2, 100  # fields of NetParameter
_BLOBS_V1, _BLOBS_V2 = 6, 7  # fields of V1LayerParameter and of LayerParameter
_NUMBERS = {5: "<f4", 8: "<f8"}  # fields of BlobProto: data, double_data
_ITEM_WIRES = {5: FIXED32, 8: FIXED64}
_MAX_AXES = 32  # Caffe's own limit


@dataclass(frozen=True)
class CaffeLayer:
    """A layer of the file.

    Attributes:
        name: As the network's author wrote it.
        type: Caffe's word, such as "Convolution"; V1 files are translated.
        blobs: Its weights, float32, in the file's own shapes and order.
    """

    name: str
    type: str
    blobs: tuple[np.ndarray, ...]

    @property
    def parameters(self) -> int:
        """Number of weights in all blobs."""
        return sum(blob.size for blob in self.blobs)


def read_caffemodel(path: str | Path) -> list[CaffeLayer]:
    """Read every layer of a .caffemodel, with or without weights.

    Args:
        path: The file, of Caffe's first (`layers`) or second (`layer`) format.

    Returns:
        The layers in the file's order. The blobs together take four bytes a weight.

    Raises:
        WeightsError: If the file is missing, truncated, damaged, or holds no layers.
    """
    path = Path(path)
    with _mapped(path) as view:
        try:
            layers = list(_layers(WireReader(view)))
        except (DecodeError, UnicodeDecodeError, ValueError) as error:
            raise WeightsError(
                f"{path.name} is not a whole .caffemodel: {_one_line(error)}; "
                "fetch the file again and compare its checksum."
            ) from None
    if not layers:
        raise WeightsError(f"{path.name} holds no layers; is it a .caffemodel?")
    return layers


def describe(path: str | Path) -> list[tuple[str, str, tuple[tuple[int, ...], ...]]]:
    """List what a .caffemodel holds.

    Args:
        path: The file.

    Returns:
        For each layer its name, its type and the shapes of its blobs.
    """
    return [
        (layer.name, layer.type, tuple(blob.shape for blob in layer.blobs))
        for layer in read_caffemodel(path)
    ]


@contextmanager
def _mapped(path: Path) -> Iterator[memoryview]:
    """Open a file's bytes without reading them."""
    try:
        with path.open("rb") as file:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as error:  # ValueError: an empty file
        raise WeightsError(f"Cannot read {path}: {_one_line(error)}.") from None
    view = memoryview(mapped)
    try:
        yield view
    finally:
        try:
            view.release()
            mapped.close()
        except BufferError:  # an error's traceback holds a part; it closes later
            pass


def _layers(reader: WireReader) -> Iterator[CaffeLayer]:
    for field in reader.fields():
        if field.wire != BYTES:
            continue
        if field.number == _LAYERS_V2:
            header, blobs = _layer(reader.inside(field), LayerHeader(), _BLOBS_V2)
            layer_type = header.type.decode()
        elif field.number == _LAYERS_V1:
            header, blobs = _layer(reader.inside(field), V1LayerHeader(), _BLOBS_V1)
            layer_type = V1_TYPES.get(header.type, f"V1:{header.type}")
        else:
            continue
        if not header.name:
            raise ValueError("a layer has no name")
        yield CaffeLayer(header.name.decode(), layer_type, blobs)


def _layer(
    reader: WireReader, header: Message, blobs_field: int
) -> tuple[Message, tuple[np.ndarray, ...]]:
    """Parse a layer's small fields into `header` and copy its blobs."""
    blobs = []
    small = bytearray()
    for field in reader.fields():
        if field.number == blobs_field and field.wire == BYTES:
            blobs.append(_blob(reader.inside(field)))
        elif field.number in header.DESCRIPTOR.fields_by_number:
            reader.collect(field, small)
    header.ParseFromString(bytes(small))
    return header, tuple(blobs)


def _blob(reader: WireReader) -> np.ndarray:
    """Copy a BlobProto's numbers and give them its shape."""
    header = BlobHeader()
    small = bytearray()
    parts = []
    for field in reader.fields():
        if field.number in _NUMBERS:
            parts.append(_numbers(reader, field))
        elif field.number in header.DESCRIPTOR.fields_by_number:
            reader.collect(field, small)
    header.ParseFromString(bytes(small))
    if not parts:
        parts = [np.empty(0, "float32")]
    values = parts[0] if len(parts) == 1 else np.concatenate(parts)
    shape = _shape(header, values.size)
    if any(side < 0 for side in shape) or math.prod(shape) != values.size:
        raise ValueError(f"a blob of shape {shape} holds {values.size} numbers")
    return values.reshape(shape)


def _numbers(reader: WireReader, field: Field) -> np.ndarray:
    """Copy packed numbers, or a run of unpacked ones, as float32."""
    dtype = np.dtype(_NUMBERS[field.number])
    if field.wire == BYTES:
        raw = field.value
        if len(raw) % dtype.itemsize:
            raise ValueError(f"{len(raw)} bytes do not hold whole {dtype.name}s")
        return _single(np.frombuffer(raw, dtype))
    if field.wire != _ITEM_WIRES[field.number]:
        raise ValueError(f"numbers of wire type {field.wire}")
    return _single(reader.run(field, dtype))


def _single(values: np.ndarray) -> np.ndarray:
    with np.errstate(all="ignore"):  # a double too large becomes infinite
        return values.astype("float32")


def _shape(header: Message, count: int) -> tuple[int, ...]:
    """Return the legacy sides where present, as Caffe does; else the shape."""
    legacy = ("num", "channels", "height", "width")
    if any(header.HasField(side) for side in legacy):
        return tuple(getattr(header, side) for side in legacy)
    if not header.HasField("shape"):
        return (count,)
    if len(header.shape.dim) > _MAX_AXES:
        raise ValueError(f"a blob of {len(header.shape.dim)} axes")
    return tuple(header.shape.dim)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
