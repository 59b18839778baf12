"""A head on frozen features: the optimum, whatever the scale and the class count."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from PIL import Image
from scipy.optimize import minimize

from pixsent_tf.config import PreprocessConfig
from pixsent_tf.data.preprocess import Preprocessor
from pixsent_tf.errors import DataError
from pixsent_tf.models.joined import FeatureBlock
from pixsent_tf.training import logistic
from tests.heard import Heard


def blobs(num_classes: int, count: int = 60, width: int = 5, seed: int = 0):
    """Draw overlapping clouds of features and their labels."""
    generator = np.random.default_rng(seed)
    labels = np.arange(count) % num_classes
    centers = generator.normal(size=(num_classes, width))
    features = centers[labels] + generator.normal(size=(count, width))
    return features.astype("float32"), np.eye(num_classes, dtype="float32")[labels]


def optimum(features, targets, penalty):
    """Minimize the penalized loss of a binary head by another route, in full space."""
    centered = features - features.mean(axis=0)
    scaled = centered / np.sqrt((centered**2).sum(axis=1).mean())
    shares = targets[:, 1]

    def loss(parameters):
        scores = scaled @ parameters[:-1] + parameters[-1]
        log_loss = np.logaddexp(0, scores) - shares * scores
        return (parameters[:-1] ** 2).sum() / 2 + penalty * log_loss.sum()

    start = np.zeros(features.shape[1] + 1)
    found = minimize(loss, start, method="BFGS", options={"gtol": 1e-8}).x
    return scaled @ found[:-1] + found[-1]


@pytest.mark.parametrize("width", [5, 200])  # fewer and more features than examples
def test_the_head_is_the_penalized_optimum(width):
    features, targets = blobs(2, width=width)
    head = logistic.fit_head(features, targets)

    logits = head.logits(features)
    expected = optimum(features.astype("float64"), targets, head.inverse_penalty)
    np.testing.assert_allclose(logits[:, 1] - logits[:, 0], expected, atol=1e-3)


def test_split_votes_weigh_both_answers():
    features, targets = blobs(2)
    votes = np.where(targets == 1, 0.6, 0.4).astype("float32")
    head = logistic.fit_head(features, votes)

    expected = optimum(features.astype("float64"), votes, head.inverse_penalty)
    logits = head.logits(features)
    np.testing.assert_allclose(logits[:, 1] - logits[:, 0], expected, atol=1e-3)
    assert (
        np.abs(logits).max()
        < np.abs(logistic.fit_head(features, targets).logits(features)).max()
    )


def test_the_unit_of_the_features_does_not_matter():
    features, targets = blobs(2)
    plain = logistic.fit_head(features, targets)
    scaled = logistic.fit_head(features * 1000 + 7, targets)

    assert plain.inverse_penalty == scaled.inverse_penalty
    np.testing.assert_allclose(
        plain.logits(features), scaled.logits(features * 1000 + 7), atol=1e-2
    )


def test_three_classes_have_three_columns_that_separate_them():
    features, targets = blobs(3, count=90)
    head = logistic.fit_head(features * 3, targets)

    assert head.kernel.shape == (5, 3)
    right = head.logits(features * 3).argmax(axis=1) == targets.argmax(axis=1)
    assert right.mean() > 0.7


def test_features_without_any_information_choose_the_strongest_penalties():
    features = np.random.default_rng(0).normal(size=(80, 20))
    targets = np.eye(2, dtype="float32")[np.arange(80) % 2]
    head = logistic.fit_head(features, targets)

    assert head.inverse_penalty <= 1
    assert [inverse_penalty for inverse_penalty, _ in head.history] == list(
        logistic.INVERSE_PENALTIES
    )


def test_the_same_seed_gives_the_same_bytes():
    features, targets = blobs(2)
    first, second = (logistic.fit_head(features, targets, seed=3) for _ in range(2))

    assert first.kernel.tobytes() == second.kernel.tobytes()
    assert first.history == second.history


def test_a_class_of_one_picture_is_refused():
    features, _ = blobs(2)
    targets = np.eye(2, dtype="float32")[np.r_[1, np.zeros(59, int)]]

    with pytest.raises(DataError, match="two readable training pictures; one has 1"):
        logistic.fit_head(features, targets)


def mean_color() -> keras.Model:
    """Build a backbone whose features are known: the mean color of the crop."""
    crops = keras.Input((4, 4, 3), name="crops")
    pooled = keras.layers.GlobalAveragePooling2D(name="features")(crops)
    return keras.Model(crops, pooled, name="mean_color")


def test_features_are_in_the_order_of_the_paths_and_bad_files_are_named(tmp_path):
    paths = []
    for number in range(5):
        path = tmp_path / f"{number}.png"
        Image.new("RGB", (9, 7), (number * 10, 0, 200)).save(path)
        paths.append(str(path))
    (tmp_path / "2.png").write_bytes(b"")
    heard = Heard()
    features = logistic.extract_features(
        mean_color(),
        paths,
        Preprocessor(PreprocessConfig(6, 4)),
        batch_size=2,
        progress=heard,
    )

    red = features.values[:, 0].tolist()
    assert red == [0, 10, 0, 30, 40]
    assert {i: error.reason for i, error in features.failures.items()} == {2: "empty"}
    assert features.readable.tolist() == [True, True, False, True, True]
    assert sum(heard.counts) == 5


def test_a_folder_of_nothing_readable_is_an_error(tmp_path):
    path = tmp_path / "x.jpg"
    path.write_text("<html>")
    preprocessor = Preprocessor(PreprocessConfig(6, 4))

    with pytest.raises(
        DataError, match=r"None of the 1 pictures can be read: .*x\.jpg"
    ):
        logistic.extract_features(mean_color(), [str(path)], preprocessor)


def test_blocks_take_their_share_of_the_norm_whatever_their_scale():
    features, targets = blobs(2, width=6)
    blocks = [
        FeatureBlock(4, share=0.75),
        FeatureBlock(2, share=0.25, standardize=True),
    ]
    stretched = features * np.array([1, 1, 1, 1, 500, 0.01])
    plain = logistic.fit_head(features, targets, blocks=blocks)
    other = logistic.fit_head(stretched, targets, blocks=blocks)

    np.testing.assert_allclose(
        plain.logits(features), other.logits(stretched), atol=1e-3
    )


def test_losses_stay_finite_where_probabilities_are_too_small_for_a_number():
    generator = np.random.default_rng(0)
    labels = np.arange(40) % 2
    features = generator.normal(size=(40, 2)) + 3 * labels[:, None]
    features[0] = -60  # beyond all others of its class, so that one minus p is zero
    targets = np.eye(2)[labels]

    head = logistic.fit_head(features, targets, inverse_penalties=[1.0, 1e9])

    assert np.isfinite([loss for _, loss in head.history]).all()
    assert np.isfinite(head.inner.log_probs).all()
    most_certain = logistic.fit_head(
        features, targets, inverse_penalties=[1e9]
    ).inner.log_probs
    assert most_certain.min() < np.log(np.finfo("float64").eps)


def test_what_belongs_together_shares_an_inner_fold():
    features, targets = blobs(2)
    units = np.arange(60) // 4  # fours in a row, two of each class

    folds = logistic.fit_head(features, targets, units=units).inner.folds

    assert len(np.unique(folds)) == 5
    assert all(len(np.unique(folds[units == unit])) == 1 for unit in range(15))


def test_no_inner_prediction_knows_its_own_label():
    generator = np.random.default_rng(0)
    features = generator.normal(size=(80, 200))  # enough to learn any labels by heart
    labels = generator.integers(0, 2, 80)

    head = logistic.fit_head(features, np.eye(2, dtype="float32")[labels])

    assert np.mean(head.logits(features).argmax(axis=1) == labels) > 0.9
    answers = head.inner.log_probs.argmax(axis=1)
    assert np.mean(answers == labels) == pytest.approx(0.5, abs=0.2)
    assert min(loss for _, loss in head.history) > 0.65  # no better than a coin


def test_every_block_has_the_share_of_the_norm_that_it_is_given():
    features, _ = blobs(2, width=7)
    centered = (features - features.mean(axis=0)) * np.array([1, 2, 3, 4, 50, 6, 0.7])
    blocks = [
        FeatureBlock(4, share=0.75),
        FeatureBlock(3, share=0.25, standardize=True),
    ]

    scaled = centered / logistic.feature_scale(centered, blocks)

    first, second = scaled[:, :4], scaled[:, 4:]
    assert (first**2).sum(axis=1).mean() == pytest.approx(0.75, rel=1e-4)
    assert (second**2).sum(axis=1).mean() == pytest.approx(0.25, rel=1e-4)
    # one divisor for the whole block, or one that makes its features alike
    assert np.ptp(first.std(axis=0) / centered[:, :4].std(axis=0)) < 1e-6
    assert np.ptp(second.std(axis=0)) < 1e-4


def test_a_penalty_is_judged_by_weighted_losses_of_its_own_inner_predictions():
    features, targets = blobs(2)
    weighted = targets * np.linspace(0.2, 2, 60)[:, None]
    head = logistic.fit_head(features, weighted)

    losses = [loss for _, loss in head.history]
    by_hand = -(weighted * head.inner.log_probs).sum() / 60
    chosen = logistic.INVERSE_PENALTIES.index(head.inverse_penalty)
    assert chosen == int(np.argmin(losses)) > 0
    assert losses[chosen] == pytest.approx(by_hand)
    alone = logistic.fit_head(
        features, weighted, inverse_penalties=[head.inverse_penalty]
    )
    np.testing.assert_allclose(head.inner.log_probs, alone.inner.log_probs, atol=0.02)


def test_another_seed_deals_other_inner_folds():
    features, targets = blobs(2)

    one, other = (
        logistic.fit_head(features, targets, seed=seed).inner.folds for seed in (0, 1)
    )

    assert (one != other).any()
    assert np.bincount(one).tolist() == np.bincount(other).tolist()


def test_each_penalty_is_about_a_third_of_the_one_before():
    steps = np.divide(logistic.INVERSE_PENALTIES[1:], logistic.INVERSE_PENALTIES[:-1])

    assert ((steps.round(6) >= 3) & (steps < 3.4)).all()
    assert min(logistic.INVERSE_PENALTIES) == pytest.approx(0.1)
