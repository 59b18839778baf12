"""A head moves as far as labels tell, and stays where they do not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import log_softmax, softmax

from pixsent_tf.training.adapting import (
    AS_IS,
    CANDIDATES,
    HEAD,
    SCALE,
    Head,
    Loss,
    Standard,
    adapt_head,
    choose,
    compare_losses,
    repeated_folds,
)

WIDTH = 20


def one_feature(strength: float) -> Head:
    """A head of two classes that looks at the first feature only."""
    kernel = np.zeros((WIDTH, 2), dtype="float32")
    kernel[0] = -strength / 2, strength / 2
    return Head(kernel, np.zeros(2, dtype="float32"))


def world(count: int, *, weights: dict[int, float], shift: float = 0.0, seed: int = 0):
    """Features, and labels drawn by a logistic law on some of them."""
    generator = np.random.default_rng(seed)
    features = generator.normal(size=(count, WIDTH))
    slope = np.zeros(WIDTH)
    slope[list(weights)] = list(weights.values())
    prob = 1 / (1 + np.exp(-(features @ slope + shift)))
    return features, (generator.random(count) < prob).astype(int)


def adapt(head, features, labels, **settings):
    return adapt_head(
        head, features, labels, standard=Standard.of(features), **settings
    )


def test_standardized_features_have_a_mean_squared_norm_of_one():
    features, _ = world(200, weights={})
    features = features * np.arange(1, WIDTH + 1) + 7

    scaled = Standard.of(features)(features)

    assert (scaled**2).sum(axis=1).mean() == pytest.approx(1)
    assert np.abs(scaled.mean(axis=0)).max() < 1e-9


def test_a_feature_that_hardly_varies_does_not_count_much():
    features, _ = world(200, weights={})
    features[:, 3] *= 1e-6

    scaled = Standard.of(features)(features)

    assert scaled[:, 3].std() < 1e-5 * scaled[:, 4].std()


def test_a_threshold_elsewhere_is_found():
    features, labels = world(200, weights={0: 3.0}, shift=4.0)

    adapted = adapt(one_feature(3.0), features, labels)

    before, after = (
        (head.logits(features).argmax(axis=1) == labels).mean()
        for head in (one_feature(3.0), adapted.head)
    )
    assert adapted.choice != AS_IS
    assert before < 0.7
    assert after > 0.85


def test_scale_and_threshold_are_the_likeliest_by_a_search_on_a_grid():
    features, labels = world(60, weights={0: 6.0}, shift=2.0)
    head = one_feature(3.0)
    lean = Standard(np.zeros(WIDTH), np.full(WIDTH, 1e9))  # features say nothing more

    adapted = adapt_head(head, features, labels, standard=lean)

    said = head.logits(features)[:, 1] * 2  # log odds
    signs = 2 * labels - 1
    scales, shifts = np.meshgrid(np.linspace(0.5, 2.5, 401), np.linspace(-1, 4, 1001))
    odds = scales[..., None] * said + shifts[..., None]
    cost = np.logaddexp(0, -signs * odds).sum(axis=-1)
    cost += (scales - 1) ** 2 / (2 * 0.3**2) + shifts**2 / 4  # deviation 1 of each half
    row, column = np.unravel_index(cost.argmin(), cost.shape)
    kernel, bias = adapted.head.kernel, adapted.head.bias
    assert adapted.choice in (SCALE, HEAD)
    assert (kernel[0, 1] - kernel[0, 0]) / 3.0 == pytest.approx(
        scales[row, column], abs=0.01
    )
    assert bias[1] - bias[0] == pytest.approx(shifts[row, column], abs=0.01)


def test_a_feature_that_the_old_head_did_not_know_is_learnt():
    features, labels = world(300, weights={0: 1.0, 1: 4.0})

    adapted = adapt(one_feature(1.0), features, labels)

    change = adapted.head.kernel[:, 1] - adapted.head.kernel[:, 0]
    assert adapted.choice == HEAD
    assert np.abs(change).argmax() == 1


def test_where_features_lie_changes_no_answer():
    features, labels = world(300, weights={0: 1.0, 1: 4.0})
    near, far = one_feature(1.0), one_feature(1.0)
    far = Head(far.kernel, -5 * far.kernel.sum(axis=0))  # the same, seen from afar

    probs = [
        softmax(adapt(head, moved, labels).head.logits(moved), axis=1)
        for head, moved in ((near, features), (far, features + 5))
    ]

    np.testing.assert_allclose(probs[0], probs[1], atol=1e-3)


def test_ten_labels_hardly_move_a_head():
    features, labels = world(10, weights={0: 3.0}, seed=3)
    labels[:3], labels[3:6] = 0, 1

    adapted = adapt(one_feature(3.0), features, labels)

    unseen, _ = world(200, weights={})
    probs = [
        softmax(head.logits(unseen), axis=1)[:, 1]
        for head in (one_feature(3.0), adapted.head)
    ]
    assert np.corrcoef(probs)[0, 1] > 0.8


def test_a_model_that_errs_by_chance_only_is_mostly_left_as_it_is():
    chosen = []
    for seed in range(10):
        generator = np.random.default_rng(seed)
        features = generator.normal(size=(60, 400))  # a new head fits any labels
        kernel = np.zeros((400, 2), dtype="float32")
        kernel[0] = -1, 1
        head = Head(kernel, np.zeros(2, dtype="float32"))
        prob = softmax(head.logits(features), axis=1)[:, 1]
        labels = (generator.random(60) < prob).astype(int)
        adapted = adapt(head, features, labels)
        chosen.append(adapted.choice)
        assert (adapted.head is head) == (adapted.choice == AS_IS)

    assert chosen.count(AS_IS) > 5


def test_what_a_candidate_is_judged_by_did_not_train_it():
    generator = np.random.default_rng(1)
    features = generator.normal(size=(60, 400))
    labels = generator.integers(0, 2, 60)
    head = Head(np.zeros((400, 2), dtype="float32"), np.zeros(2, dtype="float32"))

    losses = {one.name: one.loss for one in adapt(head, features, labels).losses}

    # fitted to its own labels the head would be far below a coin's log loss
    assert losses[AS_IS] == pytest.approx(np.log(2))
    assert losses[HEAD] > np.log(2)


def test_what_belongs_together_is_in_one_inner_fold():
    features, labels = world(40, weights={0: 3.0})
    units = np.arange(40) // 2
    labels = labels[units * 2]

    inner = adapt(one_feature(3.0), features, labels, units=units).inner

    folds = inner.folds.reshape(20, 2)
    assert (folds[:, 0] == folds[:, 1]).all()
    assert len(np.unique(folds)) == 5


def test_copies_make_no_label_surer():
    features, labels = world(40, weights={0: 1.0, 1: 2.0})
    head = one_feature(1.0)
    alone = adapt(head, features, labels)
    twice = adapt(
        head,
        np.repeat(features, 2, axis=0),
        np.repeat(labels, 2),
        units=np.repeat(np.arange(40), 2),
    )

    assert twice.losses[0].gain_error == pytest.approx(
        alone.losses[0].gain_error, rel=0.5
    )


def test_three_classes_are_adapted_too():
    generator = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], 30)
    features = generator.normal(size=(90, WIDTH)) + 3 * np.eye(WIDTH)[labels]
    head = Head(np.zeros((WIDTH, 3), dtype="float32"), np.zeros(3, dtype="float32"))

    adapted = adapt(head, features, labels)

    assert (adapted.head.logits(features).argmax(axis=1) == labels).mean() > 0.8


def test_the_inner_predictions_are_probabilities():
    features, labels = world(50, weights={0: 3.0})

    inner = adapt(one_feature(3.0), features, labels).inner

    np.testing.assert_allclose(inner.log_probs, log_softmax(inner.log_probs, axis=1))


def losses(as_is: tuple[float, float], scale: tuple[float, float]) -> list[Loss]:
    gains = (as_is, scale, (0.0, 0.0))
    return [
        Loss(name, 0.5 - gain, gain, error)
        for name, (gain, error) in zip(CANDIDATES, gains, strict=True)
    ]


@pytest.mark.parametrize(
    ("as_is", "scale", "chosen"),
    [
        ((-0.2, 0.1), (-0.1, 0.1), HEAD),
        ((0.09, 0.1), (0.09, 0.1), HEAD),  # better, but no more than chance
        ((0.11, 0.1), (0.2, 0.1), AS_IS),  # the simplest of those that are better
        ((-0.1, 0.1), (0.2, 0.1), SCALE),
    ],
)
def test_the_head_is_taken_unless_a_simpler_one_is_better(as_is, scale, chosen):
    assert choose(losses(as_is, scale)) == chosen


def test_the_error_of_a_gain_is_that_of_a_mean_over_what_hangs_together():
    generator = np.random.default_rng(0)
    each = {name: generator.normal(size=12) for name in CANDIDATES}
    gains = each[HEAD] - each[AS_IS]
    pairs = gains.reshape(6, 2).mean(axis=1)

    alone = compare_losses(each, np.arange(12))
    paired = compare_losses(each, np.arange(12) // 2)

    assert [one.name for one in alone] == list(CANDIDATES)
    assert alone[0].loss == pytest.approx(each[AS_IS].mean())
    assert alone[0].gain == pytest.approx(gains.mean())
    assert alone[0].gain_error == pytest.approx(gains.std(ddof=1) / 12**0.5)
    assert paired[0].gain_error == pytest.approx(pairs.std(ddof=1) / 6**0.5)
    assert (alone[2].gain, alone[2].gain_error) == (0, 0)


@pytest.mark.parametrize(("count", "repeats"), [(20, 5), (100, 3), (200, 1), (1000, 1)])
def test_few_labels_are_dealt_several_times_and_never_alike(count, repeats):
    labels = np.arange(count) % 2

    folds = repeated_folds(labels, np.arange(count), seed=0)

    assert folds.shape == (repeats, count)
    assert len({row.tobytes() for row in folds}) == repeats
