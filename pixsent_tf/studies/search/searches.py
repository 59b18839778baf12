"""What does one search see, and what is its choice tested on?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from pixsent_tf.config import Recipe, override, to_json
from pixsent_tf.data import splits
from pixsent_tf.data.copies.duplicates import find_duplicates
from pixsent_tf.data.table import Dataset
from pixsent_tf.errors import ConfigError, RunError
from pixsent_tf.runs import Run, write_text
from pixsent_tf.studies.decisions import hash_files
from pixsent_tf.studies.search.bench import Bench
from pixsent_tf.studies.search.scorer import Scorer
from pixsent_tf.studies.search.space import SearchConfig, build_space, head_recipes
from pixsent_tf.studies.search.tuner import (
    await_chief,
    best_row,
    own_port,
    role,
    run_search,
)
from pixsent_tf.studies.trainer import Trainer

Call = Callable[[], object]


def _nothing(*_: object) -> None:
    """Do nothing."""


@dataclass(frozen=True)
class Hooks:
    """What a search calls while it works.

    Attributes:
        advance: With the number of pictures read since the last call.
        on_trial: After each trial that this process runs.
        watch: Now and then while workers search; may raise.
    """

    advance: Callable[[int], object] = _nothing
    on_trial: Call = _nothing
    watch: Call = _nothing


@dataclass(frozen=True)
class Part:
    """One search's share of the pictures.

    Attributes:
        number: Of the fold, from 1.
        seen: Positions of the pictures that search and training see, int [M].
        tested: Positions of the test pictures, readable or not, int.
        copies: How many pictures are left out because the fold tests copies of them.
    """

    number: int
    seen: np.ndarray
    tested: np.ndarray
    copies: int


class Searches:
    """The searches of one run; pictures are decoded only if one is unfinished.

    Args:
        recipe: What a trial starts from.
        dataset: The pictures.
        run: The folder to fill, or to go on with.
        config: What is searched, and how.
        hooks: What to call on the way.
    """

    def __init__(
        self,
        recipe: Recipe,
        dataset: Dataset,
        run: Run,
        config: SearchConfig,
        hooks: Hooks,
    ) -> None:
        if recipe.training.ensemble_size > 1:
            raise ConfigError(
                "A search trains one network in each trial; leave ensemble_size out "
                "and train an ensemble with the settings that it finds."
            )
        self.recipe = recipe
        self.dataset = dataset
        self.run = run
        self.config = config
        self.hooks = hooks
        agreement = dataset.agreement
        self.space = build_space(
            config, has_agreement=bool(agreement.min() < agreement.max())
        )
        self.hashes = hash_files(dataset.paths)
        self.groups = find_duplicates(dataset.paths).groups
        self.parts = self._divide()
        self._bench: Bench | None = None

    def result(self, part: Part) -> dict[str, Any]:
        """Give what a search led to, from its file if it is finished.

        Args:
            part: Its pictures.

        Returns:
            `rows`, the trials; `winner`; `read`, the names of the pictures that were
            tested, with `probs`; `decisions`, what each saw; `failures`. Empty for a
            worker.

        Raises:
            RunError: If the run tested other pictures before.
        """
        names = [self.dataset.ids[i] for i in part.tested]
        kept = self.run.read_fold(part.number)
        if kept is None:
            kept = self._find(part)
            if not kept:
                return {}
            kept["tested"] = names
            self.run.write_fold(part.number, kept)
        if kept["tested"] != names:
            raise RunError(
                f"{self.run.path} tested other pictures in fold {part.number}; name "
                f"another folder with --out."
            )
        return kept

    def _divide(self) -> list[Part]:
        """Divide the pictures, once for each test fold; no copy crosses over."""
        recipe, dataset = self.recipe, self.dataset
        if self.config.nested:
            dealt = splits.published_or_stratified(
                dataset, recipe.data.num_folds, seed=recipe.seed
            )
            in_folds = (dealt > 0) | dataset.only_trains
        else:
            fraction = recipe.evaluation.test_fraction
            dealt = splits.held_out(dataset, fraction, seed=recipe.seed).astype(int)
            in_folds = np.ones(len(dataset), dtype=bool)
        parts = []
        for number in range(1, int(dealt.max()) + 1):
            tested = dealt == number
            trains = in_folds & ~tested
            copied = trains & np.isin(self.groups, self.groups[tested])
            seen = np.flatnonzero(trains & ~copied)
            parts.append(Part(number, seen, np.flatnonzero(tested), int(copied.sum())))
        return parts

    def _find(self, part: Part) -> dict[str, Any]:
        """Search on one part, train the winner, test it."""
        if role() == "worker" and not self._joins(part):
            return {}
        bench = self._read()
        unread = list(bench.failures)
        seen, tested = (
            np.setdiff1d(part.seen, unread),
            np.setdiff1d(part.tested, unread),
        )
        scorer = Scorer(
            self.recipe,
            bench,
            seen,
            groups=self.groups,
            scored_folds=self.config.scored_folds,
            folder=self.run.path / "search" / f"fold-{part.number}",
        )
        rows = self._search(part, scorer)
        if not rows:
            return {}
        winner = best_row(rows)
        trained_on, found = self._test(winner, bench, seen, tested)
        search = {"name": "search", "trials": len(rows), **scorer.saw()}
        training = {"name": "training", "trained": self._hashes_of(trained_on)}
        return found | {
            "rows": [row | {"is_winner": row is winner} for row in rows],
            "decisions": {
                "fold": part.number,
                "decisions": [search, training],
                "tested": self._hashes_of(tested),
            },
            "failures": {
                self.dataset.ids[i]: [str(error), error.reason]
                for i, error in bench.failures.items()
            },
        }

    def _joins(self, part: Part) -> bool:
        """Wait for the chief, who computes the features that workers share."""
        with own_port(part.number):
            return await_chief(lambda: self.run.read_fold(part.number) is not None)

    def _search(self, part: Part, scorer: Scorer) -> list[dict[str, Any]]:
        def score(settings: dict[str, Any], share: float) -> dict[str, float]:
            found = scorer(settings, share)
            self.hooks.on_trial()
            return found

        with own_port(part.number):
            return run_search(
                self.config,
                self.space,
                score,
                scorer.folder,
                epochs=self.recipe.training.epochs,
                seed=self.recipe.seed + part.number,
                watch=self.hooks.watch,
            )

    def _test(
        self,
        winner: dict[str, Any],
        bench: Bench,
        seen: np.ndarray,
        tested: np.ndarray,
    ) -> tuple[set[int], dict[str, Any]]:
        """Train the winner on all that the search saw; tell what it trained on."""
        recipe = override(self.recipe, winner["settings"])
        witness, targets = bench.learner(recipe), bench.targets(recipe)
        trainer = Trainer(recipe, self.dataset, witness, targets)
        trained = trainer.train(seen)
        if not self.config.nested:
            trainer.save_model(self.run.model_path, trained)
            write_text(self.run.path / "winner.json", to_json(recipe))
        return witness.trained, {
            "read": [self.dataset.ids[i] for i in tested],
            "probs": trained.probs(tested).tolist(),
            "winner": {
                "settings": winner["settings"],
                "inner_log_loss": winner["log_loss"],
                "temperature": trained.temperature,
            },
        }

    def _read(self) -> Bench:
        """Let each network of a head look at each picture, once for all searches."""
        if self._bench is None:
            cache = self.run.path / "features"
            bench = Bench(self.dataset, self.hashes, cache)
            recipes = head_recipes(self.config, self.recipe)
            bench.read(recipes, self.hooks.advance)
            if not recipes:  # fine-tuning reads pixels; the first tells what is broken
                first = {
                    "model.backbone": self.config.backbones[0],
                    "training.strategy": self.config.strategies[0],
                }
                bench.learner(override(self.recipe, first))
            self._bench = bench
        return self._bench

    def _hashes_of(self, positions: Any) -> list[str]:
        return sorted({self.hashes[int(i)] for i in positions})
