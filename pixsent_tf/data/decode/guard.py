"""What would these bytes cost? Asked in the graph, before a decoder believes them.

A PNG of a few kilobytes can claim a billion pixels; a server that decodes it dies, and
the other pictures of the batch with it. The bounds are those of `bounds`.
"""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from pixsent_tf.data.decode import bounds
from pixsent_tf.data.decode.jpeg import SEQUENTIAL, START_OF_SCAN

_HEADER = 32
_WALKED_PIXELS = 4 * bounds.MEGA  # smaller JPEGs are cheap, whatever is in them
_MAX_SEGMENTS = 4096
_MAX_BLOCKS = 4096
_PESSIMISTIC = (0xC2, 4.0, 0)  # a frame that cannot be found: progressive, CMYK


class Limits(NamedTuple):
    """What a picture may cost, as scalars int64.

    Attributes:
        pixels: Height times width.
        memory_bytes: At the highest point.
    """

    pixels: tf.Tensor
    memory_bytes: tf.Tensor


def limits_of(
    pixels: int = bounds.BOUNDS.pixels,
    memory_bytes: int | tf.Tensor = bounds.BOUNDS.memory_bytes,
) -> Limits:
    """Bring bounds into the graph.

    Args:
        pixels: Height times width.
        memory_bytes: At the highest point.

    Returns:
        The limits.
    """
    return Limits(tf.cast(pixels, tf.int64), tf.cast(memory_bytes, tf.int64))


def affordable(
    encoded: tf.Tensor, pixels: tf.Tensor, needed: tf.Tensor, limits: Limits
) -> tf.Tensor:
    """Refuse a file that claims too much.

    Args:
        encoded: The file's bytes, a scalar string.
        pixels: That it claims, int64.
        needed: Bytes that it takes to decode, int64.
        limits: What it may take.

    Returns:
        The same bytes; they fail with InvalidArgumentError where it claims too much.
    """
    size = tf.strings.length(encoded)
    refusal = tf.debugging.Assert(
        (pixels <= limits.pixels)
        & (needed <= limits.memory_bytes)
        & (size <= bounds.BOUNDS.file_bytes),
        ["The picture costs too much; pixels, bytes:", pixels, needed],
    )
    with tf.control_dependencies([] if refusal is None else [refusal]):
        return tf.identity(encoded)


def affordable_jpeg(encoded: tf.Tensor, limits: Limits) -> tf.Tensor:
    """Refuse a JPEG that claims too much, or takes too long to decode.

    Args:
        encoded: The bytes of a JPEG, a scalar string.
        limits: What it may take.

    Returns:
        The same bytes; they fail with InvalidArgumentError where it claims too much.
    """
    shape = tf.image.extract_jpeg_shape(encoded)
    height, width = shape[0], shape[1]
    pixels = tf.cast(height, tf.int64) * tf.cast(width, tf.int64)
    needed = tf.cond(
        pixels <= _WALKED_PIXELS,
        lambda: _small_jpeg_bytes(encoded, pixels),
        lambda: _large_jpeg_bytes(encoded, pixels, tf.minimum(height, width)),
    )
    return affordable(encoded, pixels, needed, limits)


def affordable_other(encoded: tf.Tensor, form: str, limits: Limits) -> tf.Tensor:
    """Refuse a file of another format that claims too much.

    Args:
        encoded: The file's bytes, a scalar string.
        form: "PNG", "GIF", "BMP" or "WEBP".
        limits: What it may take.

    Returns:
        The same bytes; they fail with InvalidArgumentError where it claims too much.
    """
    height, width = claimed_size(encoded, form)
    pixels = height * width
    with_file, alone = bounds.BYTES_PER_PIXEL[form]
    size = tf.strings.length(encoded)
    needed = bounds.RESERVE + tf.maximum(
        with_file * pixels + tf.cast(size, tf.int64), alone * pixels
    )
    is_ribbon = tf.maximum(height, width) > bounds.MAX_SIDE
    needed = tf.where(is_ribbon, tf.int64.max, needed)
    return affordable(encoded, pixels, needed, limits)


def claimed_size(encoded: tf.Tensor, form: str) -> tuple[tf.Tensor, tf.Tensor]:
    """Read the size from the header of a file.

    Args:
        encoded: The file's bytes, a scalar string.
        form: "PNG", "GIF", "BMP" or "WEBP".

    Returns:
        Height and width, scalars int64; of a GIF those of its screen.
    """
    head = _bytes(encoded, 0, _HEADER)

    def little(start: int, width: int) -> tf.Tensor:
        return sum(head[start + i] * 256**i for i in range(width))

    def big(start: int) -> tf.Tensor:
        return sum(head[start + i] * 256 ** (3 - i) for i in range(4))

    if form == "PNG":
        return big(20), big(16)
    if form == "BMP":  # a negative height means rows from the top
        return _magnitude(little(22, 4)), little(18, 4)
    if form == "GIF":
        return little(8, 2), little(6, 2)
    lossless = little(21, 4)
    kind = head[15]  # the last letter of VP8X, VP8L or VP8 with a space

    def either(extended: tf.Tensor, packed: tf.Tensor, lossy: tf.Tensor) -> tf.Tensor:
        rest = tf.where(kind == ord("L"), packed % 2**14 + 1, lossy % 2**14)
        return tf.where(kind == ord("X"), extended + 1, rest)

    return (
        either(little(27, 3), lossless // 2**14, little(28, 2)),
        either(little(24, 3), lossless, little(26, 2)),
    )


def first_frame(encoded: tf.Tensor, limits: Limits) -> tf.Tensor:
    """Cut a GIF behind its first frame: TensorFlow decodes all that there are.

    Args:
        encoded: The bytes of a GIF, a scalar string.
        limits: What it may take.

    Returns:
        The bytes of a GIF of one frame; they fail with InvalidArgumentError where that
        claims too much, or is not to be found.
    """
    encoded = affordable_other(encoded, "GIF", limits)
    start = 13 + _palette_bytes(_bytes(encoded, 10, 1)[0])

    def is_extension(position: tf.Tensor) -> tf.Tensor:
        return _bytes(encoded, position, 1)[0] == 0x21

    # Extensions first, then the descriptor of the frame.
    (start,) = tf.while_loop(
        is_extension,
        lambda position: [_end_of_blocks(encoded, position + 2)],
        [start],
        parallel_iterations=1,
        maximum_iterations=_MAX_BLOCKS,
    )
    frame = _bytes(encoded, start, 10)
    pixels = (frame[5] + 256 * frame[6]) * (frame[7] + 256 * frame[8])
    _, alone = bounds.BYTES_PER_PIXEL["GIF"]
    found = tf.debugging.Assert(frame[0] == 0x2C, ["This GIF holds no frame."])
    with tf.control_dependencies([] if found is None else [found]):
        encoded = affordable(encoded, pixels, bounds.RESERVE + alone * pixels, limits)
    end = _end_of_blocks(encoded, start + 11 + _palette_bytes(frame[9]))
    return tf.strings.substr(encoded, tf.constant(0, tf.int64), end) + b"\x3b"


def _palette_bytes(flags: tf.Tensor) -> tf.Tensor:
    """Size of the color table that a byte of flags announces."""
    size = 3 * tf.bitwise.left_shift(tf.constant(2, tf.int64), flags % 8)
    return tf.where(flags >= 128, size, 0)


def _end_of_blocks(encoded: tf.Tensor, start: tf.Tensor) -> tf.Tensor:
    """Find where a chain of blocks ends, each with its length in front.

    Encoders fill their blocks: whole runs of full ones are passed over at once.
    """
    end = tf.cast(tf.strings.length(encoded), tf.int64)

    def is_open(position: tf.Tensor) -> tf.Tensor:
        return (position < end) & (_bytes(encoded, position, 1)[0] > 0)

    def passed(position: tf.Tensor) -> list[tf.Tensor]:
        window = _bytes(encoded, position, 256 * 256)[::256]
        full = tf.reduce_sum(tf.math.cumprod(tf.cast(window == 255, tf.int64)))
        return [position + tf.where(full > 0, 256 * full, window[0] + 1)]

    (start,) = tf.while_loop(
        is_open,
        passed,
        [start],
        parallel_iterations=1,
        maximum_iterations=_MAX_BLOCKS,
    )
    closed = tf.debugging.Assert(~is_open(start), ["This GIF has too many blocks."])
    with tf.control_dependencies([] if closed is None else [closed]):
        return tf.minimum(start + 1, end)


def _small_jpeg_bytes(encoded: tf.Tensor, pixels: tf.Tensor) -> tf.Tensor:
    """Expect the memory of a JPEG of few pixels; too much for one of many scans."""
    size = tf.cast(tf.strings.length(encoded), tf.int64)
    most = bounds.SCAN_PIXELS // bounds.SMALL_PIXELS
    has_too_many = _count_scans(encoded) > most
    return tf.where(has_too_many, tf.int64.max, bounds.RESERVE + size + 4 * pixels)


# A function of its own: small JPEGs, which most are, would have to step over it.
@tf.function(
    input_signature=[
        tf.TensorSpec([], tf.string),
        tf.TensorSpec([], tf.int64),
        tf.TensorSpec([], tf.int32),
    ],
    autograph=False,
    experimental_attributes={"_noinline": True},
)
def _large_jpeg_bytes(
    encoded: tf.Tensor, pixels: tf.Tensor, short_side: tf.Tensor
) -> tf.Tensor:
    """Expect the memory of a JPEG as `bounds.JpegFrame` does."""
    marker, samples, in_scan, count = _read_frame(encoded)
    sequential = tf.constant(sorted(SEQUENTIAL), tf.int64)
    is_buffered = ~tf.reduce_any(marker == sequential) | (in_scan < count)
    worked = tf.maximum(pixels, bounds.SMALL_PIXELS)
    has_too_many = is_buffered & (_count_scans(encoded) * worked > bounds.SCAN_PIXELS)
    coefficients = tf.where(is_buffered, bounds.JPEG_BYTES_PER_SAMPLE * samples, 0.0)
    ratio = 2 ** tf.reduce_sum(
        [tf.cast(short_side >= r * bounds.DRAFT_SIDE, tf.int64) for r in (2, 4, 8)]
    )
    needed = (
        bounds.RESERVE
        + tf.cast(tf.strings.length(encoded), tf.int64)
        + tf.cast(coefficients * tf.cast(pixels, tf.float64), tf.int64)
        + bounds.JPEG_BYTES_PER_PIXEL * pixels // ratio**2
    )
    return tf.where(has_too_many, tf.int64.max, needed)


def _read_frame(encoded: tf.Tensor) -> tuple[tf.Tensor, ...]:
    """Read marker, samples a pixel, components in the first scan and in all."""

    def is_before_scan(position: tf.Tensor, frame: tf.Tensor) -> tf.Tensor:
        head = _bytes(encoded, position, 2)
        return (head[0] == 0xFF) & (head[1] != START_OF_SCAN[1])

    def next_segment(
        position: tf.Tensor, frame: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        head = _bytes(encoded, position, 4)
        marker, length = head[1], 256 * head[2] + head[3]
        is_frame = (marker >= 0xC0) & (marker <= 0xCF)
        others = tf.constant([0xC4, 0xC8, 0xCC], tf.int64)
        is_frame &= ~tf.reduce_any(marker == others) & (frame == 0)
        step = tf.where(marker == 0xFF, tf.constant(1, tf.int64), 2 + length)
        return position + step, tf.where(is_frame, position, frame)

    position, frame = tf.while_loop(
        is_before_scan,
        next_segment,
        [tf.constant(2, tf.int64), tf.constant(0, tf.int64)],
        parallel_iterations=1,
        maximum_iterations=_MAX_SEGMENTS,
    )
    at_scan = _bytes(encoded, position, 5)
    body = _bytes(encoded, frame, 10 + 3 * 4)
    count = body[9]
    factors = body[11:22:3] * tf.cast(tf.range(4, dtype=tf.int64) < count, tf.int64)
    across, down = factors // 16, factors % 16
    largest = tf.reduce_max(across) * tf.reduce_max(down)
    is_known = (frame > 0) & (largest > 0) & (at_scan[1] == START_OF_SCAN[1])
    samples = tf.cast(tf.reduce_sum(across * down), tf.float64) / tf.cast(
        tf.maximum(largest, 1), tf.float64
    )
    marker, most, in_scan = _PESSIMISTIC
    return (
        tf.where(is_known, body[1], marker),
        tf.where(is_known, samples, tf.constant(most, tf.float64)),
        tf.where(is_known, at_scan[4], in_scan),
        count,
    )


def _count_scans(encoded: tf.Tensor) -> tf.Tensor:
    """Count the marks at which scans start, wherever they are."""
    parts = tf.raw_ops.StringSplitV2(input=[encoded], sep=START_OF_SCAN)
    return tf.size(parts.values, out_type=tf.int64) - 1


def _bytes(text: tf.Tensor, start: tf.Tensor | int, count: int) -> tf.Tensor:
    """Return `count` bytes as int64; zeros stand for what the text lacks."""
    start = tf.minimum(
        tf.cast(start, tf.int64), tf.cast(tf.strings.length(text), tf.int64)
    )
    part = tf.strings.substr(text, start, tf.constant(count, tf.int64))
    missing = tf.constant(b"\0" * count)
    return tf.cast(tf.io.decode_raw(part + missing, tf.uint8)[:count], tf.int64)


def _magnitude(number: tf.Tensor) -> tf.Tensor:
    """Take 32 bits for a signed number, and drop its sign."""
    return tf.where(number < 2**31, number, 2**32 - number)
