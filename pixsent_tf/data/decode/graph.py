"""Which pixels are in these bytes? TensorFlow operations for what people have.

`decode` can be traced into a SavedModel, so that a server sees the same pixels as
training did. What it refuses, `read_image` may still read, or can say why not.
"""

from __future__ import annotations

import tensorflow as tf

from pixsent_tf.data.decode.bounds import MEGA, useful_side
from pixsent_tf.data.decode.guard import (
    Limits,
    affordable_jpeg,
    affordable_other,
    first_frame,
    limits_of,
)
from pixsent_tf.data.decode.jpeg import END_OF_IMAGE, PADDING
from pixsent_tf.data.decode.orientation import (
    after,
    jpeg_orientation,
    png_orientation,
    upright,
    webp_orientation,
)

_RATIOS = (1, 2, 4, 8)  # the fractions at which a JPEG can be decoded
_MAX_COMPLETED = 24 * MEGA  # pixels of a JPEG that is decoded twice to be sure of it
_GRAY, _RGB, _PALETTE = 0, 2, 3  # PNG's color types that have no opacity channel


# Pixels as they are stored, [H, W, 3 or 4] uint8, and EXIF's word for how that is.
Stored = tuple[tf.Tensor, tf.Tensor]


def decode(encoded: tf.Tensor, *, target_side: int | None = None) -> tf.Tensor:
    """Decode a JPEG, PNG, GIF, BMP or WebP file to upright RGB pixels.

    Args:
        encoded: The file's bytes, a scalar string. What they are goes by content.
        target_side: The shortest side, in pixels, that is of use. A JPEG that is
            larger is decoded at 1/2, 1/4 or 1/8 of its size, as long as both sides
            keep 1.4 times this length: twice as fast, and an antialiased reduction
            to that side still gives the pixels of the whole picture.

    Returns:
        The first frame, transparent parts on white, [H, W, 3], uint8, 0..255.

    Raises:
        tf.errors.InvalidArgumentError: If the bytes are no such picture, are damaged,
            cost more than `bounds.BOUNDS`, or hold a variant that TensorFlow reads
            wrongly: animated WebP, transparent GIF, BMP with a palette. `read_image`
            reads these.
    """
    pixels, turn = stored(encoded, target_side, limits_of())
    image = upright(on_white(pixels), turn)
    return tf.ensure_shape(image, [None, None, 3])


def stored(encoded: tf.Tensor, target_side: int | None, limits: Limits) -> Stored:
    """Decode a file as `decode` does, and leave its turning and its opacity for later.

    Of a picture of many pixels these are better done strip by strip.

    Args:
        encoded: The file's bytes, a scalar string.
        target_side: As in `decode`.
        limits: What it may cost.

    Returns:
        Pixels, uint8 [H, W, 3 or 4], and their orientation, a scalar 1..8.
    """
    encoded = tf.convert_to_tensor(encoded)
    # Most files are JPEGs: what others need is not even looked at for them.
    pixels, turn = tf.cond(
        tf.equal(tf.strings.substr(encoded, 0, 3), b"\xff\xd8\xff"),
        lambda: stored_jpeg(encoded, target_side, limits),
        lambda: _stored_other(encoded, *limits),
    )
    return tf.ensure_shape(pixels, [None, None, None]), turn


def stored_jpeg(encoded: tf.Tensor, target_side: int | None, limits: Limits) -> Stored:
    """Decode a JPEG at the smallest size of use.

    A quarter less work than `stored`, which has to carry all formats in its graph.

    Args:
        encoded: The bytes of a JPEG, a scalar string.
        target_side: As in `decode`.
        limits: What it may cost.

    Returns:
        Pixels, uint8 [H, W, 3], and their orientation, a scalar 1..8.
    """
    encoded = affordable_jpeg(encoded, limits)

    def at_ratio(ratio: int) -> tf.Tensor:
        return tf.io.decode_jpeg(
            encoded, channels=3, ratio=ratio, dct_method="INTEGER_ACCURATE"
        )

    if target_side is None:
        return at_ratio(1), jpeg_orientation(encoded)
    short_side = tf.reduce_min(tf.image.extract_jpeg_shape(encoded)[:2])
    fits = [short_side >= ratio * useful_side(target_side) for ratio in _RATIOS[1:]]
    image = tf.switch_case(
        tf.reduce_sum(tf.cast(fits, tf.int32)),
        [lambda ratio=ratio: at_ratio(ratio) for ratio in _RATIOS],
    )
    return image, jpeg_orientation(encoded)


def completed(encoded: tf.Tensor) -> tf.Tensor:
    """End a JPEG whose end marker is missing; see `jpeg.complete`.

    Args:
        encoded: The bytes of any file, a scalar string.

    Returns:
        The same bytes, with an end where that alone was missing; a JPEG that lacks
        pixels, too, stays as it is.
    """
    size = tf.strings.length(encoded)
    last = tf.strings.substr(encoded, tf.maximum(size - 2, 0), 2)
    is_jpeg = tf.equal(tf.strings.substr(encoded, 0, 3), b"\xff\xd8\xff")
    return tf.cond(
        is_jpeg & tf.not_equal(last, END_OF_IMAGE),
        lambda: _completed_jpeg(encoded),
        lambda: encoded,
    )


def _completed_jpeg(encoded: tf.Tensor) -> tf.Tensor:
    """End a JPEG if none of its pixels is missing, and it is not too large to ask."""
    shape = tf.cast(tf.image.extract_jpeg_shape(encoded), tf.int64)
    ended = encoded + END_OF_IMAGE

    def shows_the_same() -> tf.Tensor:
        padded = encoded + PADDING + END_OF_IMAGE
        pixels = [tf.io.decode_jpeg(each, channels=3) for each in (ended, padded)]
        return tf.reduce_all(pixels[0] == pixels[1])

    is_small = shape[0] * shape[1] <= _MAX_COMPLETED
    is_whole = tf.cond(is_small, shows_the_same, lambda: tf.constant(False))
    return tf.where(is_whole, ended, encoded)


# As a function of its own it costs a JPEG nothing; inlined, TensorFlow would step over
# each of its operations for every JPEG, which takes half as long as decoding one.
@tf.function(
    input_signature=[
        tf.TensorSpec([], tf.string),
        tf.TensorSpec([], tf.int64),
        tf.TensorSpec([], tf.int64),
    ],
    autograph=False,
    experimental_attributes={"_noinline": True},
)
def _stored_other(
    encoded: tf.Tensor, pixels: tf.Tensor, memory_bytes: tf.Tensor
) -> Stored:
    """Decode whatever is no JPEG."""
    limits = Limits(pixels, memory_bytes)
    head = _bytes(encoded, 0, 32)

    def starts(prefix: bytes, position: int = 0) -> tf.Tensor:
        wanted = tf.constant(list(prefix))
        return tf.reduce_all(head[position : position + len(prefix)] == wanted)

    def upright_already(image: tf.Tensor) -> Stored:
        return image, tf.constant(1)

    def png() -> Stored:
        content = affordable_other(encoded, "PNG", limits)
        return _decode_png(content, head), png_orientation(content)

    def webp() -> Stored:
        content = affordable_other(encoded, "WEBP", limits)
        return _decode_webp(content, head), webp_orientation(content)

    return tf.case(
        [
            (starts(b"\x89PNG\r\n\x1a\n"), png),
            (
                starts(b"GIF8"),
                lambda: upright_already(_decode_gif(encoded, limits)),
            ),
            (
                starts(b"BM"),
                lambda: upright_already(
                    _decode_bmp(affordable_other(encoded, "BMP", limits), head)
                ),
            ),
            (starts(b"RIFF") & starts(b"WEBP", position=8), webp),
        ],
        default=lambda: upright_already(
            _refuse(encoded, "no JPEG, PNG, GIF, BMP or WebP")
        ),
    )


def _decode_png(encoded: tf.Tensor, head: tf.Tensor) -> tf.Tensor:
    """Decode, with an opacity where there is one."""
    color_type = head[25]
    # A color that counts as transparent: a chunk that comes before the pixels.
    keyed = tf.strings.length(after(_head(encoded), b"tRNS")) > 0
    plain = (color_type == _GRAY) | (color_type == _RGB)
    return tf.case(
        [
            (plain & ~keyed, lambda: tf.io.decode_png(encoded, channels=3)),
            # Four channels of an opaque palette would come with a wrong opacity.
            (color_type == _PALETTE, lambda: tf.io.decode_png(encoded, channels=0)),
        ],
        default=lambda: tf.io.decode_png(encoded, channels=4),
    )


def _decode_gif(encoded: tf.Tensor, limits: Limits) -> tf.Tensor:
    """Decode the first frame."""
    # The first graphic control block follows the palette. TensorFlow paints the
    # color that it makes transparent black.
    flags = _bytes(after(tf.strings.substr(encoded, 0, 4096), b"\x21\xf9\x04"), 0, 1)
    return tf.cond(
        flags[0] % 2 == 1,
        lambda: _refuse(encoded, "a transparent GIF"),
        lambda: tf.io.decode_image(
            first_frame(encoded, limits), channels=3, expand_animations=False
        ),
    )


def _decode_bmp(encoded: tf.Tensor, head: tf.Tensor) -> tf.Tensor:
    """Decode true-color bitmaps."""
    # TensorFlow takes a palette's indices for gray levels.
    return tf.cond(
        (head[28] == 24) & (head[30] == 0),
        lambda: tf.io.decode_bmp(encoded, channels=3),
        lambda: _refuse(encoded, "a BMP that is not 24 bit uncompressed"),
    )


def _decode_webp(encoded: tf.Tensor, head: tf.Tensor) -> tf.Tensor:
    """Decode still pictures, with an opacity where there is one."""
    is_extended = tf.reduce_all(head[12:16] == tf.constant(list(b"VP8X")))
    # TensorFlow 2.21 writes past its buffer on an animation without opacity.
    is_animated = is_extended & (head[20] // 2 % 2 == 1)
    return tf.cond(
        is_animated,
        lambda: _refuse(encoded, "an animated WebP"),
        lambda: tf.io.decode_image(encoded, expand_animations=False),
    )


def on_white(image: tf.Tensor) -> tf.Tensor:
    """Lay transparent parts on white, rounded to the nearest level.

    Args:
        image: uint8, [H, W, 3 or 4].

    Returns:
        uint8, [H, W, 3].
    """
    if image.shape[-1] == 3:
        return image

    def composite() -> tf.Tensor:
        rgb = tf.cast(image[..., :3], tf.int32)
        alpha = tf.cast(image[..., 3:], tf.int32)
        return tf.cast((rgb * alpha + 255 * (255 - alpha) + 127) // 255, tf.uint8)

    return tf.cond(tf.shape(image)[-1] == 4, composite, lambda: image[..., :3])


def _refuse(encoded: tf.Tensor, what: str) -> tf.Tensor:
    """Fail, where TensorFlow would read the wrong pixels or none."""
    refusal = tf.debugging.Assert(False, [f"This is {what}; use read_image."])
    with tf.control_dependencies([refusal] if refusal is not None else []):
        return tf.zeros([1, 1, 3], tf.uint8)


def _head(encoded: tf.Tensor) -> tf.Tensor:
    """Return the part of a file that holds its header chunks."""
    return tf.strings.substr(encoded, 0, 2**20)


def _bytes(text: tf.Tensor, start: int, count: int) -> tf.Tensor:
    """Return `count` bytes as int32; zeros stand for what the text lacks."""
    part = tf.strings.substr(text, start, count) + b"\0" * count
    return tf.cast(tf.io.decode_raw(part, tf.uint8)[:count], tf.int32)
