"""A head of ratings moves as far as ratings tell, and stays where they do not."""

from __future__ import annotations

import numpy as np
import pytest

from pixsent_tf.training.adapting import AS_IS, HEAD, SCALE, Head, Standard
from pixsent_tf.training.adapting_ratings import KERNEL_DEVIATIONS, adapt_ratings

WIDTH, ERRORS = 6, np.array([0.8, 0.5])


def world(count, *, scale=1.0, shift=0.0, kernel=None, noise=0.5, seed=0):
    """Features, what an old head says of them (around 4), and ratings elsewhere."""
    generator = np.random.default_rng(seed)
    features = generator.normal(size=(count, WIDTH)) * np.arange(1, WIDTH + 1) + 2
    old = np.zeros((WIDTH, 2), dtype="float32")
    old[0], old[1] = [0.7, 0.0], [0.0, 0.3]
    bias = (4 - features.mean(axis=0) @ old).astype("float32")
    head = Head(old, bias)
    said = head.logits(features)
    ratings = 4 + scale * (said - 4) + shift + generator.normal(0, noise, said.shape)
    if kernel is not None:
        ratings += features @ kernel
    return head, features, ratings


def adapt(head, features, ratings, **settings):
    count = len(ratings)
    settings = {"units": np.arange(count), "scale": (1, 7), **settings}
    return adapt_ratings(
        head,
        features,
        ratings,
        errors=ERRORS,
        standard=Standard.of(features),
        ranges=np.arange(count) % 2,
        **settings,
    )


def most_likely(head, features, ratings, deviation):
    """The same change by least squares over everything that may move, priors as rows.

    Priors: a scale of 1 ± .3; a shift of 0 ± the error that is known; a kernel.
    """
    scaled = Standard.of(features)(features)
    columns = []
    for k, error in enumerate(ERRORS):
        said = head.logits(features)[:, k] - 4
        inputs = np.column_stack([said, np.ones(len(said)), scaled])
        priors = np.array([0.3, error, *[deviation * error] * WIDTH])
        rows = np.vstack([inputs / error, np.diag(1 / priors)])
        wanted = np.r_[(ratings[:, k] - 4) / error, 1 / 0.3, np.zeros(1 + WIDTH)]
        found = np.linalg.lstsq(rows, wanted, rcond=None)[0]
        columns.append(4 + inputs @ found)
    return np.stack(columns, axis=1)


def test_the_head_that_is_learnt_is_the_likeliest_given_the_priors():
    kernel = np.zeros((WIDTH, 2))
    kernel[3] = 0.3, -0.2
    head, features, ratings = world(150, shift=0.5, kernel=kernel)

    adapted = adapt(head, features, ratings, scale=(-20, 28))

    assert adapted.choice == HEAD
    answers = adapted.head.logits(features)
    off = [
        np.abs(answers - most_likely(head, features, ratings, each)).max()
        for each in KERNEL_DEVIATIONS
    ]
    assert min(off) < 1e-3
    assert max(off) > 0.05  # which of them it is matters


def test_scale_and_shift_are_found_where_features_say_nothing_more():
    head, features, ratings = world(200, scale=1.4, shift=-0.8, noise=0.3)

    adapted = adapt(head, features, ratings)

    said, answers = head.logits(features), adapted.head.logits(features)
    assert adapted.choice in (SCALE, HEAD)
    for k in (0, 1):
        slope, level = np.polyfit(said[:, k] - 4, answers[:, k] - 4, 1)
        assert slope == pytest.approx(1.4, abs=0.12)
        assert level == pytest.approx(-0.8, abs=0.1)


def test_a_head_that_is_left_as_it_is_says_what_it_said():
    chosen = []
    for seed in range(10):
        head, features, ratings = world(40, noise=0.8, seed=seed)
        adapted = adapt(head, features, ratings)
        chosen.append(adapted.choice)
        if adapted.choice == AS_IS:
            assert adapted.head is head
            np.testing.assert_allclose(adapted.inner, head.logits(features))

    assert chosen.count(AS_IS) >= 3  # it errs by chance only


def test_what_a_candidate_is_judged_by_did_not_train_it():
    generator = np.random.default_rng(1)
    features = generator.normal(size=(60, 400))  # enough to learn anything by heart
    ratings = generator.normal(4, 1, (60, 2))
    head = Head(np.zeros((400, 2), "float32"), np.full(2, 4, "float32"))

    adapted = adapt(head, features, ratings)

    losses = {one.name: one.loss for one in adapted.losses}
    by_hand = (((4 - ratings) / ERRORS) ** 2).mean()
    assert losses[AS_IS] == pytest.approx(by_hand)
    assert losses[HEAD] > 0.9 * by_hand


def test_answers_beyond_the_scale_are_judged_at_its_end():
    head, features, ratings = world(60)
    far = Head(head.kernel, head.bias + 50)

    as_is = adapt(far, features, ratings.clip(1, 7)).losses[0]

    by_hand = (((7 - ratings.clip(1, 7)) / ERRORS) ** 2).mean()
    assert as_is.loss == pytest.approx(by_hand)


def test_what_belongs_together_is_in_one_inner_fold():
    generator = np.random.default_rng(0)
    units = np.arange(80) // 2
    features = (np.eye(40)[units] + generator.normal(0, 0.01, (80, 40))) * 3
    ratings = generator.normal(4, 1, (40, 2))[units]  # of the unit, nothing else
    head = Head(np.zeros((40, 2), "float32"), np.full(2, 4, "float32"))

    together, torn = (
        {one.name: one.loss for one in adapt(head, features, ratings, **each).losses}
        for each in ({"units": units}, {})
    )

    assert together[HEAD] > 0.95 * together[AS_IS]
    assert torn[HEAD] < 0.8 * torn[AS_IS]
