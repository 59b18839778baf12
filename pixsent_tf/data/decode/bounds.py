"""What may one picture cost, and what would this one? Asked of its header.

    memory    300 MB   PIXSENT_MAX_MEMORY_MB    a picture on its way to its canvas
    file      100 MB   PIXSENT_MAX_FILE_MB      before a byte of it is read
    pixels    100 M    PIXSENT_MAX_MEGAPIXELS   height times width
    side      65535    -                        the longer one: JPEG ends there too
    scans     1000 M   -                        of a JPEG: scans times pixels

The same numbers hold in `fit`, `predict`, `score`, `demo` and, as they were when it was
exported, in the served model. `benchmarks/memory.py` measures that they are kept.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from pixsent_tf.errors import ConfigError

MEGA = 1_000_000
RESERVE = 32 * MEGA  # canvases, strips and buffers, whatever the size of the picture
MAX_SIDE = 65_535
# Above this, pictures are decoded one at a time. Below it, one for each core.
LARGE_BYTES = 96 * MEGA
SCAN_PIXELS = 1_000 * MEGA  # two seconds of a core if they are empty, ten if full
SMALL_PIXELS = 10 * MEGA  # up to here a JPEG may have SCAN_PIXELS / SMALL_PIXELS scans
DRAFT_SIDE = 1024  # a JPEG of a short side of 2, 4 or 8 times as much is read reduced
# Pixels left for the antialiased reduction that follows. Mean difference from reducing
# the whole photograph: 1.8 of 255 at 1.0, 1.0 at 1.4, 0.8 at 2.0 at twice the time.
_OVERSAMPLING = 1.4

# Bytes a pixel at the highest point: in TensorFlow, which holds the file too, and in
# Pillow, whose picture of 4 bytes a pixel is there with the RGB made of it. Measured.
BYTES_PER_PIXEL: Mapping[str, tuple[int, int]] = {
    "PNG": (5, 7),
    "GIF": (5, 7),
    "BMP": (10, 7),
    "DIB": (0, 7),
    "WEBP": (9, 19),
    "TIFF": (0, 11),
    "HEIF": (0, 16),
    "AVIF": (0, 13),
    "JPEG2000": (0, 22),
    "PPM": (0, 7),
    "ICO": (0, 11),
    "TGA": (0, 7),
}
JPEG_BYTES_PER_PIXEL = 7  # at full size, the file aside
JPEG_BYTES_PER_SAMPLE = 2  # of a JPEG of several scans, which is held as coefficients


@dataclass(frozen=True)
class Bounds:
    """What one picture may cost.

    Attributes:
        memory_bytes: At the highest point.
        file_bytes: Of the file.
        pixels: Height times width.
    """

    memory_bytes: int = 300 * MEGA
    file_bytes: int = 100 * MEGA
    pixels: int = 100 * MEGA

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Bounds:
        """Read the bounds that somebody has set.

        Args:
            environment: Such as `os.environ`.

        Returns:
            The bounds; the usual ones where nothing is set.

        Raises:
            ConfigError: If a value is no number above 0.
        """
        names = ("MAX_MEMORY_MB", "MAX_FILE_MB", "MAX_MEGAPIXELS")
        usual = (cls.memory_bytes, cls.file_bytes, cls.pixels)
        return cls(
            *(
                _read(environment, f"PIXSENT_{name}", value)
                for name, value in zip(names, usual, strict=True)
            )
        )


def _read(environment: Mapping[str, str], name: str, usual: int) -> int:
    text = environment.get(name)
    if not text:
        return usual
    try:
        value = int(float(text) * MEGA)
    except (ValueError, OverflowError):
        value = 0
    if value <= 0:
        raise ConfigError(f"{name}={text!r:.40} is no number above 0.")
    return value


BOUNDS = Bounds.from_environment(os.environ)


@dataclass(frozen=True)
class JpegFrame:
    """What the header of a JPEG says.

    Attributes:
        height: In pixels.
        width: In pixels.
        samples: Of a pixel, chroma subsampling counted: 1.5 for 4:2:0.
        num_scans: Scans of the file; 1 where the one scan holds everything.
        is_buffered: Whether the decoder has to hold all coefficients.
    """

    height: int
    width: int
    samples: float
    num_scans: int
    is_buffered: bool

    @property
    def has_too_many_scans(self) -> bool:
        """Whether decoding would take longer than a large photograph does."""
        pixels = max(self.height * self.width, SMALL_PIXELS)
        return self.is_buffered and self.num_scans * pixels > SCAN_PIXELS

    def bytes_at(self, ratio: int, file_bytes: int) -> int:
        """Expect the memory that decoding takes.

        Args:
            ratio: 1, 2, 4 or 8: the part of its size at which it is decoded.
            file_bytes: Of the file.

        Returns:
            Bytes.
        """
        pixels = self.height * self.width
        coefficients = JPEG_BYTES_PER_SAMPLE * self.samples * self.is_buffered
        return int(
            RESERVE
            + file_bytes
            + coefficients * pixels
            + JPEG_BYTES_PER_PIXEL * pixels / ratio**2
        )


def draft_ratio(short_side: int) -> int:
    """Tell by how much a JPEG is reduced at least while it is decoded.

    Args:
        short_side: Of the picture, in pixels.

    Returns:
        1, 2, 4 or 8.
    """
    return max(
        ratio
        for ratio in (1, 2, 4, 8)
        if short_side >= ratio * DRAFT_SIDE or ratio == 1
    )


def expected_bytes(form: str, pixels: int, file_bytes: int) -> int:
    """Expect the memory that decoding takes, for any format but JPEG.

    Args:
        form: Pillow's name of the format.
        pixels: Height times width.
        file_bytes: Of the file.

    Returns:
        Bytes, of the more expensive decoder.
    """
    with_file, alone = BYTES_PER_PIXEL.get(form, (0, 22))
    both = with_file * pixels + file_bytes if with_file else 0
    return RESERVE + max(both, alone * pixels)


def useful_side(target_side: int) -> int:
    """Tell how small a JPEG may be decoded that is reduced to a side.

    Args:
        target_side: Of the square that it will be, in pixels.

    Returns:
        Its own shortest side, in pixels.
    """
    return round(_OVERSAMPLING * target_side)
