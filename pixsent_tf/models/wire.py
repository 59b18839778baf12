"""How is one level of a protobuf message walked without parsing what is inside?

Protobuf builds an object for every field of a message. Where a field holds a hundred
megabytes, or a hostile file holds millions of empty ones, that costs many times the
file; here a field is only a window on the file's bytes.

Reference:
    https://protobuf.dev/programming-guides/encoding
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_FIXED = {FIXED64: 8, FIXED32: 4}

MAX_FIELDS = 50_000  # fifty for each layer of a network of a thousand
MAX_HEADER = 1 << 16  # bytes of names and sides in one message
_MAX_CHUNK = 1 << 18  # items of an unpacked run that are looked at together


@dataclass(frozen=True)
class Field:
    """One field of a message.

    Attributes:
        number: Its number in the message's description.
        wire: How it is written: `VARINT`, `FIXED64`, `BYTES` or `FIXED32`.
        start: Where its tag starts.
        value: The bytes behind the tag, and behind the length if there is one.
        end: Where it ends.
    """

    number: int
    wire: int
    start: int
    value: memoryview
    end: int


class WireReader:
    """Walks the fields of one message.

    Args:
        view: The bytes of the message.
        budget: Fields that may still be met, shared with the messages inside.
    """

    def __init__(self, view: memoryview, budget: list[int] | None = None) -> None:
        self._view = view
        self._budget = [MAX_FIELDS] if budget is None else budget
        self._position = 0

    def fields(self) -> Iterator[Field]:
        """Yield the message's fields in order.

        Yields:
            Each field, a window on the bytes.

        Raises:
            ValueError: If a field reaches over the end of the message, is written in
                an unknown way, or is one of too many.
        """
        while self._position < len(self._view):
            self._budget[0] -= 1
            if self._budget[0] < 0:
                raise ValueError(f"it has more than {MAX_FIELDS} fields")
            start = self._position
            tag = self._varint()
            number, wire = tag >> 3, tag & 7
            value_start = self._position
            if wire == VARINT:
                self._varint()
            elif wire in (BYTES, *_FIXED):
                size = _FIXED[wire] if wire in _FIXED else self._varint()
                value_start = self._position
                self._position += size
            else:
                raise ValueError(f"byte {start} starts no field")
            if self._position > len(self._view):
                missing = self._position - len(self._view)
                raise ValueError(f"field {number} ends {missing} bytes too early")
            value = self._view[value_start : self._position]
            yield Field(number, wire, start, value, self._position)

    def inside(self, field: Field) -> WireReader:
        """Return a reader of the message that a field holds."""
        return WireReader(field.value, self._budget)

    def collect(self, field: Field, into: bytearray) -> None:
        """Append a field, tag and all, to a message that will be parsed.

        Args:
            field: A field that this reader yielded.
            into: Bytes of the message.

        Raises:
            ValueError: If the message grows beyond what a description needs.
        """
        if len(into) + field.end - field.start > MAX_HEADER:
            raise ValueError(f"a layer's description exceeds {MAX_HEADER} bytes")
        into += self._view[field.start : field.end]

    def run(self, field: Field, dtype: np.dtype) -> np.ndarray:
        """Read an unpacked number and all that follow it with the same tag.

        Args:
            field: The first of them, just yielded; `fields` continues behind the last.
            dtype: Type of the numbers.

        Returns:
            The numbers, [N].
        """
        tag_size = field.end - field.start - dtype.itemsize
        item = np.dtype([("tag", f"V{tag_size}"), ("number", dtype)])
        tag = bytes(self._view[field.start : field.start + tag_size])
        parts = []
        position = field.start
        chunk = 16  # grows with the run, so that many short runs stay cheap
        while True:
            count = min((len(self._view) - position) // item.itemsize, chunk)
            items = np.frombuffer(self._view, item, count, position)
            same = items["tag"] == np.void(tag)
            length = count if same.all() else int(same.argmin())
            parts.append(items["number"][:length].copy())
            position += length * item.itemsize
            if length < chunk:
                self._position = position
                return np.concatenate(parts)
            chunk = min(2 * chunk, _MAX_CHUNK)

    def _varint(self) -> int:
        """Read a number of seven bits a byte, at most ten bytes."""
        value = 0
        for shift in range(0, 70, 7):
            if self._position >= len(self._view):
                raise ValueError("it ends within a number")
            byte = self._view[self._position]
            self._position += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
        raise ValueError("it holds a number of more than ten bytes")
