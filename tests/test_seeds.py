"""Is what a test draws its own, whatever ran before it?"""

from __future__ import annotations

import random
import zlib

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.conftest import _seed


def drawn():
    layer = keras.layers.Dense(1)
    layer.build((1, 1))
    return np.random.random(), random.random(), float(layer.kernel[0, 0])


def seed(name):
    random.seed(zlib.crc32(name.encode()))
    np.random.seed(zlib.crc32(name.encode()))


@pytest.fixture(scope="module")
def drawn_by_a_fixture():
    return drawn()


def test_a_test_draws_by_its_name(request):
    found = drawn()

    seed(request.node.nodeid)
    assert found == drawn()


def test_a_fixture_draws_by_its_name_and_not_by_its_test(drawn_by_a_fixture):
    seed("tests/test_seeds.py::drawn_by_a_fixture")

    assert drawn_by_a_fixture == drawn()


def test_seeding_leaves_what_tensorflow_has_compiled(monkeypatch):
    def set_seed(seed):
        raise AssertionError("all compiled functions are thrown away")

    monkeypatch.setattr(tf.random, "set_seed", set_seed)

    _seed("a name")
