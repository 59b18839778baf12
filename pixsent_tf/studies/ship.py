"""How are the models made that ship? Measured, then trained on everything.

    python -m pixsent_tf.studies.ship deepsent/ oasis/ratings.csv

Nothing is chosen here: the recipes say what was chosen, by leaving sources out and by
folds within each source. Features are computed once and kept in the cache.
"""

from __future__ import annotations

import dataclasses
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import keras
import numpy as np

from pixsent_tf import config
from pixsent_tf.config import Recipe
from pixsent_tf.config.networks import read_backbone
from pixsent_tf.data import splits
from pixsent_tf.data.sample.nothing import write_nothing
from pixsent_tf.data.sources import open_dataset
from pixsent_tf.data.table import Dataset
from pixsent_tf.errors import ConfigError
from pixsent_tf.inference import engine, light, prepared, shipped
from pixsent_tf.models import zoo
from pixsent_tf.models.joined import feature_blocks
from pixsent_tf.models.packages import PACKAGES
from pixsent_tf.progress import NO_PROGRESS, Progress
from pixsent_tf.recipes import find_recipe
from pixsent_tf.results.studies import SourceMetrics
from pixsent_tf.runs import cache_folder, write_text
from pixsent_tf.studies.folds import Part, divide, leave_sources_out, pool
from pixsent_tf.studies.outcome import measure_sources
from pixsent_tf.studies.report.card import shipped_card
from pixsent_tf.studies.trainer import Trainer
from pixsent_tf.training.calibrated import Calibrated
from pixsent_tf.training.heads import HeadLearner
from pixsent_tf.training.photographs import fit_photograph_score
from pixsent_tf.whole import whole

LEVEL: config.Level = (
    "five_agrees"  # is tested; what fewer agree on trains too, and weighs less
)
NUM_DRAWN = 60  # pictures of nothing, of each kind


@dataclass
class Shipment:
    """One model on its way.

    Attributes:
        dataset: The photographs of all sources.
        trainer: Has read them, and behind them the drawn pictures.
        num_drawn: How many these are.
    """

    dataset: Dataset
    trainer: Trainer
    num_drawn: int

    @classmethod
    def read(
        cls,
        recipe: Recipe,
        num_drawn: int = NUM_DRAWN,
        progress: Progress = NO_PROGRESS,
    ) -> Shipment:
        """Read every picture once.

        Args:
            recipe: What to train, and on which sources.
            num_drawn: Pictures of nothing to draw, of each kind.
            progress: Hears how far it is.

        Returns:
            What is ready to be trained.
        """
        dataset = open_dataset(recipe.data, seed=recipe.seed)
        drawn = write_nothing(cache_folder("nothing"), num_drawn, recipe.seed)
        learner = HeadLearner(recipe, progress)
        learner.read([*dataset.paths, *drawn])
        units = splits.find_units(dataset, progress=progress)
        return cls(dataset, Trainer(recipe, dataset, learner, units), len(drawn))

    @cached_property
    def folds(self) -> np.ndarray:
        """Test fold of each photograph within its source, int [N]."""
        recipe = self.trainer.recipe
        return splits.published_or_stratified(
            self.dataset, recipe.data.num_folds, seed=recipe.seed
        )

    @property
    def parts(self) -> list[Part]:
        """The folds within sources as parts."""
        return divide(self.dataset, self.folds, units=self.trainer.units)

    def measure(self, parts: Sequence[Part]) -> list[SourceMetrics]:
        """Train and test on each part.

        Args:
            parts: What divides the photographs.

        Returns:
            The numbers of each source.
        """
        predicted = {
            part.number: self.trainer.predict(self.trainer.train(part.train), part.test)
            for part in parts
        }
        outcome = pool(self.dataset, parts, predicted)
        return measure_sources(self.dataset, outcome.predictions)

    def fit_gate(self, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Train what tells photographs from pictures of nothing.

        Args:
            indices: Positions of the photographs, int [M].

        Returns:
            Kernel and bias, as `models.gate` takes them.
        """
        learner, trainer = self._learner, self.trainer
        readable = np.setdiff1d(indices, list(trainer.failures))
        return fit_photograph_score(
            learner.values[readable],
            learner.values[len(self.dataset) :],
            blocks=feature_blocks(self.backbone),
            seed=trainer.recipe.seed,
        )

    def gated(self) -> float:
        """Share of the photographs that a gate, not having seen them, refuses."""
        refused = tested = 0
        for part in self.parts:
            kernel, bias = self.fit_gate(part.train)
            scores = self._learner.values[part.test] @ kernel + bias
            refused += int((scores <= 0).sum())
            tested += len(part.test)
        return refused / tested

    @property
    def backbone(self) -> keras.Model:
        """The network that does not change."""
        return self._learner.backbone

    @property
    def _learner(self) -> HeadLearner:
        assert isinstance(self.trainer.learner, HeadLearner)
        return self.trainer.learner


def ship(
    name: str,
    sources: Sequence[str],
    *,
    folder: Path | None = None,
    num_drawn: int = NUM_DRAWN,
    level: config.Level | None = LEVEL,
    progress: Progress = NO_PROGRESS,
) -> dict[str, Any]:
    """Measure a recipe, train it on everything, write the head with its card.

    Args:
        name: One of `shipped.NAMES`, and the name of its recipe.
        sources: DeepSent's folder, and OASIS' table of ratings.
        folder: Where the head and its card go; the package itself if None.
        num_drawn: Pictures of nothing to draw, of each kind.
        level: Agreement level of DeepSent; None for other sources, as in tests.
        progress: Hears how far it is.

    Returns:
        What `results.json` holds: numbers `within` sources and `across` them, the share
        of `gated` photographs, how many pictures were `drawn`, the network's
        `megabytes`.
    """
    recipe = find_recipe(name)
    first, *others = sources
    data = dataclasses.replace(
        recipe.data,
        source=first,
        more_sources=tuple(others),
        level=level,
        join_weight=float(level is not None),
    )
    shipment = Shipment.read(
        dataclasses.replace(recipe, data=data), num_drawn, progress
    )
    dataset, trainer = shipment.dataset, shipment.trainer
    across = shipment.measure(leave_sources_out(dataset, units=trainer.units))
    results = {
        "within": shipment.measure(shipment.parts),
        "across": across,
        "gated": shipment.gated(),
        "drawn": shipment.num_drawn,
        "megabytes": round(4e-6 * shipment.backbone.count_params(), 1),
    }
    folder = folder or shipped.folder_of(name)
    _write_head(folder / "head.npz", shipment)
    # Where the pictures lay on one machine is nobody else's business.
    nowhere = dataclasses.replace(data, source="", more_sources=())
    public = dataclasses.replace(recipe, data=nowhere)
    write_text(folder / "recipe.json", config.to_json(public))
    write_prepared(folder)
    write_text(
        folder / "results.json", json.dumps(results, indent=2, allow_nan=False) + "\n"
    )
    card = shipped_card(name=name, recipe=public, results=results)
    write_text(folder / "MODEL_CARD.md", card)
    return results


def _write_head(path: Path, shipment: Shipment) -> None:
    """Train on everything; write what `inference.shipped` reads."""
    everything = np.arange(len(shipment.dataset))
    trained = shipment.trainer.train(everything)
    assert isinstance(trained, Calibrated)  # it answers with classes
    kernel, bias = trained.fitted.classifier().get_layer(zoo.HEAD).get_weights()
    gate_kernel, gate_bias = shipment.fit_gate(everything)
    sureness, is_right = zip(*trained.held_out, strict=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole(path) as temporary:
        np.savez(
            temporary,
            kernel=kernel,
            bias=bias,
            gate_kernel=gate_kernel,
            gate_bias=gate_bias,
            temperature=trained.temperature,
            sureness=np.array(sureness, dtype="float32"),
            is_right=np.array(is_right),
            class_names=np.array(shipment.dataset.class_names),
        )


def write_prepared(folder: Path) -> None:
    """Convert a model that ships; write what `inference.prepared` reads.

    Args:
        folder: Where its recipe and its head are.
    """
    model = shipped.load_head(folder)
    assert model.recipe is not None
    parts = _converted(model.answering, model.recipe.model)
    with whole(folder / prepared.NAME) as temporary:
        np.savez_compressed(temporary, **parts, known=np.array(light.describe(model)))


def write_features(path: Path = prepared.FEATURES) -> None:
    """Convert the default backbone; write what `prepare_features` reads.

    Args:
        path: The file.
    """
    backbone = zoo.build_backbone(config.ModelConfig())
    parts = _converted(backbone, config.ModelConfig())
    with whole(path) as temporary:
        identity = np.array(engine.identify(backbone))
        np.savez_compressed(temporary, **parts, identity=identity)


def _converted(network: keras.Model, model: config.ModelConfig) -> dict[str, Any]:
    """Convert a network; leave out the weights of the packages that it is made of."""
    branches = read_backbone(model.backbone)
    backbones = [branch.name for branch in branches if branch.name in PACKAGES]
    original = dataclasses.replace(engine.Original.of(network), identity=None)
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "network.tflite"
        why = engine.keep(original, path)
        if why:
            raise ConfigError(f"{network.name} cannot be converted: {why}")
        return prepared.take_apart(path.read_bytes(), backbones)


def main(sources: Sequence[str]) -> None:
    """Make every model that ships.

    Args:
        sources: DeepSent's folder, and OASIS' table of ratings.
    """
    write_features()
    for name in shipped.NAMES:
        print(name, json.dumps(ship(name, sources), indent=2))


if __name__ == "__main__":
    main(sys.argv[1:])
