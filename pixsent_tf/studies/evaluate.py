"""How good is a trained model? (`pixsent-tf evaluate`)"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from pixsent_tf.config import DataConfig
from pixsent_tf.data.levels import agreement
from pixsent_tf.data.table import Dataset
from pixsent_tf.errors import ConfigError, RunError
from pixsent_tf.evaluation import calibration, metrics, reliability
from pixsent_tf.inference.polarity import roll_up
from pixsent_tf.inference.shipped import NAMES
from pixsent_tf.progress import NO_PROGRESS, Progress
from pixsent_tf.results.distributions import DistributionMetrics
from pixsent_tf.results.studies import (
    Abstaining,
    Calibration,
    Evaluation,
    Metrics,
    SourceMetrics,
)
from pixsent_tf.runs import Run
from pixsent_tf.studies.outcome import measure_sources, measure_votes
from pixsent_tf.studies.report.card import CONFIDENCE
from pixsent_tf.studies.subjects import Subject, open_model, open_run
from pixsent_tf.studies.suspects import rank_suspects
from pixsent_tf.texts import understood

PRECISIONS = (0.9, 0.95, 0.98)
NUM_PARTS = 5  # of a single test set, to choose thresholds on other pictures


def ask_ten_crops(subject: Subject, *, progress: Progress = NO_PROGRESS) -> None:
    """Ask the models about ten crops of every picture, and keep the answers.

    The center crop is asked again on the way: where it says something else than the
    run recorded, that is noted.

    Args:
        subject: What is evaluated; its `ten_crop` is filled where it can be.
        progress: Shows how far it is.
    """
    paths = subject.paths()
    if not subject.models or None in paths:
        return
    ten_crop = np.full_like(subject.predictions.probs, np.nan)
    center = ten_crop.copy()
    by_model: dict[int, list[int]] = {}
    for i in range(len(paths)):
        by_model.setdefault(id(subject.model_of(i)), []).append(i)
    with progress.step(len(paths), "ten crops"):
        for positions in by_model.values():
            model = subject.model_of(positions[0])
            assert model is not None
            files = [str(paths[i]) for i in positions]
            found = model.predict(files, view="ten_crop", progress=progress)
            for i, one in zip(positions, found, strict=True):
                if one.probs is not None:
                    ten_crop[i], center[i] = one.probs, one.center_probs
    if np.isnan(ten_crop).any():
        subject.notes.append("Some pictures cannot be read any more; no ten crops.")
        return
    change = float(np.abs(center - subject.predictions.probs).max())
    if change > 0.02:
        subject.notes.append(
            f"The saved model differs from the recorded predictions by up to "
            f"{change:.3f}; the pictures or the package have changed since."
        )
    subject.ten_crop = ten_crop


def measure(
    subject: Subject, *, polarity: Mapping[str, str] | None = None
) -> Evaluation:
    """Compute every number.

    Args:
        subject: What is evaluated.
        polarity: Which classes are positive and which negative, to roll them up too;
            None for no roll.

    Returns:
        The numbers.

    Raises:
        RunError: If the table holds no labels.
    """
    said = subject.predictions
    if said.labels is None or len(said.ids) == 0:
        raise RunError(
            f"{subject.name} holds no labelled predictions to evaluate; what it said, "
            f"such as predictions.csv, needs a column `label`."
        )
    labels, probs, folds = said.labels, said.probs, said.folds
    summarize = partial(
        metrics.summarize,
        labels=labels,
        folds=folds,
        class_names=said.class_names,
        groups=subject.groups(),
    )
    parts = np.arange(len(labels)) % NUM_PARTS
    if folds is not None and len(said.fold_numbers) > 1:
        parts = folds
    smallest = len(labels) - np.bincount(parts).max()
    can_choose = min(smallest, len(np.unique(parts)) - 1) > 0
    ten_crop = subject.ten_crop
    return {
        **summarize(probs=probs),
        "confidence": CONFIDENCE,
        "ten_crop": None if ten_crop is None else summarize(probs=ten_crop),
        "calibration": _calibration(labels, probs, parts) if can_choose else None,
        "abstention": _abstention(labels, probs, parts) if can_choose else [],
        "coverage": len(said.ids) / len(said.asked),
        "unreadable": [failure.to_json() for failure in said.failures],
        "label_ceiling": label_ceiling(subject.dataset, said.ids),
        "settings_tried": _settings_tried(subject.run),
        "per_source": _per_source(subject),
        "distribution": _distribution(subject),
        "polarity": None if polarity is None else measure_polarity(subject, polarity),
        "suspects": rank_suspects(
            probs=probs,
            labels=labels,
            ids=said.ids,
            paths=subject.paths(),
            class_names=said.class_names,
        ),
        "notes": list(subject.notes),
    }


def _distribution(subject: Subject) -> DistributionMetrics | None:
    """Distances from the shares of the votes, of a model that learnt these."""
    recipe, dataset = subject.recipe, subject.dataset
    if recipe is None or dataset is None or recipe.data.labels != "votes":
        return None
    return measure_votes(dataset, subject.predictions)


def measure_polarity(subject: Subject, polarity: Mapping[str, str]) -> Metrics:
    """Compute the numbers of answers that are rolled up to negative and positive.

    Args:
        subject: What is evaluated.
        polarity: The pole of classes by their names; pictures labelled with others are
            not counted.

    Returns:
        The numbers.
    """
    said = roll_up(subject.predictions, polarity)
    assert said.labels is not None
    groups = None
    if subject.dataset is not None:
        groups = subject.dataset.groups_of(said.ids)
    return metrics.summarize(
        labels=said.labels,
        probs=said.probs,
        folds=said.folds,
        class_names=said.class_names,
        groups=groups,
    )


def _per_source(subject: Subject) -> list[SourceMetrics]:
    """The numbers of each source, where the pictures still tell theirs."""
    if subject.dataset is None or not set(subject.predictions.ids) <= set(
        subject.dataset.ids
    ):
        return []
    return measure_sources(subject.dataset, subject.predictions)


def _abstention(
    labels: np.ndarray, probs: np.ndarray, parts: np.ndarray
) -> list[Abstaining]:
    """What staying silent would give, each part judged by the others."""
    return [
        Abstaining(
            target=target,
            **calibration.abstention_across_folds(
                probs=probs, labels=labels, folds=parts, precision=target
            ),
        )
        for target in PRECISIONS
    ]


def _calibration(
    labels: np.ndarray, probs: np.ndarray, parts: np.ndarray
) -> Calibration:
    """What recalibration would give, each part judged by the others."""
    scaled = calibration.temperature_across_folds(
        probs=probs, labels=labels, folds=parts
    )
    predicted, happened = reliability.events(labels=labels, probs=probs)
    isotonic = calibration.isotonic_across_folds(
        predicted=predicted, happened=happened, folds=parts
    )
    by_temperature, _ = reliability.events(labels=labels, probs=scaled)
    log_probs = np.log(np.clip(probs, metrics.SMALLEST_PROB, None))
    return {
        "temperature": calibration.fit_temperature(log_probs=log_probs, labels=labels),
        "ece_with_temperature": reliability.reliability(by_temperature, happened).error,
        "ece_with_isotonic": reliability.reliability(isotonic, happened).error,
        "log_loss_with_temperature": float(
            metrics.log_losses(labels=labels, probs=scaled).mean()
        ),
    }


def label_ceiling(dataset: Dataset | None, ids: Sequence[str]) -> float | None:
    """Expect how often one more annotator would agree with the labels.

    Args:
        dataset: The pictures.
        ids: Which of them count.

    Returns:
        0…1; None without votes that differ, or for several sources.
    """
    if dataset is None or not dataset.has_counts or dataset.num_classes != 2:
        return None
    if dataset.sources is not None:  # each had annotators, and scales, of its own
        return None
    whole = getattr(dataset, "whole", None) or dataset
    beta = None if whole.votes is None else agreement.fit_beta(whole.votes)
    if beta is None:
        return None
    wanted = set(ids)
    part = dataset.take(np.array([name in wanted for name in dataset.ids]))
    assert part.votes is not None
    return agreement.expected_agreement(votes=part.votes, labels=part.labels, beta=beta)


def _settings_tried(run: Run | None) -> int | None:
    """How many settings competed for the one that is reported."""
    if run is None:
        return None
    with understood(run.path / "results.json", RunError):
        recorded = run.read_json("results.json").get("settings_tried")
        if recorded is not None:
            return int(recorded)
    rows = run.read_table("history.csv")
    if rows and "inverse_penalty" in rows[0]:
        return len({row["inverse_penalty"] for row in rows})
    return 1


def evaluate(
    model: str | Path,
    data: DataConfig | None,
    *,
    ten_crop: bool = True,
    threshold: float | None = None,
    polarity: Mapping[str, str] | None = None,
    progress: Progress = NO_PROGRESS,
) -> tuple[Subject, Evaluation]:
    """Evaluate a run on its test rows, or any model on labelled pictures.

    Args:
        model: A run folder, or a `.keras` file.
        data: The pictures; None for the run's own test rows.
        ten_crop: Ask about ten crops too.
        threshold: Rating from which a picture is positive, where the model or the
            pictures hold ratings; None where they do not.
        polarity: As in `measure`.
        progress: Shows how far it is.

    Returns:
        What was evaluated, and the numbers.

    Raises:
        ConfigError: If a bare model is given without pictures.
        PixsentError: As `open_run` and `open_model` do.
    """
    if data is not None:
        subject = open_model(
            model, data, ten_crop=ten_crop, threshold=threshold, progress=progress
        )
    elif Path(model).is_file() or str(model) in NAMES:
        raise ConfigError(
            f"{model} is a bare model; name the pictures to evaluate it on, too."
        )
    else:
        subject = open_run(model, threshold=threshold)
        if ten_crop:
            ask_ten_crops(subject, progress=progress)
    return subject, measure(subject, polarity=polarity)
