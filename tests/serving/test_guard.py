from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
import tensorflow as tf

from pixsent_tf.serving.guard import assert_affordable, claimed_pixels
from tests.serving.conftest import to_file

BLANK = np.zeros((30, 50, 3), "uint8")


def huge_png():
    """A valid header of 60000x50000 pixels, and nothing behind it."""
    header = struct.pack(">IIBBBBB", 60_000, 50_000, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + header
    return b"\x89PNG\r\n\x1a\n\0\0\0\x0d" + chunk + struct.pack(">I", zlib.crc32(chunk))


@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "BMP"])
def test_the_size_is_read_from_the_header(form):
    assert claimed_pixels(tf.constant(to_file(BLANK, form))).numpy() == 1500


def test_a_bitmap_stored_from_the_top_has_a_negative_height():
    content = bytearray(to_file(BLANK, "BMP"))
    content[22:26] = struct.pack("<i", -30)

    assert claimed_pixels(tf.constant(bytes(content))).numpy() == 1500


@pytest.mark.parametrize("content", [b"", b"RIFF....WEBP", b"text"])
def test_other_content_claims_nothing(content):
    assert claimed_pixels(tf.constant(content)).numpy() == 0


def test_sizes_beyond_32_bits_are_multiplied_right():
    assert claimed_pixels(tf.constant(huge_png())).numpy() == 3_000_000_000


def test_a_file_that_claims_too_much_is_refused():
    with pytest.raises(tf.errors.InvalidArgumentError, match="too many pixels"):
        assert_affordable(tf.constant(huge_png()), 100_000_000)


def test_the_served_graph_answers_a_bomb_as_unreadable(tiny_export, pngs):
    serve = tf.saved_model.load(str(tiny_export)).signatures["serving_default"]

    answer = serve(image_bytes=tf.constant([huge_png(), pngs[0]]))

    assert answer["valid"].numpy().tolist() == [False, True]
