"""Emotions rolled up to two poles."""

from __future__ import annotations

import numpy as np
import pytest

from pixsent_tf.errors import ConfigError, DataError
from pixsent_tf.inference.polarity import read_polarity, roll_up
from pixsent_tf.inference.predictions import Predictions

SAID = Predictions(
    name="run",
    ids=("a", "b", "c"),
    probs=np.array([[0.5, 0.2, 0.3], [0.1, 0.6, 0.3], [0.2, 0.2, 0.6]]),
    class_names=("Joy", "fear", "surprise"),
    labels=np.array([0, 1, 2]),
    folds=np.array([1, 2, 2]),
)


def test_probabilities_are_those_of_one_pole_given_that_it_is_one_of_both():
    found = roll_up(SAID, read_polarity("ekman6"))

    assert found.ids == ("a", "b")  # surprise is neither
    assert found.labels.tolist() == [1, 0]
    np.testing.assert_allclose(found.probs[:, 1], [0.5 / 0.7, 0.1 / 0.7])


def test_four_emotions_of_mikels_stand_on_either_side():
    poles = list(read_polarity("mikels8").values())

    assert poles.count("positive") == poles.count("negative") == 4


def test_a_table_of_ones_own_is_read(tmp_path):
    path = tmp_path / "poles.csv"
    path.write_text("class,polarity\nJoy,positive\nfear,Negative\nsurprise,\n")

    assert read_polarity(str(path)) == {"joy": "positive", "fear": "negative"}


@pytest.mark.parametrize(
    ("text", "message"),
    [("name,pole\na,b", "needs class and polarity"), ("class,polarity\na,up", "'up'")],
)
def test_a_table_that_says_something_else_is_refused(tmp_path, text, message):
    (tmp_path / "poles.csv").write_text(text)
    with pytest.raises(DataError, match=message):
        read_polarity(str(tmp_path / "poles.csv"))


def test_an_unknown_name_is_refused():
    with pytest.raises(ConfigError, match="is neither mikels8 nor ekman6, nor a CSV"):
        read_polarity("plutchik")


def test_classes_of_one_pole_only_are_refused():
    with pytest.raises(DataError, match="are not of both poles"):
        roll_up(SAID, {"joy": "positive"})


def test_a_class_of_neither_pole_is_left_out_wherever_it_stands():
    order = [2, 0, 1]
    turned = Predictions(
        name="run",
        ids=tuple("cab"),
        probs=SAID.probs[order],
        class_names=SAID.class_names,
        labels=SAID.labels[order],
        folds=np.array([3, 1, 2]),
    )

    found = roll_up(turned, read_polarity("ekman6"))

    assert found.ids == ("a", "b")
    assert found.labels.tolist() == [1, 0]
    assert found.folds.tolist() == [1, 2]
    np.testing.assert_allclose(found.probs[:, 1], [0.5 / 0.7, 0.1 / 0.7])


def test_what_was_not_tested_in_folds_stays_so():
    alone = Predictions("run", SAID.ids, SAID.probs, SAID.class_names, SAID.labels)

    assert roll_up(alone, read_polarity("ekman6")).folds is None


def test_the_poles_of_emotions_are_those_of_the_literature():
    mikels, ekman = read_polarity("mikels8"), read_polarity("ekman6")

    def of(pole, known):
        return sorted(name for name, own in known.items() if own == pole)

    negative = ["anger", "disgust", "fear", "sadness"]
    assert of("negative", mikels) == of("negative", ekman) == negative
    assert of("positive", mikels) == ["amusement", "awe", "contentment", "excitement"]
    assert of("positive", ekman) == ["happiness", "joy"]
