"""What of a run is exported, and what does the export need to know about it?"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import keras

from pixsent_tf.config import PreprocessConfig, Recipe
from pixsent_tf.data.preprocess import Preprocessor, ToCrop
from pixsent_tf.errors import ExportError
from pixsent_tf.models.output import SentimentOutput
from pixsent_tf.runs import Run

POSITIVE = "positive"


@dataclass(frozen=True)
class Servable:
    """A packaged model, its parts by name.

    Attributes:
        model: From images, uint8 [B, H, W, 3], to probabilities, float32 [B, K].
        classifier: From crops to logits, [B, K].
        preprocessor: The geometry between the two inputs.
        output: From logits to probabilities; it knows the names of the classes.
        recipe: What trained it; None where the model came without its run.
    """

    model: keras.Model
    classifier: keras.Model
    preprocessor: Preprocessor
    output: SentimentOutput
    recipe: Recipe | None = None

    @classmethod
    def of(cls, model: keras.Model, recipe: Recipe | None = None) -> Servable:
        """Take a packaged model apart.

        Args:
            model: What `fit` saves.
            recipe: What trained it.

        Returns:
            The servable.

        Raises:
            ExportError: If the model is not one that `fit` saves.
        """
        crops = [layer for layer in model.layers if isinstance(layer, ToCrop)]
        outputs = [
            layer for layer in model.layers if isinstance(layer, SentimentOutput)
        ]
        if len(crops) != 1 or len(outputs) != 1:
            raise ExportError(
                f"{model.name!r} has {len(crops)} preprocessing and {len(outputs)} "
                f"output layers; export a model that `fit` saved."
            )
        classifier = model.get_layer("classifier")
        return cls(model, classifier, crops[0].preprocessor, outputs[0], recipe)

    @classmethod
    def load(cls, path: str | Path) -> Servable:
        """Load the model of a run.

        Args:
            path: A run folder, or a `.keras` file that a run wrote.

        Returns:
            The servable; with its recipe where `path` is a run.

        Raises:
            RunError: If the folder is no run.
            ExportError: If the run has no model, or the file is none of this package.
        """
        path = Path(path)
        recipe = None
        if path.is_dir():
            run = Run.open(path)
            recipe, path = run.read_recipe(), run.model_path
        if not path.is_file():
            raise ExportError(
                f"{path} does not exist; export a run of `fit`, which saves its model."
            )
        try:
            model = keras.saving.load_model(path, compile=False)
        except (ValueError, TypeError, OSError, KeyError) as error:
            what = str(error).splitlines()[0]
            raise ExportError(f"{path} is no model of this package: {what}") from error
        return cls.of(model, recipe)

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names by class index, [K]."""
        return self.output.class_names

    @property
    def positive_index(self) -> int | None:
        """Which class is called positive, in any case; None if none is."""
        names = [name.lower() for name in self.class_names]
        return names.index(POSITIVE) if POSITIVE in names else None

    @property
    def preprocess(self) -> PreprocessConfig:
        """The geometry as data."""
        return self.preprocessor.config

    def preprocess_settings(self) -> dict[str, object]:
        """Give the geometry for a JSON file.

        Returns:
            The fields of `PreprocessConfig`.
        """
        return dataclasses.asdict(self.preprocess)
