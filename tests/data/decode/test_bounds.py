"""What one picture may cost, in numbers worked out by hand."""

from __future__ import annotations

import pytest

from pixsent_tf.data.decode.bounds import (
    Bounds,
    JpegFrame,
    draft_ratio,
    expected_bytes,
    useful_side,
)
from pixsent_tf.errors import ConfigError

MEGA = 1_000_000


def test_the_usual_bounds_are_those_that_are_documented():
    usual = Bounds.from_environment({})

    assert usual == Bounds(300 * MEGA, 100 * MEGA, 100 * MEGA)


def test_each_bound_is_read_from_its_own_variable_in_millions():
    found = Bounds.from_environment(
        {
            "PIXSENT_MAX_MEMORY_MB": "500",
            "PIXSENT_MAX_FILE_MB": "0.5",
            "PIXSENT_MAX_MEGAPIXELS": "20",
            "MAX_FILE_MB": "7",
        }
    )

    assert found == Bounds(
        memory_bytes=500 * MEGA, file_bytes=MEGA // 2, pixels=20 * MEGA
    )


@pytest.mark.parametrize("text", ["0", "-1", "many", "inf", "1e-9"])
def test_what_is_no_number_above_zero_is_refused_by_its_name(text):
    with pytest.raises(ConfigError, match=f"PIXSENT_MAX_FILE_MB='{text}' is no numb"):
        Bounds.from_environment({"PIXSENT_MAX_FILE_MB": text})


def test_a_jpeg_takes_its_file_its_coefficients_and_its_reduced_pixels():
    frame = JpegFrame(2000, 3000, samples=1.5, num_scans=3, is_buffered=True)
    plain = JpegFrame(2000, 3000, samples=1.5, num_scans=1, is_buffered=False)

    # 32 M in reserve, 2 bytes a sample of 9 M, 7 bytes a pixel of 6 M at full size
    assert frame.bytes_at(1, 5 * MEGA) == (32 + 5 + 18 + 42) * MEGA
    assert frame.bytes_at(4, 5 * MEGA) == (32 + 5 + 18) * MEGA + 42 * MEGA // 16
    assert plain.bytes_at(2, 0) == 32 * MEGA + 42 * MEGA // 4


@pytest.mark.parametrize(
    ("height", "scans", "is_buffered", "refused"),
    [
        (20_000, 50, True, False),  # 50 times 20 M pixels are 1000 M
        (20_000, 51, True, True),
        (20_000, 51, False, False),
        (1, 100, True, False),  # small ones count as 10 M pixels
        (1, 101, True, True),
    ],
)
def test_a_thousand_million_scanned_pixels_are_enough(
    height, scans, is_buffered, refused
):
    frame = JpegFrame(height, 1000, 3.0, scans, is_buffered)

    assert frame.has_too_many_scans == refused


@pytest.mark.parametrize(
    ("side", "ratio"),
    [(1, 1), (2047, 1), (2048, 2), (4095, 2), (4096, 4), (8191, 4), (8192, 8)],
)
def test_a_jpeg_is_reduced_down_to_a_short_side_of_1024(side, ratio):
    assert draft_ratio(side) == ratio


def test_other_formats_cost_what_the_dearer_decoder_takes():
    # PNG: 5 bytes a pixel and the file in TensorFlow, 7 bytes in Pillow
    assert expected_bytes("PNG", 10 * MEGA, 5 * MEGA) == (32 + 70) * MEGA
    assert expected_bytes("PNG", 10 * MEGA, 50 * MEGA) == (32 + 100) * MEGA
    # TIFF is read by Pillow alone, and never held with its file
    assert expected_bytes("TIFF", 10 * MEGA, 500 * MEGA) == (32 + 110) * MEGA
    assert expected_bytes("unknown", 10 * MEGA, 0) == (32 + 220) * MEGA


def test_a_jpeg_is_decoded_with_some_pixels_to_spare():
    assert (useful_side(100), useful_side(227)) == (140, 318)
