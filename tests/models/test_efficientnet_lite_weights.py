"""Tensors that fit nowhere, and packages that are not there or not themselves."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from pixsent_tf.errors import WeightsError
from pixsent_tf.models.efficientnet_lite import (
    LITE_VARIANTS,
    build_efficientnet_lite,
)
from pixsent_tf.models.efficientnet_lite_weights import load_tensors
from pixsent_tf.models.packages import PACKAGES

LITE0 = LITE_VARIANTS["efficientnet_lite0"]


@pytest.fixture(scope="module")
def untouched() -> dict[str, np.ndarray]:
    return PACKAGES["efficientnet_lite0"].read()


@pytest.fixture
def tensors(untouched) -> dict[str, np.ndarray]:
    return dict(untouched)


@pytest.fixture(scope="module")
def model() -> keras.Model:
    return build_efficientnet_lite(weights=None)


def test_kernels_are_turned_from_pytorch_to_keras(model, tensors):
    load_tensors(model, tensors)

    def kernel(layer: str) -> np.ndarray:
        return np.asarray(model.get_layer(layer).kernel)

    # PyTorch: [out, in, height, width]; a depthwise kernel has one channel in.
    stem, depthwise = "_conv_stem.weight", "_blocks.3._depthwise_conv.weight"
    assert kernel("stem_conv")[2, 1, 0, 31] == tensors[stem][31, 0, 2, 1]
    assert (
        kernel("block3a_depthwise_conv")[4, 1, 143, 0]
        == (tensors[depthwise][143, 0, 4, 1])
    )


def test_batch_norms_of_a_block_are_not_mixed_up(model, tensors):
    load_tensors(model, tensors)

    for number, layer in enumerate(["expand_bn", "depthwise_bn", "project_bn"]):
        batch_norm = model.get_layer(f"block7a_{layer}")
        source = f"_blocks.15._bn{number}"
        for variable, name in [
            (batch_norm.gamma, "weight"),
            (batch_norm.beta, "bias"),
            (batch_norm.moving_mean, "running_mean"),
            (batch_norm.moving_variance, "running_var"),
        ]:
            np.testing.assert_array_equal(variable, tensors[f"{source}.{name}"])


@pytest.mark.parametrize(
    ("name", "named"),
    [
        ("_se.weight", "_se/weight"),
        ("_blocks.16._bn1.bias", "_blocks.16._bn1/bias"),
        ("_bn0.momentum", "stem_bn/momentum"),
        ("stem_conv.kernel", "stem_conv/kernel"),
    ],
)
def test_tensor_without_a_place_is_named(model, tensors, name, named):
    tensors[name] = np.zeros(3, "float32")

    with pytest.raises(
        WeightsError, match=rf"network: {named} expects nothing, got \(3,\)\. Name"
    ):
        load_tensors(model, tensors)


def test_variable_without_a_tensor_is_named(model, tensors):
    del tensors["_blocks.2._bn1.running_var"]

    with pytest.raises(
        WeightsError,
        match=r"network: block2b_depthwise_bn/moving_variance expects \(144,\), got n",
    ):
        load_tensors(model, tensors)


def test_long_lists_of_names_are_cut(model, tensors):
    # the first block holds 2 kernels and 2 batch norms of 4 variables: 10 names
    left = {k: v for k, v in tensors.items() if not k.startswith("_blocks.0.")}
    with pytest.raises(WeightsError, match=r"got nothing; and 5 more\. Name"):
        load_tensors(model, left)


def test_tensor_of_another_shape_changes_nothing(model, tensors):
    before = np.asarray(model.get_layer("stem_conv").kernel)
    tensors["_conv_stem.weight"] = -tensors["_conv_stem.weight"]
    tensors["_bn1.bias"] = np.zeros(10, "float32")

    with pytest.raises(
        WeightsError, match=r"head_bn/beta expects \(1280,\), got \(10,\)"
    ):
        load_tensors(model, tensors)
    np.testing.assert_array_equal(model.get_layer("stem_conv").kernel, before)
