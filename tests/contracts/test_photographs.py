"""The same photographs by every way out give the same numbers."""

from __future__ import annotations

import base64
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pixsent_tf.inference.model import SentimentModel
from pixsent_tf.runs import Run
from pixsent_tf.serving import scorecard, tflite
from pixsent_tf.serving.saved_model import export_saved_model
from pixsent_tf.serving.scored_export import export_file
from pixsent_tf.serving.serve_check import run_c_api
from pixsent_tf.studies import api
from tests.float32 import assert_close_float32, operations_of

pytestmark = [pytest.mark.slow, pytest.mark.data]

NUM_PHOTOGRAPHS = 200
FRESH = """
import sys, numpy as np, tensorflow as tf
sys.modules["pixsent_tf"] = None
_, folder, out, *paths = sys.argv
serve = tf.saved_model.load(folder).signatures["serving_default"]
rows = []
for start in range(0, len(paths), 25):
    contents = [open(path, "rb").read() for path in paths[start : start + 25]]
    rows.append(serve(image_bytes=tf.constant(contents))["probs"].numpy())
np.save(out, np.concatenate(rows))
"""


@pytest.fixture(scope="module")
def run(shared_data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "five"
    api.fit(
        shared_data / "deepsent", out=folder, settings={"data.level": "five_agrees"}
    )
    return Run.open(folder)


@pytest.fixture(scope="module")
def paths(shared_data):
    found = sorted((shared_data / "deepsent").rglob("*.jpg"))[:NUM_PHOTOGRAPHS]
    return [str(path) for path in found]


@pytest.fixture(scope="module")
def model(run):
    return SentimentModel.load(run.path)


@pytest.fixture(scope="module")
def by_keras(model, paths):
    return np.stack([prediction.probs for prediction in model.predict(paths)])


@pytest.fixture(scope="module")
def exported(run, tmp_path_factory):
    return export_saved_model(
        SentimentModel.load(run.path), tmp_path_factory.mktemp("models")
    )


def test_the_saved_model_in_a_fresh_process(exported, model, paths, by_keras, tmp_path):
    out = tmp_path / "probs.npy"
    command = [sys.executable, "-W", "ignore", "-c", FRESH, str(exported), str(out)]
    subprocess.run([*command, *paths], check=True, stderr=subprocess.DEVNULL)

    operations = operations_of(model.model)
    assert_close_float32(np.load(out), by_keras, operations=operations)


def test_the_saved_model_through_the_c_api(exported, model, paths, by_keras):
    rows = []
    for start in range(0, len(paths), 50):
        contents = [Path(path).read_bytes() for path in paths[start : start + 50]]
        request = [base64.b64encode(content).decode() for content in contents]
        rows += run_c_api(exported, "serving_default", request)["probs"]

    operations = operations_of(model.model)
    assert_close_float32(rows, by_keras, operations=operations)


def test_tflite_in_floats_and_in_integers(run, model, paths, by_keras, tmp_path):
    from pixsent_tf.data.pipeline import CanvasStream

    made = export_file(run, tmp_path / "int8.tflite", quantize="int8", max_drop=0.01)
    plain = export_file(run, tmp_path / "float.tflite")

    preprocessor = model.preprocessor
    stream = CanvasStream(paths, preprocessor)
    crops = np.concatenate([preprocessor.center_crop(batch) for _, batch in stream])
    probs = scorecard.probs_of(tflite.open_runtime(plain.path, 2), crops)
    operations = operations_of(model.model)
    assert_close_float32(probs, by_keras, operations=operations)
    _, floats, integers = made.scores
    assert floats.latency_ms[2] / integers.latency_ms[2] >= 1.6
