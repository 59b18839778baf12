"""How does a model of ratings become one for your own pictures?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pixsent_tf.config.scales import spread_of
from pixsent_tf.data.lists.rated import Ratings
from pixsent_tf.errors import UsageError
from pixsent_tf.evaluation import conformal, ratings
from pixsent_tf.inference.model import SentimentModel
from pixsent_tf.models.output import RatingOutput
from pixsent_tf.progress import Progress
from pixsent_tf.results.adaptations import RatingAdaptation
from pixsent_tf.studies.adapting.looked import Came, Looked, with_head
from pixsent_tf.studies.folds import divide
from pixsent_tf.studies.labels import LEAST_LABELS
from pixsent_tf.studies.ratings.outcome import RatingOutcome, measure_table
from pixsent_tf.training.adapting import AS_IS
from pixsent_tf.training.adapting_ratings import AdaptedRatings, adapt_ratings


@dataclass(frozen=True)
class OfRatings:
    """A model of ratings, and what it sees.

    Attributes:
        looked: The model, and the rated pictures.
    """

    looked: Looked

    @property
    def _output(self) -> RatingOutput:
        assert self.looked.trained.rating is not None
        return self.looked.trained.rating

    @property
    def _known(self) -> Ratings:
        assert self.looked.dataset.ratings is not None
        return self.looked.dataset.ratings

    def refuse_few(self) -> None:
        """Refuse too few pictures.

        Raises:
            UsageError: If there are too few that differ and can be read.
        """
        count = len(np.unique(self.looked.units[self.looked.readable]))
        if count < LEAST_LABELS:
            raise UsageError(
                f"{self.looked.dataset.name} has {count} different, readable pictures; "
                f"adapting needs {LEAST_LABELS}: {LEAST_LABELS - count} more."
            )

    def adapt(self, progress: Progress) -> Came:
        """Adapt to all ratings, and let each judge what the others make of the model.

        Args:
            progress: Hears how far it is.

        Returns:
            What became of it. Intervals are those of these pictures in any case.
        """
        looked, output = self.looked, self._output
        before, after = self._test(progress)
        adapted = self._train(looked.readable)
        widths = self._half_widths(adapted, looked.readable)
        network = looked.trained.classifier
        if adapted.choice != AS_IS:
            network = with_head(network, adapted.head)
        model = SentimentModel.wrap(
            network,
            looked.trained.preprocessor.config,
            RatingOutput(output.targets, output.scale, widths.tolist()),
        )
        tables = [one.table for one in (after, before)]
        told: RatingAdaptation = {
            "before": measure_table(tables[1], looked.dataset, output.scale),
            "after": measure_table(tables[0], looked.dataset, output.scale),
            "differences": ratings.compare(
                names=("after", "before"),
                targets=output.targets,
                ratings=self._known.values[looked.readable],
                answers=np.stack([one.answers for one in tables]),
            ),
            "candidates": [
                {
                    "name": one.name,
                    "squared_error": one.loss,
                    "gain_over_head": one.gain,
                    "gain_error": one.gain_error,
                }
                for one in adapted.losses
            ],
            "scale": list(output.scale),
        }
        return Came(model, adapted.choice, adapted.losses, told, tables[0])

    def _train(self, indices: np.ndarray) -> AdaptedRatings:
        """Adapt to some of the ratings, at int [M]."""
        looked, output = self.looked, self._output
        return adapt_ratings(
            looked.head,
            looked.features[indices],
            self._known.values[indices],
            scale=output.scale,
            errors=np.array([spread_of(width) for width in output.half_widths]),
            standard=looked.standard,
            ranges=looked.dataset.labels[indices],
            units=looked.units[indices],
            seed=looked.seed,
        )

    def _half_widths(self, adapted: AdaptedRatings, indices: np.ndarray) -> np.ndarray:
        """How far intervals reach, by ratings that trained nothing, [T]."""
        inner = adapted.inner.clip(*self._output.scale)
        errors = np.abs(inner - self._known.values[indices])
        return np.array([conformal.half_width(column) for column in errors.T])

    def _test(self, progress: Progress) -> tuple[RatingOutcome, RatingOutcome]:
        """What the model said as it was, and what others make it say."""
        looked, output = self.looked, self._output
        dealt = looked.deal()
        before = looked.head.logits(looked.features).clip(*output.scale)
        after = np.full(before.shape, np.nan)
        widths = np.tile(output.half_widths, (len(before), 1)).astype("float64")
        own_widths = np.full(before.shape, np.nan)
        for part in divide(looked.dataset, dealt):
            adapted = self._train(part.train)
            found = adapted.head.logits(looked.features[part.test])
            after[part.test] = found.clip(*output.scale)
            own_widths[part.test] = self._half_widths(adapted, part.train)
            progress.advance(len(part.test))
        dealt[list(looked.failures)] = 1  # asked about, and told of without an answer
        return (
            RatingOutcome(looked.dataset, before, widths, dealt, looked.failures),
            RatingOutcome(looked.dataset, after, own_widths, dealt, looked.failures),
        )
