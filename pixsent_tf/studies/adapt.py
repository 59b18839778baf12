"""How does a trained model become one for your own pictures? (`pixsent-tf adapt`)

Each picture passes the network once. All that is told, of the model as it was and of
what became of it, is about labels that chose nothing and trained nothing.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
from scipy.special import softmax

from pixsent_tf.config import DataConfig, Recipe
from pixsent_tf.data.splits import find_units, stratified_folds
from pixsent_tf.data.table import Dataset
from pixsent_tf.errors import (
    DataError,
    ImageError,
    RunError,
    WeightsError,
)
from pixsent_tf.evaluation import metrics
from pixsent_tf.evaluation.compare import compare_answers
from pixsent_tf.inference import shipped
from pixsent_tf.inference.model import SentimentModel
from pixsent_tf.models.gate import gate_alike, ungated
from pixsent_tf.progress import NO_PROGRESS, Progress
from pixsent_tf.results.adaptations import AdaptResults, CandidateLoss
from pixsent_tf.results.answers import AnswersCompared
from pixsent_tf.results.studies import Metrics
from pixsent_tf.results.unreadable import list_unreadable
from pixsent_tf.runs import Run, next_folder
from pixsent_tf.studies.folds import divide
from pixsent_tf.studies.labels import count_labels, open_labels, refuse_few
from pixsent_tf.studies.outcome import Outcome
from pixsent_tf.training.adapting import (
    AS_IS,
    HEAD,
    Adapted,
    Head,
    Loss,
    Standard,
    adapt_head,
)
from pixsent_tf.training.calibrated import Calibrated, calibrate
from pixsent_tf.training.logistic import InnerPredictions, extract_features

NUM_FOLDS = 5


def adapt(
    data: DataConfig,
    *,
    model: str | Path | SentimentModel | None = None,
    pictures: Sequence[str] = (),
    out: str | Path | None = None,
    seed: int = 0,
    progress: Progress = NO_PROGRESS,
) -> AdaptResults:
    """Move a trained model to where some labels are, as far as they tell.

    Args:
        data: The labelled pictures.
        model: A run folder, the `.keras` file of one, None for the one that ships, or a
            model that is loaded already.
        pictures: Files of the collection that they are from; no labels needed. The
            features are standardized on these, if there are any.
        out: The run folder to make; the next free one below `runs/` if None.
        seed: Of the folds.
        progress: Hears how far it is.

    Returns:
        What `results.json` holds.

    Raises:
        UsageError: If there are too few labels, or of one class only.
        DataError: If the labels are of other classes than the model's, or no picture
            can be read.
        RunError: If the folder exists.
        WeightsError: If there is no such model, or it ends in no linear layer.
    """
    started = time.monotonic()
    name, recipe = _called(model), Recipe()
    if isinstance(model, SentimentModel):
        trained = model
    else:
        trained, recipe = shipped.load_model(model), _recipe_beside(model)
    _last_layer(trained.classifier)  # refuses what has none before pictures are read
    dataset = open_labels(data, trained.class_names, progress=progress)
    run = Run.create(Path(out) if out else next_folder(f"adapt-{dataset.name}"))
    study = _Study.read(trained, dataset, pictures, seed, progress)
    with progress.step(2 * len(dataset), "adapting"):
        before, after = study.test(progress)
        adapted, calibrated = study.train(study.readable)
        progress.advance(len(dataset))
    _save(run, trained, adapted, calibrated)
    recipe = dataclasses.replace(
        trained.recipe or recipe, name="adapted", data=data, seed=seed
    )
    run.write_recipe(dataclasses.replace(recipe, expected=()))
    losses = [dataclasses.asdict(one) for one in adapted.losses]
    run.write_table("history.csv", list(losses[0]), [[*row.values()] for row in losses])
    results: AdaptResults = {
        "choice": adapted.choice,
        "why": explain(adapted),
        "model": name,
        "num_labels": len(study.readable),
        "before": _measure(before),
        "after": _measure(after),
        "difference": _compare(after, before),
        "candidates": [_told(one) for one in adapted.losses],
        "temperature": calibrated.temperature,
        "settings_tried": len(adapted.losses),
        "unreadable": list_unreadable(dataset.ids, study.failures),
        "seconds": round(time.monotonic() - started, 2),
        "out": str(run.path),
    }
    after.predictions.write(run)
    run.write_json("results.json", results)
    return results


def _called(model: str | Path | SentimentModel | None) -> str:
    """Say which model was adapted."""
    if isinstance(model, SentimentModel):
        return model.recipe.model.backbone if model.recipe else model.model.name
    return "shipped" if model is None else str(model)


def explain(adapted: Adapted) -> str:
    """Say why that was chosen.

    Args:
        adapted: What became of the head.

    Returns:
        A sentence with its numbers.
    """
    losses = ", ".join(f"{one.name} {one.log_loss:.3f}" for one in adapted.losses)
    by = {one.name: f"{one.gain:.3f} ± {one.gain_error:.3f}" for one in adapted.losses}
    verdict = "none of the simpler ones is better by a standard error"
    if adapted.choice != HEAD:
        verdict = f"the head is worse by {by[adapted.choice]}"
    return f"log loss on labels that trained nothing: {losses}; {verdict}"


def _save(
    run: Run, trained: SentimentModel, adapted: Adapted, calibrated: Calibrated
) -> None:
    """Save what answers from now on; a model that is left as it is, as it is."""
    if adapted.choice != AS_IS:
        trained = SentimentModel.build(
            calibrated.fitted.classifier(),
            trained.preprocessor.config,
            trained.class_names,
            calibrated.temperature,
            calibrated.held_out,
        )
    trained.save(run.model_path)


def _told(loss: Loss) -> CandidateLoss:
    return {
        "name": loss.name,
        "log_loss": loss.log_loss,
        "gain_over_head": loss.gain,
        "gain_error": loss.gain_error,
    }


def _recipe_beside(model: str | Path | None) -> Recipe:
    """The recipe of the run whose bare model was named; the default if it has none."""
    try:
        return Run.open(Path(model).parent).read_recipe() if model else Recipe()
    except RunError:
        return Recipe()


def _last_layer(classifier: keras.Model) -> keras.layers.Dense:
    """Find the linear layer that a classifier ends in."""
    last = ungated(classifier).output._keras_history.operation
    is_linear = isinstance(last, keras.layers.Dense) and (
        last.activation is keras.activations.linear
    )
    if not is_linear or len(last.input.shape) != 2:
        raise WeightsError(
            f"The model ends in {last.name!r} ({type(last).__name__}), not in one "
            f"linear layer on features; adapt a single network, no ensemble."
        )
    return last


@dataclass(frozen=True)
class _Fitted:
    """What became of the head, as `calibrate` takes it.

    Attributes:
        network: The classifier as it was.
        features: Of all labelled pictures, float32 [N, F].
        adapted: The head.
    """

    network: keras.Model
    features: np.ndarray
    adapted: Adapted

    @property
    def history(self) -> list[dict[str, float]]:
        """The inner log loss of each candidate, by its place among them."""
        return [
            {"candidate": number, "inner_log_loss": one.log_loss}
            for number, one in enumerate(self.adapted.losses)
        ]

    @property
    def inner(self) -> InnerPredictions | None:
        """None for a model that is left as it is: it keeps its temperature, too."""
        return None if self.adapted.choice == AS_IS else self.adapted.inner

    def probs(self, indices: np.ndarray) -> np.ndarray:
        """Give the probabilities of pictures that were read, float32 [M, K]."""
        logits = self.adapted.head.logits(self.features[indices])
        return softmax(logits, axis=1).astype("float32")

    def classifier(self) -> keras.Model:
        """Give the network with another last layer of the same name, and its gate."""
        old, head = _last_layer(self.network), self.adapted.head
        settings = {**old.get_config(), "use_bias": True}
        new = keras.layers.Dense.from_config(settings)
        network = keras.Model(
            self.network.input, new(old.input), name=self.network.name
        )
        new.set_weights([head.kernel, head.bias])
        return gate_alike(network, self.network)


@dataclass(frozen=True)
class _Study:
    """A model, and labelled pictures whose features are known.

    Attributes:
        trained: The model as it was.
        dataset: The labelled pictures.
        features: float32 [N, F]; zero where a picture could not be read.
        failures: The error of each picture that could not be read, by position.
        standard: Of the collection.
        units: Pictures that belong together share a number, int [N].
        seed: Of the folds.
    """

    trained: SentimentModel
    dataset: Dataset
    features: np.ndarray
    failures: Mapping[int, ImageError]
    standard: Standard
    units: np.ndarray
    seed: int

    @classmethod
    def read(
        cls,
        trained: SentimentModel,
        dataset: Dataset,
        pictures: Sequence[str],
        seed: int,
        progress: Progress,
    ) -> _Study:
        """Pass every picture through the network once."""
        units = find_units(dataset, progress=progress)
        paths = list(dict.fromkeys([*dataset.paths, *pictures]))
        backbone = keras.Model(
            trained.classifier.input, _last_layer(trained.classifier).input
        )
        found = extract_features(
            backbone, paths, trained.preprocessor, progress=progress
        )
        place = {path: i for i, path in enumerate(paths)}
        own = [place[path] for path in dataset.paths]
        read = found.readable[own]
        refuse_few(
            dataset.name,
            count_labels(dataset, read, units),
            "different, readable pictures",
        )
        collection = [place[path] for path in pictures] or own
        collection = [i for i in collection if found.readable[i]]
        if not collection:
            raise DataError(f"None of the {len(pictures)} pictures can be read.")
        return cls(
            trained,
            dataset,
            found.values[own],
            {i: found.failures[p] for i, p in enumerate(own) if p in found.failures},
            Standard.of(found.values[collection]),
            units,
            seed,
        )

    @property
    def readable(self) -> np.ndarray:
        """Positions of the pictures that could be read, int [M]."""
        return np.setdiff1d(np.arange(len(self.dataset)), list(self.failures))

    @property
    def head(self) -> Head:
        """The head as it was, its temperature inside."""
        kernel, *bias = _last_layer(self.trained.classifier).get_weights()
        shift = bias[0] if bias else np.zeros(kernel.shape[1], dtype="float32")
        temperature = np.float32(self.trained.output.temperature)
        return Head(kernel / temperature, shift / temperature)

    def train(self, indices: np.ndarray) -> tuple[Adapted, Calibrated]:
        """Adapt to some of the labels, float [M]."""
        adapted = adapt_head(
            self.head,
            self.features[indices],
            self.dataset.labels[indices],
            standard=self.standard,
            units=self.units[indices],
            seed=self.seed,
        )
        fitted = _Fitted(self.trained.classifier, self.features, adapted)
        return adapted, calibrate(fitted, self.dataset.labels[indices])

    def test(self, progress: Progress) -> tuple[Outcome, Outcome]:
        """Let labels judge the model as it was, and what the others make of it."""
        readable, units = self.readable, self.units[self.readable]
        labels = self.dataset.labels[readable]
        fewest = min(len(np.unique(units[labels == k])) for k in np.unique(labels))
        dealt = np.zeros(len(self.dataset), dtype="int32")
        dealt[readable] = stratified_folds(
            labels, min(NUM_FOLDS, fewest), seed=self.seed, units=units
        )
        before = softmax(self.head.logits(self.features), axis=1)
        after = np.full_like(before, np.nan)
        for part in divide(self.dataset, dealt):
            _, calibrated = self.train(part.train)
            after[part.test] = calibrated.probs(part.test)
            progress.advance(len(part.test))
        dealt[list(self.failures)] = 1  # asked about, and told of without an answer
        return (
            Outcome(self.dataset, before, dealt, self.failures),
            Outcome(self.dataset, after, dealt, self.failures),
        )


def _measure(outcome: Outcome) -> Metrics:
    said = outcome.predictions
    assert said.labels is not None
    return metrics.summarize(
        labels=said.labels,
        probs=said.probs,
        folds=said.folds,
        class_names=said.class_names,
        groups=outcome.dataset.groups_of(said.ids),
    )


def _compare(first: Outcome, second: Outcome) -> AnswersCompared:
    said = first.predictions, second.predictions
    right = [one.answers == one.labels for one in said]
    return compare_answers(*right, groups=first.dataset.groups_of(said[0].ids))
