"""The files are written by the tests' own writer, or were written by Caffe."""

from __future__ import annotations

import tracemalloc

import cv2
import keras
import numpy as np
import pytest
from caffe_files import (
    V1_CONVOLUTION,
    V1_INNER_PRODUCT,
    blob,
    bytes_field,
    caffe_input,
    layer_v1,
    layer_v2,
)
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pixsent_tf.errors import WeightsError
from pixsent_tf.models.caffemodel import describe, read_caffemodel
from pixsent_tf.models.weights import load_weights

KERNEL = np.random.default_rng(0).standard_normal((3, 2, 5, 4)).astype("float32")
BIAS = np.array([1, -2, 3.5], "float32")


def read(tmp_path, message: bytes):
    path = tmp_path / "net.caffemodel"
    path.write_bytes(message)
    return read_caffemodel(path)


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("double", [True, False])
@pytest.mark.parametrize("version", [1, 2])
def test_weights_come_back_however_they_are_written(tmp_path, version, packed, double):
    how = {"packed": packed, "double": double}
    blobs = blob(KERNEL, **how), blob(BIAS, **how)
    if version == 1:
        message = layer_v1("conv1", V1_CONVOLUTION, *blobs)
    else:
        message = layer_v2("conv1", "Convolution", *blobs)

    (layer,) = read(tmp_path, message)

    assert (layer.name, layer.type) == ("conv1", "Convolution")
    assert layer.parameters == 123
    np.testing.assert_array_equal(layer.blobs[0], KERNEL)
    np.testing.assert_array_equal(layer.blobs[1], BIAS)


def test_legacy_sides_win_over_a_shape(tmp_path):
    both = blob(np.ones((2, 6), "float32"), legacy=True)
    both += bytes_field(7, bytes_field(1, bytes([3, 4])))
    (layer,) = read(tmp_path, layer_v1("fc", V1_INNER_PRODUCT, both))
    assert layer.blobs[0].shape == (1, 1, 2, 6)


def test_numbers_in_several_pieces_are_joined(tmp_path):
    shape = bytes_field(7, bytes_field(1, bytes([5])))
    raw = np.arange(5, dtype="<f4").tobytes()
    unpacked = b"".join(b"\x2d" + raw[i : i + 4] for i in (8, 12, 16))
    pieces = bytes_field(5, raw[:4]) + shape + bytes_field(5, raw[4:8]) + unpacked
    (layer,) = read(tmp_path, layer_v2("a", "Scale", pieces))
    assert layer.blobs[0].tolist() == [0, 1, 2, 3, 4]


def test_layers_without_weights_and_unknown_fields_pass(tmp_path):
    message = bytes_field(1, b"net") + layer_v2("relu1", "ReLU") + b"\x48\x07"
    message += layer_v1("odd", 99)
    layers = read(tmp_path, message)
    assert [(la.name, la.type, la.blobs) for la in layers] == [
        ("relu1", "ReLU", ()),
        ("odd", "V1:99", ()),
    ]


def test_description_lists_names_types_and_shapes(tmp_path):
    path = tmp_path / "net.caffemodel"
    path.write_bytes(layer_v2("conv1", "Convolution", blob(KERNEL), blob(BIAS)))
    assert describe(path) == [("conv1", "Convolution", ((3, 2, 5, 4), (3,)))]


@pytest.mark.parametrize(
    ("message", "complaint"),
    [
        (b"", "Cannot read"),
        (bytes_field(1, b"net"), "holds no layers"),
        (layer_v2("a", "B", blob(BIAS))[:-1], "too early"),
        (layer_v2("", "B"), "a layer has no name"),
        (bytes_field(100, bytes_field(1, b"\xff")), "not a whole"),
        (layer_v2("a", "B", blob(BIAS) + b"\x08\x02"), r"shape \(2, 0, 0, 0\) holds 3"),
        (layer_v2("a", "B", bytes_field(5, b"12345")), "5 bytes do not hold whole"),
        (layer_v2("a", "B", bytes_field(7, bytes_field(1, b"\1" * 33))), "33 axes"),
        (layer_v2("a", "B", b"\x28\x01"), "wire type 0"),
        (b"\x89HDF\r\n\x1a\n", "not a whole"),
    ],
)
def test_damaged_file_is_refused(tmp_path, message, complaint):
    with pytest.raises(WeightsError, match=complaint):
        read(tmp_path, message)


def test_missing_file_is_refused(tmp_path):
    with pytest.raises(WeightsError, match=r"Cannot read .*none\.caffemodel"):
        read_caffemodel(tmp_path / "none.caffemodel")


def test_every_truncation_is_refused_or_ends_between_layers(tmp_path):
    first = layer_v2("conv1", "Convolution", blob(BIAS))
    message = first + layer_v1("fc", V1_INNER_PRODUCT, blob(BIAS, packed=False))
    for length in range(1, len(message)):
        if length == len(first):
            continue
        with pytest.raises(WeightsError):
            read(tmp_path, message[:length])


LEGACY, DOUBLE = blob(BIAS, legacy=True), blob(BIAS, double=True)
SMALL = (
    layer_v2("conv1", "Convolution", blob(KERNEL), blob(BIAS, packed=False))
    + layer_v1("fc6", V1_INNER_PRODUCT, LEGACY, DOUBLE)
    + layer_v2("relu1", "ReLU")
)
EDIT = st.tuples(st.integers(0, len(SMALL)), st.integers(0, 40), st.binary(max_size=12))
OVERHEAD = 300_000  # bytes that Python, NumPy and protobuf need for any file


def memory_of(path):
    """Most memory that reading takes, whether it ends well or not, in bytes."""
    tracemalloc.start()
    try:
        read_caffemodel(path)
    except WeightsError:
        pass
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return peak


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz") / "net.caffemodel"


@settings(max_examples=300, deadline=2000, derandomize=True)
@given(edits=st.lists(EDIT, min_size=1, max_size=4), repeat=st.integers(1, 3))
@example(edits=[(0, 40, b"\xa2\x06\xff\xff\xff\xff\x0f")], repeat=1)
def test_mutated_file_is_read_or_refused_in_little_memory(fuzzed, edits, repeat):
    message = bytearray(SMALL)
    for at, length, replacement in edits:
        message[at : at + length] = replacement
    fuzzed.write_bytes(bytes(message) * repeat)
    assert memory_of(fuzzed) < 4 * len(message) * repeat + OVERHEAD


@settings(max_examples=100, deadline=2000, derandomize=True)
@given(message=st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(fuzzed, message):
    fuzzed.write_bytes(message)
    assert memory_of(fuzzed) < OVERHEAD


NESTED_EMPTY = {
    "layers": b"\xa2\x06\x03\x0a\x01a",
    "nameless layers": b"\xa2\x06\x00",
    "blobs": b"\x3a\x00",
    "numbers": b"\x2d\0\0\0\0",
    "numbers between sides": b"\x2d\0\0\0\0\x08\x01",
    "sides": b"\x08\x01",
}


@pytest.mark.parametrize("kind", NESTED_EMPTY)
def test_file_of_tiny_fields_takes_no_more_than_four_times_its_size(tmp_path, kind):
    body = NESTED_EMPTY[kind] * (4_000_000 // len(NESTED_EMPTY[kind]))
    if kind == "blobs":
        body = bytes_field(100, bytes_field(1, b"a") + body)
    elif "layers" not in kind:
        body = bytes_field(100, bytes_field(1, b"a") + bytes_field(7, body))
    path = tmp_path / "net.caffemodel"
    path.write_bytes(body)
    assert memory_of(path) < 4 * len(body)


def test_large_file_takes_less_than_three_times_its_size(tmp_path):
    path = tmp_path / "net.caffemodel"
    weights = np.zeros((1000, 4000), "float32")
    path.write_bytes(layer_v2("fc6", "InnerProduct", blob(weights)) * 2)
    assert memory_of(path) < 3 * path.stat().st_size


PARAMETERS = {"det1": 6_632, "det2": 101_468, "det3": 389_040}
INPUT_SIZES = {"det1": 12, "det2": 24, "det3": 48}


@pytest.mark.data
@pytest.mark.parametrize("name", PARAMETERS)
def test_file_written_by_caffe_is_read_completely(shared_data, name):
    path = shared_data / "caffe" / f"{name}.caffemodel"
    net = cv2.dnn.readNetFromCaffe(str(path.with_suffix(".prototxt")), str(path))
    layers = {la.name: la for la in read_caffemodel(path) if la.blobs}

    assert sum(layer.parameters for layer in layers.values()) == PARAMETERS[name]
    known = layers.keys() & set(net.getLayerNames())  # the prototxt leaves some out
    assert len(known) >= 7
    for layer_name in known:
        layer = layers[layer_name]
        theirs = [net.getParam(layer_name, index) for index in range(len(layer.blobs))]
        for ours, expected in zip(layer.blobs, theirs, strict=True):
            np.testing.assert_array_equal(ours.ravel(), expected.ravel())


@pytest.mark.data
@pytest.mark.parametrize("name", INPUT_SIZES)
def test_first_convolution_of_a_genuine_file_agrees_with_opencv(shared_data, name):
    path = shared_data / "caffe" / f"{name}.caffemodel"
    layers = [layer for layer in read_caffemodel(path) if layer.blobs]
    size = INPUT_SIZES[name]
    images = keras.Input((size, size, 3))
    conv = keras.layers.Conv2D(len(layers[0].blobs[1]), 3, name="conv1")
    model = keras.Model(images, conv(images))
    load_weights(model, path, skip=[layer.name for layer in layers[1:]])
    pixels = np.random.default_rng(0).uniform(0, 255, (1, size, size, 3))
    fed = caffe_input(pixels.astype("float32"))

    net = cv2.dnn.readNetFromCaffe(str(path.with_suffix(".prototxt")), str(path))
    net.setInput(fed, "data")
    theirs = net.forward("conv1").transpose(0, 2, 3, 1)

    ours = model(fed.transpose(0, 2, 3, 1)).numpy()
    assert np.abs(ours - theirs).max() < 1e-4 * np.abs(theirs).max()
