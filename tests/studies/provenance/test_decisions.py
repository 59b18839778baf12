"""`audit RUN`: does a planted violation show, and nothing else?"""

from __future__ import annotations

import json

import numpy as np
import pytest

from pixsent_tf.config import Recipe
from pixsent_tf.errors import RunError
from pixsent_tf.inference.predictions import Failure, Predictions
from pixsent_tf.runs import Run
from pixsent_tf.studies.provenance.decisions import audit_run, write_decisions

IMAGES = {name: name * 8 for name in "abcdef"}


def decision(name, trained, validated=""):
    """What a decision saw, by the names of the pictures."""
    return {
        "name": name,
        "trained": [IMAGES[image] for image in trained],
        "validated": [IMAGES[image] for image in validated],
    }


def fold(number, *decisions, tested):
    return {
        "fold": number,
        "decisions": list(decisions),
        "tested": [IMAGES[image] for image in tested],
    }


HONEST = (
    fold(1, decision("search", "cd", "ef"), decision("training", "cdef"), tested="ab"),
    fold(2, decision("search", "ab", "ef"), decision("training", "abef"), tested="cd"),
)


@pytest.fixture
def run(tmp_path):
    """Fold 1 tested a and b, fold 2 c and d; f could not be read."""
    run = Run(tmp_path)
    run.write_recipe(Recipe())
    Predictions(
        name="run",
        ids=tuple("abcd"),
        probs=np.full((4, 2), 0.5),
        class_names=("negative", "positive"),
        folds=np.array([1, 1, 2, 2]),
        failures=(Failure("f", "empty", "f is empty.", fold=2),),
    ).write(run)
    return run


def test_decisions_that_saw_no_test_picture_pass(run):
    write_decisions(run, IMAGES, HONEST)

    findings = audit_run(run)

    assert findings["leaks"] == findings["unrecorded"] == []
    assert findings["has_leak"] is False
    assert findings["folds"][0] == {
        "fold": 1,
        "tested": 2,
        "decisions": [
            {"name": "search", "trained": 2, "validated": 2},
            {"name": "training", "trained": 4, "validated": 0},
        ],
    }


@pytest.mark.parametrize(
    ("planted", "part"),
    [(("cb", "ef"), "trained"), (("c", "eb"), "validated")],
)
def test_a_test_picture_in_a_search_is_named(run, planted, part):
    write_decisions(
        run, IMAGES, [fold(1, decision("search", *planted), tested="ab"), HONEST[1]]
    )

    findings = audit_run(run)

    assert findings["has_leak"] is True
    assert findings["leaks"] == [
        {"fold": 1, "decision": "search", "part": part, "id": "b"}
    ]


def test_a_prediction_that_no_fold_owns_up_to_is_a_leak(run):
    write_decisions(
        run, IMAGES, [fold(1, decision("search", "bc"), tested="a"), HONEST[1]]
    )

    findings = audit_run(run)

    assert findings["unrecorded"] == ["b"]
    assert findings["has_leak"] is True


def test_answers_that_name_no_fold_are_owned_up_to_by_none(run):
    rows = run.read_table("predictions.csv")
    columns = [name for name in rows[0] if name != "fold"]
    run.write_table(
        "predictions.csv", columns, [[row[name] for name in columns] for row in rows]
    )
    write_decisions(run, IMAGES, HONEST)

    findings = audit_run(run)

    assert (findings["leaks"], findings["unrecorded"]) == ([], list("abcd"))
    assert findings["has_leak"] is True


def test_a_record_without_folds_proves_nothing(run):
    write_decisions(run, IMAGES, [])

    assert audit_run(run)["has_leak"] is True


def test_a_run_without_a_record_is_refused(run):
    with pytest.raises(RunError, match=r"no decisions\.json: a `fit`, `crossval`"):
        audit_run(run)


def test_a_damaged_record_is_refused(run):
    (run.path / "decisions.json").write_text(json.dumps({"images": {}}))

    with pytest.raises(RunError, match=r"decisions\.json is damaged: it lacks 'folds'"):
        audit_run(run)
