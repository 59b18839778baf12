"""Planted errors are among the first labels to look at again."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from pixsent_tf.config import DataConfig, Recipe
from pixsent_tf.data.sources import open_dataset
from pixsent_tf.data.table import Dataset
from pixsent_tf.errors import DataError
from pixsent_tf.inference.predictions import Predictions
from pixsent_tf.runs import Run
from pixsent_tf.studies.suspects import list_suspects, rank_suspects


def flip(dataset: Dataset, fraction: float, seed: int) -> tuple[Dataset, np.ndarray]:
    """Turn some labels of two classes round."""
    count = round(fraction * len(dataset))
    flipped = np.random.default_rng(seed).permutation(len(dataset))[:count]
    labels = dataset.labels.copy()
    labels[flipped] = 1 - labels[flipped]
    return dataclasses.replace(dataset, labels=labels), flipped


def found_first(dataset: Dataset, flipped: np.ndarray) -> float:
    """Share of the flipped that are among the first as many suspects."""
    wanted = {dataset.ids[i] for i in flipped}
    first = list_suspects(dataset)[: len(flipped)]
    return sum(one["id"] in wanted for one in first) / len(flipped)


@pytest.fixture(scope="module")
def smileys() -> Dataset:
    dataset = open_dataset(DataConfig("smileys"))
    return dataset.take(np.arange(0, len(dataset), 2))


@pytest.mark.journey
def test_turned_labels_of_smileys_are_found(smileys):
    turned, flipped = flip(smileys, 0.1, seed=0)

    assert found_first(turned, flipped) >= 0.8


@pytest.mark.journey
def test_suspects_say_what_is_doubted_and_by_how_much(smileys):
    turned, _ = flip(smileys, 0.1, seed=1)

    suspects = list_suspects(turned)

    probs = [one["prob_label"] for one in suspects]
    assert [one["rank"] for one in suspects] == list(range(1, len(suspects) + 1))
    assert probs == sorted(probs)
    assert all(one["label"] != one["answer"] for one in suspects)
    place = {name: i for i, name in enumerate(turned.ids)}
    for one in suspects:
        assert one["path"] == turned.paths[place[one["id"]]]
        assert one["label"] == turned.class_names[turned.labels[place[one["id"]]]]


def test_suspects_are_told_to_six_digits():
    probs = np.array([[0.9, 0.1], [0.8765433, 0.1234567], [0.7, 0.3]])

    (suspect,) = rank_suspects(
        probs=probs,
        labels=np.array([0, 1, 0]),
        ids="abc",
        paths=[None, "b.jpg", None],
        class_names=("negative", "positive"),
    )

    assert suspect == {
        "rank": 1,
        "id": "b",
        "path": "b.jpg",
        "label": "positive",
        "answer": "negative",
        "prob_label": 0.123457,
        "is_believed": suspect["is_believed"],
    }


def write_run(dataset: Dataset, folder, **changes) -> Run:
    """A run that gives every label .9, and the first picture's .1."""
    probs = np.full((len(dataset), 2), 0.1)
    probs[np.arange(len(dataset)), dataset.labels] = 0.9
    probs[0] = probs[0, ::-1]
    said = Predictions(
        name="run", ids=dataset.ids, probs=probs, class_names=dataset.class_names
    )
    run = Run.create(folder)
    run.write_recipe(Recipe())
    dataclasses.replace(said, **changes).write(run)
    return run


def test_answers_of_a_run_are_taken_as_they_are(smileys, tmp_path):
    run = write_run(smileys, tmp_path / "run")

    (suspect,) = list_suspects(smileys, run=run.path)

    assert suspect["id"] == smileys.ids[0]
    assert suspect["prob_label"] == 0.1


def test_a_run_of_other_pictures_is_refused(smileys, tmp_path):
    ids = tuple(f"other {i}" for i in range(len(smileys)))
    run = write_run(smileys, tmp_path / "run", ids=ids)

    with pytest.raises(DataError, match="answered no picture of smileys"):
        list_suspects(smileys, run=run.path)


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.parametrize(("fraction", "at_least"), [(0.05, 0.58), (0.1, 0.65)])
def test_turned_labels_of_photographs_are_found(shared_data, fraction, at_least):
    source = DataConfig(str(shared_data / "deepsent"), level="five_agrees")
    dataset = open_dataset(source)

    found = [found_first(*flip(dataset, fraction, seed)) for seed in range(5)]

    print(f"{fraction}: {np.mean(found):.3f}, {min(found):.3f} to {max(found):.3f}")
    assert np.mean(found) >= at_least


def test_answers_of_a_run_are_found_by_picture_and_by_class(smileys, tmp_path):
    order = np.arange(len(smileys))[::-1]
    probs = np.full((len(smileys), 2), 0.1)
    probs[np.arange(len(smileys)), smileys.labels] = 0.9
    probs[[0, 5]] = probs[[0, 5], ::-1]
    run = write_run(
        smileys,
        tmp_path / "run",
        ids=tuple(smileys.ids[i] for i in order),
        probs=probs[order][:, ::-1],
        class_names=smileys.class_names[::-1],
    )
    some = smileys.take(np.arange(3, len(smileys)))  # the run knows others too

    suspects = list_suspects(smileys, run=run.path)
    (suspect,) = list_suspects(some, run=run.path)

    assert {one["id"] for one in suspects} == {smileys.ids[0], smileys.ids[5]}
    assert suspect["id"] == smileys.ids[5]
    assert suspect["path"] == smileys.paths[5]
    assert suspect["prob_label"] == pytest.approx(0.1)
