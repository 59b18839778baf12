"""A batch that is divided between devices trains as it does on one."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from pixsent_tf.errors import ConfigError
from pixsent_tf.training.distribution import evened, find_strategy, scope_of

# A process of its own: devices are divided before TensorFlow starts.
SCRIPT = """
import json, os, sys
import numpy as np
import tensorflow as tf

two = [tf.config.LogicalDeviceConfiguration()] * 2
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, two)

from pixsent_tf.config import ModelConfig, PreprocessConfig, Recipe, TrainingConfig
from pixsent_tf.models import zoo
from pixsent_tf.training.finetune import FineTuneLearner
from tests.heard import Heard
from tests.tiny_network import build_tiny

zoo.BACKBONES["tiny"] = zoo.BackboneEntry(build_tiny, PreprocessConfig(16, 12))
pictures, folder = json.load(sys.stdin), sys.argv[1]
targets = np.eye(2, dtype="float32")[np.arange(len(pictures)) % 2]
targets *= np.linspace(0.5, 1.5, len(pictures))[:, None]

class Killed(Exception):
    pass

def die(line):
    if line.startswith("epoch 2/"):
        raise Killed

def train(
    strategy, distribute, on_device=False, checkpoints=None, on_line=None, count=20
):
    os.environ["PIXSENT_DISTRIBUTE"] = distribute
    settings = {"strategy": strategy, "epochs": 3, "batch_size": 8}
    settings |= {"learning_rate": 0.01, "calibration_folds": 0}
    recipe = Recipe(
        model=ModelConfig(backbone="tiny", weights=None),
        training=TrainingConfig(**settings, min_area_fraction=0.5),
    )
    learner = FineTuneLearner(
        recipe, 2, on_device=on_device, progress=Heard(on_line or (lambda line: None))
    )
    learner.read(pictures)
    fitted = learner.fit(np.arange(count), targets, checkpoints=checkpoints)
    rows = [row["loss"] for row in fitted.history]
    return {"losses": rows, "probs": fitted.probs(np.arange(20, 24)).tolist()}

found = {}
for strategy in ("all", "last-blocks"):
    for distribute in ("none", "mirrored"):
        found[f"{strategy} {distribute}"] = train(strategy, distribute)
for distribute in ("none", "mirrored"):
    # the last batch of an epoch holds three
    found[f"odd {distribute}"] = train("all", distribute, count=19)
found["all on_device"] = train("all", "mirrored", on_device=True)
try:
    train("all", "mirrored", checkpoints=folder, on_line=die)
except Killed:
    found["all resumed"] = train("all", "mirrored", checkpoints=folder)
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def found(pictures, tmp_path_factory):
    folder = tmp_path_factory.mktemp("checkpoints")
    script = SCRIPT.replace("sys.argv[1]", "Path(sys.argv[1])")
    done = subprocess.run(
        [sys.executable, "-c", "from pathlib import Path" + script, str(folder)],
        input=json.dumps(pictures),
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.journey
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("all mirrored", "all none"),
        ("last-blocks mirrored", "last-blocks none"),
        ("all on_device", "all none"),
        ("all resumed", "all none"),
    ],
)
def test_two_devices_train_as_one(found, name, expected):
    one, two = found[expected], found[name]

    np.testing.assert_allclose(two["losses"], one["losses"], atol=1e-4)
    np.testing.assert_allclose(two["probs"], one["probs"], atol=1e-3)
    assert one["losses"][-1] < one["losses"][0]


@pytest.mark.journey
def test_a_last_batch_that_cannot_be_divided_trains_the_same_network(found):
    one, two = found["odd none"], found["odd mirrored"]

    np.testing.assert_allclose(two["probs"], one["probs"], atol=1e-3)
    # in the mean over the epoch it counts as four pictures instead of three
    np.testing.assert_allclose(two["losses"], one["losses"], atol=2e-2)


def test_a_batch_that_cannot_be_divided_gets_a_picture_that_weighs_nothing():
    seen = tf.constant([[1.0], [2.0], [3.0]])
    batch = tf.data.Dataset.from_tensors((seen, seen * 10, tf.constant([1.0, 2, 3])))

    ((more, targets, weights),) = evened(batch, 2)

    assert more.numpy().ravel().tolist() == [1, 2, 3, 1]
    assert targets.numpy().ravel().tolist() == [10, 20, 30, 10]
    # the mean over four of the weighted losses is the mean over three of them
    np.testing.assert_allclose(weights, np.array([1, 2, 3, 0]) * 4 / 3)


def test_one_device_is_nothing_to_divide_between(monkeypatch):
    monkeypatch.setenv("PIXSENT_DISTRIBUTE", "mirrored")

    with pytest.raises(ConfigError, match="device:CPU:0 only; leave it out"):
        find_strategy()


def test_one_device_trains_unless_asked():
    assert find_strategy() is None
    with scope_of(None):
        assert tf.distribute.get_strategy().num_replicas_in_sync == 1
