"""Messages are written byte by byte."""

from __future__ import annotations

import time

import numpy as np
import pytest

from pixsent_tf.models import wire
from pixsent_tf.models.wire import WireReader


def walk(message: bytes):
    reader = WireReader(memoryview(message))
    return [(f.number, f.wire, bytes(f.value)) for f in reader.fields()]


def test_fields_of_every_kind_are_windows_on_the_bytes():
    message = b"\x08\x96\x01\x12\x03abc\x1d\1\2\3\4\x21\1\2\3\4\5\6\7\x08"
    assert walk(message) == [
        (1, wire.VARINT, b"\x96\x01"),
        (2, wire.BYTES, b"abc"),
        (3, wire.FIXED32, b"\1\2\3\4"),
        (4, wire.FIXED64, b"\1\2\3\4\5\6\7\x08"),
    ]


@pytest.mark.parametrize(
    ("message", "complaint"),
    [
        (b"\x12\x05abc", "ends 2 bytes too early"),
        (b"\x08\x96", "ends within a number"),
        (b"\x08" + b"\xff" * 11, "more than ten bytes"),
        (b"\x0b", "byte 0 starts no field"),
        (b"\x12\xff\xff\xff\xff\xff\xff\xff\xff\x7f", "too early"),
    ],
)
def test_damaged_message_is_refused(message, complaint):
    with pytest.raises(ValueError, match=complaint):
        walk(message)


def test_message_of_a_million_empty_fields_is_refused_soon():
    with pytest.raises(ValueError, match="more than 50000 fields"):
        walk(b"\x12\x00" * 1_000_000)


def test_messages_inside_share_the_number_of_fields():
    reader = WireReader(memoryview(b"\x12\x04\x12\x00\x12\x00" * 2), [5])
    fields = reader.fields()
    assert len(list(reader.inside(next(fields)).fields())) == 2
    second = reader.inside(next(fields)).fields()
    with pytest.raises(ValueError, match="more than"):
        list(second)


def test_run_ends_where_the_tag_changes():
    numbers = np.arange(1000, dtype="<f4")
    message = b"".join(b"\x2d" + n.tobytes() for n in numbers) + b"\x08\x01"
    reader = WireReader(memoryview(message))
    fields = reader.fields()

    run = reader.run(next(fields), np.dtype("<f4"))

    np.testing.assert_array_equal(run, numbers)
    assert next(fields).number == 1


def test_many_short_runs_stay_cheap():
    message = (b"\x2d\0\0\x80\x3f" + b"\x08\x01") * 20_000
    reader = WireReader(memoryview(message))
    started = time.perf_counter()
    runs = [
        reader.run(field, np.dtype("<f4"))
        for field in reader.fields()
        if field.wire == wire.FIXED32
    ]
    assert len(runs) == 20_000
    assert time.perf_counter() - started < 20


def test_description_of_unlikely_length_is_refused():
    reader = WireReader(memoryview(b"\x0a\x80\x80\x08" + b"a" * (1 << 17)))
    with pytest.raises(ValueError, match="exceeds 65536 bytes"):
        reader.collect(next(reader.fields()), bytearray())
