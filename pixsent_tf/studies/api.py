"""What does a notebook call? The verbs of the command line as five functions."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, TypeAlias, overload

import numpy as np
from PIL import Image

from pixsent_tf import config
from pixsent_tf.data.decode.given import Picture
from pixsent_tf.data.pictures import walk_pictures
from pixsent_tf.data.sources import open_dataset
from pixsent_tf.data.table import Dataset
from pixsent_tf.inference import shipped
from pixsent_tf.inference.model import SentimentModel
from pixsent_tf.inference.prediction import Prediction
from pixsent_tf.inference.predictor import PredictionList, Predictor
from pixsent_tf.results.adaptations import AdaptResults, RatingAdaptResults
from pixsent_tf.results.ratings import RatingCrossvalResults, RatingStudyResults
from pixsent_tf.results.studies import CrossvalResults, FitResults
from pixsent_tf.runs import Run, next_folder
from pixsent_tf.studies import adapt as adapt_study
from pixsent_tf.studies import crossval as crossval_study
from pixsent_tf.studies import fit as fit_study
from pixsent_tf.texts import read_brought

Model: TypeAlias = str | os.PathLike[str] | None
Source: TypeAlias = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]


def fit(
    source: Source = "smileys",
    *,
    out: str | os.PathLike[str] | None = None,
    recipe: config.Recipe | None = None,
    settings: Mapping[str, Any] | None = None,
) -> FitResults | RatingStudyResults:
    """Train on labelled pictures and test on a held-out part.

    Args:
        source: A folder with one subfolder per class, a list, "tfds:NAME" or "smileys";
            a list of several, which train and test together.
        out: The run folder to make; the next free one below `runs/` by default.
        recipe: What to train; the default recipe if None.
        settings: Changes to the recipe by dotted name, as `config.override` takes.

    Returns:
        The results by name, such as `accuracy`, `accuracy_interval`, `majority_rate`
        and `out`, the folder; with the setting `data.target` those of ratings.

    Raises:
        PixsentError: With a line that says what to do.
    """
    return fit_study.fit(*_open("fit", source, out, recipe, settings))


def crossval(
    source: Source,
    *,
    out: str | os.PathLike[str] | None = None,
    recipe: config.Recipe | None = None,
    settings: Mapping[str, Any] | None = None,
    leave_source_out: bool = False,
) -> CrossvalResults | RatingCrossvalResults:
    """Cross-validate a recipe on labelled pictures.

    Args:
        source: As in `fit`.
        out: As in `fit`.
        recipe: As in `fit`.
        settings: As in `fit`.
        leave_source_out: Test each source with what all others train, instead of folds.

    Returns:
        The results of the pooled predictions, as `fit` returns them.

    Raises:
        PixsentError: With a line that says what to do.
    """
    opened = _open("crossval", source, out, recipe, settings)
    return crossval_study.crossval(*opened, leave_source_out=leave_source_out)


def adapt(
    labels: str | os.PathLike[str],
    *,
    model: Model = None,
    pictures: str | os.PathLike[str] | Iterable[str | os.PathLike[str]] = (),
    out: str | os.PathLike[str] | None = None,
    data: Mapping[str, Any] | None = None,
) -> AdaptResults | RatingAdaptResults:
    """Make a trained model one for your own pictures, by a few labels.

    Args:
        labels: Labelled pictures; any source that `fit` takes, such as a CSV file with
            the columns path and label. Ten are enough to begin with.
        model: As in `load`.
        pictures: The collection that they are from: a folder, files, or a `.txt` file
            with a path a line; no labels needed.
        out: The run folder to make; the next free one below `runs/` by default.
        data: More about the labels by name, such as `{"images": "photos/"}`.

    Returns:
        `choice`, `before` and `after` on labels that trained nothing, `difference` with
        its interval (`differences` of a model of ratings, each target's), and `out`,
        the folder, which `load` and `predict` take.

    Raises:
        PixsentError: With a line that says what to do.
    """
    if isinstance(pictures, (str, os.PathLike)):
        pictures = _find_pictures(Path(pictures))
    return adapt_study.adapt(
        config.DataConfig(os.fspath(labels), **(data or {})),
        model=None if model is None else Path(model),
        pictures=[os.fspath(path) for path in pictures],
        out=None if out is None else Path(out),
    )


def _find_pictures(path: Path) -> Iterable[str | os.PathLike[str]]:
    """Name the pictures of a folder, of a list of paths, or the one there is."""
    if path.is_dir():
        return walk_pictures(path)
    if path.suffix == ".txt":
        return [line for line in read_brought(path)[0].splitlines() if line.strip()]
    return [path]


def load(path: str | os.PathLike[str] | None = None) -> SentimentModel:
    """Load a trained model.

    Args:
        path: A run folder, the `.keras` file of one, or a model that ships: "shipped",
            the quick one, which None means too, or "shipped-best".

    Returns:
        The model; `predict` answers for files, and `rate` by one that was trained with
        the setting `data.target`.

    Raises:
        PixsentError: If there is no such model.
    """
    return shipped.load_any_model(path)


@overload
def predict(  # type: ignore[overload-overlap]  # bytes are no iterable here
    pictures: bytes | IO[bytes] | Image.Image,
    *,
    model: Model | SentimentModel = None,
    precision: float | None = None,
) -> Prediction: ...


@overload
def predict(
    pictures: str | os.PathLike[str] | np.ndarray,
    *,
    model: Model | SentimentModel = None,
    precision: float | None = None,
) -> Any: ...


@overload
def predict(
    pictures: Iterable[Picture],
    *,
    model: Model | SentimentModel = None,
    precision: float | None = None,
) -> PredictionList: ...


def predict(
    pictures: Any,
    *,
    model: Model | SentimentModel = None,
    precision: float | None = None,
) -> Any:
    """Predict the sentiment of pictures; `Predictor` does so again and again.

    Args:
        pictures: A path, bytes or an open file of an encoded picture, a PIL image, or
            RGB pixels, uint8 [H, W, 3]; for several a folder, which is walked, pixels
            [B, H, W, 3], or an iterable of any of these.
        model: As in `load`, or a model that it gave.
        precision: Answer `unsure` where answers would be right less often, 0…1.

    Returns:
        A prediction with `answer`, `prob_positive`, `probs` and `error`; a list of them
        for several pictures, whose `to_pandas()` is a table.

    Raises:
        PixsentError: If there is no such model, `precision` is out of range, or
            something else than a picture is given. A picture that cannot be read is no
            error: its prediction has `probs=None` and says why in `error`.

    Example:
        pixsent_tf.predict("photo.jpg").prob_positive
    """
    return Predictor(model, precision=precision).predict(pictures)


def _open(
    verb: str,
    source: Source,
    out: str | os.PathLike[str] | None,
    recipe: config.Recipe | None,
    settings: Mapping[str, Any] | None,
) -> tuple[config.Recipe, Dataset, Run]:
    """Say what to train, on which pictures, into which folder."""
    sources = [source] if isinstance(source, (str, os.PathLike)) else source
    first, *others = [os.fspath(one) for one in sources]
    changes = {
        "data.source": first,
        "data.more_sources": tuple(others),
        **(settings or {}),
    }
    recipe = config.override(recipe or config.Recipe(), changes)
    dataset = open_dataset(recipe.data, seed=recipe.seed)
    folder = Path(out) if out else next_folder(f"{verb}-{dataset.name}")
    return recipe, dataset, Run.create_or_resume(folder, recipe)
