from __future__ import annotations

import numpy as np
import pytest

from pixsent_tf.serving import tflite
from pixsent_tf.serving.lite import LiteModel
from tests.float32 import assert_close_float32
from tests.serving.conftest import OPERATIONS


@pytest.fixture(scope="module")
def path(tiny_model, tmp_path_factory):
    path = tmp_path_factory.mktemp("lite") / "tiny.tflite"
    return tflite.write_tflite(tflite.convert(tiny_model), tiny_model, path)


@pytest.mark.parametrize("num_threads", [1, 2])
def test_latency_is_a_time(path, num_threads):
    crop = np.zeros((16, 16, 3), "uint8")

    assert 0 < LiteModel(path, num_threads).latency_ms(crop, repeats=3) < 1000


def test_answers_do_not_depend_on_threads(path):
    crops = np.random.default_rng(0).integers(0, 256, (3, 16, 16, 3)).astype("uint8")

    one, two = LiteModel(path, 1).predict(crops), LiteModel(path, 2).predict(crops)

    assert_close_float32(one, two, operations=OPERATIONS)
