"""The score of photographs is above zero for what looks like them."""

from __future__ import annotations

import numpy as np

from pixsent_tf.training.photographs import fit_photograph_score


def test_photographs_score_above_zero_and_drawings_below_whatever_their_numbers():
    generator = np.random.default_rng(0)
    photographs = generator.normal((3, 0, 1), 1, (400, 3))
    drawn = generator.normal((-3, 0, 1), 1, (20, 3))

    kernel, bias = fit_photograph_score(photographs, drawn)

    assert (kernel.shape, bias.shape) == ((3, 1), (1,))
    assert (photographs @ kernel + bias > 0).mean() > 0.98
    assert (drawn @ kernel + bias < 0).all()
    # halfway between the two, as both weigh the same
    assert abs(-bias[0] / kernel[0, 0]) < 1
