"""What does a model say about a few pictures? Without loading TensorFlow.

    CACHE/answers/KEY.tflite     a model from crops to probabilities
    CACHE/answers/KEY.json       its geometry, and the names of its classes

Loading TensorFlow and Keras takes longer than hundreds of pictures do. So the first
command that answers by a model leaves it in this form, for LiteRT and Pillow; a model
that ships is there from the beginning. Whatever is unusual, such as a damaged file, is
left to the ordinary way.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import logging
import os
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pixsent_tf.config import PreprocessConfig
from pixsent_tf.data.decode.canvas import read_crop
from pixsent_tf.errors import ImageError, WeightsError
from pixsent_tf.inference.litert import LiteNetwork
from pixsent_tf.inference.prediction import Prediction
from pixsent_tf.machine import num_cores, wanted_engine
from pixsent_tf.progress import NO_PROGRESS, Progress
from pixsent_tf.runs import cache_folder
from pixsent_tf.version import VERSION
from pixsent_tf.whole import whole

if TYPE_CHECKING:
    from pixsent_tf.inference.model import SentimentModel

FOLDER = Path(__file__).parents[1] / "shipped"
QUICK, BEST = "shipped", "shipped-best"  # the models that ship, by name
NAMES = (QUICK, BEST)
MOST = 256  # pictures; for more, TensorFlow is worth loading
_METHOD = 1  # counts changes of what is kept, and how
_BATCH = 32
# What Pillow alone decides, whoever asks.
_PLAIN_REASONS = ("missing", "empty", "not_an_image")

_log = logging.getLogger(__name__)


def folder_of(name: str) -> Path:
    """Tell where a model that ships lies.

    Args:
        name: One of `NAMES`.

    Returns:
        Its folder in the package.
    """
    return FOLDER if name == QUICK else FOLDER / name.removeprefix(f"{QUICK}-")


class LightModel:
    """A model in the form that needs no TensorFlow.

    Args:
        path: Its `.tflite` file; the `.json` file lies beside it.

    Attributes:
        class_names: Names by class index.
    """

    def __init__(self, path: Path) -> None:
        known = json.loads(path.with_suffix(".json").read_text("utf-8"))
        self.class_names = tuple(known["class_names"])
        self._geometry = PreprocessConfig(**known["preprocess"])
        self._path = path

    def predict(
        self, paths: Sequence[str], *, progress: Progress = NO_PROGRESS
    ) -> list[Prediction] | None:
        """Predict files by their center crops.

        Args:
            paths: The files.
            progress: Hears how far it is.

        Returns:
            One prediction per path, in order; None where a file is unusual.
        """
        # One picture gets all cores; of several each gets one.
        workers, threads = (1, num_cores()) if len(paths) == 1 else (num_cores(), 1)
        network = LiteNetwork(self._path, workers, threads)
        found: list[Prediction] = []
        with progress.step(len(paths), "predicting"):
            for start in range(0, len(paths), _BATCH):
                part = paths[start : start + _BATCH]
                crops = [self._read(path) for path in part]  # large ones may be there
                if any(_is_unusual(crop) for crop in crops):
                    return None
                found += self._answer(network, part, crops)
                progress.advance(len(part))
        return found

    def _read(self, path: str) -> np.ndarray | ImageError:
        try:
            return read_crop(path, self._geometry)
        except ImageError as error:
            return error

    def _answer(
        self,
        network: LiteNetwork,
        paths: Sequence[str],
        crops: Sequence[np.ndarray | ImageError],
    ) -> Iterator[Prediction]:
        read = [crop for crop in crops if not isinstance(crop, ImageError)]
        probs = iter(network(np.stack(read))[0] if read else ())
        for path, crop in zip(paths, crops, strict=True):
            if isinstance(crop, ImageError):
                yield Prediction(path, None, crop, class_names=self.class_names)
            else:
                yield Prediction(path, next(probs), class_names=self.class_names)


def _is_unusual(crop: np.ndarray | ImageError) -> bool:
    return isinstance(crop, ImageError) and crop.reason not in _PLAIN_REASONS


def find(model: str | None, num_examples: int) -> LightModel | None:
    """Open what an earlier command left of a model.

    Args:
        model: One of `NAMES`, a run folder or its `.keras` file; None for `QUICK`.
        num_examples: How many pictures it is wanted for.

    Returns:
        The model; None where the ordinary way has to be gone.
    """
    path = _path(model)
    if path is None or not _is_wanted(num_examples):
        return None
    try:
        if not path.is_file() and (model or QUICK) in NAMES:
            # The first time only: what reads checkpoints takes a tenth of a cold start.
            from pixsent_tf.inference.prepared import prepare

            prepare(folder_of(model or QUICK), path)
        found = LightModel(path)
        os.utime(path)  # it was used now
    except (OSError, ValueError, KeyError, TypeError, WeightsError):
        return None
    _log.info("engine: litert, without TensorFlow (%s)", path)
    return found


def predict(
    model: str | None, paths: Sequence[str], *, progress: Progress = NO_PROGRESS
) -> list[Prediction] | None:
    """Predict a few files without TensorFlow, where that can be.

    Args:
        model: As `find` takes it.
        paths: The files.
        progress: Hears how far it is.

    Returns:
        One prediction per path, in order; None where the ordinary way has to be gone.
    """
    found = find(model, len(paths)) if paths else None
    return found.predict(paths, progress=progress) if found else None


def keep(model: str | None, trained: SentimentModel, num_examples: int) -> None:
    """Leave a model for the next command, if that would ask for it.

    Args:
        model: As `find` takes it.
        trained: What was loaded by that name.
        num_examples: How many pictures it was wanted for.
    """
    from pixsent_tf.inference import engine

    path = _path(model)
    if path is None or not _is_wanted(num_examples) or engine.why_tensorflow():
        return
    why = engine.keep(engine.Original.of(trained.answering), path)
    if why:
        _log.info("no form without TensorFlow: %s", why)
        return
    with whole(path.with_suffix(".json")) as temporary:
        temporary.write_text(describe(trained), "utf-8")


def describe(trained: SentimentModel) -> str:
    """Tell what `LightModel` must know of a model beside its network.

    Args:
        trained: The model.

    Returns:
        The content of the `.json` file.
    """
    geometry = dataclasses.asdict(trained.preprocessor.config)
    return json.dumps({"class_names": trained.class_names, "preprocess": geometry})


def _is_wanted(num_examples: int) -> bool:
    return num_examples <= MOST and wanted_engine() != "tensorflow"


def _path(model: str | None) -> Path | None:
    """Where the form of a model lies; None for what is no file here."""
    if model is None or model in NAMES:
        files = sorted(folder_of(model or QUICK).glob("*.*"))
    else:
        files = [Path(model)]
        if files[0].is_dir():
            files = [files[0] / "model.keras"]
    if not all(file.is_file() for file in files):
        return None
    versions = f"{VERSION} {metadata.version('tensorflow')} {_METHOD}"
    digest = hashlib.sha256(versions.encode())
    for file in files:
        digest.update(file.read_bytes())
    return cache_folder("answers") / f"{digest.hexdigest()[:32]}.tflite"
