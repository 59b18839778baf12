"""A fine-tuned network and a head on frozen features answer together."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from PIL import Image

from pixsent_tf.config import ModelConfig, TrainingConfig
from pixsent_tf.errors import ConfigError
from pixsent_tf.inference.model import SentimentModel
from pixsent_tf.studies.trainer import build_learner
from pixsent_tf.training.blended import BlendedLearner, FittedBlend, choose_weight
from pixsent_tf.training.logistic import InnerPredictions
from tests.float32 import assert_close_float32
from tests.tiny_network import OPERATIONS

TRAIN, TEST = np.arange(16), np.arange(16, 24)
TARGETS = np.eye(2)[[0, 1, 0, 1]]


def said(*probs_of_the_label, folds=(1, 2, 3, 4)):
    probs = np.array(probs_of_the_label)[:, None]
    probs = np.where(TARGETS > 0, probs, 1 - probs)
    return InnerPredictions(np.log(probs), np.array(folds))


@pytest.mark.parametrize(
    ("head", "network", "expected"),
    [
        (said(0.9, 0.9, 0.9, 0.9), said(0.6, 0.6, 0.6, 0.6), 0.0),
        (said(0.6, 0.6, 0.6, 0.6), said(0.9, 0.9, 0.9, 0.9), 1.0),
        # each is as wrong about one as the other is right
        (said(0.9, 0.9, 0.9, 0.1), said(0.1, 0.9, 0.9, 0.9), 0.5),
    ],
)
def test_the_weight_makes_inner_pictures_likeliest(head, network, expected):
    assert choose_weight(head, network, TARGETS) == expected


def test_pictures_that_the_network_has_not_predicted_have_no_say():
    head = said(0.9, 0.9, 0.6, 0.6)
    network = said(0.6, 0.6, 0.9, 0.9, folds=(0, 0, 1, 1))

    assert choose_weight(head, network, TARGETS) == 1.0


def test_without_inner_predictions_both_count_the_same():
    assert choose_weight(said(0.9, 0.9, 0.9, 0.9), None, TARGETS) == 0.5


@pytest.fixture
def learner(recipe_of, pictures):
    found = build_learner(
        recipe_of("last-blocks", blend_head=True, calibration_folds=1), 2
    )
    found.read(pictures)
    return found


@pytest.fixture
def fitted(learner, targets):
    found = learner.fit(TRAIN, targets)
    return FittedBlend(found.head, found.network, 0.3)


def test_a_recipe_that_blends_gets_a_learner_that_does(learner):
    assert isinstance(learner, BlendedLearner)


def test_the_logits_are_averaged_by_weight(fitted):
    found = fitted.probs(TEST)

    logs = [np.log(each.probs(TEST)) for each in (fitted.network, fitted.head)]
    mean = np.exp(0.3 * logs[0] + 0.7 * logs[1])
    np.testing.assert_allclose(found, mean / mean.sum(axis=1)[:, None], atol=1e-6)


def test_the_weight_stands_in_the_history(learner, targets):
    found = learner.fit(TRAIN, targets)

    assert {row["network_weight"] for row in found.history} == {found.weight}


def test_the_weight_is_the_networks_not_the_heads(learner, targets, monkeypatch):
    good, poor = (
        InnerPredictions(np.log(targets[TRAIN] * (1 - 2 * p) + p), np.ones(16, int))
        for p in (0.05, 0.4)
    )
    for part, inner in ((learner.head, poor), (learner.network, good)):
        trained = SimpleNamespace(inner=inner)
        monkeypatch.setattr(part, "fit", lambda *_, trained=trained, **__: trained)

    assert learner.fit(TRAIN, targets).weight == 1.0


def test_what_is_saved_answers_as_both(fitted, learner, pictures, tmp_path):
    path = tmp_path / "model.keras"
    model = SentimentModel.build(
        fitted.classifier(), learner.preprocess, ["dark", "bright"]
    )
    model.save(path)
    images = np.stack([np.asarray(Image.open(pictures[i])) for i in TEST])

    found = keras.models.load_model(path)(images)

    assert_close_float32(found, fitted.probs(TEST), operations=OPERATIONS)


@pytest.mark.parametrize("weight", [0.0, 1.0])
def test_what_does_not_count_is_not_saved(fitted, weight):
    alone = FittedBlend(fitted.head, fitted.network, weight).classifier()

    assert not any(isinstance(layer, keras.Model) for layer in alone.layers)


def test_inner_predictions_are_blended_where_the_network_has_any(fitted):
    inner = fitted.inner
    known = inner.folds > 0

    logs = 0.3 * fitted.network.inner.log_probs + 0.7 * fitted.head.inner.log_probs
    expected = np.exp(logs)[known]
    expected /= expected.sum(axis=1)[:, None]
    np.testing.assert_allclose(np.exp(inner.log_probs[known]), expected, rtol=1e-6)


def test_a_blend_without_inner_folds_is_refused():
    settings = {"strategy": "all", "blend_head": True, "calibration_folds": 0}
    with pytest.raises(ConfigError, match=r"use training\.calibration_folds=1 or more"):
        TrainingConfig(**settings)


def test_the_head_is_that_of_the_same_backbone(learner):
    assert learner.head.backbone.name == "tiny"
    assert learner.head.preprocess == learner.network.preprocess


def test_of_several_backbones_the_last_is_tuned_beside_a_head_on_all(recipe_of):
    recipe = recipe_of("last-blocks", blend_head=True, calibration_folds=1)
    both = "efficientnet_lite0@32+efficientnet_lite1@48"
    recipe = replace(recipe, model=ModelConfig(backbone=both, weights=None))

    found = build_learner(recipe, 2)

    assert found.head.backbone.output.shape[-1] == 2 * 1280
    assert found.network.network.name == "classifier"
    assert found.network.network.input.shape[1:] == (48, 48, 3)
    assert found.head.preprocess == found.network.preprocess


def test_a_last_backbone_that_sees_less_than_another_is_refused(recipe_of):
    recipe = recipe_of("last-blocks", blend_head=True, calibration_folds=1)
    both = "efficientnet_lite1@48+efficientnet_lite0@32"
    recipe = replace(recipe, model=ModelConfig(backbone=both, weights=None))

    with pytest.raises(ConfigError, match="must see the largest crops; name that one"):
        build_learner(recipe, 2)


def test_pictures_choose_the_weight_as_much_as_they_weigh():
    head, network = said(0.9, 0.1, 0.9, 0.1), said(0.1, 0.9, 0.1, 0.9)

    chosen = [
        choose_weight(head, network, TARGETS * np.array(weights)[:, None])
        for weights in ([10, 1, 10, 1], [1, 10, 1, 10])
    ]

    assert chosen == [0.0, 1.0]


class Trains:
    """Notes what it is given; its inner predictions favor one class."""

    def __init__(self, prob):
        self.prob = prob
        self.given = []

    def fit(self, indices, targets, *, units=None, checkpoints=None):
        self.given.append((indices.tolist(), None if units is None else units.tolist()))
        probs = np.tile([1 - self.prob, self.prob], (len(indices), 1))
        inner = InnerPredictions(np.log(probs), np.arange(len(indices)) + 1)
        return SimpleNamespace(inner=inner)


@pytest.mark.parametrize(("indices", "weight"), [([4, 5], 1.0), ([1, 2], 0.0)])
def test_the_weight_is_chosen_by_the_pictures_that_train(indices, weight):
    head, network = Trains(0.2), Trains(0.8)
    targets = np.eye(2)[[0, 0, 0, 1, 1, 1]]
    units = np.array([3, 3, 4, 4, 5, 5])

    found = BlendedLearner(head, network).fit(np.array(indices), targets, units=units)

    assert found.weight == weight
    assert head.given == network.given == [(indices, units.tolist())]
