"""A head on features: which penalty, which seed, whose features?"""

from __future__ import annotations

import numpy as np
import pytest

from pixsent_tf.training.heads import HeadLearner
from tests.float32 import assert_close_float32
from tests.tiny_network import OPERATIONS

TRAIN = np.arange(16)


@pytest.fixture
def learner(recipe_of, pictures):
    learner = HeadLearner(recipe_of("head"))
    learner.read(pictures)
    return learner


def test_probabilities_are_the_softmax_of_the_head_on_the_features(learner, targets):
    fitted = learner.fit(TRAIN, targets)
    logits = learner.values[16:] @ fitted.head.kernel + fitted.head.bias

    expected = 1 / (1 + np.exp(logits[:, 0] - logits[:, 1]))
    found = fitted.probs(np.arange(16, 24))[:, 1]
    assert_close_float32(found, expected, operations=OPERATIONS)


def test_a_fixed_penalty_is_not_searched(learner, targets):
    learner.inverse_penalty = 7.0

    fitted = learner.fit(TRAIN, targets)

    assert fitted.head.inverse_penalty == 7.0
    assert [row["inverse_penalty"] for row in fitted.history] == [7.0]


def test_another_seed_deals_other_inner_folds_of_the_same_features(learner, targets):
    other = learner.with_seed(5)
    other.read_with(learner)

    ours, theirs = learner.fit(TRAIN, targets).inner, other.fit(TRAIN, targets).inner

    assert other.values is learner.values
    assert ours.folds.tolist() != theirs.folds.tolist()
    assert learner.seed == 0
