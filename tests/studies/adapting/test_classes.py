"""A model of classes becomes another one, and labels judge what the others made."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from pixsent_tf.errors import UsageError
from pixsent_tf.evaluation.compare import compare_answers
from pixsent_tf.inference.model import SentimentModel
from pixsent_tf.models.zoo import HEAD
from pixsent_tf.studies.adapting.classes import OfClasses, _Fitted
from pixsent_tf.studies.adapting.looked import Came, Looked
from pixsent_tf.training.adapting import Adapted, Head, Loss, adapt_head
from pixsent_tf.training.calibrated import calibrate
from pixsent_tf.training.logistic import InnerPredictions
from tests.heard import Heard
from tests.studies.adapting.drawn import (
    BIAS,
    BROKEN,
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

TEMPERATURE = 2.5


def softmax(logits: np.ndarray) -> np.ndarray:
    raised = np.exp(logits.astype("float64"))
    return raised / raised.sum(axis=1, keepdims=True)


def old_probs() -> np.ndarray:
    return softmax((features() @ KERNEL + BIAS) / TEMPERATURE)


def model() -> SentimentModel:
    return SentimentModel.build(
        network(), GEOMETRY, ("positive", "negative"), TEMPERATURE
    )


def third_feature() -> np.ndarray:
    """Labels by what the old head makes little of, one of them wrong."""
    labels = features()[:, 2] > 0
    labels[20] ^= True
    return labels


@pytest.fixture(scope="module")
def looked() -> Looked:
    return look(model(), third_feature())


@pytest.fixture(scope="module")
def heard() -> Heard:
    return Heard()


@pytest.fixture(scope="module")
def came(looked: Looked, heard: Heard) -> Came:
    return OfClasses(looked).adapt(heard)


def train(looked: Looked, rows: np.ndarray) -> tuple[Adapted, float]:
    """What some labels make of the old head, its temperature inside; and the new one.

    Calls with everything in plain sight what the study is to call.
    """
    labels = third_feature().astype(int)[rows]
    adapted = adapt_head(
        Head(KERNEL / np.float32(TEMPERATURE), BIAS / np.float32(TEMPERATURE)),
        features()[rows],
        labels,
        standard=looked.standard,
        units=UNITS[rows],
        seed=7,
    )
    inner = SimpleNamespace(inner=None if adapted.choice == "as-is" else adapted.inner)
    return adapted, calibrate(inner, labels).temperature  # type: ignore[arg-type]


def test_before_is_the_old_head_at_its_temperature(came: Came) -> None:
    labels, probs = third_feature().astype(int)[READ], old_probs()[READ]

    before = came.told["before"]

    assert before["accuracy"] == (probs.argmax(axis=1) == labels).mean()
    of_label = probs[np.arange(len(labels)), labels]
    assert before["log_loss"] == pytest.approx(-np.log(of_label).mean(), rel=1e-5)
    assert before["num_examples"] == len(READ) == COUNT - 2


def test_after_is_what_the_other_folds_made_of_it(looked: Looked, came: Came) -> None:
    dealt, table = looked.deal(), came.table
    assert sorted(np.bincount(dealt)[1:]) != [len(READ) // 3] * 3  # unequal folds

    found = []
    for fold in (1, 2, 3):
        adapted, temperature = train(
            looked, np.flatnonzero((dealt > 0) & (dealt != fold))
        )
        tested = np.flatnonzero(dealt == fold)
        logits = features()[tested] @ adapted.head.kernel + adapted.head.bias
        rows = [table.ids.index(f"n{i}") for i in tested]
        np.testing.assert_allclose(
            table.probs[rows], softmax(logits / temperature), atol=1e-5
        )
        found.append(temperature)
    assert found != [1, 1, 1]


def test_the_table_holds_readable_pictures_and_names_the_others(came: Came) -> None:
    table = came.table

    assert table.ids == tuple(f"n{i}" for i in READ)
    assert table.labels.tolist() == third_feature().astype(int)[READ].tolist()
    assert [one.id for one in table.failures] == ["n0", "n15"]
    assert [one.fold for one in table.failures] == [1, 1]
    assert np.isfinite(table.probs).all()


def test_a_difference_is_after_less_before(came: Came) -> None:
    labels = third_feature().astype(int)[READ]
    old = old_probs()[READ].argmax(axis=1) == labels
    new = came.table.probs.argmax(axis=1) == labels
    assert new.mean() > old.mean()

    difference = came.told["difference"]

    assert difference["accuracies"] == [new.mean(), old.mean()]
    assert difference["accuracy_difference"] == pytest.approx(new.mean() - old.mean())
    assert difference["only_first_right"] == (new & ~old).sum()
    assert came.told["after"]["accuracy"] == new.mean()
    assert came.told["after"]["interval_unit"] == "group"
    assert difference == compare_answers(new, old, groups=UNITS[READ] // 6)


def test_the_model_to_keep_is_that_of_all_labels(looked: Looked, came: Came) -> None:
    adapted, temperature = train(looked, READ)
    assert temperature != 1

    assert came.choice == adapted.choice == "head"
    assert came.losses == adapted.losses
    kernel, bias = came.model.classifier.get_layer(HEAD).get_weights()
    np.testing.assert_array_equal(kernel, adapted.head.kernel)
    np.testing.assert_array_equal(bias, adapted.head.bias)
    assert came.model.output.temperature == came.told["temperature"] == temperature
    assert came.model.class_names == ("positive", "negative")
    assert came.model.preprocessor.config == GEOMETRY
    assert len(came.model.output.held_out) == len(READ)


def test_candidates_are_told_with_their_numbers(came: Came) -> None:
    check_candidates(came, "log_loss")
    first = came.told["candidates"][0]
    assert first["log_loss"] == pytest.approx(came.told["before"]["log_loss"], rel=1e-5)


def test_each_judged_picture_is_counted_once(heard: Heard, came: Came) -> None:
    assert came.choice
    assert heard.counts == judged()


def test_a_model_that_is_right_already_is_left_as_it_is() -> None:
    trained = model()
    sure = look(trained, old_probs()[:, 1] > 0.5)
    sharp = SentimentModel.build(
        network(), GEOMETRY, ("positive", "negative"), temperature=0.1
    )

    came = OfClasses(replace(sure, trained=sharp)).adapt(Heard())

    assert came.choice == "as-is"
    assert came.model is sharp
    assert came.told["temperature"] == 1
    assert came.told["difference"]["accuracies"] == [1, 1]


def fitted(choice: str) -> _Fitted:
    losses = tuple(
        Loss(name, loss, 0.0, 0.0)
        for name, loss in (("as-is", 0.9), ("scale", 0.7), ("head", 0.4))
    )
    inner = InnerPredictions(np.zeros((COUNT, 2)), np.ones(COUNT, dtype=int))
    moved = Head(KERNEL[:, ::-1] * 2, BIAS + 1)
    return _Fitted(network(), features(), Adapted(choice, moved, losses, inner))


def test_only_a_head_that_was_moved_finds_a_temperature_anew() -> None:
    assert fitted("as-is").inner is None
    assert fitted("scale").inner is not None
    assert fitted("head").inner is not None


def test_history_numbers_the_candidates_in_their_order() -> None:
    assert fitted("head").history == [
        {"candidate": 0, "inner_log_loss": 0.9},
        {"candidate": 1, "inner_log_loss": 0.7},
        {"candidate": 2, "inner_log_loss": 0.4},
    ]


def test_probabilities_are_those_of_the_pictures_that_are_asked_for() -> None:
    some = np.array([30, 2, 9])

    said = fitted("head").probs(some)

    expected = softmax(features()[some] @ (KERNEL[:, ::-1] * 2) + BIAS + 1)
    np.testing.assert_allclose(said, expected, rtol=1e-5)
    assert said.dtype == np.float32


@pytest.mark.parametrize(("different", "missing"), [(9, 1), (7, 3)])
def test_copies_and_broken_pictures_do_not_count_as_labels(
    looked: Looked, different: int, missing: int
) -> None:
    units = np.full(COUNT, 100) + np.arange(COUNT)  # broken ones would be two more
    units[READ] = np.arange(len(READ)) % different
    few = replace(look(looked.trained, units % 2), units=units)

    with pytest.raises(
        UsageError, match=f"^mine has {different} different, readable pictures"
    ) as told:
        OfClasses(few).refuse_few()

    assert f": {missing} more." in str(told.value)


def test_enough_labels_are_taken(looked: Looked) -> None:
    OfClasses(looked).refuse_few()
    assert list(looked.failures) == list(BROKEN)
