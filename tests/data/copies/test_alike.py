"""Are the pairs the same as if each picture had been compared with each?"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, zoom

from pixsent_tf.data.copies import alike
from pixsent_tf.data.copies.duplicates import find_copies


def photographs(count: int, seed: int = 0) -> np.ndarray:
    """Draw gray pictures with the spectrum of photographs, uint8 [N, 64, 64]."""
    rows, columns = np.fft.fftfreq(64)[:, None], np.fft.rfftfreq(64)[None]
    frequencies = np.hypot(rows, columns)
    frequencies[0, 0] = 1
    noise = np.random.default_rng(seed).normal(size=(count, 64, 64))
    values = np.fft.irfft2(np.fft.rfft2(noise) / frequencies**1.6, s=(64, 64))
    values -= values.mean(axis=(1, 2), keepdims=True)
    values *= 50 / values.std(axis=(1, 2), keepdims=True)
    return (values + 128).clip(0, 255).astype("uint8")


def near_copies(originals: np.ndarray) -> np.ndarray:
    """Cut up to 3 pixels off each side, stretch back, and add a little noise."""
    generator, copies = np.random.default_rng(1), []
    for original in originals:
        top, left, bottom, right = generator.integers(0, 4, size=4)
        cut = original[top : 64 - bottom, left : 64 - right].astype("float32")
        stretched = zoom(cut, (64 / cut.shape[0], 64 / cut.shape[1]), order=1)
        copies.append(stretched + generator.normal(0, 2, (64, 64)))
    return np.array(copies).clip(0, 255).astype("uint8")


@pytest.fixture(scope="module")
def thumbnails() -> np.ndarray:
    """More than a block of pictures, copies of some, and a blank one."""
    originals = photographs(900)
    blank = np.full((1, 64, 64), 77, "uint8")
    return np.concatenate([originals, near_copies(originals[::4]), blank])


def correlations(thumbnails: np.ndarray, side: int) -> np.ndarray:
    """Correlate each with each, [N, N], as NumPy does; 0 for a blank one."""
    pixels = thumbnails.reshape(-1, side, 64 // side, side, 64 // side)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = np.corrcoef(pixels.mean(axis=(2, 4)).reshape(len(thumbnails), -1))
    return np.nan_to_num(found)


def test_candidates_are_the_pairs_whose_hashes_correlate(thumbnails):
    alike_at = (correlations(thumbnails, 8) >= 0.75) & (
        correlations(thumbnails, 16) >= 0.6
    )

    found = alike.candidate_pairs(thumbnails)

    wanted = np.argwhere(np.triu(alike_at, k=1))
    assert sorted(found.tolist()) == wanted.tolist()
    assert len(wanted) > 300  # copies, and others that only look alike


def test_each_near_copy_is_found_and_nothing_else(thumbnails):
    found = [(first, second) for first, second, _ in alike.alike_pairs(thumbnails)]

    assert sorted(found) == [(4 * n, 900 + n) for n in range(225)]


def test_no_pictures_are_no_pairs():
    assert alike.candidate_pairs(np.zeros((0, 64, 64), "uint8")).shape == (0, 2)
    assert len(find_copies([]).pairs) == 0


def test_blocks_and_chunks_do_not_change_what_is_found(thumbnails, monkeypatch):
    some = thumbnails[::3]  # 75 originals with their copies, and others
    candidates, pairs = alike.candidate_pairs(some), [*alike.alike_pairs(some)]

    monkeypatch.setattr(alike, "_BLOCK", (40, 100))
    monkeypatch.setattr(alike, "_CHUNK", 7)

    assert len(candidates) > 30
    assert sorted(alike.candidate_pairs(some).tolist()) == sorted(candidates.tolist())
    again = [*alike.alike_pairs(some)]
    assert [pair[:2] for pair in sorted(again)] == [pair[:2] for pair in sorted(pairs)]
    assert len(pairs) > 7


def test_the_distance_is_what_the_details_lack_of_being_equal():
    original = photographs(1)[0].astype("float32")
    noise = np.random.default_rng(2).normal(size=(64, 64))

    def details(picture):
        return picture - gaussian_filter(picture, 3)

    found = []
    for scale in (0, 1, 2, 3, 4, 6, 12, 16, 20):
        copy = (original + scale * noise).clip(0, 255).round()
        pair = np.stack([original, copy]).astype("uint8")
        expected = 1 - np.corrcoef(details(original).flat, details(copy).flat)[0, 1]
        distances = [distance for _, _, distance in alike.alike_pairs(pair)]
        if abs(expected - 0.2) > 0.02:
            assert len(distances) == (expected < 0.2), (scale, expected)
        if distances:
            assert distances[0] == pytest.approx(expected, abs=0.03)
            found.append(distances[0])
    assert found == sorted(found)
    assert found[0] < 0.001
    assert found[-1] > 0.1  # up to a fifth


def test_pictures_of_nearly_one_level_are_no_copies_of_each_other():
    faint = np.full((2, 64, 64), 77, "uint8")
    faint[:, :, 32:] += 1
    clear = np.full((2, 64, 64), 77, "uint8")
    clear[:, :, 32:] += 4

    assert len(alike.candidate_pairs(faint)) == 0
    assert alike.candidate_pairs(clear).tolist() == [[0, 1]]
