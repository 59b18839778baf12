"""Labels at random: whoever predicts them better than chance has seen them."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from pixsent_tf.data.splits import stratified_folds
from pixsent_tf.training.heads import HeadLearner

COUNT, FEATURES, NUM_SEEDS = 120, 64, 20
MAJORITY = 0.6


@pytest.fixture
def learner(mean_color):
    """A learner that has read: cached features of pictures, two clusters of them."""
    learner = HeadLearner(mean_color)
    generator = np.random.default_rng(0)
    values = generator.normal(size=(COUNT, FEATURES))
    values[: COUNT // 2] += 0.5
    learner.values = values.astype("float32")
    features = keras.Input((FEATURES,))
    learner.backbone = keras.Model(features, keras.layers.Identity()(features))
    return learner


def pooled_accuracies(learner, *, ensemble_size=NUM_SEEDS, leaks=0):
    """Accuracy of nested cross-validation for each permutation of the labels.

    `leaks` test pictures of every fold are trained on, with their labels.
    """
    accuracies = []
    for seed in range(ensemble_size):
        labels = np.arange(COUNT) < COUNT * MAJORITY
        labels = np.random.default_rng(seed).permutation(labels).astype(int)
        targets = np.eye(2, dtype="float32")[labels]
        folds = stratified_folds(labels, 3, seed=seed)
        right = np.zeros(COUNT, dtype=bool)
        for fold in (1, 2, 3):
            test = np.flatnonzero(folds == fold)
            train = np.r_[np.flatnonzero(folds != fold), test[:leaks]]
            probs = learner.fit(train, targets).probs(test)
            right[test] = probs.argmax(axis=1) == labels[test]
        accuracies.append(right.mean())
    return np.array(accuracies)


def band():
    """95 % band of the mean over all seeds around the majority rate."""
    half = 1.96 * np.sqrt(MAJORITY * (1 - MAJORITY) / (COUNT * NUM_SEEDS))
    return MAJORITY - half, MAJORITY + half


def test_permuted_labels_are_predicted_at_the_majority_rate(learner):
    low, high = band()

    assert low <= pooled_accuracies(learner).mean() <= high


def test_a_planted_leak_leaves_the_band(learner):
    assert pooled_accuracies(learner, ensemble_size=5, leaks=30).mean() > band()[1]
