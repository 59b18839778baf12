"""Weights are written by the tests' own writer; outputs are computed in NumPy."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from caffe_files import write_caffemodel, write_npz

from pixsent_tf.errors import WeightsError
from pixsent_tf.models.weights import load_weights
from tests.float32 import assert_close_float32, operations_of

GENERATOR = np.random.default_rng(0)
BLOBS = {  # 4 pixels -> conv1 [3, 3, 5] -> fc6 [7] -> fc8 [2], in Caffe's order
    "conv1": (GENERATOR.standard_normal((5, 3, 2, 2)), GENERATOR.standard_normal(5)),
    "fc6": (GENERATOR.standard_normal((7, 45)), GENERATOR.standard_normal(7)),
    "fc8": (GENERATOR.standard_normal((2, 7)), GENERATOR.standard_normal(2)),
}
IMAGE = GENERATOR.standard_normal((1, 4, 4, 3)).astype("float32")


def build(num_classes=2):
    images = keras.Input((4, 4, 3))
    maps = keras.layers.Conv2D(5, 2, name="conv1")(images)
    vectors = keras.layers.Flatten(name="flatten")(maps)
    vectors = keras.layers.Dropout(0.5, name="drop")(vectors)
    vectors = keras.layers.Dense(7, name="fc6")(vectors)
    return keras.Model(images, keras.layers.Dense(num_classes, name="fc8")(vectors))


def scores_by_hand():
    """As Caffe computes: channels first, cell by cell."""
    chw = IMAGE[0].transpose(2, 0, 1)
    kernel, bias = BLOBS["conv1"]
    maps = np.empty((5, 3, 3))
    for row in range(3):
        for column in range(3):
            patch = chw[:, row : row + 2, column : column + 2]
            maps[:, row, column] = (kernel * patch).sum(axis=(1, 2, 3)) + bias
    hidden = BLOBS["fc6"][0] @ maps.ravel() + BLOBS["fc6"][1]
    return BLOBS["fc8"][0] @ hidden + BLOBS["fc8"][1]


@pytest.mark.parametrize(
    "how", [{"version": 2}, {"version": 1, "legacy": True}, {"double": True}]
)
def test_network_computes_what_caffe_would(tmp_path, how):
    path = tmp_path / "net.caffemodel"
    write_caffemodel(path, BLOBS, **how)
    model = build()

    load_weights(model, path)

    assert_close_float32(
        model(IMAGE)[0], scores_by_hand(), operations=operations_of(model)
    )


def test_dense_weights_fit_the_same_layer_as_a_convolution(tmp_path):
    path = tmp_path / "net.caffemodel"
    write_caffemodel(path, BLOBS)
    images = keras.Input((None, None, 3))
    maps = keras.layers.Conv2D(5, 2, name="conv1")(images)
    maps = keras.layers.Conv2D(7, 3, name="fc6")(maps)
    model = keras.Model(images, keras.layers.Conv2D(2, 1, name="fc8")(maps))

    load_weights(model, path)

    assert_close_float32(
        model(IMAGE)[0, 0, 0], scores_by_hand(), operations=operations_of(model)
    )


def test_convolutional_release_fits_the_dense_network(tmp_path):
    path = tmp_path / "net.caffemodel"
    conv = {
        "conv1": BLOBS["conv1"],
        "fc6-conv": (BLOBS["fc6"][0].reshape(7, 5, 3, 3), BLOBS["fc6"][1]),
        "fc8_twitter": (BLOBS["fc8"][0].reshape(2, 7, 1, 1), BLOBS["fc8"][1]),
    }
    write_caffemodel(path, conv)
    model = build()

    load_weights(model, path)

    assert_close_float32(
        model(IMAGE)[0], scores_by_hand(), operations=operations_of(model)
    )


def test_classifier_of_another_width_is_skipped_only_on_request(tmp_path):
    path = tmp_path / "net.caffemodel"
    write_caffemodel(path, BLOBS)
    model = build(num_classes=3)
    before = model.get_weights()

    with pytest.raises(
        WeightsError, match=r"fc8/kernel expects \(7, 3\), got \(2, 7\)"
    ):
        load_weights(model, path)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)

    load_weights(model, path, skip=("fc8",))
    np.testing.assert_array_equal(model.get_layer("fc8").get_weights()[0], before[-2])
    kernel = BLOBS["conv1"][0].astype("float32").transpose(2, 3, 1, 0)
    np.testing.assert_array_equal(model.get_layer("conv1").get_weights()[0], kernel)


def test_everything_that_does_not_fit_is_listed(tmp_path):
    path = tmp_path / "net.caffemodel"
    blobs = {**BLOBS, "fc9": BLOBS["fc8"]}
    del blobs["fc6"]
    write_caffemodel(path, blobs)
    with pytest.raises(WeightsError) as raised:
        load_weights(build(), path)
    message = str(raised.value)
    assert "fc6/kernel expects (45, 7), got nothing" in message
    assert "fc6/bias expects (7,), got nothing" in message
    assert "fc9/blob 0 expects nothing, got (2, 7)" in message
    assert "\n" not in message


def test_layer_that_comes_twice_is_refused(tmp_path):
    path = tmp_path / "net.caffemodel"
    write_caffemodel(path, {**BLOBS, "fc6-conv": BLOBS["fc6"]})
    with pytest.raises(WeightsError, match="two arrays for fc6/kernel"):
        load_weights(build(), path)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_weights_that_are_no_numbers_are_refused(tmp_path, bad):
    path = tmp_path / "net.caffemodel"
    write_caffemodel(path, {**BLOBS, "fc8": (BLOBS["fc8"][0], np.array([0, bad]))})
    with pytest.raises(WeightsError, match="fc8/bias holds values that are no numbers"):
        load_weights(build(), path)


def test_arrays_keep_keras_layout_and_names(tmp_path):
    path = tmp_path / "net.npz"
    model, other = build(), build()
    write_npz(model, path)
    with np.load(path) as archive:
        assert set(archive) == {
            f"{layer}/{variable}"
            for layer in ("conv1", "fc6", "fc8")
            for variable in ("kernel", "bias")
        }

    load_weights(other, path)

    np.testing.assert_array_equal(other(IMAGE), model(IMAGE))


def test_arrays_of_another_network_are_refused(tmp_path):
    path = tmp_path / "net.npz"
    write_npz(build(num_classes=3), path)
    with pytest.raises(WeightsError, match=r"expects \(7, 2\), got \(7, 3\)"):
        load_weights(build(), path)
    load_weights(build(), path, skip=("fc8",))


@pytest.mark.parametrize("name", ["net.npz", "net.weights.h5", "net.caffemodel"])
def test_damaged_file_is_refused_and_changes_nothing(tmp_path, name):
    model = build()
    path = tmp_path / name
    path.write_bytes(b"PK\x03\x04 is not what it seems")
    before = model.get_weights()
    with pytest.raises(WeightsError, match=name):
        load_weights(model, path)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_pickled_arrays_are_refused(tmp_path):
    path = tmp_path / "net.npz"
    np.savez(path, **{"conv1/kernel": np.array([{}], dtype=object)})
    with pytest.raises(WeightsError, match="Cannot read weights"):
        load_weights(build(), path)


def test_keras_file_goes_in_whole(tmp_path):
    path = tmp_path / "net.weights.h5"
    model, other = build(), build()
    model.save_weights(path)

    load_weights(other, path)

    np.testing.assert_array_equal(other(IMAGE), model(IMAGE))
    with pytest.raises(WeightsError, match="without `skip`"):
        load_weights(other, path, skip=("fc8",))
    with pytest.raises(WeightsError, match="Cannot read weights"):
        load_weights(build(num_classes=3), path)


def test_unknown_kind_of_file_is_refused(tmp_path):
    with pytest.raises(WeightsError, match=r"net\.pth is no file of weights"):
        load_weights(build(), tmp_path / "net.pth")


def test_a_keras_file_that_fits_the_first_layers_only_changes_none(tmp_path):
    path = tmp_path / "net.weights.h5"
    build().save_weights(path)
    model = build(num_classes=5)
    before = [weight.copy() for weight in model.get_weights()]

    with pytest.raises(WeightsError, match="Cannot read weights from"):
        load_weights(model, path)

    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
