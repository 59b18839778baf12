"""Which way up was the camera held? EXIF orientation with TensorFlow operations."""

from __future__ import annotations

import tensorflow as tf

from pixsent_tf.data.decode import exif

_MAX_ENTRIES = 512
_MAX_PROFILE = 1 << 20
_PREFIXES = rf"^(?:Exif\x00\x00){{1,{exif.MAX_PREFIXES}}}"
_OCTETS = [bytes([number]) for number in range(256)]
_MOST = exif.MAX_BYTES + exif.MAX_PREFIXES * len(exif.PREFIX)


def upright(image: tf.Tensor, orientation: tf.Tensor) -> tf.Tensor:
    """Turn and mirror a picture so that its top is up.

    Args:
        image: One picture, [H, W, 3], any dtype.
        orientation: EXIF's word for how the picture is stored, a scalar 1..8.

    Returns:
        The picture upright, [H, W, 3], or [W, H, 3] for 5..8, which lie on a side.
    """

    def transposed(image: tf.Tensor) -> tf.Tensor:
        return tf.transpose(image, [1, 0, 2])

    return tf.switch_case(
        orientation - 1,
        [
            lambda: image,
            lambda: tf.reverse(image, [1]),
            lambda: tf.reverse(image, [0, 1]),
            lambda: tf.reverse(image, [0]),
            lambda: transposed(image),
            lambda: tf.reverse(transposed(image), [1]),
            lambda: tf.reverse(transposed(image), [0, 1]),
            lambda: tf.reverse(transposed(image), [0]),
        ],
    )


def jpeg_orientation(encoded: tf.Tensor) -> tf.Tensor:
    """Read the orientation from a JPEG's EXIF segment.

    Args:
        encoded: The file's bytes, a scalar string.

    Returns:
        The orientation, a scalar int32 1..8; 1 where there is none to read.
    """
    end = tf.strings.length(encoded)

    def segment_at(position: tf.Tensor) -> tf.Tensor:
        # Marker (2 bytes), length (2), and as much as tells EXIF from other content.
        return tf.strings.substr(encoded, position, 10) + b"\0" * 10

    def is_exif(segment: tf.Tensor) -> tf.Tensor:
        return tf.equal(tf.strings.substr(segment, 0, 2), b"\xff\xe1") & tf.equal(
            tf.strings.substr(segment, 4, 6), b"Exif\0\0"
        )

    def is_passed_over(position: tf.Tensor, segment: tf.Tensor) -> tf.Tensor:
        marker = _numbers(segment)[1]
        is_application = (marker >= 0xE0) & (marker <= 0xEF)
        return (is_application | (marker == 0xFE)) & ~is_exif(segment)

    def next_segment(
        position: tf.Tensor, segment: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        length = _numbers(segment)[2] * 256 + _numbers(segment)[3]
        position = tf.minimum(position + 2 + length, end)
        return position, segment_at(position)

    # The first segment that is neither a comment nor an application's starts the
    # picture: EXIF is found before it, or not at all.
    first = tf.minimum(2, end)
    position, segment = tf.while_loop(
        is_passed_over, next_segment, [first, segment_at(first)], parallel_iterations=1
    )
    return tf.cond(
        is_exif(segment),
        lambda: tiff_orientation(
            tf.strings.substr(encoded, tf.minimum(position + 10, end), 2**16)
        ),
        lambda: tf.constant(1),
    )


def png_orientation(encoded: tf.Tensor) -> tf.Tensor:
    """Read the orientation from a PNG's eXIf chunk, or a text that stands for one.

    Args:
        encoded: The file's bytes, a scalar string.

    Returns:
        The orientation, a scalar int32 1..8; 1 where there is none to read.
    """
    chunk = after(encoded, b"eXIf")
    return tf.cond(
        tf.strings.length(chunk) > 0,
        lambda: tiff_orientation(chunk),
        lambda: _raw_profile_orientation(encoded),
    )


def _raw_profile_orientation(encoded: tf.Tensor) -> tf.Tensor:
    """Read the orientation from hexadecimal digits in a text chunk of a PNG."""
    names = [name.encode() + b"\0" for name in exif.RAW_PROFILES]
    return tf.reduce_max([_turn_of_profile(encoded, name) for name in names])


def _turn_of_profile(encoded: tf.Tensor, name: bytes) -> tf.Tensor:
    """Read the orientation from the text of a name; 1 where there is none."""
    body = after(encoded, name)
    return tf.cond(
        tf.strings.length(body) > 0,
        lambda: _turn_of_digits(_text_of(encoded, body, len(name))),
        lambda: tf.constant(1),
    )


def _text_of(encoded: tf.Tensor, body: tf.Tensor, name_length: int) -> tf.Tensor:
    """Read a text chunk, packed or not, of which `body` follows the name."""
    start = tf.strings.length(encoded) - tf.strings.length(body) - name_length
    head = tf.strings.substr(encoded, tf.maximum(start - 8, 0), 8) + b"\0" * 8
    digits = _numbers(head)[:4] * [0, 1 << 16, 1 << 8, 1]  # 16 MB are enough
    length = tf.clip_by_value(tf.reduce_sum(digits) - name_length, 0, _MAX_PROFILE)
    content = tf.strings.substr(body, 0, length)
    return tf.cond(
        tf.equal(tf.strings.substr(head, 4, 4), b"zTXt") & (length > 1),
        lambda: tf.io.decode_compressed(
            tf.strings.substr(content, 1, _MAX_PROFILE), compression_type="ZLIB"
        ),
        lambda: content,
    )


def _turn_of_digits(profile: tf.Tensor) -> tf.Tensor:
    """Read the orientation from `exif`, a length, and hexadecimal digits."""
    text = tf.strings.regex_replace(profile, r"^\s*\w*\s+\d+\s+", "")
    digits = tf.strings.substr(tf.strings.regex_replace(text, r"\s", ""), 0, 2**13)
    codes = tf.strings.lower(digits)
    # "0".."9" lie at 48, "a".."f" at 97; what is odd, or another letter, turns nothing
    values = _numbers(tf.strings.substr(codes, 0, tf.strings.length(codes) // 2 * 2))
    values = tf.clip_by_value(tf.where(values >= 97, values - 87, values - 48), 0, 15)
    pairs = tf.reshape(values, [-1, 2])
    octets = tf.gather(_OCTETS, pairs[:, 0] * 16 + pairs[:, 1])
    return tiff_orientation(tf.strings.reduce_join(octets))


def webp_orientation(encoded: tf.Tensor) -> tf.Tensor:
    """Read the orientation from a WebP's EXIF chunk, which ends the file.

    Args:
        encoded: The file's bytes, a scalar string.

    Returns:
        The orientation, a scalar int32 1..8; 1 where there is none to read.
    """
    chunk = after(encoded, b"EXIF")
    body = tf.strings.substr(chunk, tf.minimum(4, tf.strings.length(chunk)), 2**16)
    return tiff_orientation(body)


def tiff_orientation(tiff: tf.Tensor) -> tf.Tensor:
    """Read the orientation from the TIFF structure that EXIF data is.

    Garbage is no error: whatever does not parse means that nothing is to be turned.

    Args:
        tiff: Bytes that begin with the TIFF header, or with the prefix that JPEGs have
            before it, once or more; what follows is ignored. A scalar string.

    Returns:
        The orientation, a scalar int32 1..8; 1 where there is none to read.
    """
    tiff = tf.strings.regex_replace(
        tf.strings.substr(tiff, 0, _MOST), _PREFIXES, "", replace_global=False
    )
    order = tf.strings.substr(tiff, 0, 4)
    is_big_endian = tf.equal(order, b"MM\0*")
    is_tiff = tf.logical_or(is_big_endian, tf.equal(order, b"II*\0"))
    return tf.cond(
        is_tiff,
        lambda: _first_directory_orientation(tiff, is_big_endian),
        lambda: tf.constant(1),
    )


def _first_directory_orientation(
    tiff: tf.Tensor, is_big_endian: tf.Tensor
) -> tf.Tensor:
    """Look the orientation up in the table that the TIFF header points to."""
    # Zeros behind the data make every position that is clipped below readable.
    padding = b"\0" * (2 + 12 * _MAX_ENTRIES)
    body = tf.strings.substr(tiff, 0, 2**16)
    data = _numbers(body + padding)

    def number(positions: tf.Tensor, width: int) -> tf.Tensor:
        digits = [tf.gather(data, positions + i) for i in range(width)]
        little = sum(digit * 256**i for i, digit in enumerate(digits[:3]))
        big = sum(digit * 256**i for i, digit in enumerate(digits[:-4:-1]))
        return tf.where(is_big_endian, big, little)

    directory = tf.clip_by_value(
        number(tf.constant(4), 4), 0, tf.maximum(tf.strings.length(body) - 2, 0)
    )
    count = tf.minimum(number(directory, 2), _MAX_ENTRIES)
    entries = directory + 2 + 12 * tf.range(count)  # [entries]
    values = tf.where(
        tf.equal(number(entries + 2, 2), exif.LONG),
        number(entries + 8, 4),
        number(entries + 8, 2),
    )
    known = (
        tf.equal(number(entries, 2), exif.TAG)
        & (
            (number(entries + 2, 2) == exif.SHORT)
            | (number(entries + 2, 2) == exif.LONG)
        )
        & (values >= 1)
        & (values <= 8)
    )
    return tf.concat([values[known], [1]], axis=0)[0]


def after(text: tf.Tensor, mark: bytes) -> tf.Tensor:
    """Find a mark in bytes.

    Args:
        text: Any bytes, a scalar string.
        mark: What to look for.

    Returns:
        What follows the first `mark`, a scalar string; empty where there is none.
    """
    # The bare operation: `tf.strings.split` wraps it in a dozen more.
    parts = tf.raw_ops.StringSplitV2(input=[text], sep=mark, maxsplit=1).values
    return tf.concat([parts, [b"", b""]], axis=0)[1]


def _numbers(text: tf.Tensor) -> tf.Tensor:
    """Return the bytes of a string as int32."""
    return tf.cast(tf.io.decode_raw(text, tf.uint8), tf.int32)
