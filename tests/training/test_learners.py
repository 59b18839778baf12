"""All strategies are used in the same way."""

from __future__ import annotations

import numpy as np
import pytest

from pixsent_tf.config import STRATEGIES, ModelConfig, Recipe, override
from pixsent_tf.errors import ConfigError
from pixsent_tf.studies.trainer import build_learner
from pixsent_tf.training.finetune import FineTuneLearner
from pixsent_tf.training.heads import HeadLearner
from tests.float32 import assert_close_float32
from tests.heard import Heard
from tests.tiny_network import OPERATIONS

TRAIN, TEST = np.arange(16), np.arange(16, 24)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_strategy_keeps_the_promises_of_a_learner(
    recipe_of, pictures, targets, strategy
):
    heard = Heard()
    learner = build_learner(recipe_of(strategy), 2, progress=heard)
    learner.read(pictures)

    fitted = learner.fit(TRAIN, targets)

    probs = fitted.probs(TEST)
    assert heard.counts[0] == len(pictures)  # read; then come epochs
    assert learner.failures == {}
    assert learner.preprocess.crop_size == 12
    assert probs.shape == (8, 2)
    np.testing.assert_allclose(probs.sum(axis=1), 1, atol=1e-5)
    assert all(row.keys() == fitted.history[0].keys() for row in fitted.history)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_classifier_says_what_the_probabilities_say(
    recipe_of, pictures, targets, strategy
):
    from PIL import Image

    learner = build_learner(recipe_of(strategy), 2)
    learner.read(pictures)
    fitted = learner.fit(TRAIN, targets)
    canvases = np.stack([np.asarray(Image.open(pictures[i])) for i in TEST])

    logits = fitted.classifier()(canvases[:, 2:14, 2:14], training=False).numpy()

    exponents = np.exp(logits - logits.max(axis=1, keepdims=True))
    expected = exponents / exponents.sum(axis=1, keepdims=True)
    assert_close_float32(fitted.probs(TEST), expected, operations=OPERATIONS)


def test_the_strategy_chooses_the_learner(recipe_of):
    assert isinstance(build_learner(recipe_of("head"), 2), HeadLearner)
    assert isinstance(build_learner(recipe_of("lp-ft"), 2), FineTuneLearner)


@pytest.mark.parametrize("strategy", ["head", "all"])
def test_an_unknown_backbone_is_refused(strategy):
    from dataclasses import replace

    recipe = Recipe(model=ModelConfig(backbone="lenet"))
    recipe = replace(recipe, training=replace(recipe.training, strategy=strategy))

    with pytest.raises(ConfigError, match="Unknown backbone 'lenet'"):
        build_learner(recipe, 2)


def test_a_head_learns_from_its_own_pictures_only(recipe_of, pictures, targets):
    learner = build_learner(recipe_of("head"), 2)
    learner.read(pictures)
    corrupted = targets.copy()
    corrupted[TEST] = 1 - corrupted[TEST]

    first, second = (learner.fit(TRAIN, labels) for labels in (targets, corrupted))

    np.testing.assert_array_equal(first.probs(TEST), second.probs(TEST))


def test_a_penalty_that_is_given_is_the_one_that_is_used(recipe_of, pictures, targets):
    recipe = override(recipe_of("head"), {"training.inverse_penalty": 2.5})
    learner = build_learner(recipe, 2)
    learner.read(pictures)

    fitted = learner.fit(TRAIN, targets)

    assert [row["inverse_penalty"] for row in fitted.history] == [2.5]
