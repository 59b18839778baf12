"""Several trainings answer as one model."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from pixsent_tf.config import STRATEGIES, PreprocessConfig
from pixsent_tf.errors import ImageError
from pixsent_tf.studies.trainer import build_learner
from pixsent_tf.training.ensemble import EnsembleLearner, FittedEnsemble
from pixsent_tf.training.logistic import InnerPredictions
from tests.float32 import assert_close_float32
from tests.heard import Heard
from tests.tiny_network import OPERATIONS

TRAIN, TEST = np.arange(16), np.arange(16, 24)


@pytest.fixture
def fit(recipe_of, pictures, targets):
    """Train with a strategy; seeds are 0, 1, ..."""

    def fit(strategy, *, seed=0, **settings):
        learner = build_learner(recipe_of(strategy, seed=seed, **settings), 2)
        learner.read(pictures)
        return learner, learner.fit(TRAIN, targets)

    return fit


def softmax(logits):
    exponents = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponents / exponents.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("strategy", ["all", "lp-ft"])
def test_members_are_the_trainings_of_the_single_seeds(fit, strategy):
    _, together = fit(strategy, ensemble_size=2)
    singles = [fit(strategy, seed=seed)[1].probs(TEST) for seed in (0, 1)]

    expected = softmax(np.mean(np.log(singles), axis=0))
    assert_close_float32(together.probs(TEST), expected, operations=OPERATIONS)
    assert abs(singles[0] - singles[1]).max() > 1e-4  # they do differ


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_one_model_says_what_the_members_say(fit, pictures, strategy):
    _, together = fit(strategy, ensemble_size=3)
    canvases = np.stack([np.asarray(Image.open(pictures[i])) for i in TEST])

    logits = together.classifier()(canvases[:, 2:14, 2:14], training=False).numpy()

    expected = softmax(logits)
    assert_close_float32(together.probs(TEST), expected, operations=OPERATIONS)


def test_pictures_are_read_once(recipe_of, pictures, monkeypatch):
    heard = Heard()
    learner = build_learner(recipe_of("all", ensemble_size=3), 2, progress=heard)

    learner.read(pictures)

    assert isinstance(learner, EnsembleLearner)
    assert sum(heard.counts) == len(pictures)
    assert {id(member.canvases) for member in learner.members} == {
        id(learner.members[0].canvases)
    }


def test_heads_stay_one_head_and_keep_their_inner_predictions(fit, targets):
    learner, together = fit("head", ensemble_size=3)

    layers = [layer.name for layer in together.classifier().layers]
    single = learner.members[0].fit(
        TRAIN, np.eye(2, dtype="float32")[np.arange(24) % 2]
    )
    assert layers.count("logits") == 1
    assert together.inner.log_probs.shape == single.inner.log_probs.shape
    np.testing.assert_allclose(np.exp(together.inner.log_probs).sum(axis=1), 1)


def test_the_history_names_the_member(fit):
    _, together = fit("all", ensemble_size=2, epochs=3)

    assert [row["member"] for row in together.history] == [1, 1, 1, 2, 2, 2]


def test_a_finished_member_is_not_trained_again(recipe_of, pictures, targets, tmp_path):
    def die(line):
        if line.startswith("epoch 1/") and len(heard.lines) > 2:
            raise KeyboardInterrupt

    heard = Heard(die)
    learner = build_learner(recipe_of("all", ensemble_size=2), 2, progress=heard)
    learner.read(pictures)
    with pytest.raises(KeyboardInterrupt):
        learner.fit(TRAIN, targets, checkpoints=tmp_path)
    heard.on_line = lambda line: None
    heard.lines.clear()

    resumed = learner.fit(TRAIN, targets, checkpoints=tmp_path)

    assert [line[:9] for line in heard.lines] == ["epoch 1/2", "epoch 2/2"]
    whole = learner.fit(TRAIN, targets)
    np.testing.assert_array_equal(resumed.probs(TEST), whole.probs(TEST))


class Notes:
    """A member that notes what it is trained on."""

    def __init__(self):
        self.given = []

    def fit(self, indices, targets, *, units=None, checkpoints=None):
        self.given.append((indices, targets, units, checkpoints))
        return self


def test_every_member_trains_on_the_same_pictures_units_and_checkpoints(tmp_path):
    members = [Notes(), Notes()]
    given = np.arange(3, 9), np.eye(2)[np.arange(9) % 2], np.arange(9) // 3, tmp_path

    fitted = EnsembleLearner(members).fit(
        given[0], given[1], units=given[2], checkpoints=given[3]
    )

    assert list(fitted.members) == members
    assert members[0].given == members[1].given == [given]


def test_inner_predictions_are_the_mean_of_the_members_logits():
    folds = np.array([1, 2])
    logs = np.log([[[0.9, 0.1], [0.5, 0.5]], [[0.5, 0.5], [0.2, 0.8]]])
    members = [SimpleNamespace(inner=InnerPredictions(one, folds)) for one in logs]

    found = FittedEnsemble([*members, SimpleNamespace(inner=None)]).inner

    # odds of 9 and 1 have a mean of 3; those of 1 and 1 / 4 one of 1 / 2
    np.testing.assert_allclose(np.exp(found.log_probs)[:, 0], [3 / 4, 1 / 3])
    assert found.folds.tolist() == [1, 2]
    assert FittedEnsemble([SimpleNamespace(inner=None)]).inner is None


class Member:
    """Stands for a learner: has a geometry and failures of its own."""

    def __init__(self, number):
        self.preprocess = PreprocessConfig(20 + number, 10)
        self.failures = {number: ImageError(f"{number}.jpg is empty.", "empty")}


def test_what_was_read_is_what_the_first_member_has_read():
    learner = EnsembleLearner([Member(0), Member(1), Member(2)])

    assert learner.preprocess.canvas_size == 20
    assert list(learner.failures) == [0]


def test_members_of_a_network_are_counted_from_one(fit):
    _, together = fit("last-blocks", ensemble_size=2)

    names = [layer.name for layer in together.classifier().layers]

    assert [name for name in names if name.startswith("member")] == [
        *("member1", "member2")
    ]
