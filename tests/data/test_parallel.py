"""No pipeline leaves its pace to tf.data's autotuner."""

from __future__ import annotations

import itertools
import time

import numpy as np
import pytest
import tensorflow as tf

from pixsent_tf.config import ModelConfig, PreprocessConfig
from pixsent_tf.data.augment import Augmentation
from pixsent_tf.data.canvases import Canvases, Examples, training_batches
from pixsent_tf.data.parallel import untuned
from pixsent_tf.data.preprocess import Preprocessor
from pixsent_tf.inference.frozen import Frozen, FrozenSweep
from pixsent_tf.models import zoo

PREPROCESSOR = Preprocessor(PreprocessConfig(canvas_size=16, crop_size=12))


@pytest.fixture
def made(monkeypatch):
    """Every pipeline over which somebody iterates."""
    seen = []
    iterate = tf.data.Dataset.__iter__

    def watched(dataset):
        seen.append(dataset)
        return iterate(dataset)

    monkeypatch.setattr(tf.data.Dataset, "__iter__", watched)
    return seen


@pytest.fixture
def paths(tmp_path):
    names = [str(tmp_path / f"{number}.jpg") for number in range(5)]
    for number, name in enumerate(names):
        pixels = np.full([20, 20, 3], number, "uint8")
        tf.io.write_file(name, tf.io.encode_jpeg(pixels))
    return names


def test_what_is_untuned_gives_the_same_elements():
    dataset = untuned(tf.data.Dataset.range(7).batch(3))

    assert [batch.tolist() for batch in dataset.as_numpy_iterator()] == [
        [0, 1, 2],
        [3, 4, 5],
        [6],
    ]


def test_training_and_its_pictures_are_untuned(paths, made):
    canvases = Canvases.read(paths, PREPROCESSOR)
    list(canvases.batches(np.arange(5), 2))
    targets = np.full([5, 2], 0.5, "float32")
    examples = Examples(np.arange(5), targets)
    list(
        training_batches(
            canvases, examples, Augmentation(12), batch_size=2, seed=0, epochs=1
        )
    )

    assert len(made) == 2
    assert [dataset.options().autotune.enabled for dataset in made] == [False] * 2


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.parametrize("round_", range(5))
def test_no_batch_of_1519_files_is_late(shared_data, round_, monkeypatch):
    images = sorted((shared_data / "deepsent" / "images").glob("*.jpg"))
    files = [str(path) for path in itertools.islice(itertools.cycle(images), 1519)]
    backbone = zoo.build_backbone(ModelConfig())
    preprocessor = Preprocessor(zoo.preprocess_of(ModelConfig()))
    frozen = Frozen(backbone, preprocessor)
    monkeypatch.setenv("PIXSENT_FEATURES_GB", "0")

    times = [time.perf_counter()]
    for _ in FrozenSweep(frozen, files):
        times.append(time.perf_counter())

    gaps = np.diff(times)[1:]  # the first holds the compilation
    assert len(gaps) == 47
    assert gaps.max() < 3 * np.median(gaps)
