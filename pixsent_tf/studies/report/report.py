"""What does an evaluation leave behind? Numbers, a table, a page and two cards."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from sklearn.metrics import roc_curve

from pixsent_tf.analysis import drawing, figures
from pixsent_tf.analysis.maps import SentimentMapper
from pixsent_tf.config import to_json
from pixsent_tf.data.copies.audit import audit
from pixsent_tf.data.decode.files import read_image
from pixsent_tf.data.table import Dataset
from pixsent_tf.errors import ConfigError, ImageError, RunError
from pixsent_tf.evaluation import reliability
from pixsent_tf.inference.model import SentimentModel
from pixsent_tf.inference.predictions import Predictions
from pixsent_tf.inference.rated import RatedTable
from pixsent_tf.progress import NO_PROGRESS, Progress
from pixsent_tf.results.studies import (
    AuditSummary,
    EvaluateResults,
    Evaluation,
    Metrics,
)
from pixsent_tf.runs import Run, environment, write_text
from pixsent_tf.studies.report import card, page
from pixsent_tf.studies.subjects import Subject
from pixsent_tf.texts import understood

NUM_PICTURES = 8  # in each gallery


def write(
    subject: Subject,
    numbers: Evaluation,
    out: Run,
    *,
    with_pictures: bool = True,
    progress: Progress = NO_PROGRESS,
) -> EvaluateResults:
    """Write everything into a folder.

    Args:
        subject: What was evaluated.
        numbers: What was measured.
        out: The folder; files of the same names are replaced.
        with_pictures: Examine the data, and show pictures with their maps.
        progress: Shows how far it is.

    Returns:
        The results, as `results.json` holds them.
    """
    shown = with_pictures and subject.dataset is not None
    results: EvaluateResults = {
        **numbers,
        "audit": audit_of(subject.dataset, subject.predictions, progress)
        if shown and subject.dataset is not None
        else None,
        "report": str(out.path / "report.html"),
        "out": str(out.path),
    }
    galleries = _galleries(subject, progress) if shown else []
    here = environment()
    out.write_json("results.json", results)
    out.write_json("environment.json", here)
    subject.predictions.write(out, ten_crop=subject.ten_crop)
    data = subject.dataset.name if subject.dataset else "its test pictures"
    text = page.render_report(
        title=subject.name,
        subtitle=f"{results['num_examples']} pictures of {data}, {_how(subject)}",
        results=results,
        figures=draw(subject, results),
        galleries=galleries,
        commands=_commands(subject, here["command"]),
        environment=here,
        recipe=to_json(subject.recipe) if subject.recipe else None,
        notes=results["notes"],
    )
    write_text(out.path / "report.html", text)
    text = card.model_card(
        name=subject.name.split(" on ")[0],
        dataset=data,
        how=_how(subject),
        results=results,
        recipe=subject.recipe,
    )
    write_text(out.path / "MODEL_CARD.md", text)
    if results["audit"] is not None:
        text = card.data_card(dataset=data, results=results)
        write_text(out.path / "DATA_CARD.md", text)
    return results


def _how(subject: Subject) -> str:
    """How test and training pictures were kept apart, in words without numbers."""
    folds = subject.predictions.folds
    if folds is None:
        return "which chose nothing in the model, as far as no note says otherwise"
    if len(subject.predictions.fold_numbers) == 1:
        return "held out from training"
    return "each predicted by a model that had not seen it (cross-validation)"


def _commands(subject: Subject, here: Sequence[str]) -> list[str]:
    commands = [shlex.join(here)]
    if subject.run is not None:
        commands.insert(0, subject.run.read_command())
    return commands


def draw(subject: Subject, results: Metrics) -> list[tuple[str, str]]:
    """Draw what the page shows.

    Args:
        subject: What was evaluated.
        results: Its numbers.

    Returns:
        Captions and SVG text.

    Raises:
        RunError: If what the training measured is damaged.
    """
    said = subject.predictions
    labels, probs = said.labels, said.probs
    assert labels is not None
    matrix = np.array(results["confusion"])
    drawn = [("Confusion", figures.confusion(matrix, said.class_names))]
    if probs.shape[1] == 2 and results["auc"] is not None:
        false_rate, true_rate, _ = roc_curve(labels, probs[:, 1])
        curve = figures.roc(false_rate, true_rate, area=results["auc"])
        drawn.append(("ROC", curve))
    bins = reliability.reliability(*reliability.events(labels=labels, probs=probs))
    diagram = figures.reliability(bins.predicted, bins.observed, bins.counts)
    drawn.append(("Reliability; bars: where a calibrated model would be", diagram))
    if subject.run is not None:
        with understood(subject.run.path / "history.csv", RunError):
            rows = [
                {name: float(value) for name, value in row.items() if _is_number(value)}
                for row in subject.run.read_table("history.csv")
            ]
            drawn.append(("Training", figures.history(rows)))
    return drawn


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def audit_of(
    dataset: Dataset, said: Predictions | RatedTable, progress: Progress
) -> AuditSummary:
    """Examine the pictures of an evaluation.

    Args:
        dataset: The pictures.
        said: What was said of them, and which folds they tested.
        progress: Shows how far it is.

    Returns:
        What a report tells of them.
    """
    if said.folds is not None:  # as this run parted them, not as was published
        home = dict(zip(said.ids, said.folds.tolist(), strict=True))
        rest = 0 if len(said.fold_numbers) > 1 else 2
        folds = np.array([home.get(name, rest) for name in dataset.ids], dtype="int32")
        dataset = replace(dataset, folds=folds)
    found = audit([dataset], progress=progress)["parts"][0]
    return {
        "num_examples": found["num_examples"],
        "classes": found["classes"],
        "unreadable": found["unreadable"],
        "exact_pairs": found["exact_pairs"],
        "near_pairs": found["near_pairs"],
        "crossing": len(found["crossing"]),
        "conflicting": len(found["conflicting"]),
    }


def _galleries(subject: Subject, progress: Progress) -> list[page.Gallery]:
    said = subject.predictions
    assert said.labels is not None
    sureness = said.probs.max(axis=1)
    wrong = said.answers != said.labels
    by_sureness = np.argsort(-sureness, kind="stable")
    errors = [i for i in by_sureness if wrong[i]][:NUM_PICTURES]
    unsure = [i for i in by_sureness[::-1] if i not in errors][:NUM_PICTURES]
    mappers: dict[int, SentimentMapper | None] = {}
    with progress.step(len(errors) + len(unsure), "drawing"):
        shown = [
            [_picture(subject, int(i), mappers, progress) for i in chosen]
            for chosen in (errors, unsure)
        ]
    kept = [[picture for picture in part if picture] for part in shown]
    names = said.class_names
    ends = {"low": names[0], "high": names[1]} if len(names) == 2 else {}
    return [
        page.Gallery(
            "Surest mistakes",
            "Wrong answers, the surest first: mislabelled pictures, or blind spots.",
            kept[0],
            **ends,
        ),
        page.Gallery(
            "Least sure",
            "Where the model could not decide, right or wrong.",
            kept[1],
            **ends,
        ),
    ]


def _picture(
    subject: Subject,
    position: int,
    mappers: dict[int, SentimentMapper | None],
    progress: Progress,
) -> page.Picture | None:
    """Show one picture, with its map where there is a model that has not seen it."""
    progress.advance(1)
    said = subject.predictions
    assert said.labels is not None
    path = subject.paths()[position]
    if path is None:
        return None
    try:
        image = read_image(path)
    except ImageError:
        return None
    model = subject.model_of(position)
    if id(model) not in mappers:
        mappers[id(model)] = _mapper(model)
    mapper, overlay = mappers[id(model)], None
    answer = int(said.answers[position])
    if mapper is not None:
        found, facets = mapper.map(drawing.thumbnail(image, 640)), mapper.facets
        by_name = {one.name: one for one in facets}  # of two classes the second only
        facet = by_name.get(said.class_names[answer], facets[0])
        overlay = drawing.smooth_overlay(
            drawing.thumbnail(found.image), facet.shade(found.smooth)
        )
    return page.Picture(
        id=said.ids[position],
        label=said.class_names[said.labels[position]],
        answer=said.class_names[answer],
        prob=float(said.probs[position, answer]),
        image=page.data_uri(drawing.thumbnail(image)),
        map=None if overlay is None else page.data_uri(overlay),
    )


def _mapper(model: SentimentModel | None) -> SentimentMapper | None:
    if model is None:
        return None
    try:
        return SentimentMapper(model)
    except ConfigError:
        return None
