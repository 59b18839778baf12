"""Linear probes on layers: each picture is tested once, each fold is kept."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pixsent_tf.analysis.networks import open_network
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
