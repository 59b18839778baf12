"""What the predictor answers: in order, as the model says, and for broken files too."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from pixsent_tf.errors import ConfigError, WeightsError
from pixsent_tf.inference.model import Prediction, Predictor
from tests.serving.conftest import images, tiny_model

__all__ = ["images", "tiny_model"]


@pytest.fixture
def files(images, tmp_path):
    """Seven pictures; the third and the last file are none."""
    paths = [tmp_path / f"{number}.png" for number in range(9)]
    good = iter(images)
    for number, path in enumerate(paths):
        if number in (2, 8):
            path.write_bytes(b"<html>")
        else:
            Image.fromarray(next(good)).save(path)
    return [str(path) for path in paths]


def test_answers_come_in_order_and_broken_files_have_theirs(tiny_model, files):
    done = []
    found = list(
        Predictor(tiny_model).predict(files, batch_size=2, advance=done.append)
    )

    assert [one.path for one in found] == files
    assert [one.probs is None for one in found] == [i in (2, 8) for i in range(9)]
    assert found[2].error.reason == found[8].error.reason == "not_an_image"
    assert found[2].label is found[2].prob_positive is None
    assert sum(done) == 9


def test_the_center_is_what_the_model_itself_says(tiny_model, files, images):
    found = [
        one for one in Predictor(tiny_model).predict(files) if one.probs is not None
    ]

    for one, image in zip(found, images, strict=True):
        expected = tiny_model(image[None], training=False).numpy()[0]
        np.testing.assert_allclose(one.probs, expected, atol=1e-5)


def test_ten_crops_are_the_mean_over_corners_center_and_their_mirrors(
    tiny_model, files, images
):
    predictor = Predictor(tiny_model)
    found = next(iter(predictor.predict(files, ten_crop=True)))
    canvas = np.asarray(predictor.preprocessor.to_canvas(images[0]))  # 20 x 20
    crops = [
        canvas[top : top + 16, left : left + 16]
        for top, left in [(0, 0), (0, 4), (4, 0), (4, 4), (2, 2)]
    ]
    crops += [crop[:, ::-1] for crop in crops]
    logits = predictor.classifier(np.stack(crops), training=False).numpy() / 1.5
    probs = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)

    np.testing.assert_allclose(found.probs, probs.mean(axis=0), atol=1e-5)
    np.testing.assert_allclose(found.center_probs, probs[4], atol=1e-5)


def test_an_answer_below_the_threshold_is_unsure():
    probs = np.array([0.3, 0.7], dtype="float32")
    names = ("negative", "positive")

    sure = Prediction("a", probs, class_names=names, threshold=0.7)
    unsure = Prediction("a", probs, class_names=names, threshold=0.71)

    assert (sure.label, unsure.label) == ("positive", "unsure")
    assert unsure.prob_positive == pytest.approx(0.7)


def test_a_model_that_knows_no_held_out_pictures_cannot_abstain(tiny_model):
    with pytest.raises(ConfigError, match="without inner predictions"):
        Predictor(tiny_model).abstain_at(0.95)


def test_a_file_that_is_no_model_is_refused(tmp_path):
    (tmp_path / "model.keras").write_bytes(b"PK")

    with pytest.raises(WeightsError, match="is no model of this package"):
        Predictor.load(tmp_path / "model.keras")
