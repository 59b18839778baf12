import struct

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps
from torture import encode, picture, with_exif

from pixsent_tf.data.decode.orientation import (
    after,
    jpeg_orientation,
    png_orientation,
    tiff_orientation,
    upright,
)


def tiff(value, order=">", tag=0x0112, kind=3, before=0):
    """One TIFF directory with `before` other entries in front of the one asked for."""
    mark = {">": b"MM", "<": b"II"}[order]
    other = struct.pack(order + "HHIHH", 0x0100, 3, 1, 77, 0)
    packed = struct.pack(order + ("I" if kind == 4 else "Hxx"), value)
    entry = struct.pack(order + "HHI", tag, kind, 1) + packed
    return (
        struct.pack(order + "2sHIH", mark, 42, 8, before + 1)
        + other * before
        + entry
        + b"\0\0\0\0"
    )


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", [3, 4])
@pytest.mark.parametrize("before", [0, 3])
def test_every_way_of_writing_the_number_is_read(order, kind, before):
    data = tiff(6, order=order, kind=kind, before=before)

    assert tiff_orientation(tf.constant(data)) == 6


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"MM",
        b"MM\0*",
        b"MM\0*\xff\xff\xff\xff",
        b"II*\0\xff\xff\x00\x00\x01",
        tiff(9),
        tiff(0),
        tiff(6, tag=0x0113),
        tiff(6, kind=2),
        tiff(6)[:15],
    ],
)
def test_what_does_not_parse_turns_nothing(data):
    assert tiff_orientation(tf.constant(data)) == 1


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.binary(max_size=200))
def test_garbage_is_no_error(garbage):
    for mark in (b"MM\0*", b"II*\0"):
        orientation = tiff_orientation(tf.constant(mark + garbage))
        assert 1 <= orientation <= 8
    assert jpeg_orientation(tf.constant(b"\xff\xd8\xff\xe1" + garbage)) >= 1


def test_exif_behind_other_segments_is_found():
    data = with_exif(3)
    comment = b"\xff\xfe" + struct.pack(">H", 2 + 5000) + b"Exif\0\0MM" + b"x" * 4992

    assert jpeg_orientation(tf.constant(data[:2] + comment + data[2:])) == 3


@pytest.mark.parametrize("length", range(24))
def test_a_jpeg_that_ends_within_its_header_is_no_error(length):
    cut = (b"\xff\xd8\xff\xe1\x00\x40Exif\0\0" + tiff(6))[:length]

    assert jpeg_orientation(tf.constant(cut)) == 1


def test_a_jpeg_without_exif_is_as_it_should_be():
    assert jpeg_orientation(tf.constant(encode(picture(), "JPEG"))) == 1


def test_what_follows_a_mark_is_found_in_binary_data():
    text = tf.constant(b"\0a\xff--b--c")

    assert after(text, b"--") == b"b--c"
    assert after(text, b"++") == b""


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_turned_as_pillow_turns_it(orientation):
    pixels = np.arange(2 * 3 * 3, dtype="uint8").reshape(2, 3, 3)
    stored = Image.fromarray(pixels)
    stored.getexif()[0x0112] = orientation

    found = upright(tf.constant(pixels), tf.constant(orientation)).numpy()

    expected = np.asarray(ImageOps.exif_transpose(stored))
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_all_eight_orientations_are_read_from_either_kind_of_file(orientation):
    with_it = tiff(orientation)
    chunk = struct.pack(">I", len(with_it)) + b"eXIf" + with_it
    png = encode(picture(), "PNG")

    assert tiff_orientation(tf.constant(with_it)) == orientation
    assert png_orientation(tf.constant(png[:33] + chunk + png[33:])) == orientation
    assert jpeg_orientation(tf.constant(with_exif(orientation))) == orientation


def test_the_number_stands_anywhere_in_a_long_directory():
    assert tiff_orientation(tf.constant(tiff(6, before=40))) == 6


def test_a_directory_at_ten_is_found_in_a_profile_of_digits():
    """Ten is an `a`, the first letter among hexadecimal digits."""
    later = tiff(6)
    later = later[:4] + struct.pack(">I", 10) + b"\0\0" + later[8:]
    profile = f"\nexif\n{len(later):8}\n{later.hex()}\n".encode()
    text = b"Raw profile type exif\0" + profile
    chunk = struct.pack(">I", len(text)) + b"tEXt" + text + b"\0\0\0\0"
    png = encode(picture(), "PNG")

    assert png_orientation(tf.constant(png[:33] + chunk + png[33:])) == 6
