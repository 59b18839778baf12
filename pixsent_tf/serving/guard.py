"""How many pixels does a file claim? Asked in the graph, before a decoder believes it.

A PNG of a few kilobytes can claim a billion pixels; a server that decodes it dies, and
the other pictures of the batch with it.
"""

from __future__ import annotations

import tensorflow as tf

_HEADER = 32


def assert_affordable(encoded: tf.Tensor, max_pixels: int) -> tf.Operation:
    """Refuse a file that claims too many pixels.

    WebP needs no look: its format ends at 16383x16383.

    Args:
        encoded: The file's bytes, a scalar string.
        max_pixels: The largest height times width to accept.

    Returns:
        An operation that fails with InvalidArgumentError.
    """
    pixels = claimed_pixels(encoded)
    return tf.debugging.Assert(
        pixels <= max_pixels, ["The picture claims too many pixels:", pixels]
    )


def claimed_pixels(encoded: tf.Tensor) -> tf.Tensor:
    """Read the size from the header of a JPEG, PNG, GIF or BMP file.

    Args:
        encoded: The file's bytes, a scalar string.

    Returns:
        Height times width, a scalar int64; 0 for any other content.
    """
    padded = tf.strings.substr(encoded, 0, _HEADER) + b"\0" * _HEADER
    head = tf.cast(tf.io.decode_raw(padded, tf.uint8)[:_HEADER], tf.int64)

    def little(start: int, width: int) -> tf.Tensor:
        return sum(head[start + i] * 256**i for i in range(width))

    def big(start: int) -> tf.Tensor:
        return sum(head[start + i] * 256 ** (3 - i) for i in range(4))

    def jpeg() -> tf.Tensor:
        shape = tf.image.extract_jpeg_shape(encoded, output_type=tf.int32)
        return tf.reduce_prod(tf.cast(shape[:2], tf.int64))

    def starts(prefix: bytes) -> tf.Tensor:
        return tf.equal(tf.strings.substr(encoded, 0, len(prefix)), prefix)

    return tf.case(
        [
            (starts(b"\xff\xd8\xff"), jpeg),
            (starts(b"\x89PNG"), lambda: big(16) * big(20)),
            (starts(b"GIF8"), lambda: little(6, 2) * little(8, 2)),
            # A negative height means rows from the top.
            (starts(b"BM"), lambda: little(18, 4) * _magnitude(little(22, 4))),
        ],
        default=lambda: tf.constant(0, tf.int64),
    )


def _magnitude(number: tf.Tensor) -> tf.Tensor:
    """Take 32 bits for a signed number, and drop its sign."""
    return tf.where(number < 2**31, number, 2**32 - number)
