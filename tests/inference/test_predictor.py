"""Does a program get one answer for a picture, whatever it hands over?"""

from __future__ import annotations

import builtins
import contextlib

import numpy as np
import pytest
from PIL import Image

from pixsent_tf.errors import ConfigError, DataError, UsageError
from pixsent_tf.inference.predictor import PredictionList, Predictor


@pytest.fixture(scope="module")
def predictor(tiny_model):
    return Predictor(tiny_model)


@pytest.fixture
def photo(colored_folder):
    return colored_folder / "positive" / "00.png"


@contextlib.contextmanager
def kinds(photo):
    """One picture as everything that a program has."""
    with Image.open(photo) as image, photo.open("rb") as file:
        yield {
            "text": str(photo),
            "path": photo,
            "bytes": photo.read_bytes(),
            "file": file,
            "image": image,
            "array": np.asarray(image),
        }


def pixels_of(photo):
    with Image.open(photo) as image:
        return np.asarray(image)


def test_one_picture_has_one_answer_whatever_it_is_handed_over_as(predictor, photo):
    with kinds(photo) as given:
        answers = {kind: predictor.predict(one) for kind, one in given.items()}

    probs = answers["text"].probs
    assert probs.shape == (2,)
    for kind, answer in answers.items():
        np.testing.assert_array_equal(answer.probs, probs, err_msg=kind)
    assert answers["file"].path == str(photo)
    assert answers["array"].path == "array 0"


def test_several_pictures_have_their_answers_in_order(predictor, photo, colored_folder):
    image = pixels_of(photo)
    several = predictor.predict([image, colored_folder / "negative" / "00.png", image])

    assert isinstance(several, PredictionList)
    assert [one.path for one in several[::2]] == ["array 0", "array 2"]
    np.testing.assert_array_equal(several[0].probs, several[2].probs)
    stacked = predictor.predict(np.stack([image, image]))
    np.testing.assert_allclose(stacked[1].probs, several[0].probs, atol=1e-6)


def test_a_folder_is_walked_as_the_command_does(predictor, colored_folder):
    answers = predictor.predict(colored_folder)

    assert len(answers) == 24
    assert answers[0].path == str(colored_folder / "negative" / "00.png")


def test_what_cannot_be_read_says_so_by_its_own_name(predictor):
    answer = predictor.predict([b"no picture", b""])

    assert [one.probs for one in answer] == [None, None]
    assert "bytes 0 is not a picture" in str(answer[0].error)
    assert answer[1].error.reason == "empty"


def test_what_is_no_picture_is_an_error(predictor):
    with pytest.raises(DataError, match="is no picture, it is a NoneType"):
        predictor.predict(None)


def test_answers_become_a_table_in_one_call(predictor, photo):
    pytest.importorskip("pandas")
    table = predictor.predict([photo, b"no picture"]).to_pandas()

    names = ["path", "answer", "prob_negative", "prob_positive", "status"]
    assert list(table.columns) == names
    assert table.status.tolist() == ["ok", "not_an_image"]
    assert table.prob_positive.isna().tolist() == [False, True]
    assert table.prob_positive[0] == pytest.approx(predictor.predict(photo).probs[1])


def test_no_answers_become_an_empty_table(predictor):
    pytest.importorskip("pandas")

    assert predictor.predict([]).to_pandas().empty


def test_without_pandas_a_line_says_what_to_install(predictor, monkeypatch):
    found = builtins.__import__

    def without(name, *rest, **more):
        if name == "pandas":
            raise ImportError(name)
        return found(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(UsageError, match="pip install pandas"):
        predictor.predict([]).to_pandas()


def test_a_loaded_model_goes_on_as_before(tiny_model):
    with pytest.raises(ConfigError, match="trained without inner predictions"):
        Predictor(tiny_model, precision=0.9)
    assert tiny_model.threshold == 0.0


def test_a_precision_out_of_range_is_refused_before_the_model_is_sought():
    with pytest.raises(ConfigError, match=r"precision=95 must be a number above 0"):
        Predictor("no/such/model", precision=95)
