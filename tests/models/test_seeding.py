"""Networks are drawn from their seed, and nobody else's numbers change."""

from __future__ import annotations

import random

import keras
import numpy as np
import pytest
import tensorflow as tf

from pixsent_tf.analysis.faithfulness import with_random_weights
from pixsent_tf.config import ModelConfig
from pixsent_tf.models.seeding import seeded
from pixsent_tf.models.zoo import attach_head, build_backbone

NAMES = (
    *("efficientnet_lite0@64", "efficientnet_lite0@64+efficientnet_lite0@96"),
    *("caffenet@67", "keras:MobileNetV2@64"),
)


def draw():
    """What each generator of the process gives next."""
    return (
        random.random(),
        np.random.random(),
        float(tf.random.uniform([])),
        float(keras.random.uniform([])),
    )


def generators_at_a_known_place():
    """Set every generator; call what comes back to ask whether none has moved."""
    keras.utils.set_random_seed(11)
    draw()
    wanted = draw()
    keras.utils.set_random_seed(11)
    draw()
    return lambda: draw() == wanted


@pytest.mark.parametrize("name", NAMES)
def test_building_a_network_moves_no_generator_of_the_process(name):
    unmoved = generators_at_a_known_place()

    attach_head(build_backbone(ModelConfig(name, None), seed=3), 2, dropout=0.5)

    assert unmoved()


def test_drawing_weights_anew_moves_none_either():
    classifier = attach_head(build_backbone(ModelConfig(NAMES[0], None)), 2)
    unmoved = generators_at_a_known_place()

    with_random_weights(classifier, seed=3)

    assert unmoved()


def test_an_error_gives_the_generator_back():
    unmoved = generators_at_a_known_place()

    def fail():
        with seeded(3):
            raise ValueError("half")

    with pytest.raises(ValueError, match="half"):
        fail()
    assert unmoved()


@pytest.mark.parametrize("name", NAMES)
def test_the_seed_decides_the_weights(name):
    one, same, other = (
        build_backbone(ModelConfig(name, None), seed=seed).get_weights()
        for seed in (3, 3, 4)
    )

    assert all(np.array_equal(a, b) for a, b in zip(one, same, strict=True))
    kernels = [i for i, weight in enumerate(one) if weight.ndim > 1]
    assert not any(np.array_equal(one[i], other[i]) for i in kernels)
