"""One training a fold, two views of its test pictures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pixsent_tf.config import DataConfig
from pixsent_tf.inference.model import SentimentModel
from pixsent_tf.runs import Run
from pixsent_tf.studies.paper.levels import open_level
from pixsent_tf.studies.paper.protocol import run_protocol
from pixsent_tf.studies.trainer import Trainer
from tests.float32 import assert_close_float32
from tests.studies.conftest import OPERATIONS


@pytest.fixture
def dataset(colored_folder):
    return open_level(DataConfig(str(colored_folder), num_folds=3))


@pytest.fixture
def recipe(mean_color, colored_folder):
    return replace(mean_color, data=DataConfig(str(colored_folder), num_folds=3))


def test_both_views_answer_every_test_picture_once(recipe, dataset, tmp_path):
    run = Run.create(tmp_path / "run")

    found = run_protocol(recipe, dataset, run, folds=(1, 2, 3))

    assert sorted(found.ids) == sorted(dataset.ids)
    assert found.correct("center").all()
    assert found.correct("ten_crop").all()
    position = {name: i for i, name in enumerate(dataset.ids)}
    rows = [position[name] for name in found.ids]
    np.testing.assert_array_equal(found.folds, dataset.folds[rows])


def test_ten_crops_are_those_of_the_saved_model(recipe, dataset, tmp_path):
    run = Run.create(tmp_path / "run")

    found = run_protocol(recipe, dataset, run, folds=(2,), keep_models=True)

    model = SentimentModel.load(run.fold_model_path(2))
    paths = [dataset.paths[dataset.ids.index(name)] for name in found.ids]
    expected = [a.probs for a in model.predict(paths, view="ten_crop")]
    assert_close_float32(found.probs["ten_crop"], expected, operations=OPERATIONS)


def test_models_are_dropped_unless_asked_for(recipe, dataset, tmp_path):
    run = Run.create(tmp_path / "run")

    run_protocol(recipe, dataset, run, folds=(1,))

    assert not list(run.path.glob("*.keras"))


def test_a_finished_fold_is_recalled_and_not_trained(
    recipe, dataset, tmp_path, monkeypatch
):
    run = Run.create(tmp_path / "run")
    first = run_protocol(recipe, dataset, run, folds=(1,))
    trained = []
    train = Trainer.train
    monkeypatch.setattr(
        Trainer,
        "train",
        lambda self, some, **options: trained.append(1) or train(self, some, **options),
    )

    both = run_protocol(recipe, dataset, run, folds=(1, 2))

    assert len(trained) == 1
    count = len(first.ids)
    np.testing.assert_array_equal(
        both.probs["ten_crop"][:count], first.probs["ten_crop"]
    )


def test_each_view_and_each_picture_is_answered_by_the_model_of_its_fold(
    recipe, dataset, tmp_path
):
    run = Run.create(tmp_path / "run")
    shuffled = replace(dataset, folds=np.arange(len(dataset)) % 3 + 1)

    found = run_protocol(recipe, shuffled, run, folds=(1, 2, 3), keep_models=True)

    assert found.folds.tolist() == sorted(found.folds)
    path = dict(zip(shuffled.ids, shuffled.paths, strict=True))
    for fold in (1, 2, 3):
        own = np.flatnonzero(found.folds == fold)
        model = SentimentModel.load(run.fold_model_path(fold))
        for view in ("center", "ten_crop"):
            said = model.predict([path[found.ids[i]] for i in own], view=view)
            expected = [answer.probs for answer in said]
            # the smaller of the two tells the views apart: it is near 0
            np.testing.assert_allclose(found.probs[view][own], expected, rtol=2e-4)
    center, ten_crop = (found.probs[view] for view in ("center", "ten_crop"))
    assert np.abs(center / ten_crop - 1).max() > 2e-3
