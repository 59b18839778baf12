"""What does a trained model say about these pictures? Its one owner.

uint8 pixels [B, H, W, 3] of any size
  -> to_crop      the preprocessor's geometry
  -> classifier   backbone and head
  -> probs        temperature, softmax, names of the classes
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from pixsent_tf.config import PreprocessConfig, Recipe
from pixsent_tf.data.crops import CENTER, NUM_CROPS
from pixsent_tf.data.preprocess import Preprocessor, ToCrop
from pixsent_tf.errors import ConfigError, ImageError, WeightsError
from pixsent_tf.evaluation.calibration import Abstention, abstention_of
from pixsent_tf.inference import archive
from pixsent_tf.inference.foreign import check_archive
from pixsent_tf.inference.frozen import Frozen, FrozenSweep
from pixsent_tf.inference.prediction import Prediction, Rated, find_positive
from pixsent_tf.inference.sweep import (
    Look,
    View,
    compile_look,
    mean_of_views,
    score_views,
)
from pixsent_tf.models import gate, joined, layers, zoo  # noqa: F401 - a saved model names them
from pixsent_tf.models.output import RatingOutput, SentimentOutput
from pixsent_tf.models.towers.hub import load_hub
from pixsent_tf.progress import NO_PROGRESS, Progress
from pixsent_tf.runs import Run
from pixsent_tf.texts import why_no_file
from pixsent_tf.whole import whole

OUTPUTS = (SentimentOutput, RatingOutput)


class SentimentModel:
    """A trained model with its parts by name, ready for pictures.

    Args:
        model: What `build` wraps and `load` reads: from images, uint8 [B, H, W, 3], to
            probabilities, float32 [B, K].
        recipe: What trained it; None where that is not known.

    Attributes:
        model: The whole.
        classifier: From crops to logits, [B, K].
        preprocessor: The geometry between images and crops.
        output: From logits to probabilities, and the names of the classes: a
            `SentimentOutput`; or to ratings, with the names of the targets.
        rating: The same, of a model that answers with ratings; None for classes.
        score: From crops, uint8 [n, S, S, 3], to probabilities, compiled.
        recipe: What trained it, or None.
        threshold: Probability below which the answer is `unsure`; see `abstain_at`.

    Raises:
        WeightsError: If the model is not one that this package makes.
    """

    def __init__(self, model: keras.Model, recipe: Recipe | None = None) -> None:
        crops = [layer for layer in model.layers if isinstance(layer, ToCrop)]
        networks = [layer for layer in model.layers if isinstance(layer, keras.Model)]
        outputs = [one for one in model.layers if isinstance(one, OUTPUTS)]
        if not len(crops) == len(networks) == len(outputs) == 1:
            raise WeightsError(
                f"{model.name!r} is no model of this package: it has {len(crops)} "
                f"preprocessing layers, {len(networks)} networks and {len(outputs)} "
                f"output layers instead of one each; give a model that `fit` saved."
            )
        self.model = model
        self.classifier: keras.Model = networks[0]
        self.preprocessor: Preprocessor = crops[0].preprocessor
        self.rating = outputs[0] if isinstance(outputs[0], RatingOutput) else None
        self.output: Any = outputs[0]
        self.recipe = recipe
        self.threshold = 0.0
        self.score: Look = compile_look(
            self.classifier, self.preprocessor.config.crop_size, after=self.output
        )

    @classmethod
    def build(
        cls,
        classifier: keras.Model,
        preprocess: PreprocessConfig,
        class_names: Sequence[str],
        temperature: float = 1.0,
        held_out: Sequence[tuple[float, bool]] = (),
        recipe: Recipe | None = None,
    ) -> SentimentModel:
        """Wrap a classifier into the model that is saved.

        Args:
            classifier: Flat model from crops to logits, [B, K]; it is frozen.
            preprocess: The geometry that it was trained with.
            class_names: Names by class index.
            temperature: Divisor of the logits.
            held_out: See `SentimentOutput`.
            recipe: What trained it; None where that is not known.

        Returns:
            The model.
        """
        output = SentimentOutput(class_names, temperature, held_out)
        return cls.wrap(classifier, preprocess, output, recipe)

    @classmethod
    def wrap(
        cls,
        classifier: keras.Model,
        preprocess: PreprocessConfig,
        output: SentimentOutput | RatingOutput,
        recipe: Recipe | None = None,
    ) -> SentimentModel:
        """Wrap a network of either kind into the model that is saved.

        Args:
            classifier: Flat model from crops to logits or ratings; it is frozen.
            preprocess: The geometry that it was trained with.
            output: What makes them the answer.
            recipe: What trained it; None where that is not known.

        Returns:
            The model.
        """
        images = keras.Input((None, None, 3), dtype="uint8", name="images")
        crops = ToCrop.build_from(preprocess)(images)
        classifier.trainable = False
        answer = output(classifier(crops, training=False))
        return cls(keras.Model(images, answer, name="sentiment"), recipe)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> SentimentModel:
        """Load a run's model.

        Args:
            path: A run folder, or a `.keras` file that a run wrote.

        Returns:
            The model; with its recipe where `path` is a run.

        Raises:
            RunError: If the folder is no run.
            WeightsError: If the file is missing, or holds no sentiment model or one
                whose weights are not finite.
        """
        path, recipe = Path(path), None
        if path.is_dir():
            run = Run.open(path)
            recipe, path = run.read_recipe(), run.model_path
        if why := why_no_file(path):
            raise WeightsError(f"{why}; give a run folder or a .keras.")
        if check_archive(path):
            load_hub(f"The network of {path}")
        try:
            model = keras.saving.load_model(path, compile=False, safe_mode=True)
        except Exception as error:  # of a damaged file Keras raises nearly every type
            what = (str(error) or type(error).__name__).strip().splitlines()[0]
            versions = archive.tell_versions(path)
            raise WeightsError(
                f"{path} is no model of this package{versions}: {what}"
            ) from error
        loaded = cls(model, recipe)
        loaded.refuse_broken(str(path))
        return loaded

    def refuse_broken(self, name: str) -> None:
        """Refuse weights that are not finite: whatever they say is no answer.

        Args:
            name: What to call the model.

        Raises:
            WeightsError: If one of them is not.
        """
        for weight in self.model.weights:
            if not np.isfinite(keras.ops.convert_to_numpy(weight)).all():
                raise WeightsError(
                    f"{name} holds weights that are not finite, first {weight.path}; "
                    f"train the model again with a smaller training.learning_rate."
                )

    def save(self, path: Path) -> None:
        """Save the model, preprocessing and calibration inside.

        The same weights give the same bytes, whenever and wherever they are saved.

        Args:
            path: The `.keras` file to write, whole or not at all.

        Raises:
            WeightsError: If a weight is not finite.
        """
        self.refuse_broken(self.model.name)
        with whole(path) as temporary:
            self.model.save(temporary)
            archive.settle(temporary)

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names by class index, [K]; empty for a model that answers with ratings."""
        return () if self.rating else self.output.class_names

    @property
    def answer_name(self) -> str:
        """What an export calls its numbers: "probs", or "ratings"."""
        return "ratings" if self.rating else "probs"

    @property
    def positive_index(self) -> int | None:
        """Which class is called positive, in any case; None if none is."""
        return find_positive(self.class_names)

    @property
    def answering(self) -> keras.Model:
        """The network from crops, [B, S, S, 3] 0..255, to probabilities, [B, K]."""
        probs = self.output(self.classifier.output)
        return keras.Model(self.classifier.input, probs, name="answering")

    def abstain_at(self, precision: float) -> Abstention:
        """Answer `unsure` from now on where answers would be right too seldom.

        Args:
            precision: Share of the answers that are to be right, 0…1. The threshold is
                chosen on training pictures that the inner models had not seen.

        Returns:
            The threshold, and what it reached on those pictures.

        Raises:
            ConfigError: If `precision` is out of range, or the model knows no pictures
                that did not train it.
        """
        self.refuse_ratings()
        if not self.output.held_out:
            raise ConfigError(
                "This model was trained without inner predictions, which `unsure` is "
                "chosen on; train it with --strategy head."
            )
        sureness, is_right = zip(*self.output.held_out, strict=True)
        chosen = abstention_of(
            sureness=np.array(sureness),
            is_right=np.array(is_right),
            precision=precision,
        )
        self.threshold = chosen.threshold
        return chosen

    def probs(self, canvases: np.ndarray, view: View = "center") -> np.ndarray:
        """Score canvases; the graph is traced once for any number of them.

        Args:
            canvases: uint8, [B, canvas, canvas, 3].
            view: Look at the center crop, or take the mean over the ten crops.

        Returns:
            Probabilities, float32 [B, K].
        """
        return mean_of_views(self.view_probs(canvases, view)).numpy()

    def view_probs(self, canvases: tf.Tensor, view: View) -> tf.Tensor:
        """Score each crop of canvases by itself, also as part of a graph.

        Args:
            canvases: uint8, [B, canvas, canvas, 3].
            view: Look at the center crop, or at the ten crops.

        Returns:
            Probabilities, float32 [B, V, K] with V = 1 or 10; of ten, number
            `data.crops.CENTER` is what the center says.
        """
        return score_views(self.score, self.preprocessor, canvases, view)

    @cached_property
    def _halves(self) -> tuple[Frozen, Callable[[Any], tf.Tensor]]:
        """What many models share, up to the features, and what answers by these."""
        logits, trunk, head = self.classifier.output, self.classifier, None
        with contextlib.suppress(ValueError):  # no head, or one that reads more
            features = self.classifier.get_layer(zoo.HEAD).input
            head = keras.Model(features, logits)
            trunk = keras.Model(self.classifier.input, features)
        width = trunk.output.shape[-1]

        @tf.function(input_signature=[tf.TensorSpec([None, width], tf.float32)])
        def answer(features: tf.Tensor) -> tf.Tensor:
            return self.output(head(features, training=False) if head else features)

        return Frozen(trunk, self.preprocessor), answer

    def predict(
        self,
        paths: Sequence[str],
        *,
        view: View = "center",
        batch_size: int = 32,
        second: SentimentModel | None = None,
        progress: Progress = NO_PROGRESS,
    ) -> Iterator[Prediction]:
        """Predict files one after the other, with flat memory.

        Args:
            paths: The files.
            view: Look at the center crop, or take the mean over the ten crops. The
                center is one of them, so its own answer comes with the mean at no cost.
            batch_size: Center crops a step; ten times fewer pictures for ten crops.
            second: A model of ratings on the same features; its ratings come along.
            progress: Hears how far it is.

        Yields:
            One prediction per path, in order.

        Raises:
            ConfigError: If the model answers with ratings.
        """
        self.refuse_ratings()
        for path, found in self._answers(paths, view, batch_size, progress, second):
            if isinstance(found, ImageError):
                yield Prediction(path, None, found)
                continue
            rated = None if second is None else second.to_rated(path, found["second"])
            yield Prediction(
                path,
                found["mean"],
                center_probs=found["each"][CENTER] if view == "ten_crop" else None,
                class_names=self.class_names,
                threshold=self.threshold,
                rated=rated,
            )

    def rate(
        self,
        paths: Sequence[str],
        *,
        view: View = "center",
        batch_size: int = 32,
        progress: Progress = NO_PROGRESS,
    ) -> Iterator[Rated]:
        """Rate files one after the other, with flat memory.

        Args:
            paths: The files.
            view: As in `predict`.
            batch_size: As in `predict`.
            progress: Hears how far it is.

        Yields:
            One answer per path, in order.

        Raises:
            ConfigError: If the model answers with classes.
        """
        rating = self.need_rating()
        for path, found in self._answers(paths, view, batch_size, progress):
            if isinstance(found, ImageError):
                yield Rated(path, rating.targets, None, None, None, found)
                continue
            yield self.to_rated(path, found["mean"])

    def to_rated(self, path: str, ratings: np.ndarray) -> Rated:
        """Say what ratings mean for a picture, by a model of ratings.

        Args:
            path: The file.
            ratings: What the model gave, float32 [T].

        Returns:
            The ratings with their intervals.

        Raises:
            ConfigError: If the model answers with classes.
        """
        rating = self.need_rating()
        return Rated(path, rating.targets, ratings, *rating.bounds(ratings))

    def need_rating(self) -> RatingOutput:
        """Give what answers with ratings, where the model does.

        Returns:
            The same as `rating`.

        Raises:
            ConfigError: If the model answers with classes.
        """
        if self.rating is None:
            raise ConfigError(
                f"This model answers {' or '.join(self.class_names)} and rates "
                f"nothing; train one on a table of ratings with --target."
            )
        return self.rating

    def refuse_ratings(self) -> None:
        """Refuse to answer with classes where there are ratings only.

        Raises:
            ConfigError: If the model answers with ratings.
        """
        if self.rating is not None:
            raise ConfigError(
                f"This model answers with ratings ({', '.join(self.rating.targets)}), "
                f"and classes are asked for; make them two with --threshold, in a verb "
                f"that has it."
            )

    def _answers(
        self,
        paths: Sequence[str],
        view: View,
        batch_size: int,
        progress: Progress,
        second: SentimentModel | None = None,
    ) -> Iterator[tuple[str, Any]]:
        """Each path with its answers, of the mean and of each view, or its error."""
        frozen, answer = self._halves

        def after(features: Any) -> dict[str, tf.Tensor]:
            size, num_views, width = features.shape
            flat = tf.reshape(features, [-1, width])
            each = tf.reshape(answer(flat), [size, num_views, -1])  # [B, V, K]
            found = {"mean": mean_of_views(each), "each": each}
            if second is not None:
                ratings = second._halves[1](flat)
                ratings = tf.reshape(ratings, [size, num_views, -1])
                found["second"] = mean_of_views(ratings)
            return found

        if view == "ten_crop":
            batch_size = max(1, batch_size // NUM_CROPS)
        sweep = FrozenSweep(
            frozen,
            paths,
            view=view,
            after=after,
            batch_size=batch_size,
            progress=progress,
            what="predicting",
        )
        for position, found in sweep.in_order():
            path = str(paths[position])
            is_answer = not isinstance(found, ImageError)
            if is_answer and not np.isfinite(found["mean"]).all():
                raise WeightsError(
                    f"The model answers {path} with numbers that are not finite; train "
                    f"it again with a smaller training.learning_rate."
                )
            yield path, found
