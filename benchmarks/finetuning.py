"""What does each setting of fine-tuning give, on inner splits alone?

    python benchmarks/finetuning.py deepsent/ --level five_agrees --out settings.json

Of each training part of the five folds one inner fold of five is predicted by a network
that the other four trained; no test part is looked at. Told for each setting: log loss,
that at the temperature which suits these predictions best, accuracy and AUC, and the
log loss when logits are averaged with those of a frozen head on the same features or on
those of `best`, at the better of eleven weights. The frozen heads come first.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from sklearn.metrics import roc_auc_score

from pixsent_tf.config import Recipe, override
from pixsent_tf.data import splits
from pixsent_tf.data.sources import open_dataset
from pixsent_tf.recipes.starters import BEST, FINETUNED
from pixsent_tf.training.finetune import FineTuneLearner
from pixsent_tf.training.heads import HeadLearner
from pixsent_tf.training.logistic import deal_inner_folds

HELD = 1  # the inner fold that is predicted
WEIGHTS = np.linspace(0, 1, 11)
SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "2 epochs": {"training.epochs": 2},
    "4 epochs": {"training.epochs": 4},
    "8 epochs": {"training.epochs": 8},
    "16 epochs": {"training.epochs": 16},
    "8 epochs, 8 views": {"training.num_views": 8},
    "8 epochs, rate 3e-4": {"training.learning_rate": 3e-4},
    "8 epochs, rate 3e-5": {"training.learning_rate": 3e-5},
    "8 epochs, mixup .2": {"training.mixup": 0.2},
    "8 epochs, averaged weights": {"training.ema": 0.95},
    "8 epochs, label smoothing .1": {"training.label_smoothing": 0.1},
    "8 epochs, dropout .5": {"model.dropout": 0.5},
    "8 epochs, decay .1": {"training.weight_decay": 0.1},
    "8 epochs, frozen head first": {"training.head_first": True},
    "8 epochs, a fifth of the layers": {"training.trained_fraction": 0.2},
    "8 epochs, the networks of best": {
        "model.backbone": BEST.model.backbone,
        "model.crop_fraction": BEST.model.crop_fraction,
    },
}
Split = tuple[np.ndarray, np.ndarray]  # positions that train, and that are predicted


@dataclass(frozen=True)
class Inner:
    """Pictures and the inner splits of their published training parts.

    Attributes:
        paths: The pictures.
        labels: Their classes.
        units: Copies share a number.
        parts: Of each fold.
    """

    paths: list[str]
    labels: np.ndarray
    units: np.ndarray
    parts: list[Split]

    @property
    def targets(self) -> np.ndarray:
        """One-hot, float32 [N, K]."""
        return np.eye(self.labels.max() + 1, dtype="float32")[self.labels]

    @property
    def predicted(self) -> np.ndarray:
        """Classes of what is predicted, one part after the other."""
        return np.concatenate([self.labels[held] for _, held in self.parts])


def main() -> None:
    """Train with every setting and print a row for each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", help="as `crossval` takes it")
    parser.add_argument("--level", default="five_agrees")
    parser.add_argument("--settings", nargs="+", choices=SETTINGS, default=[*SETTINGS])
    parser.add_argument("--out", type=Path, help="all numbers, as JSON")
    options = parser.parse_args()
    inner = split(options.source, options.level)
    print(f"{len(inner.predicted)} inner predictions of {len(inner.paths)} pictures\n")
    print("| | log loss | with a temperature | accuracy | AUC | blended | with best |")
    print("|---|---|---|---|---|---|---|", flush=True)
    found = {}
    heads = [head_of(recipe, inner) for recipe in (Recipe(), BEST)]
    for name, logits in zip(("frozen head", "that of best"), heads, strict=True):
        found[name] = tell(name, logits, inner.predicted, [])
    for name, logits in trained(inner, options.settings):
        found[name] = tell(name, logits, inner.predicted, heads)
        if options.out:
            options.out.write_text(json.dumps(found, indent=2) + "\n")


def split(source: str, level: str) -> Inner:
    """Deal each training part into inner folds, copies kept together."""
    recipe = override(Recipe(), {"data.source": source, "data.level": level})
    dataset = open_dataset(recipe.data)
    dealt = splits.published_or_stratified(dataset, 5)
    units = splits.find_units(dataset)
    labels = np.asarray(dataset.labels)
    targets, parts = np.eye(labels.max() + 1)[labels], []
    for fold in range(1, dealt.max() + 1):
        trains = np.flatnonzero((dealt != fold) & ~np.isin(units, units[dealt == fold]))
        inner = deal_inner_folds(targets[trains], units[trains], seed=0)
        parts.append((trains[inner != HELD], trains[inner == HELD]))
    return Inner([str(path) for path in dataset.paths], labels, units, parts)


def trained(inner: Inner, names: list[str]) -> Iterator[tuple[str, np.ndarray]]:
    """Give what networks of each setting say; the pictures are decoded once."""
    first = None
    for name in names:
        settings = {"training.epochs": 8, "training.calibration_folds": 0}
        recipe = override(FINETUNED, {**settings, **SETTINGS[name]})
        learner = FineTuneLearner(recipe, 2)
        if first is None or learner.preprocess != first.preprocess:
            learner.read(inner.paths)
            first = first or learner
        else:
            learner.read_with(first)
        yield name, predict(learner, inner)


def head_of(recipe: Recipe, inner: Inner) -> np.ndarray:
    """Give what frozen heads say, log-probabilities [M, K]."""
    learner = HeadLearner(recipe)
    learner.read(inner.paths)
    return predict(learner, inner)


def predict(learner: Any, inner: Inner) -> np.ndarray:
    """Train on four inner folds and predict the fifth, in each part."""
    said = []
    for trains, held in inner.parts:
        fitted = learner.fit(trains, inner.targets, units=inner.units)
        said.append(np.log(np.maximum(fitted.probs(held), 1e-12)))
    return np.concatenate(said)


def tell(
    name: str, logits: np.ndarray, labels: np.ndarray, heads: list[np.ndarray]
) -> dict[str, Any]:
    """Print a row, and give its numbers."""
    told: dict[str, Any] = {
        "log_loss": log_loss(logits, labels),
        "with_temperature": minimize_scalar(
            lambda power: log_loss(np.exp(power) * logits, labels),
            bounds=(-3, 3),
            method="bounded",
        ).fun,
        "accuracy": float((logits.argmax(axis=1) == labels).mean()),
        "auc": float(roc_auc_score(labels, logits[:, 1] - logits[:, 0])),
        "blended": [blend(logits, head, labels) for head in heads],
    }
    cells = [told["log_loss"], told["with_temperature"], told["accuracy"], told["auc"]]
    row = [f"{cell:.3f}" for cell in cells]
    row += [f"{loss:.3f} ({weight:.1f})" for loss, weight in told["blended"]]
    print(f"| {name} | {' | '.join(row)} |", flush=True)
    return told


def blend(
    logits: np.ndarray, head: np.ndarray, labels: np.ndarray
) -> tuple[float, float]:
    """Find the best weight beside a frozen head, and the log loss that it gives."""
    losses = [log_loss(w * logits + (1 - w) * head, labels) for w in WEIGHTS]
    best = int(np.argmin(losses))
    return float(losses[best]), float(WEIGHTS[best])


def log_loss(logits: np.ndarray, labels: np.ndarray) -> float:
    """Mean of minus the log-probability of the true class."""
    return -float(log_softmax(logits, axis=1)[np.arange(len(labels)), labels].mean())


if __name__ == "__main__":
    main()
