"""Orientations of bytes that are written out by hand, as Pillow gives them."""

from __future__ import annotations

import struct

import pytest

from pixsent_tf.data.decode.exif import PREFIX, read_tiff_turn, read_turn


def tiff(turn: int, *, order: str = "<", kind: int = 3, tag: int = 0x0112) -> bytes:
    """A directory of two entries, the second of which is asked for."""
    mark = b"II" if order == "<" else b"MM"
    value = struct.pack(order + ("Hxx" if kind == 3 else "I"), turn)
    entries = [
        struct.pack(order + "HHIHxx", 0x0100, 3, 1, 77),
        struct.pack(order + "HHI", tag, kind, 1) + value,
    ]
    return mark + struct.pack(order + "HIH", 42, 8, 2) + b"".join(entries)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", [3, 4])
@pytest.mark.parametrize("turn", [1, 5, 8])
def test_the_number_is_read_in_either_order_and_width(order, kind, turn):
    assert read_tiff_turn(tiff(turn, order=order, kind=kind)) == turn


@pytest.mark.parametrize(
    "data",
    [
        *(tiff(0), tiff(9), tiff(6, tag=0x0113), tiff(6, kind=2), tiff(6)[:-1]),
        *(b"", b"II*\0", b"XX" + tiff(6)[2:], b"MM\0*\xff\xff\xff\xff\0\1"),
    ],
)
def test_what_does_not_parse_turns_nothing(data):
    assert read_tiff_turn(data) == 1
    assert read_turn({"exif": data}) == 1


@pytest.mark.parametrize(("prefixes", "turn"), [(0, 6), (1, 6), (3, 6), (4, 1)])
def test_the_prefix_may_stand_there_thrice(prefixes, turn):
    assert read_turn({"exif": PREFIX * prefixes + tiff(6)}) == turn


@pytest.mark.parametrize("name", ["Raw profile type exif", "Raw profile type APP1"])
def test_digits_in_a_text_are_read_as_bytes(name):
    data = PREFIX + tiff(3)
    digits = data.hex()
    lines = "\n".join(digits[i : i + 72] for i in range(0, len(digits), 72))

    assert read_turn({name: f"\nexif\n    {len(data)}\n{lines}\n"}) == 3
    assert read_turn({name: f"\nexif\n    {len(data)}\n{lines[:-1]}\n"}) == 1
    assert read_turn({name: f"\nexif\n    {len(data)}\n{lines[:-1]}x\n"}) == 1


def test_bytes_count_before_digits_and_nothing_turns_nothing():
    digits = f"\nexif\n 1\n{tiff(3).hex()}"

    assert read_turn({"exif": tiff(8), "Raw profile type exif": digits}) == 8
    assert read_turn({}) == 1
