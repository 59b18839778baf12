"""How do weights from a file get into a network?

The arrays of a `.caffemodel` move by rules. A `.npz` holds Keras' own arrays under the
names "layer/variable". A `.weights.h5` is read by Keras.
"""

from __future__ import annotations

import re
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import keras
import numpy as np

from pixsent_tf.errors import WeightsError
from pixsent_tf.models.caffemodel import read_caffemodel
from pixsent_tf.models.placement import Rule, place

CAFFE_RULES = (
    Rule(r"(.+)/blob 0", r"\1/kernel", (2, 3, 1, 0)),
    Rule(r"(.+)/blob 1", r"\1/bias", (0,)),
)
KERAS_RULES = (Rule(r"(.+)", r"\1"),)

# What releases call a layer -> what it is called here; the first that fits counts.
CAFFE_NAMES = (
    (r"(fc\d)[-_]conv", r"\1"),  # dense layers already turned into convolutions
    (r"fc8[-_].+", "fc8"),  # a classifier renamed so that Caffe would draw it anew
)


def load_weights(
    model: keras.Model, path: str | Path, *, skip: Sequence[str] = ()
) -> None:
    """Fill a network with the weights of a file.

    Args:
        model: The network; it keeps its old weights if anything is raised.
        path: A `.caffemodel`, `.npz` or `.weights.h5` file.
        skip: Layers left as they are, whatever the file says of them, such as a
            classifier of another width: ("fc8",). Not for `.weights.h5`.

    Raises:
        WeightsError: If the file is damaged, of another kind, or fits another network.

    Example:
        load_weights(build_caffenet(num_classes=2), "mvso.caffemodel", skip=("fc8",))
    """
    path = Path(path)
    if path.name.endswith(".weights.h5"):
        _load_h5(model, path, skip)
    elif path.suffix == ".caffemodel":
        place(model, _read_caffe(path), CAFFE_RULES, origin=path.name, skip=skip)
    elif path.suffix == ".npz":
        arrays = _read_npz(path).items()
        place(model, arrays, KERAS_RULES, origin=path.name, skip=skip)
    else:
        raise WeightsError(
            f"{path.name} is no file of weights; use .caffemodel, .npz or .weights.h5."
        )


def _read_caffe(path: Path) -> Iterator[tuple[str, np.ndarray]]:
    """Yield each blob by its layer, called as here, and its index there."""
    for layer in read_caffemodel(path):
        name = _renamed(layer.name)
        for index, blob in enumerate(layer.blobs):
            yield f"{name}/blob {index}", blob


def _renamed(name: str) -> str:
    for pattern, ours in CAFFE_NAMES:
        if match := re.fullmatch(pattern, name):
            return match.expand(ours)
    return name


def _read_npz(path: Path) -> dict[str, np.ndarray]:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (
        *(OSError, ValueError, KeyError, EOFError, MemoryError, TypeError),
        *(zipfile.BadZipFile, zlib.error, NotImplementedError, SyntaxError),
    ) as error:
        raise _unreadable(path, error) from None


def _load_h5(model: keras.Model, path: Path, skip: Sequence[str]) -> None:
    if skip:
        raise WeightsError(
            f"{path.name}: a .weights.h5 goes in whole, without `skip`; load it into "
            "the network it was saved from, then exchange the head."
        )
    before = model.get_weights()
    try:
        with warnings.catch_warnings():
            # Keras looks for layers in its own lists of operations as well
            warnings.filterwarnings("ignore", "Skipping nested container")
            model.load_weights(path)
    except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        model.set_weights(before)
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: Exception) -> WeightsError:
    reason = " ".join(str(error).split())[:200]
    return WeightsError(f"Cannot read weights from {path}: {reason}.")
