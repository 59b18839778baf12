"""Every way to a picture gives the same pixels: one answer in every verb, and served.

The pictures are those of the torture folder; what is expected of each are the pixels
that Pillow gives for its whole file, brought to the canvas.
"""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from torture import write_torture

from pixsent_tf.config import PreprocessConfig
from pixsent_tf.data.copies import duplicates
from pixsent_tf.data.decode.canvas import read_crop
from pixsent_tf.data.decode.files import read_image
from pixsent_tf.data.decode.one_by_one import PictureStream
from pixsent_tf.data.pipeline import CanvasReader, CanvasStream
from pixsent_tf.demo.answers import Answerer
from pixsent_tf.inference.model import SentimentModel
from pixsent_tf.progress import NO_PROGRESS
from pixsent_tf.serving.saved_model import export_saved_model
from pixsent_tf.serving.scorer import Scorer
from pixsent_tf.serving.signature import read_batch

LEVELS = 2  # of 255
# The tiny network's probability moves by no more where its pixels move by two levels.
PROB = 0.02
# Ended in the graph, which then decodes them.
COMPLETED = ("unended.jpg", "unended.turned.jpg")


@pytest.fixture(scope="module")
def tiny_model() -> SentimentModel:
    """One that tells colors apart, on canvases for which no JPEG is decoded reduced."""
    crops = keras.Input((48, 48, 3), name="crops")
    pooled = keras.layers.AveragePooling2D(12)(keras.layers.Rescaling(1 / 255)(crops))
    initializer = keras.initializers.RandomNormal(stddev=0.5, seed=0)
    logits = keras.layers.Dense(2, kernel_initializer=initializer)
    classifier = keras.Model(crops, logits(keras.layers.Flatten()(pooled)))
    names = ("negative", "positive")
    return SentimentModel.build(classifier, PreprocessConfig(60, 48), names, 1.0)


@pytest.fixture(scope="module")
def tiny_export(tiny_model, tmp_path_factory):
    """The same as a SavedModel."""
    return export_saved_model(tiny_model, tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="module")
def torture(tmp_path_factory):
    """The torture folder: all files, by name."""
    folder = tmp_path_factory.mktemp("torture")
    files = {str(folder / file.name): file for file in write_torture(folder)}
    return {path: file for path, file in files.items() if file.name != "folder.jpg"}


@pytest.fixture(scope="module")
def good(torture):
    """The files that are pictures."""
    return [path for path, file in torture.items() if file.status == "ok"]


@pytest.fixture(scope="module")
def expected(good, tiny_model):
    """The canvas of each picture, int [60, 60, 3]."""
    return [canvas_of(read_image(path), tiny_model) for path in good]


def canvas_of(pixels, model):
    """Bring whole pixels to the model's canvas."""
    return np.asarray(model.preprocessor.to_canvas(tf.constant(pixels))).astype(int)


def by_stream(paths, model):
    """`predict`, `evaluate`, `fit` and whatever else passes pictures on."""
    return np.concatenate([c for _, c in CanvasStream(paths, model.preprocessor)])


def by_maps(paths, model):
    """`maps`."""
    stream = PictureStream(paths, NO_PROGRESS, "mapping")
    return [canvas_of(pixels, model) for _, pixels in stream]


def by_audit(paths, model):
    """`audit` and the search for copies in every verb."""
    read = duplicates.read_image
    return [
        canvas_of(read(path, target_side=2 * duplicates.SIDE), model) for path in paths
    ]


def by_demo(paths, model):
    """`demo`."""
    reader = CanvasReader(model.preprocessor)
    return [reader.read(path) for path in paths]


@pytest.mark.parametrize("way", [by_stream, by_maps, by_audit, by_demo])
def test_the_same_pixels_every_way(way, good, expected, tiny_model):
    found = way(good, tiny_model)

    off = {
        path: int(np.abs(np.asarray(canvas, int) - wanted).max())
        for path, canvas, wanted in zip(good, found, expected, strict=True)
    }
    assert {path: levels for path, levels in off.items() if levels > LEVELS} == {}


def test_the_same_pixels_without_tensorflow(good, expected, tiny_model):
    crops = [read_crop(path, tiny_model.preprocessor.config) for path in good]
    centers = [canvas[6:54, 6:54] for canvas in expected]

    off = [np.abs(a.astype(int) - b).max() for a, b in zip(crops, centers, strict=True)]
    assert max(off) <= LEVELS, dict(zip(good, off, strict=True))


@pytest.mark.journey
def test_the_same_pixels_served(torture, good, expected, tiny_model):
    contents = [Path(path).read_bytes() for path in good]
    canvases, valid = read_batch(tf.constant(contents), tiny_model)

    wanted = [torture[p].is_decodable or torture[p].name in COMPLETED for p in good]
    assert dict(zip(good, valid.numpy(), strict=True)) == dict(
        zip(good, wanted, strict=True)
    )
    off = np.abs(canvases.numpy().astype(int) - np.stack(expected)).max(axis=(1, 2, 3))
    assert off[valid.numpy()].max() <= LEVELS


@pytest.mark.journey
def test_what_is_no_picture_is_not_served(torture, tiny_model):
    bad = [path for path, file in torture.items() if file.status not in ("ok", "empty")]
    contents = [Path(path).read_bytes() for path in bad if "gone" not in path]
    _, valid = read_batch(tf.constant(contents), tiny_model)

    assert not valid.numpy().any()


def test_predict_score_and_demo_answer_alike(good, expected, tiny_model, tiny_export):
    probs = tiny_model.probs(np.stack(expected).astype("uint8"))

    predicted = np.stack([one.probs for one in tiny_model.predict(good)])
    scorer = Scorer(str(tiny_export), len(good))
    scored = np.array([row.numbers for row in scorer.score(good)])
    answerer = Answerer(tiny_model, "tiny")
    shown = [answerer.predict("x", Path(path).read_bytes())["probs"] for path in good]

    assert np.abs(predicted - probs).max() < PROB
    assert np.abs(scored - probs).max() < PROB
    assert np.abs(np.array([[*one.values()] for one in shown]) - probs).max() < PROB
