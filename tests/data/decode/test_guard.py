from __future__ import annotations

import struct

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from torture import encode, picture

from benchmarks import costly_files
from pixsent_tf.data.decode import bounds
from pixsent_tf.data.decode.graph import decode
from pixsent_tf.data.decode.guard import (
    affordable_jpeg,
    affordable_other,
    claimed_size,
    first_frame,
    limits_of,
)

FORMS = ["PNG", "GIF", "BMP", "WEBP"]


def size_of(encoded, form):
    return tuple(int(n) for n in claimed_size(tf.constant(encoded), form))


@pytest.mark.parametrize("form", FORMS)
def test_the_size_is_read_from_the_header(form):
    blank = encode(Image.new("RGB", (50, 30)), form)

    assert size_of(blank, form) == (30, 50)


@pytest.mark.parametrize(
    "options", [{"lossless": True}, {"quality": 50}, {"exif": b"Exif\0\0MM\0*"}]
)
def test_every_kind_of_webp_tells_its_size(options):
    encoded = encode(picture(61, 33), "WEBP", **options)

    assert size_of(encoded, "WEBP") == (33, 61)


def test_a_bitmap_stored_from_the_top_has_a_negative_height():
    content = bytearray(encode(Image.new("RGB", (50, 30)), "BMP"))
    content[22:26] = struct.pack("<i", -30)

    assert size_of(bytes(content), "BMP") == (30, 50)


@pytest.mark.parametrize("form", FORMS)
def test_a_header_that_is_cut_short_claims_next_to_nothing(form):
    assert max(size_of(b"GIF8", form)) <= 1


@pytest.mark.parametrize(
    ("form", "encoded"),
    [
        ("PNG", costly_files.png(9000, 9000, color_type=6)),
        ("PNG", costly_files.png(60_000, 50_000, color_type=2, rows=1)),
        ("PNG", costly_files.png(70_000, 1, color_type=2)),
        ("WEBP", costly_files.webp(16383, 16383)),
    ],
)
def test_a_file_that_claims_too_much_is_refused(form, encoded):
    with pytest.raises(tf.errors.InvalidArgumentError, match="costs too much"):
        affordable_other(tf.constant(encoded), form, limits_of())


def test_a_frame_larger_than_its_screen_is_refused():
    gif = costly_files.gif_beyond_screen((1, 1), (30_000, 30_000))

    with pytest.raises(tf.errors.InvalidArgumentError, match="costs too much"):
        first_frame(tf.constant(gif), limits_of())


def test_a_gif_is_cut_behind_its_first_frame():
    one = costly_files.gif_animation(700, 500, 1)
    many = costly_files.gif_animation(700, 500, 40)

    assert first_frame(tf.constant(many), limits_of()).numpy() == one


@pytest.mark.parametrize("block", [1, 7, 255])
def test_frames_in_blocks_of_any_length_are_found(block):
    generator = np.random.default_rng(0)
    noise = Image.fromarray(generator.integers(0, 256, (90, 90), "uint8"))
    whole = encode(noise, "GIF")
    start = whole.index(b"\x2c", 13 + 768) + 11
    data = whole[start:]
    pixels = b""
    while data[0]:
        pixels, data = pixels + data[1 : 1 + data[0]], data[1 + data[0] :]
    cut = [pixels[i : i + block] for i in range(0, len(pixels), block)]
    again = whole[:start] + b"".join(bytes([len(b)]) + b for b in cut) + b"\0\x3b"
    if block == 1:
        with pytest.raises(tf.errors.InvalidArgumentError, match="too many blocks"):
            decode(again)
        return

    np.testing.assert_array_equal(decode(again), decode(whole))


def test_a_gif_without_a_frame_is_refused():
    with pytest.raises(tf.errors.InvalidArgumentError, match="holds no frame"):
        first_frame(tf.constant(b"GIF89a\1\0\1\0\0\0\0\x3b"), limits_of())


def jpeg(width, height, **options):
    return encode(Image.new("RGB", (width, height)), "JPEG", **options)


@pytest.mark.parametrize("side", [64, 2500])
def test_a_jpeg_of_hundreds_of_scans_is_refused(side):
    plain = Image.new("RGB", (side, side))
    encoded = tf.constant(costly_files.jpeg_of_many_scans(plain, 500))

    with pytest.raises(tf.errors.InvalidArgumentError, match="costs too much"):
        affordable_jpeg(encoded, limits_of())


def test_a_jpeg_of_as_many_scans_as_encoders_write_is_accepted():
    encoded = tf.constant(jpeg(2500, 2500, progressive=True))

    assert affordable_jpeg(encoded, limits_of()).numpy() == encoded.numpy()


@pytest.mark.parametrize(
    ("options", "bytes_per_pixel"),
    [
        ({}, 0),
        ({"progressive": True}, 2 * 1.5),
        ({"progressive": True, "subsampling": 0}, 2 * 3),
        ({"progressive": True, "subsampling": 1}, 2 * 2),
    ],
)
def test_the_memory_of_a_jpeg_is_that_of_its_coefficients(options, bytes_per_pixel):
    encoded = jpeg(2600, 2600, **options)
    pixels = 2600 * 2600
    needed = int(
        bounds.RESERVE + len(encoded) + bytes_per_pixel * pixels + 7 * pixels / 4
    )

    affordable_jpeg(tf.constant(encoded), limits_of(memory_bytes=needed + 1))
    with pytest.raises(tf.errors.InvalidArgumentError, match="costs too much"):
        affordable_jpeg(tf.constant(encoded), limits_of(memory_bytes=needed - 2))
