"""What did each decision see? Hashes of pictures, so that nobody has to believe it.

    RUN/decisions.json
      hash      "sha256", of the bytes of a file
      images    hash by the name of a picture
      folds     for each test fold the decisions that led to its model, with the hashes
                of the pictures that each of them `trained` and `validated` on, and the
                hashes of the pictures that were `tested` in the end

`pixsent-tf audit RUN` checks that no decision saw a picture that it was tested on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pixsent_tf.errors import RunError
from pixsent_tf.inference.predictions import Predictions
from pixsent_tf.inference.rated import RatedTable
from pixsent_tf.results.audits import AuditedFold, Leak, RunAuditResults
from pixsent_tf.runs import Run
from pixsent_tf.texts import understood

FILE = "decisions.json"
PARTS = ("trained", "validated")


def write_decisions(
    run: Run, images: Mapping[str, str], folds: Iterable[Mapping[str, Any]]
) -> None:
    """Write what every decision saw.

    Args:
        run: Where to.
        images: Hash by the name of a picture.
        folds: Entries with `fold`, `decisions` and `tested`; a decision has a `name`
            and the hashes of what it `trained` and `validated` on.
    """
    run.write_json(
        FILE, {"hash": "sha256", "images": dict(images), "folds": list(folds)}
    )


def audit_run(run: Run) -> RunAuditResults:
    """Check that no decision saw a picture that its fold was tested on.

    Args:
        run: A run whose study wrote down what it saw.

    Returns:
        The findings.

    Raises:
        RunError: If the run says nothing about its decisions.
    """
    if not (run.path / FILE).is_file():
        raise RunError(
            f"{run.path} holds no {FILE}: a `fit`, `crossval` or `tune` writes what "
            f"its decisions saw when it is finished."
        )
    record = run.read_json(FILE)
    is_rated = bool(run.read_recipe().data.target)
    said = (RatedTable if is_rated else Predictions).read(run.path)
    with understood(run.path / FILE, RunError):
        leaks = [leak for fold in record["folds"] for leak in _leaks(fold, record)]
        unrecorded = _unrecorded(said, record)
        folds = [_count(fold) for fold in record["folds"]]
    return {
        "out": str(run.path),
        "folds": folds,
        "leaks": leaks,
        "unrecorded": unrecorded,
        "has_leak": bool(leaks or unrecorded or not folds),
    }


def _leaks(fold: Mapping[str, Any], record: Mapping[str, Any]) -> list[Leak]:
    names = {digest: name for name, digest in record["images"].items()}
    tested = set(fold["tested"])
    leaks: list[Leak] = []
    for decision in fold["decisions"]:
        for part in PARTS:
            shared = tested.intersection(decision.get(part, ()))
            leaks += [
                {
                    "fold": fold["fold"],
                    "decision": decision["name"],
                    "part": part,
                    "id": names.get(digest, digest),
                }
                for digest in sorted(shared)
            ]
    return leaks


def _unrecorded(said: Predictions | RatedTable, record: Mapping[str, Any]) -> list[str]:
    """Name pictures with an answer that their fold does not own up to."""
    tested = {fold["fold"]: set(fold["tested"]) for fold in record["folds"]}
    folds = [0] * len(said.ids) if said.folds is None else said.folds.tolist()
    return [
        name
        for name, fold in zip(said.ids, folds, strict=True)
        if record["images"].get(name) not in tested.get(fold, ())
    ]


def _count(fold: Mapping[str, Any]) -> AuditedFold:
    return {
        "fold": fold["fold"],
        "tested": len(fold["tested"]),
        "decisions": [
            {
                "name": decision["name"],
                "trained": len(decision.get("trained", ())),
                "validated": len(decision.get("validated", ())),
            }
            for decision in fold["decisions"]
        ],
    }
