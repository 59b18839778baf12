"""Linear probes on layers: each picture is tested once, each fold is kept."""

from __future__ import annotations

import json
from dataclasses import replace

import keras
import numpy as np
import pytest
from PIL import Image

from pixsent_tf.analysis.activations import read_activations
from pixsent_tf.analysis.networks import Network, open_network
from pixsent_tf.config import PreprocessConfig
from pixsent_tf.data.preprocess import Preprocessor
from pixsent_tf.data.sources import open_folder
from pixsent_tf.errors import RunError
from pixsent_tf.runs import Run
from pixsent_tf.studies import probe


@pytest.fixture
def network(mean_color):
    return open_network(None, mean_color.model.backbone, None)


@pytest.fixture
def published(colored_folder):
    """The pictures with three published folds, and two pictures in none."""
    dataset = open_folder(colored_folder)
    folds = (np.arange(len(dataset)) % 3 + 1).astype("int32")
    folds[[0, 23]] = 0
    return replace(dataset, folds=folds)


def test_every_published_picture_is_tested_once(network, published, tmp_path):
    results = probe.probe(network, published, ["features"], Run(tmp_path))

    (layer,) = results["layers"]
    assert results["num_examples"] == 22
    assert results["majority_rate"] == 0.5
    assert (layer["name"], layer["num_features"]) == ("features", 3)
    assert (layer["accuracy"], layer["mean"], layer["std"]) == (1.0, 1.0, 0.0)


def test_a_finished_fold_is_kept_and_reads_no_picture_again(
    network, published, tmp_path, monkeypatch
):
    fitted = []
    fit_head = probe.fit_head

    def killed_in_the_third(*arguments, **options):
        if len(fitted) == 2:
            raise KeyboardInterrupt
        fitted.append(1)
        return fit_head(*arguments, **options)

    monkeypatch.setattr(probe, "fit_head", killed_in_the_third)
    with pytest.raises(KeyboardInterrupt):
        probe.probe(network, published, ["features"], Run(tmp_path))
    fitted[:] = [1]
    whole = probe.probe(network, published, ["features"], Run(tmp_path))
    assert len(fitted) == 2

    monkeypatch.delattr(probe, "read_activations")
    assert probe.probe(network, published, ["features"], Run(tmp_path)) == whole


def test_other_layers_do_not_join_a_run(network, published, tmp_path):
    probe.probe(network, published, ["features"], Run(tmp_path))

    with pytest.raises(RunError, match="used another layers in fold 1"):
        probe.probe(network, published, ["crops"], Run(tmp_path))


def test_a_picture_that_cannot_be_read_is_named(network, published, tmp_path):
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"")
    paths = [*published.paths]
    paths[5] = str(broken)
    dataset = replace(published, paths=tuple(paths))

    results = probe.probe(network, dataset, ["features"], Run(tmp_path / "run"))

    (failed,) = results["unreadable"]
    assert (failed["id"], failed["reason"]) == (dataset.ids[5], "empty")
    assert results["num_examples"] == 21


@pytest.fixture
def mingled(published):
    """Dark and bright pictures in turn, so that a shifted row has the wrong label."""
    dataset = published.take(np.arange(24).reshape(2, 12).T.ravel())
    return replace(dataset, folds=(np.arange(24) // 2 % 3 + 1).astype("int32"))


@pytest.fixture
def fitted(monkeypatch):
    """What each probe was fitted to: features, targets and units."""
    found, fit_head = [], probe.fit_head

    def noted(features, targets, *, units, seed):
        found.append((features, targets, units))
        return fit_head(features, targets, units=units, seed=seed)

    monkeypatch.setattr(probe, "fit_head", noted)
    return found


def test_no_test_picture_trains_a_probe_or_chooses_its_penalty(
    network, mingled, tmp_path, fitted
):
    probe.probe(network, mingled, ["features"], Run(tmp_path))
    every = read_activations(
        network.model, network.preprocessor, mingled.paths, ["features"]
    ).layers["features"]

    for number, (features, targets, units) in enumerate(fitted, 1):
        trains = mingled.folds != number
        np.testing.assert_allclose(features, every[trains], atol=1e-3)
        assert targets.argmax(axis=1).tolist() == mingled.labels[trains].tolist()
        assert len(np.unique(units)) == len(units) == trains.sum()


def test_copies_that_train_a_probe_are_on_one_side_of_its_inner_folds(
    network, mingled, tmp_path, fitted
):
    paths = list(mingled.paths)
    paths[2] = paths[4]  # of folds 2 and 3, which train the first probe
    dataset = replace(mingled, paths=tuple(paths))

    probe.probe(network, dataset, ["features"], Run(tmp_path))

    _, _, units = fitted[0]
    trains = np.flatnonzero(mingled.folds != 1)
    assert units[trains == 2] == units[trains == 4]
    assert len(np.unique(units)) == len(units) - 1


@pytest.mark.parametrize("broken", [[0], [9], [0, 1, 10, 23]])
def test_rows_after_a_broken_picture_keep_their_labels(
    network, mingled, tmp_path, broken
):
    paths = list(mingled.paths)
    for position in broken:
        paths[position] = str(tmp_path / "gone.png")
    dataset = replace(mingled, paths=tuple(paths))

    results = probe.probe(network, dataset, ["features"], Run(tmp_path / "run"))

    assert results["layers"][0]["accuracy"] == 1
    assert results["num_examples"] == 24 - len(broken)
    assert [each["id"] for each in results["unreadable"]] == [
        dataset.ids[position] for position in broken
    ]
    kept = tmp_path / "run" / "folds" / "fold-1.json"
    tested = np.setdiff1d(np.flatnonzero(mingled.folds == 1), broken)
    assert json.loads(kept.read_text())["found"]["ids"] == [
        dataset.ids[position] for position in tested
    ]


def test_the_numbers_of_a_layer_are_those_of_its_folds(network, mingled, tmp_path):
    labels = mingled.labels.copy()
    labels[[0, 1, 2]] = 1 - labels[[0, 1, 2]]  # two of fold 1, one of fold 2: mistakes

    results = probe.probe(
        network, replace(mingled, labels=labels), ["features"], Run(tmp_path)
    )

    (layer,) = results["layers"]
    assert layer["accuracy"] == 21 / 24
    assert layer["accuracy_interval"] == pytest.approx([0.6900, 0.9566], abs=1e-4)
    assert layer["mean"] == pytest.approx((6 / 8 + 7 / 8 + 1) / 3)
    assert layer["std"] == pytest.approx(1 / 8)  # with the divisor of a sample


def test_the_majority_is_that_of_the_pictures_that_are_tested(
    network, mingled, tmp_path
):
    folds = mingled.folds.copy()
    folds[[0, 2, 4, 6]] = 0  # four of the dark ones

    results = probe.probe(
        network, replace(mingled, folds=folds), ["features"], Run(tmp_path)
    )

    assert results["majority_rate"] == 12 / 20


def test_features_of_a_broken_picture_are_not_written(network, mingled, tmp_path):
    paths = list(mingled.paths[:4])
    paths[1] = str(tmp_path / "gone.png")

    probe.write_features(network, paths, ["features"], tmp_path / "features.npz")

    with np.load(tmp_path / "features.npz") as stored:
        assert stored["paths"].tolist() == [paths[0], paths[2], paths[3]]
        dark, *bright = stored["features"].mean(axis=1)
        assert stored["features"].shape == (3, 3)
    assert dark == pytest.approx(40, abs=10)
    assert bright == pytest.approx([40, 215], abs=10)


def test_a_probe_is_known_by_its_network_its_layers_its_cells_and_its_seed(network):
    def known(**changed):
        settings = {"layers": ["a"], "flatten": False, "seed": 0} | changed
        layers = settings.pop("layers")
        return probe.identity(network, layers, **settings)

    one = known()

    assert one == known()
    assert one["network"] == network.digest
    for changed in ({"layers": ["b"]}, {"flatten": True}, {"seed": 1}):
        assert known(**changed) != one


def test_what_a_unit_sees_stays_bright_and_the_rest_is_dimmed(tmp_path):
    """Windows of four pixels, beside each other: a cell sees one of them."""
    crops = keras.Input((16, 16, 3), name="crops")
    cells = keras.layers.Conv2D(2, 4, strides=4, name="cells")(crops)
    sight = Preprocessor(PreprocessConfig(20, 16))
    network = Network(keras.Model(crops, cells), sight)
    pixels = np.random.default_rng(0).integers(1, 256, (20, 20, 3)).astype("uint8")
    Image.fromarray(pixels).save(tmp_path / "photo.png")

    found = probe._seen(network, "cells", str(tmp_path / "photo.png"), (1, 2))

    crop = pixels[2:18, 2:18]
    expected = (crop * (70 / 255)).astype("uint8")
    expected[4:8, 8:12] = crop[4:8, 8:12]
    np.testing.assert_array_equal(found, expected)


def test_a_unit_without_a_place_sees_the_whole_crop(network, tmp_path):
    side = network.preprocessor.config.canvas_size
    pixels = np.random.default_rng(0).integers(0, 256, (side, side, 3)).astype("uint8")
    Image.fromarray(pixels).save(tmp_path / "photo.png")

    found = probe._seen(network, "features", str(tmp_path / "photo.png"), None)

    expected = np.asarray(network.preprocessor.center_crop(pixels[None]))[0]
    np.testing.assert_array_equal(found, expected)
