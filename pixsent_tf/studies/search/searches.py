"""What does one search see, and what is its choice tested on?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from pixsent_tf.config import Recipe, to_json
from pixsent_tf.data import splits
from pixsent_tf.data.copies.digests import hash_files
from pixsent_tf.data.table import Dataset
from pixsent_tf.errors import ConfigError
from pixsent_tf.progress import NO_PROGRESS, Progress
from pixsent_tf.results.studies import Choice
from pixsent_tf.runs import Run, write_text
from pixsent_tf.studies.folds import Folds, Part, Predicted, divide, hold_out
from pixsent_tf.studies.provenance.begun import begin
from pixsent_tf.studies.search.processes import await_chief, own_port
from pixsent_tf.studies.search.scorer import Scorer
from pixsent_tf.studies.search.settings import (
    SearchConfig,
    name_loss,
    refuse_unsearched,
    trial_recipe,
)
from pixsent_tf.studies.search.shared_learners import SharedLearners
from pixsent_tf.studies.search.space import build_space, head_recipes
from pixsent_tf.studies.search.trials import JudgedTrial
from pixsent_tf.studies.search.tuner import Trial, best_row, run_search
from pixsent_tf.studies.trainer import Trainer


@dataclass(frozen=True)
class Searched:
    """What the search of one part led to.

    Attributes:
        predicted: What its winner said about the test pictures.
        trials: All trials, in the order of their start.
        winner: What was chosen.
        saw: What each decision saw, an entry of `decisions.json`.
    """

    predicted: Predicted
    trials: Sequence[JudgedTrial]
    winner: Choice
    saw: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """Give what JSON can hold: the predictions, `trials`, `winner` and `saw`."""
        return self.predicted.to_json() | {
            "trials": [dict(row) for row in self.trials],
            "winner": self.winner,
            "saw": dict(self.saw),
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Searched:
        """Build it again from what `to_json` gave."""
        predicted = Predicted.from_json(values)
        return cls(predicted, values["trials"], values["winner"], values["saw"])


class Searches:
    """The searches of one run; pictures are decoded only if one is unfinished.

    Args:
        recipe: What a trial starts from.
        dataset: The pictures.
        run: The folder to fill, or to go on with.
        config: What is searched, and how.
        progress: Hears how far reading is, and of each trial and epoch.
        watch: Called now and then while workers search; may raise.
    """

    def __init__(
        self,
        recipe: Recipe,
        dataset: Dataset,
        run: Run,
        config: SearchConfig,
        progress: Progress = NO_PROGRESS,
        watch: Callable[[], object] = lambda: None,
    ) -> None:
        if recipe.training.ensemble_size > 1:
            raise ConfigError(
                "A search trains one network in each trial; leave ensemble_size out "
                "and train an ensemble with the settings that it finds."
            )
        if recipe.training.blend_head:
            raise ConfigError(
                "A search trains one network in each trial; leave blend_head out and "
                "blend the network with the settings that it finds."
            )
        refuse_unsearched(config, recipe)
        self.recipe = recipe
        self.dataset = dataset
        self.run = run
        self.config = config
        self.progress = progress
        self.watch = watch
        agreement = dataset.agreement
        self.space = build_space(
            config,
            has_agreement=bool(agreement.min() < agreement.max()),
            is_rated=dataset.ratings is not None,
        )
        begin(run, dataset, recipe, progress=progress)
        self.hashes = hash_files(dataset.paths)
        self.units = splits.find_units(dataset, progress=progress)
        self.parts = self._divide()
        made_by = {"recipe": asdict(recipe), "search": asdict(config)}
        self._kept = Folds(run, dataset, Searched, made_by)
        self._shared: SharedLearners | None = None

    @property
    def measure(self) -> str:
        """What decides, in words."""
        return name_loss(self.recipe)

    def find(self) -> dict[int, Searched]:
        """Search on every part, or recall what a search led to.

        Returns:
            Findings by the number of the part.

        Raises:
            RunError: If the run tested other pictures before.
        """
        return self._kept.find(self.parts, self._find)

    def work(self) -> None:
        """Run trials for the chief of each search that is not finished."""
        for part in self.parts:
            if self._kept.recall(part) is None and self._joins(part):
                self._search(part, self._scorer(part))

    def _divide(self) -> list[Part]:
        """Divide the pictures, once for each test fold; no unit crosses over."""
        recipe, dataset = self.recipe, self.dataset
        if not self.config.nested:
            fraction = recipe.evaluation.test_fraction
            mask = splits.held_out(dataset, fraction, seed=recipe.seed)
            return [hold_out(mask, units=self.units)]
        dealt = splits.published_or_stratified(
            dataset, recipe.data.num_folds, seed=recipe.seed
        )
        return divide(dataset, dealt, units=self.units)

    def _find(self, part: Part) -> Searched:
        """Search on one part, train the winner, test it."""
        scorer = self._scorer(part)
        rows = self._search(part, scorer)
        winner = best_row(rows)
        recipe = trial_recipe(self.recipe, winner["settings"])
        shared = self._read()
        witness = shared.learner(recipe)
        trainer = Trainer(recipe, self.dataset, witness, self.units)
        checkpoints = self.run.path / "checkpoints" / f"fold-{part.number}"
        trained = trainer.train(part.train, checkpoints=checkpoints)
        if not self.config.nested:
            trainer.save_model(self.run.model_path, trained)
            write_text(self.run.path / "winner.json", to_json(recipe))
        search = {"name": "search", "trials": len(rows), **scorer.saw()}
        training = {"name": "training", "trained": self._hashes_of(witness.trained)}
        return Searched(
            predicted=trainer.predict(trained, part.test),
            trials=[{**row, "is_winner": row is winner} for row in rows],
            winner={
                "settings": winner["settings"],
                "inner_loss": winner["loss"],
                "temperature": trained.temperature,
            },
            saw={
                "fold": part.number,
                "decisions": [search, training],
                "tested": self._hashes_of(self._readable(part.test)),
            },
        )

    def _scorer(self, part: Part) -> Scorer:
        return Scorer(
            self.recipe,
            self._read(),
            self._readable(part.train),
            units=self.units,
            scored_folds=self.config.scored_folds,
            folder=self.run.path / "search" / f"fold-{part.number}",
        )

    def _joins(self, part: Part) -> bool:
        """Wait for the chief, who computes the features that workers share."""
        with own_port(part.number):
            return await_chief(lambda: self._kept.recall(part) is not None)

    def _search(self, part: Part, scorer: Scorer) -> list[Trial]:
        def score(settings: dict[str, Any], share: float) -> dict[str, float]:
            found = scorer(settings, share)
            what = f"{self.measure} is {found['loss']:.4f}"
            self.progress.say(f"fold {part.number}: a trial's {what}")
            return found

        with own_port(part.number):
            return run_search(
                self.config,
                self.space,
                score,
                scorer.folder,
                epochs=self.recipe.training.epochs,
                seed=self.recipe.seed + part.number,
                watch=self.watch,
                say=self.progress.say,
            )

    def _read(self) -> SharedLearners:
        """Let each network of a head look at each picture, once for all searches."""
        if self._shared is None:
            cache = self.run.path / "features"
            shared = SharedLearners(self.dataset, self.hashes, cache, self.progress)
            recipes = head_recipes(self.config, self.recipe)
            shared.read(recipes)
            if not recipes:  # fine-tuning reads pixels; the first tells what is broken
                first = {
                    "model.backbone": self.config.backbones[0],
                    "training.strategy": self.config.strategies[0],
                }
                shared.learner(trial_recipe(self.recipe, first))
            self._shared = shared
        return self._shared

    def _readable(self, positions: np.ndarray) -> np.ndarray:
        return np.setdiff1d(positions, list(self._read().failures))

    def _hashes_of(self, positions: Any) -> list[str]:
        return sorted({self.hashes[int(i)] for i in positions})
