"""Pictures of nothing come from their seed and are what their kind says."""

from __future__ import annotations

import numpy as np
import pytest

from pixsent_tf.data.sample.nothing import KINDS, SHAPES, draw_nothing, write_nothing


@pytest.mark.parametrize("kind", KINDS)
def test_the_seed_decides_every_pixel(kind):
    first, again, other = (draw_nothing(kind, seed) for seed in (3, 3, 4))

    np.testing.assert_array_equal(first, again)
    assert first.shape[1::-1] in SHAPES
    assert first.shape != other.shape or (first != other).any()


def test_kinds_differ_in_how_much_is_in_them():
    def colors(kind):
        image = draw_nothing(kind, 1)
        return len(np.unique(image.reshape(-1, 3), axis=0))

    assert colors("blank") == 1 < colors("near-blank") < colors("noise")
    assert min(colors("page"), colors("screen"), colors("gradient")) > 2


def test_what_was_written_stays(tmp_path):
    files = write_nothing(tmp_path, 2)
    stamp = (tmp_path / files[0]).stat().st_mtime_ns

    assert write_nothing(tmp_path, 2) == files
    assert (tmp_path / files[0]).stat().st_mtime_ns == stamp
    assert len(files) == len(list(tmp_path.glob("*.png"))) == 2 * len(KINDS)
