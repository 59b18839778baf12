"""How do weights from a file get into a network?

A `.caffemodel` is moved by rules that are data: which blob of which layer becomes which
variable, and how its axes turn. A `.npz` holds Keras' own arrays under the names
"layer/variable". A `.weights.h5` is read by Keras. Nothing is guessed: a name left over
on either side, or a shape that does not fit, is an error, and nothing has changed then.
"""

from __future__ import annotations

import re
import warnings
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from pixsent_tf.errors import WeightsError
from pixsent_tf.models.caffemodel import read_caffemodel
from pixsent_tf.whole import whole

Arrays = dict[str, np.ndarray]
Shape = tuple[int, ...]


@dataclass(frozen=True)
class Rule:
    """Where a variable's numbers lie in a Caffe layer.

    Attributes:
        pattern: Regular expression that the whole "layer/variable" matches.
        blob: Index among the layer's blobs.
    """

    pattern: str
    blob: int


CAFFE_RULES = (
    Rule(r".+/kernel", blob=0),
    Rule(r".+/bias", blob=1),
)

# What releases call a layer -> what it is called here; the first that fits counts.
CAFFE_NAMES = (
    (r"(fc\d)[-_]conv", r"\1"),  # dense layers already turned into convolutions
    (r"fc8[-_].+", "fc8"),  # a classifier renamed so that Caffe would draw it anew
)


def load_weights(
    model: keras.Model,
    path: str | Path,
    *,
    skip: Sequence[str] = (),
    rules: Sequence[Rule] = CAFFE_RULES,
    names: Sequence[tuple[str, str]] = CAFFE_NAMES,
) -> None:
    """Fill a network with the weights of a file.

    Args:
        model: The network; it keeps its old weights if anything is raised.
        path: A `.caffemodel`, `.npz` or `.weights.h5` file.
        skip: Layers left as they are, whatever the file says of them, such as a
            classifier of another width: ("fc8",). Not for `.weights.h5`.
        rules: How a `.caffemodel` is moved; the first rule that fits a variable counts.
        names: Layer names of a `.caffemodel` and ours, as regular expressions.

    Raises:
        WeightsError: If the file is damaged, of another kind, or fits another network.

    Example:
        load_weights(build_caffenet(num_classes=2), "mvso.caffemodel", skip=("fc8",))
    """
    path = Path(path)
    if path.name.endswith(".weights.h5"):
        _load_h5(model, path, skip)
        return
    expected = {
        name: variable
        for name, variable in _variables(model).items()
        if name.split("/")[0] not in skip
    }
    if path.suffix == ".caffemodel":
        sources = _from_caffe(model, expected, path, skip, rules, names)
    elif path.suffix == ".npz":
        sources = _read_npz(path)
        sources = {k: v for k, v in sources.items() if k.split("/")[0] not in skip}
    else:
        raise WeightsError(
            f"{path.name} is no file of weights; use .caffemodel, .npz or .weights.h5."
        )
    _compare(path, {n: tuple(v.shape) for n, v in expected.items()}, sources)
    for name, variable in expected.items():
        variable.assign(sources.pop(name))


def save_weights(model: keras.Model, path: str | Path) -> None:
    """Write a network's weights as `.npz`, under the names "layer/variable".

    Args:
        model: The network.
        path: The file to write, ending in `.npz`.
    """
    arrays = {name: variable.numpy() for name, variable in _variables(model).items()}
    with whole(Path(path)) as temporary:
        np.savez(temporary, **arrays)


def _variables(model: keras.Model) -> dict[str, keras.Variable]:
    """Every weight under "layer/variable", those of models inside a model too."""
    variables: dict[str, keras.Variable] = {}
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            variables |= _variables(layer)
        else:
            variables |= {f"{layer.name}/{v.name}": v for v in layer.weights}
    return variables


def _compare(path: Path, expected: dict[str, Shape], came: Arrays) -> None:
    """Refuse names left over, shapes that do not fit, and numbers that are none."""
    wrong = [
        f"{name} expects {expected.get(name, 'nothing')}, "
        f"got {came[name].shape if name in came else 'nothing'}"
        for name in [*expected, *(came.keys() - expected.keys())]
        if name not in came or expected.get(name) != came[name].shape
    ]
    if wrong:
        raise WeightsError(
            f"{path.name} fits another network: {'; '.join(wrong)}. Name layers that "
            "should stay as they are in `skip`."
        )
    for name, array in came.items():
        if array.dtype.kind != "f" or not np.isfinite(array).all():
            raise WeightsError(f"{path.name}: {name} holds values that are no numbers.")


def _from_caffe(
    model: keras.Model,
    expected: dict[str, keras.Variable],
    path: Path,
    skip: Sequence[str],
    rules: Sequence[Rule],
    names: Sequence[tuple[str, str]],
) -> Arrays:
    """Return Keras arrays, and under a name of its own each blob left over."""
    blobs: Arrays = {}
    for layer in read_caffemodel(path):
        name = _renamed(layer.name, names)
        for index, blob in enumerate(layer.blobs if name not in skip else ()):
            if f"{name}/blob {index}" in blobs:
                raise WeightsError(f"{path.name} holds two layers {name!r}.")
            blobs[f"{name}/blob {index}"] = blob
    arrays: Arrays = {}
    for name, variable in expected.items():
        blob_name = _blob_name(name, rules)
        if blob_name in blobs:
            flat_map = _flattened_map(model, name)
            turn = _turn(blobs.pop(blob_name), tuple(variable.shape), flat_map)
            arrays[name] = turn
    return {**arrays, **blobs}


def _renamed(name: str, names: Sequence[tuple[str, str]]) -> str:
    for pattern, ours in names:
        if match := re.fullmatch(pattern, name):
            return match.expand(ours)
    return name


def _blob_name(variable_name: str, rules: Sequence[Rule]) -> str | None:
    for rule in rules:
        if re.fullmatch(rule.pattern, variable_name):
            return f"{variable_name.rsplit('/', 1)[0]}/blob {rule.blob}"
    return None


def _turn(blob: np.ndarray, shape: Shape, flat_map: Shape | None) -> np.ndarray:
    """Turn a blob's axes into Keras' order; a misfit comes back as it is.

    Caffe keeps kernels as [out, in, h, w] and dense weights as [out, in], where what a
    map [C, h, w] was flattened to runs in this order. Legacy files write all shapes
    with four sides.
    """
    if len(shape) == 1:
        values = blob.reshape(-1) if blob.shape[:-1] == (1,) * (blob.ndim - 1) else blob
        return values
    if len(shape) == 4:
        height, width, channels, filters = shape
    elif flat_map is not None:
        (height, width, channels), filters = flat_map, shape[1]
    else:
        height, width, (channels, filters) = 1, 1, shape
    kernel_shape = (filters, channels, height, width)
    dense = (filters, channels * height * width)
    if blob.shape not in (kernel_shape, dense, (1, 1, *dense)):
        return blob
    turned = blob.reshape(kernel_shape).transpose(2, 3, 1, 0)
    return turned.reshape(shape)


def _flattened_map(model: keras.Model, variable_name: str) -> Shape | None:
    """Return the map [h, w, C] that a dense layer sees flattened, if it does."""
    layer = next(
        layer
        for layer in model._flatten_layers()
        if layer.name == variable_name.split("/")[0]
    )
    if not isinstance(layer, keras.layers.Dense):
        return None
    before = layer.input._keras_history.operation
    while isinstance(before, keras.layers.Dropout):
        before = before.input._keras_history.operation
    if isinstance(before, keras.layers.Flatten) and len(before.input.shape) == 4:
        return tuple(before.input.shape[1:])
    return None


def _read_npz(path: Path) -> Arrays:
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
