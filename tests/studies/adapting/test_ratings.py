"""A model of ratings becomes another one, and ratings judge what the others made."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pixsent_tf.data.lists.rated import Ratings
from pixsent_tf.errors import UsageError
from pixsent_tf.inference.model import SentimentModel
from pixsent_tf.models.output import RatingOutput
from pixsent_tf.models.zoo import HEAD
from pixsent_tf.studies.adapting.looked import Came, Looked
from pixsent_tf.studies.adapting.ratings import OfRatings
from pixsent_tf.training.adapting import Head
from pixsent_tf.training.adapting_ratings import AdaptedRatings, adapt_ratings
from tests.heard import Heard
from tests.studies.adapting.drawn import (
    BIAS,
    COUNT,
    GEOMETRY,
    KERNEL,
    READ,
    UNITS,
    check_candidates,
    features,
    judged,
    look,
    network,
)

SCALE = (-2.0, 3.0)
OLD_WIDTHS = (0.8, 2.4)
TARGETS = ("valence", "arousal")


def old_answers() -> np.ndarray:
    return (features() @ KERNEL + BIAS).clip(*SCALE)


def known() -> np.ndarray:
    """Valence by the third feature, arousal by the old head, and noise."""
    noise = np.random.default_rng(8).normal(0, [0.3, 0.6], (COUNT, 2))
    mean = np.stack([features()[:, 2], old_answers()[:, 1] * 0.7 + 0.4], axis=1)
    return (mean + noise).clip(*SCALE)


def ranges() -> np.ndarray:
    return (known()[:, 0] > 0).astype(int)


def look_rated(
    values: np.ndarray, *, widths: tuple[float, float] = OLD_WIDTHS
) -> Looked:
    output = RatingOutput(TARGETS, SCALE, widths)
    unknown = np.full(values.shape, np.nan)
    ratings = Ratings(TARGETS, values, SCALE, unknown, unknown)
    model = SentimentModel.wrap(network(), GEOMETRY, output)
    return look(model, ranges(), ratings)


@pytest.fixture(scope="module")
def looked() -> Looked:
    return look_rated(known())


@pytest.fixture(scope="module")
def heard() -> Heard:
    return Heard()


@pytest.fixture(scope="module")
def came(looked: Looked, heard: Heard) -> Came:
    return OfRatings(looked).adapt(heard)


def train(looked: Looked, rows: np.ndarray) -> AdaptedRatings:
    """What some ratings make of the old head, all that is to be told in plain sight."""
    return adapt_ratings(
        Head(KERNEL, BIAS),
        features()[rows],
        known()[rows],
        scale=SCALE,
        errors=np.array(OLD_WIDTHS) / 1.6448536,  # nine of ten of a normal error
        standard=looked.standard,
        ranges=ranges()[rows],
        units=UNITS[rows],
        seed=7,
    )


def reach(adapted: AdaptedRatings, rows: np.ndarray) -> list[float]:
    """The error that nine tenths of M + 1 are not above, of each target."""
    errors = np.abs(np.clip(adapted.inner, *SCALE) - known()[rows])
    rank = int(np.ceil((len(rows) + 1) * 9 / 10))
    return [sorted(column)[rank - 1] for column in errors.T.tolist()]


def test_before_is_the_old_head_within_its_scale(came: Came) -> None:
    raw = (features() @ KERNEL + BIAS)[READ]
    assert (raw.min(axis=0) < -2).all()
    assert (raw.max(axis=0) > 3).any()  # so that the scale counts

    valence, arousal = came.told["before"]["targets"]

    off = old_answers()[READ] - known()[READ]
    assert valence["rmse"] == pytest.approx(np.sqrt((off[:, 0] ** 2).mean()))
    assert arousal["mae"] == pytest.approx(np.abs(off[:, 1]).mean())
    for k, one in enumerate((valence, arousal)):
        held = np.abs(off[:, k]) <= OLD_WIDTHS[k]
        assert one["coverage"]["observed"] == held.mean()


def test_after_is_what_the_other_folds_made_of_it(looked: Looked, came: Came) -> None:
    dealt, table = looked.deal(), came.table
    assert table.ids == tuple(f"n{i}" for i in READ)

    for fold in (1, 2, 3):
        rows = np.flatnonzero((dealt > 0) & (dealt != fold))
        tested = np.flatnonzero(dealt == fold)
        adapted = train(looked, rows)
        said = features()[tested] @ adapted.head.kernel + adapted.head.bias
        said = said.clip(*SCALE)
        widths = reach(adapted, rows)
        at = [table.ids.index(f"n{i}") for i in tested]
        np.testing.assert_allclose(table.answers[at], said, rtol=1e-5)
        np.testing.assert_allclose(
            table.low[at], (said - widths).clip(*SCALE), rtol=1e-5, atol=1e-6
        )
        np.testing.assert_allclose(
            table.high[at], (said + widths).clip(*SCALE), rtol=1e-5, atol=1e-6
        )


def test_no_choice_sees_the_ratings_that_judge_it(looked: Looked, came: Came) -> None:
    dealt = looked.deal()
    turned = known()
    turned[dealt == 2] = turned[dealt == 2][::-1, ::-1]

    other = OfRatings(look_rated(turned)).adapt(Heard()).table

    is_second = dealt[READ] == 2
    np.testing.assert_array_equal(
        other.answers[is_second], came.table.answers[is_second]
    )
    np.testing.assert_array_equal(other.low[is_second], came.table.low[is_second])
    assert (
        (other.answers[~is_second] != came.table.answers[~is_second]).any(axis=1).all()
    )


def test_broken_pictures_are_named_and_judge_nothing(came: Came) -> None:
    assert [(one.id, one.fold) for one in came.table.failures] == [
        ("n0", 1),
        ("n15", 1),
    ]
    assert came.told["before"]["num_examples"] == len(READ)
    assert came.told["after"]["num_examples"] == len(READ)


def test_a_difference_is_after_less_before(came: Came) -> None:
    before, after = came.told["before"]["targets"], came.told["after"]["targets"]
    assert after[0]["rmse"] < before[0]["rmse"]  # the old head never looked at it

    assert [one["target"] for one in came.told["differences"]] == list(TARGETS)
    for k, one in enumerate(came.told["differences"]):
        assert (one["first"], one["second"]) == ("after", "before")
        assert one["rmse"] == pytest.approx([after[k]["rmse"], before[k]["rmse"]])
        assert one["rmse_difference"] == pytest.approx(
            after[k]["rmse"] - before[k]["rmse"]
        )
    off = came.table.answers - known()[READ]
    assert after[1]["rmse"] == pytest.approx(np.sqrt((off[:, 1] ** 2).mean()))


def test_the_model_to_keep_is_that_of_all_ratings(looked: Looked, came: Came) -> None:
    adapted = train(looked, READ)

    assert came.choice == adapted.choice == "head"
    assert came.losses == adapted.losses
    kernel, bias = came.model.classifier.get_layer(HEAD).get_weights()
    np.testing.assert_array_equal(kernel, adapted.head.kernel)
    np.testing.assert_array_equal(bias, adapted.head.bias)
    output = came.model.rating
    assert output is not None
    assert (output.targets, output.scale) == (TARGETS, SCALE)
    assert output.half_widths == pytest.approx(reach(adapted, READ))
    assert came.model.preprocessor.config == GEOMETRY


def test_candidates_are_told_with_their_numbers(came: Came) -> None:
    check_candidates(came, "squared_error")
    off = (old_answers() - known())[READ] / (np.array(OLD_WIDTHS) / 1.6448536)
    assert came.told["candidates"][0]["squared_error"] == pytest.approx((off**2).mean())
    assert came.told["scale"] == [-2, 3]


def test_each_judged_picture_is_counted_once(heard: Heard, came: Came) -> None:
    assert came.choice
    assert heard.counts == judged()


def test_a_head_that_is_left_as_it_is_gets_the_widths_of_these_pictures() -> None:
    noise = np.random.default_rng(5).normal(0, 0.05, (COUNT, 2))
    values = (old_answers() + noise).clip(*SCALE)
    right = look_rated(values, widths=(0.01, 0.01))

    came = OfRatings(right).adapt(Heard())

    assert came.choice == "as-is"
    assert came.model.classifier is right.trained.classifier
    errors = np.sort(np.abs(old_answers() - values)[READ], axis=0)
    assert came.model.rating is not None
    # of 32 errors the 30th: 33 * .9 = 29.7
    assert came.model.rating.half_widths == pytest.approx(errors[29].tolist(), rel=1e-4)


@pytest.mark.parametrize(("different", "missing"), [(9, 1), (6, 4)])
def test_copies_and_broken_pictures_do_not_count_as_ratings(
    looked: Looked, different: int, missing: int
) -> None:
    units = np.full(COUNT, 100) + np.arange(COUNT)  # broken ones would be two more
    units[READ] = np.arange(len(READ)) % different

    with pytest.raises(
        UsageError,
        match=f"^mine has {different} different, readable pictures; adapting needs 10: "
        f"{missing} more",
    ):
        OfRatings(replace(looked, units=units)).refuse_few()


def test_ten_ratings_are_enough(looked: Looked) -> None:
    units = np.zeros(COUNT, dtype=int)
    units[READ] = np.arange(len(READ)) % 10

    OfRatings(replace(looked, units=units)).refuse_few()
