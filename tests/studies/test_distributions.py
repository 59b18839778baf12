"""Eight kinds, and raters who vote for them: recovered as far as votes can tell."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from scipy.special import softmax

from pixsent_tf.cli.distribution_words import describe_distribution
from pixsent_tf.config import DataConfig
from pixsent_tf.data.table import build_dataset
from pixsent_tf.inference.polarity import read_polarity
from pixsent_tf.inference.predictions import Predictions
from pixsent_tf.runs import Run
from pixsent_tf.studies.crossval import crossval
from pixsent_tf.studies.evaluate import measure, measure_polarity
from pixsent_tf.studies.subjects import Subject

KINDS = tuple(read_polarity("mikels8"))
CORNERS = np.array(list(itertools.product([-1, 1], repeat=3)))  # one color a kind
COUNT, RATERS = 160, 15


@pytest.fixture(scope="module")
def voted(tmp_path_factory):
    """Pictures of one color each; raters vote for the corners that it is near to."""
    folder = tmp_path_factory.mktemp("voted")
    generator = np.random.default_rng(0)
    colors = generator.uniform(-1, 1, (COUNT, 3))
    true = softmax(2.5 * colors @ CORNERS.T, axis=1)  # [N, 8]
    votes = generator.multinomial(RATERS, true)
    paths = []
    for number, color in enumerate(colors):
        pixels = np.tile((127.5 + 120 * color).astype("uint8"), (12, 12, 1))
        paths.append(folder / f"{number:03}.png")
        Image.fromarray(pixels).save(paths[-1])
    dataset = build_dataset(
        name="voted",
        ids=[path.name for path in paths],
        paths=paths,
        labels=[KINDS[k] for k in votes.argmax(axis=1)],
        class_names=KINDS,
    )
    return replace(dataset, votes=votes.astype("int32"))


def study(recipe, dataset, folder):
    recipe = replace(recipe, data=DataConfig("voted.csv", labels="votes"))
    run = Run.create(folder)
    return run, recipe, crossval(recipe, dataset, run)


def test_votes_are_recovered_to_what_the_true_shares_reach(mean_color, voted, tmp_path):
    run, _, results = study(mean_color, voted, tmp_path / "run")
    found = results["distribution"]

    ceiling, mean = found["ceiling"], found["mean_baseline"]
    for name in ("kl", "chebyshev"):  # the smaller the better
        assert found[name] < ceiling[name] + 0.15 * (mean[name] - ceiling[name]), name
    for name in ("clark", "canberra"):  # which are ruled by classes without a vote
        assert found[name] < mean[name], name
    for name in ("cosine", "intersection"):
        assert found[name] > ceiling[name] - 0.15 * (ceiling[name] - mean[name]), name
    assert found["top1"] > 3 * found["majority_baseline"]["top1"]
    assert found["mean_votes"] == RATERS
    assert json.loads((run.path / "results.json").read_text()) == results


def test_shuffled_votes_are_answered_by_no_more_than_their_mean(
    mean_color, voted, tmp_path
):
    order = np.random.default_rng(1).permutation(COUNT)
    shuffled = replace(voted, labels=voted.labels[order], votes=voted.votes[order])
    _, _, results = study(mean_color, shuffled, tmp_path / "run")

    found = results["distribution"]
    assert found["kl"] > 0.97 * found["mean_baseline"]["kl"]
    assert found["ceiling"]["kl"] < 0.5 * found["kl"]


def test_shares_are_learnt_like_the_votes_that_they_are_of(mean_color, voted, tmp_path):
    shares = (voted.votes / RATERS).astype("float32")
    _, _, of_votes = study(mean_color, voted, tmp_path / "votes")

    _, _, results = study(mean_color, replace(voted, votes=shares), tmp_path / "run")

    found, other = results["distribution"], of_votes["distribution"]
    assert found["ceiling"] is None
    assert found["kl"] == pytest.approx(other["kl"], rel=1e-4)
    said = dict(describe_distribution(found))
    assert said["shares of votes"] == "how many voted is not known"
    assert "true shares" not in said["  KL divergence"]
    assert "true shares" in dict(describe_distribution(other))["  KL divergence"]


def test_a_class_that_others_always_outvote_is_learnt_from_its_shares(
    mean_color, voted, tmp_path
):
    votes = voted.votes.copy()
    others = np.delete(votes, 2, axis=1).max(axis=1)
    votes[others == 0, 0] = 1
    votes[:, 2] = np.minimum(votes[:, 2], np.maximum(others, 1) - 1)
    labels = votes.argmax(axis=1).astype("int32")
    assert 2 not in labels

    run, _, results = study(
        mean_color, replace(voted, votes=votes, labels=labels), tmp_path / "run"
    )

    said, shares = Predictions.read(run.path).probs[:, 2], votes / votes.sum(1)[:, None]
    assert np.corrcoef(said, shares[:, 2])[0, 1] > 0.5
    found = results["distribution"]
    assert found["kl"] < 0.5 * found["mean_baseline"]["kl"]


def test_without_votes_as_labels_there_are_no_distances(mean_color, voted, tmp_path):
    results = crossval(mean_color, voted, Run.create(tmp_path / "run"))

    assert results["distribution"] is None


def test_emotions_are_rolled_up_beside_their_own_numbers(mean_color, voted, tmp_path):
    run, recipe, results = study(mean_color, voted, tmp_path / "run")
    said = Predictions.read(run.path)
    subject = Subject("run", said, voted, {}, recipe, run, [])
    rolled = measure_polarity(subject, read_polarity("mikels8"))
    both = measure(subject, polarity=read_polarity("mikels8"))

    is_positive = np.array([k < 4 for k in range(8)])
    probs = said.probs @ is_positive
    by_hand = np.mean((probs >= 0.5) == is_positive[said.labels])
    assert rolled["accuracy"] == pytest.approx(by_hand)
    assert both["polarity"] == rolled
    assert both["distribution"]["kl"] == pytest.approx(
        results["distribution"]["kl"], abs=1e-4
    )
    assert both["accuracy"] == results["accuracy"]
