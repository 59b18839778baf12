"""What does a study leave behind? One row per tested picture, and the numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pixsent_tf.data.table import Dataset
from pixsent_tf.errors import ImageError
from pixsent_tf.evaluation import metrics
from pixsent_tf.runs import Run


@dataclass(frozen=True)
class Outcome:
    """Predictions of pictures that did not train the model that made them.

    Attributes:
        dataset: The pictures.
        probs: float [N, K]; NaN where no prediction was made.
        folds: Test fold of each picture, int [N]; 0 = never tested.
        failures: The error of each picture that could not be read, by position.
    """

    dataset: Dataset
    probs: np.ndarray
    folds: np.ndarray
    failures: Mapping[int, ImageError]

    def write(self, run: Run, **more: Any) -> dict[str, Any]:
        """Write predictions and results.

        Args:
            run: Where to.
            more: Further entries of the results.

        Returns:
            The results, as `results.json` holds them.
        """
        dataset, tested = self.dataset, self.folds > 0
        tested[list(self.failures)] = False
        results = metrics.summarize(
            labels=dataset.labels[tested],
            probs=self.probs[tested],
            folds=self.folds[tested],
            class_names=dataset.class_names,
        )
        results |= {
            "unreadable": [
                {"id": dataset.ids[i], "reason": error.reason, "message": str(error)}
                for i, error in sorted(self.failures.items())
            ],
            **more,
            "run": str(run.path),
        }
        columns = [f"prob_{name}" for name in dataset.class_names]
        run.write_table(
            "predictions.csv",
            ["id", "fold", "label", *columns, "status"],
            self._rows(),
        )
        run.write_json("results.json", results)
        return results

    def _rows(self) -> Iterable[list[Any]]:
        dataset, width = self.dataset, self.probs.shape[1]
        for i in np.flatnonzero(self.folds > 0):
            failed = self.failures.get(int(i))
            yield [
                dataset.ids[i],
                self.folds[i],
                dataset.class_names[dataset.labels[i]],
                *([""] * width if failed else [f"{p:.9f}" for p in self.probs[i]]),
                failed.reason if failed else "ok",
            ]
