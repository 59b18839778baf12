"""What training must know of a tower."""

from __future__ import annotations

import re

import numpy as np
import pytest

from pixsent_tf.config import ModelConfig, TrainingConfig
from pixsent_tf.models import zoo
from pixsent_tf.training.rates import choose_layers, leaves, rate_multipliers


@pytest.fixture
def classifier_of(preset_of):
    def build(kind):
        backbone = zoo.build_backbone(ModelConfig(f"hub:{preset_of(kind)[0]}"))
        return zoo.attach_head(backbone, 2)

    return build


@pytest.mark.parametrize("kind", ["CLIP", "SigLIP", "DINOV2", "DINOV3", "ViT"])
def test_each_block_of_a_tower_has_a_rate_of_its_own(kind, classifier_of):
    model = classifier_of(kind)
    choose_layers(model, TrainingConfig(strategy="lp-ft", epochs=1))
    factors = rate_multipliers(model, bottom=0.01, head=1.0)
    block = re.compile(r"(?:block|layers?)_(\d+)/")
    found = [(block.search(path), factor) for path, factor in factors.items()]
    rates = {(int(match[1]), factor) for match, factor in found if match}

    (_, first), (_, second) = sorted(rates)  # one rate for each of the two blocks
    assert 0.01 < first < second < 1


@pytest.mark.parametrize("kind", ["DINOV2", "ViT"])
def test_the_last_block_learns_alone(kind, classifier_of):
    model = classifier_of(kind)
    training = TrainingConfig(strategy="last-blocks", epochs=1, trained_fraction=0.4)
    choose_layers(model, training)
    num_learning = sum(bool(x.trainable_variables) for x in leaves(model) if x.weights)

    assert 2 <= num_learning < len([x for x in leaves(model) if x.weights])


def test_positions_that_a_file_cannot_bring_back_do_not_learn(classifier_of):
    model = classifier_of("DINOV2")
    choose_layers(model, TrainingConfig(strategy="all", epochs=1))
    learning = {weight.name for weight in model.trainable_weights}

    assert "cls_token" in learning
    assert not any("position" in name for name in learning)


def test_no_weight_is_lost_when_a_stack_is_opened(classifier_of):
    model = classifier_of("ViT")
    found = {id(weight) for layer in leaves(model) for weight in layer.weights}

    assert found == {id(weight) for weight in model.weights}
    assert np.sum([w.numpy().size for w in model.weights]) > 1000
