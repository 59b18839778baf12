"""Every strategy keeps what cross-validation promises, whatever it trains."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from pixsent_tf.config import STRATEGIES, PreprocessConfig, Recipe, override
from pixsent_tf.data.table import build_dataset
from pixsent_tf.inference.model import SentimentModel
from pixsent_tf.inference.predictions import Predictions
from pixsent_tf.models import zoo
from pixsent_tf.runs import Run
from pixsent_tf.studies.crossval import crossval
from pixsent_tf.studies.trainer import Trainer
from tests.float32 import assert_close_float32
from tests.tiny_network import OPERATIONS, build_tiny

SETTINGS = {"training.epochs": 2, "training.batch_size": 8}
FOLDS = 2


@pytest.fixture(scope="module", autouse=True)
def tiny_backbone():
    """Put the small network into the zoo."""
    entry = zoo.BackboneEntry(build_tiny, PreprocessConfig(16, 12))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(zoo.BACKBONES, "tiny", entry)
        yield


@pytest.fixture(scope="module")
def gray(tmp_path_factory):
    """Pictures of K kinds, from dark to bright, by turns in two published folds."""

    def make(num_classes, of_each=10):
        folder = tmp_path_factory.mktemp("gray")
        generator = np.random.default_rng(num_classes)
        kinds = np.tile(np.arange(num_classes), of_each)
        paths = []
        for number, kind in enumerate(kinds):
            level = 20 + 200 * kind // num_classes
            pixels = generator.integers(level, level + 30, (16, 16, 3)).astype("uint8")
            paths.append(folder / f"{number:03}.png")
            Image.fromarray(pixels).save(paths[-1])
        dataset = build_dataset(
            name="gray",
            ids=[path.name for path in paths],
            paths=paths,
            labels=[f"kind {kind}" for kind in kinds],
        )
        folds = np.arange(len(kinds)) // num_classes % FOLDS + 1
        return replace(dataset, folds=folds.astype("int32"))

    return make


@pytest.fixture(scope="module", params=STRATEGIES)
def undisturbed(request, gray, tmp_path_factory):
    """A strategy, two kinds of pictures, and its cross-validation of them."""
    pictures = gray(2)
    run = Run.create(tmp_path_factory.mktemp("undisturbed") / "run")
    return request.param, pictures, run, study(request.param, pictures, run)


def study(strategy, dataset, run):
    of_descent = {} if strategy == "head" else SETTINGS
    network = {"model.backbone": "tiny", "model.weights": None}
    changes = {"training.strategy": strategy, **of_descent, **network}
    recipe = override(Recipe(), changes)
    return crossval(recipe, dataset, run)


def models_of(run):
    return [run.fold_model_path(fold).read_bytes() for fold in (1, 2)]


def test_labels_that_a_fold_tests_leave_its_model_as_it_was(undisturbed, tmp_path):
    """The same seed gives the same bytes, and no label of a test picture is seen."""
    strategy, pictures, run, _ = undisturbed
    labels = np.where(pictures.folds == 1, 1 - pictures.labels, pictures.labels)
    turned = Run.create(tmp_path / "run")

    study(strategy, replace(pictures, labels=labels.astype("int32")), turned)

    (first, second), (same, other) = models_of(run), models_of(turned)
    assert same == first
    assert other != second  # these labels train the other fold


def test_a_study_that_was_stopped_ends_as_one_that_was_not(
    undisturbed, tmp_path, monkeypatch
):
    strategy, pictures, whole, expected = undisturbed
    run, save, saved = Run.create(tmp_path / "run"), Trainer.save_model, []

    def stop(self, path, trained):
        if saved:
            raise KeyboardInterrupt
        saved.append(path)
        save(self, path, trained)

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "save_model", stop)
        with pytest.raises(KeyboardInterrupt):
            study(strategy, pictures, run)
    written = saved[0].stat().st_mtime_ns

    results = study(strategy, pictures, run)

    assert models_of(run) == models_of(whole)
    assert saved[0].stat().st_mtime_ns == written  # it was not trained again
    assert results["accuracy"] == expected["accuracy"]
    assert run.read_table("predictions.csv") == whole.read_table("predictions.csv")


@pytest.mark.slow
@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("num_classes", [2, 3, 8])
def test_saved_models_give_what_was_predicted_of_all_classes(
    num_classes, strategy, gray, tmp_path
):
    pictures, run = gray(num_classes), Run.create(tmp_path / "run")
    study(strategy, pictures, run)
    said = Predictions.read(run.path)
    files = dict(zip(pictures.ids, pictures.paths, strict=True))

    for fold in (1, 2):
        model = SentimentModel.load(run.fold_model_path(fold))
        rows = np.flatnonzero(said.folds == fold)
        found = model.predict([files[said.ids[row]] for row in rows])

        assert model.class_names == pictures.class_names
        assert_close_float32(
            [one.probs for one in found], said.probs[rows], operations=OPERATIONS
        )
    assert said.probs.shape == (len(pictures), num_classes)


@pytest.mark.slow
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_labels_at_random_are_not_foretold(strategy, gray, tmp_path):
    pictures, right = gray(2, of_each=20), 0
    for number in range(5):
        labels = np.random.default_rng(number).permutation(pictures.labels)
        shuffled = replace(pictures, labels=labels)
        results = study(strategy, shuffled, Run.create(tmp_path / str(number)))
        right += round(results["accuracy"] * len(pictures))

    # 200 answers of a coin; three standard deviations are 21.
    assert abs(right - 100) < 22
