"""Short features give the classifiers that the wide ones give."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from pixsent_tf.config import PreprocessConfig
from pixsent_tf.data.decode.files import read_image
from pixsent_tf.data.preprocess import Preprocessor
from pixsent_tf.errors import DataError
from pixsent_tf.studies.paper import classifiers
from tests.float32 import assert_close_float32

INVERSE_PENALTIES = (0.01, 1.0)


@pytest.fixture
def wide():
    """Forty pictures of 300 features, and what they are."""
    generator = np.random.default_rng(0)
    labels = np.arange(40) % 2
    features = 2 * generator.normal(size=(40, 300)) + labels[:, None] + 3
    return features, labels


def test_inner_products_are_those_of_numpy(wide, monkeypatch):
    monkeypatch.setattr(classifiers, "COLUMNS", 7)
    features = wide[0].astype("float16")

    found = classifiers.inner_products(features)

    expected = features.astype("float64") @ features.astype("float64").T
    assert_close_float32(found, expected, operations=features.shape[1])


def test_rotation_keeps_lengths_and_angles_and_drops_empty_axes(wide):
    features = np.concatenate([wide[0], wide[0][:5]])  # five copies add no axis

    short = classifiers.rotate(features @ features.T)

    assert short.shape == (45, 40)
    np.testing.assert_allclose(short @ short.T, features @ features.T, rtol=1e-6)


@pytest.mark.parametrize("inverse_penalty", INVERSE_PENALTIES)
@pytest.mark.parametrize("kind", ["svm", "softmax"])
def test_short_features_give_the_answers_of_the_wide_ones(wide, kind, inverse_penalty):
    features, labels = wide
    train = np.arange(40) < 30
    short = classifiers.rotate(features @ features.T)

    found = classifiers.answer_by_penalty(
        short, labels, train, classifier=kind, inverse_penalties=INVERSE_PENALTIES
    )[INVERSE_PENALTIES.index(inverse_penalty)]

    model = (
        LinearSVC(C=inverse_penalty, tol=1e-8, max_iter=1_000_000)
        if kind == "svm"
        else LogisticRegression(C=inverse_penalty, tol=1e-8, max_iter=100_000)
    )
    expected = model.fit(features[train], labels[train]).predict(features)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("kind", ["svm", "softmax"])
def test_the_choice_of_a_penalty_does_not_look_at_other_pictures(wide, kind):
    features, labels = wide
    settings = {"classifier": kind, "inverse_penalties": (1e-9, 1e-4, 1.0)}
    swapped = labels.copy()
    swapped[30:] = 1 - swapped[30:]

    first, second = (
        classifiers.choose_penalty(features, truth, np.arange(30), **settings)
        for truth in (labels, swapped)
    )

    assert first == second


def test_of_equal_penalties_the_strongest_is_chosen():
    labels = np.arange(20) % 2
    features = 10.0 * labels[:, None]  # any penalty tells them apart

    chosen = classifiers.choose_penalty(
        features, labels, np.arange(20), classifier="svm", inverse_penalties=(1.0, 10.0)
    )

    assert chosen == 0


def _network():
    crops = keras.Input((12, 12, 3), name="crops")
    initializer = keras.initializers.GlorotUniform(seed=0)
    conv = keras.layers.Conv2D(4, 3, kernel_initializer=initializer, name="conv")
    maps = conv(crops)
    return keras.Model(crops, keras.layers.Flatten(name="flat")(maps))


def test_activations_lie_on_disk_in_half_precision(colored_folder, tmp_path):
    network, preprocessor = _network(), Preprocessor(PreprocessConfig(16, 12))
    paths = [str(path) for path in sorted(colored_folder.rglob("0*.png"))[:5]]
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"")
    paths.insert(2, str(bad))

    readable, stored = classifiers.store_activations(
        network, preprocessor, paths, ("conv",), tmp_path
    )

    assert readable.tolist() == [True, True, False, True, True, True]
    assert isinstance(stored["conv"], np.memmap)
    assert stored["conv"].dtype == np.float16
    crop = preprocessor.center_crop(preprocessor.to_canvas(read_image(paths[3]))[None])
    expected = network(crop, training=False).numpy()[0]
    np.testing.assert_allclose(stored["conv"][3], expected, rtol=2e-3, atol=0.1)
    assert not stored["conv"][2].any()


def test_pictures_of_which_none_can_be_read_are_told(tmp_path):
    (tmp_path / "bad.png").write_bytes(b"")

    with pytest.raises(DataError, match="None of the 1 pictures can be read"):
        classifiers.store_activations(
            _network(),
            Preprocessor(PreprocessConfig(16, 12)),
            [str(tmp_path / "bad.png")],
            ("conv",),
            tmp_path,
        )
