"""Positions of one size become those of another."""

from __future__ import annotations

import numpy as np
import pytest

from pixsent_tf.models.towers.sizes import interpolate, number_positions, resized
from tests.small_presets import SIDE, build

RAMP = np.stack(np.meshgrid(np.arange(6.0), np.arange(6.0), indexing="ij"), axis=-1)


def test_what_is_the_same_everywhere_stays_so():
    np.testing.assert_allclose(interpolate(np.full((6, 6, 2), 3.0), 13), 3.0)
    np.testing.assert_allclose(interpolate(np.full((6, 6, 2), 3.0), 4), 3.0)


def test_up_stays_up_and_left_stays_left():
    found = interpolate(RAMP, 12)

    assert (np.diff(found[..., 0], axis=0) > 0).all()
    assert (np.diff(found[..., 1], axis=1) > 0).all()
    np.testing.assert_allclose(found[..., 0], found[..., 1].T)


def test_the_same_number_of_cells_changes_nothing():
    np.testing.assert_allclose(interpolate(RAMP, 6), RAMP, atol=1e-12)


def test_between_two_cells_lie_the_shares_that_are_known():
    """Keys' kernel with -.75 at distances 1.75, .75, .25 and 1.25."""
    line = np.zeros((6, 6, 1))
    line[2] = 1.0

    found = interpolate(line, 12)[:, 0, 0]

    assert found[4:6].tolist() == pytest.approx([0.87890625] * 2)
    assert found[[3, 6]].tolist() == pytest.approx([0.26171875] * 2)
    assert found[[2, 7]].tolist() == pytest.approx([-0.10546875] * 2)
    assert found[[1, 8]].tolist() == pytest.approx([-0.03515625] * 2)


@pytest.mark.parametrize("kind", ["CLIP", "ViT"])
def test_what_belongs_to_no_patch_stays_as_it_was(kind):
    pytest.importorskip("keras_hub")
    network = build(kind)
    network = getattr(network, "vision_encoder", network)

    new = resized(network, 2 * SIDE)

    found, known = (
        next(w for w in one.weights if "position_embedding" in w.path).numpy()
        for one in (new, network)
    )
    assert found.shape == (1 + 64, known.shape[1])
    np.testing.assert_allclose(found[0], known[0], rtol=1e-6)
    np.testing.assert_allclose(
        found[1:].reshape(8, 8, -1), interpolate(known[1:].reshape(4, 4, -1), 8), 1e-4
    )


def test_patches_are_numbered_where_a_file_does_not():
    pytest.importorskip("keras_hub")
    network = build("CLIP").vision_encoder

    assert not network.embedding.position_ids.numpy().any()
    number_positions(network)
    assert network.embedding.position_ids.numpy().tolist() == [list(range(17))]
