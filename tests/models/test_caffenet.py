"""OpenCV's importer runs the same weights; the paper's table gives the shapes."""

from __future__ import annotations

import cv2
import keras
import numpy as np
import pytest
import tensorflow as tf
from caffe_files import (
    caffe_input,
    caffenet_blobs,
    caffenet_prototxt,
    write_caffemodel,
)

from pixsent_tf.errors import ConfigError
from pixsent_tf.models.caffenet import CONVOLUTIONS, build_caffenet
from pixsent_tf.models.surgery import features, to_fully_convolutional
from pixsent_tf.models.weights import load_weights
from tests.float32 import assert_close_float32, operations_of

# layer -> side at 227 pixels, side at 451, parameters
TABLE = {
    "conv1": (55, 111, 34_944),
    "pool1": (27, 55, 0),
    "norm1": (27, 55, 0),
    "conv2": (27, 55, 307_456),
    "pool2": (13, 27, 0),
    "norm2": (13, 27, 0),
    "conv3": (13, 27, 885_120),
    "conv4": (13, 27, 663_936),
    "conv5": (13, 27, 442_624),
    "pool5": (6, 13, 0),
    "fc6": (None, 8, 37_752_832),
    "fc7": (None, 8, 16_781_312),
    "fc8": (None, 8, 8_194),
}


def opencv_outputs(blobs, model_path, pixels, *, order="caffenet"):
    """Every named layer's activation, [B, h, w, C] or [B, F], by OpenCV."""
    text = caffenet_prototxt(blobs, pixels.shape[1], order=order)
    net = cv2.dnn.readNetFromCaffe(
        np.frombuffer(text.encode(), "u1"), np.fromfile(model_path, "u1")
    )
    net.setInput(caffe_input(pixels), "data")
    asked = [
        f"relu{name[-1]}" if name[:2] in ("co", "fc") and name != "fc8" else name
        for name in TABLE
    ]
    maps = dict(zip(TABLE, net.forward(asked), strict=True))
    return {
        name: m.transpose(0, 2, 3, 1) if m.ndim == 4 else m for name, m in maps.items()
    }


def worst_difference(ours, theirs):
    """Largest difference of any layer, relative to the layer's largest activation."""
    assert ours.keys() == theirs.keys()
    worst = {}
    for name, expected in theirs.items():
        assert ours[name].shape == expected.shape, name
        assert np.abs(expected).max() > 0.1, name
        worst[name] = np.abs(ours[name] - expected).max() / np.abs(expected).max()
    return max(worst.values())


def pixels_of(size, *, seed=0):
    low = np.random.default_rng(seed).integers(0, 256, (size // 8 + 1,) * 2 + (3,))
    image = cv2.resize(low.astype("float32"), (size, size))
    return np.clip(image, 0, 255)[None].astype("float32")


def activations(model, pixels):
    named = features(model, layers=list(TABLE))
    return {name: a.numpy() for name, a in named(pixels, training=False).items()}


@pytest.fixture(scope="module")
def full_blobs():
    return caffenet_blobs()


@pytest.fixture(scope="module")
def full_model(full_blobs, tmp_path_factory):
    path = tmp_path_factory.mktemp("full") / "net.caffemodel"
    write_caffemodel(path, full_blobs)
    model = build_caffenet(num_classes=2)
    load_weights(model, path)
    return model, path


def test_every_named_layer_agrees_with_opencv(full_model, full_blobs):
    model, path = full_model
    pixels = pixels_of(227)

    theirs = opencv_outputs(full_blobs, path, pixels)

    assert worst_difference(activations(model, pixels), theirs) < 1e-4


def test_shapes_and_parameters_are_those_of_the_table(full_model):
    model, _ = full_model
    for name, (side, _, parameters) in TABLE.items():
        layer = model.get_layer(name)
        if side is not None:
            assert layer.output.shape[1:3] == (side, side), name
        assert layer.count_params() == parameters, name
    assert model.count_params() == 56_876_418


def test_thousand_classes_have_the_published_number_of_parameters():
    assert build_caffenet(num_classes=1000).count_params() == 60_965_224


@pytest.mark.slow
def test_full_network_on_a_larger_image_agrees_with_opencv(full_model, full_blobs):
    model, path = full_model
    compare_fully_convolutional(model, full_blobs, path.with_name("conv.caffemodel"))


def test_narrow_network_on_a_larger_image_agrees_with_opencv(tmp_path):
    blobs = caffenet_blobs(width=0.125)
    path = tmp_path / "net.caffemodel"
    write_caffemodel(path, blobs, version=1, legacy=True)
    model = build_caffenet(num_classes=2, width=0.125)
    load_weights(model, path)

    compare_fully_convolutional(model, blobs, tmp_path / "conv.caffemodel")


def compare_fully_convolutional(model, blobs, path):
    """At 451 pixels, against the same weights written as convolutions."""
    conv = dict(blobs)
    for name, side in (("fc6", 6), ("fc7", 1), ("fc8", 1)):
        kernel, bias = blobs[name]
        conv[name] = (kernel.reshape(kernel.shape[0], -1, side, side), bias)
    write_caffemodel(path, conv)
    pixels = pixels_of(451)

    ours = activations(to_fully_convolutional(model), pixels)

    assert worst_difference(ours, opencv_outputs(conv, path, pixels)) < 1e-4
    sides = {name: ours[name].shape[1] for name in TABLE}
    assert sides == {name: side for name, (_, side, _) in TABLE.items()}


@pytest.mark.parametrize("size", [227, 103])  # at 103 windows hang over the edge
def test_alexnet_normalizes_before_it_pools_as_opencv_does(tmp_path, size):
    model = build_caffenet(size, num_classes=3, order="alexnet", width=0.125)
    cells = model.get_layer("pool5").output.shape[1]
    blobs = caffenet_blobs(3, width=0.125, cells=cells)
    path = tmp_path / "net.caffemodel"
    write_caffemodel(path, blobs, version=1)
    load_weights(model, path)
    pixels = pixels_of(size)

    theirs = opencv_outputs(blobs, path, pixels, order="alexnet")

    assert worst_difference(activations(model, pixels), theirs) < 1e-4


def test_weights_are_drawn_as_in_the_table():
    model = build_caffenet(width=0.5)
    stddev = {name: 0.005 if name.startswith("fc") else 0.01 for name in TABLE}
    ones = {"conv2", "conv4", "conv5", "fc6", "fc7"}
    for name in ("conv1", "conv2", "conv3", "conv4", "conv5", "fc6", "fc7"):
        kernel, bias = model.get_layer(name).get_weights()
        assert kernel.std() == pytest.approx(stddev[name], rel=0.05), name
        assert np.abs(kernel).max() > 3 * stddev[name], name  # not truncated
        assert set(bias) == {1.0 if name in ones else 0.0}, name


def test_same_seed_draws_the_same_weights():
    one, two, other = (
        build_caffenet(67, 2, width=0.125, seed=seed) for seed in (1, 1, 2)
    )
    weights = [m.get_layer("conv1").get_weights()[0] for m in (one, two, other)]
    np.testing.assert_array_equal(weights[0], weights[1])
    assert not np.array_equal(weights[0], weights[2])


def test_backbone_ends_in_rectified_fc7():
    model = build_caffenet(67, width=0.125)
    output = model(np.full((2, 67, 67, 3), 200, "uint8"), training=False).numpy()
    assert model.input.name == "crops"
    assert output.shape == (2, 512)
    assert output.min() >= 0


def test_unknown_order_and_too_small_crops_are_refused():
    with pytest.raises(ConfigError, match="order 'resnet'"):
        build_caffenet(order="resnet")
    with pytest.raises(ConfigError, match="66 pixels"):
        build_caffenet(66)


def test_convolutions_are_five():
    assert [spec.filters for spec in CONVOLUTIONS] == [96, 256, 384, 384, 256]


@pytest.fixture(scope="module")
def narrow_export(tmp_path_factory):
    model = build_caffenet(num_classes=2, width=0.125)
    folder = tmp_path_factory.mktemp("export") / "model"
    model.export(folder, verbose=False)
    return model, folder


def test_exported_graph_holds_no_xla_function_and_no_custom_operation(narrow_export):
    _, folder = narrow_export
    from tensorflow.core.protobuf import saved_model_pb2

    saved = saved_model_pb2.SavedModel.FromString(
        (folder / "saved_model.pb").read_bytes()
    )
    graph = saved.meta_graphs[0].graph_def
    nodes = [*graph.node, *(n for f in graph.library.function for n in f.node_def)]
    compiled = [
        owner.name if hasattr(owner, "name") else owner.signature.name
        for owner in [*nodes, *graph.library.function]
        if owner.attr["_XlaMustCompile"].b
    ]
    assert compiled == []
    assert {"Conv2D", "MaxPool"} <= {node.op for node in nodes}
    known = set(tf.raw_ops.__dict__) | {"Const", "PartitionedCall", "NoOp"}
    known |= {"Placeholder", "StatefulPartitionedCall"}
    assert {node.op for node in nodes} <= known


def test_network_converts_to_tflite_with_built_in_operations_only(narrow_export):
    from ai_edge_litert.interpreter import Interpreter

    model, folder = narrow_export
    converter = tf.lite.TFLiteConverter.from_saved_model(str(folder))
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    interpreter = Interpreter(model_content=converter.convert())
    runner = interpreter.get_signature_runner("serving_default")
    pixels = pixels_of(227)

    (logits,) = runner(crops=pixels).values()

    assert_close_float32(
        logits, model(pixels, training=False), operations=operations_of(model)
    )


def test_network_survives_its_file(tmp_path):
    model = build_caffenet(67, 2, width=0.125)
    model.save(tmp_path / "model.keras")
    pixels = pixels_of(67)

    loaded = keras.models.load_model(tmp_path / "model.keras", safe_mode=True)

    np.testing.assert_array_equal(
        loaded(pixels, training=False), model(pixels, training=False)
    )


def test_as_many_units_are_dropped_as_the_share_says():
    model = build_caffenet(67, 2, width=0.125, dropout=0.3)

    assert [model.get_layer(name).rate for name in ("drop6", "drop7")] == [0.3, 0.3]
    seen = {layer.name for layer in model.layers}
    assert {"drop6", "drop7"} <= seen
    vectors = features(model, ["fc6"])(np.full((1, 67, 67, 3), 90, "uint8"))["fc6"]
    dropped = model.get_layer("drop6")(vectors, training=True).numpy()
    assert (dropped == 0).mean() == pytest.approx(0.3, abs=0.08)


def test_half_of_the_units_of_both_dense_layers_are_dropped_unless_another_share_is():
    plain = build_caffenet(67, num_classes=2, width=0.0625)
    other = build_caffenet(67, num_classes=2, width=0.0625, dropout=0.25)

    assert [plain.get_layer(f"drop{k}").rate for k in (6, 7)] == [0.5, 0.5]
    assert [other.get_layer(f"drop{k}").rate for k in (6, 7)] == [0.25, 0.25]


def test_another_seed_draws_every_layer_anew_and_drops_other_units():
    networks = [
        build_caffenet(67, num_classes=3, width=0.0625, seed=seed) for seed in (0, 7)
    ]
    for name in (*(f"conv{k}" for k in range(1, 6)), "fc6", "fc7", "fc8"):
        first, other = (one.get_layer(name).get_weights()[0] for one in networks)
        assert (first != other).mean() > 0.99, name
    for name in ("drop6", "drop7"):
        first, other = (
            one.get_layer(name)(np.ones((1, 200), "float32"), training=True).numpy()
            for one in networks
        )
        assert (first != other).mean() > 0.3, name
