"""How does a network learn beyond its head?

    last-blocks   the layers next to the head, and the head
    all           every layer, the new head faster than the rest
    lp-ft         the head alone on frozen features, then every layer at a low rate

Keras' `fit` does the training. Each training starts from the same weights and draws
its own order and crops from the recipe's seed, so that folds do not know each other.

Reference:
    Kumar et al., "Fine-Tuning can Distort Pretrained Features and Underperform
    Out-of-Distribution", ICLR 2022.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from pixsent_tf.config import Recipe
from pixsent_tf.config.use import changed
from pixsent_tf.data.canvases import Canvases
from pixsent_tf.data.lists.rated import Ratings
from pixsent_tf.data.preprocess import Preprocessor
from pixsent_tf.errors import ConfigError, DataError, ImageError
from pixsent_tf.inference import engine
from pixsent_tf.inference.sweep import (
    Look,
    View,
    compile_look,
    mean_of_views,
    score_views,
)
from pixsent_tf.models import frontier, variants, zoo
from pixsent_tf.models.joined import feature_blocks
from pixsent_tf.progress import NO_PROGRESS, Progress
from pixsent_tf.training.aims import ClassAim, RatingAim
from pixsent_tf.training.descent import descend
from pixsent_tf.training.distribution import find_strategy, scope_of
from pixsent_tf.training.fixed_views import FixedViews
from pixsent_tf.training.inner import predict_inner_folds, rate_inner_folds
from pixsent_tf.training.kept import Shelf
from pixsent_tf.training.logistic import InnerPredictions
from pixsent_tf.training.rated import FittedRatings
from pixsent_tf.training.rates import choose_layers
from pixsent_tf.training.views import Views, WholeViews, augmentation_of

OF_A_NEW_HEAD = (
    "model.dropout",
    "model.initializer_stddev",
    "training.head_multiplier",
)


class FineTuneLearner:
    """Training of some or all layers by gradient descent.

    Args:
        recipe: Names the strategy, the network and their settings.
        num_classes: K.
        on_device: Whether crops are cut in the training step; None for where it is
            faster: on a GPU.
        progress: Hears how far reading is, and of each epoch.
    """

    def __init__(
        self,
        recipe: Recipe,
        num_classes: int,
        *,
        on_device: bool | None = None,
        progress: Progress = NO_PROGRESS,
    ) -> None:
        has_gpu = bool(tf.config.list_physical_devices("GPU"))
        self.recipe = recipe
        self.num_classes = num_classes
        self.progress = progress
        self.on_device = has_gpu if on_device is None else on_device
        self.preprocess = zoo.preprocess_of(recipe.model)
        self._strategy = find_strategy()
        precision = "mixed_float16" if has_gpu else "float32"
        with scope_of(self._strategy):
            self.network = build_network(recipe, num_classes, precision=precision)
        self.failures: dict[int, ImageError] = {}
        self.canvases: Canvases | None = None
        self._shelf = Shelf()
        self._initial = [(v, v.numpy()) for v in self.network.variables]
        self._features: np.ndarray | None = None

    def read(self, paths: Sequence[str]) -> None:
        """Decode every picture.

        Args:
            paths: The pictures.
        """
        preprocessor = Preprocessor(self.preprocess)
        self.canvases = Canvases.read(paths, preprocessor, progress=self.progress)
        self.failures = self.canvases.failures

    def read_with(self, other: FineTuneLearner) -> None:
        """Take the pictures that another learner has decoded.

        Args:
            other: Has read them, for the same network.
        """
        self.canvases, self.failures = other.canvases, other.failures
        self._shelf = other._shelf

    def fit(
        self,
        indices: np.ndarray,
        targets: np.ndarray,
        *,
        units: np.ndarray | None = None,
        checkpoints: Path | None = None,
    ) -> FittedNetwork:
        """Train on some of the pictures, from the starting weights.

        Args:
            indices: Positions of the training pictures, int [M].
            targets: Target probabilities of all pictures, float [N, K], times the
                weight of each picture.
            units: Pictures that belong together share a number, int [N]; they stay
                on one side where a part is held out to stop early.
            checkpoints: Folder for what a killed training goes on from; None for none.

        Returns:
            The trained network.

        Raises:
            DataError: If a class has too few pictures.
        """
        weights, history = self._train(ClassAim(indices, targets, units), checkpoints)

        def predict(trains: np.ndarray, others: np.ndarray) -> np.ndarray:
            aim = ClassAim(indices[trains], targets, units)
            self._train(aim, checkpoints, NO_PROGRESS)
            return self.score(indices[others])

        inner = predict_inner_folds(
            predict,
            targets[indices],
            units=None if units is None else units[indices],
            count=self.recipe.training.calibration_folds,
            progress=self.progress,
        )
        return FittedNetwork(self, weights, history, inner)

    def fit_ratings(
        self,
        indices: np.ndarray,
        ratings: Ratings,
        *,
        units: np.ndarray | None = None,
        checkpoints: Path | None = None,
    ) -> FittedRatings:
        """Train on ratings, from the starting weights.

        The network learns them in deviations from their mean; its last layer brings
        them back.

        Args:
            indices: Positions of the training pictures, int [M].
            ratings: Of all pictures.
            units: As in `fit`.
            checkpoints: As in `fit`.

        Returns:
            The trained network, with intervals from its inner folds.
        """
        known = ratings.take(indices)

        def train(ranks: np.ndarray, progress: Progress | None = None) -> Any:
            aim = RatingAim.of(ratings, indices[ranks], units)
            return self._train(aim, checkpoints, progress)

        def predict(trains: np.ndarray, others: np.ndarray) -> np.ndarray:
            train(trains, NO_PROGRESS)
            return self.score(indices[others])

        weights, history = train(np.arange(len(indices)))
        inner = rate_inner_folds(
            predict,
            known.values,
            units=None if units is None else units[indices],
            count=self.recipe.training.calibration_folds,
            progress=self.progress,
        )
        return FittedRatings(FittedNetwork(self, weights, history), known, inner)

    def _train(
        self,
        aim: ClassAim | RatingAim,
        checkpoints: Path | None,
        progress: Progress | None = None,
    ) -> tuple[list[np.ndarray], list[dict[str, float]]]:
        """Train from the starting weights; the network ends with those it learnt."""
        for variable, value in self._initial:
            variable.assign(value)
        training = self.recipe.training
        if training.strategy == "lp-ft" or training.head_first:
            self._place_head(aim)
        with scope_of(self._strategy):
            history = descend(
                self._views(),
                aim.examples(self.network.output.shape[-1]),
                self.recipe,
                progress=progress or self.progress,
                checkpoints=checkpoints,
            )
        if isinstance(aim, RatingAim):
            head = self.network.get_layer(zoo.HEAD)
            head.set_weights(aim.brought_back(*head.get_weights()))
        return self.network.get_weights(), history

    def score(self, indices: np.ndarray) -> np.ndarray:
        """Give the answers that the network's present weights lead to.

        Args:
            indices: Positions of pictures that could be read, int [M].

        Returns:
            Probabilities, float32 [M, K], or ratings: of the center crop, or the mean
            over the ten crops.
        """
        preprocessor = Preprocessor(self.preprocess)
        view: View = "ten_crop" if self.recipe.evaluation.ten_crop else "center"
        probs = np.zeros((len(indices), self.num_classes), dtype="float32")
        for ranks, canvases in self._read_canvases.batches(indices):
            each = score_views(self._score, preprocessor, canvases, view)
            probs[ranks] = mean_of_views(each)
        return probs

    @property
    def _read_canvases(self) -> Canvases:
        if self.canvases is None:
            raise DataError("No picture was read yet; call read(paths) before fit.")
        return self.canvases

    def _views(self) -> Views:
        """Say what the network sees, and which part of it an epoch trains."""
        canvases, training = self._read_canvases, self.recipe.training
        choose_layers(self.network, training)
        augmentation = augmentation_of(training, canvases)
        parts = self._parts if augmentation.num_views else None
        if parts is None:
            # pictures of one batch are mixed before it is divided
            is_apart = self._strategy is not None and bool(augmentation.mixup)
            on_device = self.on_device and not is_apart
            return WholeViews.of(
                self.network, canvases, augmentation, on_device=on_device
            )
        frozen, trained = parts
        kept = self._shelf.find(frozen, canvases, augmentation, self.progress)
        return FixedViews(trained, canvases, kept, augmentation)

    @functools.cached_property
    def _parts(self) -> tuple[keras.Model, keras.Model] | None:
        """Give the frozen layers and those that are trained, if the first are any."""
        if self.recipe.training.strategy != "last-blocks":
            return None
        choose_layers(self.network, self.recipe.training)
        return frontier.cut(self.network)

    @functools.cached_property
    def _score(self) -> Look:
        """Compile a pass from crops to answers, by the network's weights."""

        def probs(logits: tf.Tensor) -> tf.Tensor:
            if self.recipe.data.target:
                return tf.cast(logits, tf.float32)
            return tf.nn.softmax(tf.cast(logits[:, : self.num_classes], tf.float32))

        if self._parts is None:
            return compile_look(self.network, self.preprocess.crop_size, after=probs)
        frozen, trained = self._parts
        look = engine.forward(frozen, 0)  # converted if that was worth it before

        @tf.function(reduce_retracing=True)
        def then(seen: Any) -> tf.Tensor:
            return probs(trained(seen, training=False))

        return lambda crops: then(
            tf.nest.map_structure(tf.convert_to_tensor, look(crops))
        )

    def _place_head(self, aim: ClassAim | RatingAim) -> None:
        """Train the head on frozen features, which all folds share."""
        if self._features is None:
            self._features = self._embed()
        head = aim.fit_head(
            self._features, feature_blocks(self._trunk), self.recipe.seed
        )
        self.network.get_layer(zoo.HEAD).set_weights([head.kernel, head.bias])

    @property
    def _trunk(self) -> keras.Model:
        """The network without its head."""
        head = self.network.get_layer(zoo.HEAD)
        return keras.Model(self.network.input, head.input)

    def _embed(self) -> np.ndarray:
        """Pass the center of every picture through the backbone, float32 [N, F]."""
        canvases, trunk = self._read_canvases, self._trunk
        crop = canvases.preprocessor.center_crop
        readable = np.setdiff1d(np.arange(len(canvases.paths)), list(self.failures))
        embed = engine.forward(trunk, len(readable))
        values = np.zeros(
            (len(canvases.paths), trunk.output.shape[-1]), dtype="float32"
        )
        for ranks, batch in canvases.batches(readable):
            values[readable[ranks]] = embed(crop(batch))
        return values


@dataclass(frozen=True)
class FittedNetwork:
    """What one training found.

    Attributes:
        learner: Has read the pictures; its network is borrowed to score them.
        weights: In the order of the network's `get_weights`.
        history: One row per epoch.
        inner: What networks that other folds trained said about the training pictures.
    """

    learner: FineTuneLearner
    weights: list[np.ndarray]
    history: list[dict[str, float]]
    inner: InnerPredictions | None = None

    def probs(self, indices: np.ndarray) -> np.ndarray:
        """Give the answers to pictures that were read.

        Args:
            indices: Positions, int [M].

        Returns:
            Probabilities, float32 [M, K], or ratings.
        """
        self.learner.network.set_weights(self.weights)
        return self.learner.score(indices)

    def classifier(self) -> keras.Model:
        """Give the network from crops to logits.

        Returns:
            A network of its own in float32, without anything that training added.
        """
        recipe = self.learner.recipe
        bare = replace(recipe.model, weights=None, dropout=0.0)
        network = build_network(replace(recipe, model=bare), self.learner.num_classes)
        network.set_weights(self.weights)
        return variants.keep_classes(network, self.learner.num_classes)


def _refuse_head_settings(recipe: Recipe) -> None:
    """Refuse what is said of a new head where the network's own units answer."""
    if recipe.training.strategy == "lp-ft":
        raise ConfigError(f"{recipe.model.surgery} has no new head for lp-ft.")
    for name in changed(recipe, OF_A_NEW_HEAD):
        raise ConfigError(
            f"{name} does nothing with surgery {recipe.model.surgery}: it leaves no "
            f"new head."
        )


def build_network(
    recipe: Recipe, num_classes: int, *, precision: str = "float32"
) -> keras.Model:
    """Build backbone and head with their starting weights.

    Args:
        recipe: Names the backbone and the settings of the head.
        num_classes: K.
        precision: Keras' name of what it computes in.

    Returns:
        Model from crops to logits, float32 [B, K], or more where the surgery keeps
        units that stand for no class.

    Raises:
        ConfigError: If there is no such backbone or surgery.
        WeightsError: If its weights are missing or do not fit.
    """
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        trunk = variants.build_trunk(recipe.model, num_classes, seed=recipe.seed)
        if variants.is_raw(recipe.model, num_classes):
            _refuse_head_settings(recipe)
            return trunk
        return zoo.attach_head(
            trunk,
            num_classes,
            dropout=recipe.model.dropout,
            stddev=recipe.model.initializer_stddev,
            seed=recipe.seed,
        )
    finally:
        keras.config.set_dtype_policy(before)
