"""Is what a test draws its own, whatever ran before it?"""

from __future__ import annotations

import zlib

import keras
import numpy as np
import pytest


def drawn():
    return np.random.random(), float(keras.random.uniform([]))


@pytest.fixture(scope="module")
def drawn_by_a_fixture():
    return drawn()


def test_a_test_draws_by_its_name(request):
    found = drawn()

    keras.utils.set_random_seed(zlib.crc32(request.node.nodeid.encode()))
    assert found == drawn()


def test_a_fixture_draws_by_its_name_and_not_by_its_test(drawn_by_a_fixture):
    name = "tests/test_seeds.py::drawn_by_a_fixture"

    keras.utils.set_random_seed(zlib.crc32(name.encode()))
    assert drawn_by_a_fixture == drawn()
