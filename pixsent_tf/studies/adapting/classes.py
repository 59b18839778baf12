"""How does a model of classes become one for your own pictures?"""

from __future__ import annotations

from dataclasses import dataclass

import keras
import numpy as np
from scipy.special import softmax

from pixsent_tf.evaluation import metrics
from pixsent_tf.evaluation.compare import compare_answers
from pixsent_tf.inference.model import SentimentModel
from pixsent_tf.progress import Progress
from pixsent_tf.results.adaptations import ClassAdaptation
from pixsent_tf.results.answers import AnswersCompared
from pixsent_tf.results.studies import Metrics
from pixsent_tf.studies.adapting.looked import Came, Looked, with_head
from pixsent_tf.studies.folds import divide
from pixsent_tf.studies.labels import count_labels, refuse_few
from pixsent_tf.studies.outcome import Outcome
from pixsent_tf.training.adapting import AS_IS, Adapted, Head, adapt_head
from pixsent_tf.training.calibrated import Calibrated, calibrate
from pixsent_tf.training.logistic import InnerPredictions


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
            {"candidate": number, "inner_log_loss": one.loss}
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
        return with_head(self.network, self.adapted.head)


@dataclass(frozen=True)
class OfClasses:
    """A model of classes, and what it sees.

    Attributes:
        looked: The model, and the labelled pictures.
    """

    looked: Looked

    def refuse_few(self) -> None:
        """Refuse too few pictures.

        Raises:
            UsageError: If there are too few that differ and can be read.
        """
        looked, dataset = self.looked, self.looked.dataset
        read = np.isin(np.arange(len(dataset)), looked.readable)
        counts = count_labels(dataset, read, looked.units)
        refuse_few(dataset.name, counts, "different, readable pictures")

    @property
    def _head(self) -> Head:
        """The head as it was, its temperature inside."""
        head = self.looked.head
        temperature = np.float32(self.looked.trained.output.temperature)
        return Head(head.kernel / temperature, head.bias / temperature)

    def adapt(self, progress: Progress) -> Came:
        """Adapt to all labels, and let each judge what the others make of the model.

        Args:
            progress: Hears how far it is.

        Returns:
            What became of it; a model that is left as it is, is as it was.
        """
        trained = self.looked.trained
        before, after = self._test(progress)
        adapted, calibrated = self._train(self.looked.readable)
        if adapted.choice != AS_IS:
            trained = SentimentModel.build(
                calibrated.fitted.classifier(),
                trained.preprocessor.config,
                trained.class_names,
                calibrated.temperature,
                calibrated.held_out,
            )
        told: ClassAdaptation = {
            "before": _measure(before),
            "after": _measure(after),
            "difference": _compare(after, before),
            "candidates": [
                {
                    "name": one.name,
                    "log_loss": one.loss,
                    "gain_over_head": one.gain,
                    "gain_error": one.gain_error,
                }
                for one in adapted.losses
            ],
            "temperature": calibrated.temperature,
        }
        return Came(trained, adapted.choice, adapted.losses, told, after.predictions)

    def _train(self, indices: np.ndarray) -> tuple[Adapted, Calibrated]:
        """Adapt to some of the labels, at int [M]."""
        looked = self.looked
        adapted = adapt_head(
            self._head,
            looked.features[indices],
            looked.dataset.labels[indices],
            standard=looked.standard,
            units=looked.units[indices],
            seed=looked.seed,
        )
        fitted = _Fitted(looked.trained.classifier, looked.features, adapted)
        return adapted, calibrate(fitted, looked.dataset.labels[indices])

    def _test(self, progress: Progress) -> tuple[Outcome, Outcome]:
        """What the model said as it was, and what others make it say."""
        looked = self.looked
        dealt = looked.deal()
        before = softmax(self._head.logits(looked.features), axis=1)
        after = np.full_like(before, np.nan)
        for part in divide(looked.dataset, dealt):
            _, calibrated = self._train(part.train)
            after[part.test] = calibrated.probs(part.test)
            progress.advance(len(part.test))
        dealt[list(looked.failures)] = 1  # asked about, and told of without an answer
        return (
            Outcome(looked.dataset, before, dealt, looked.failures),
            Outcome(looked.dataset, after, dealt, looked.failures),
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
