"""How does what ships work at once? It comes converted, the default backbone too.

    shipped/prepared.npz    what the converter made, without the weights of the backbone
    shipped/features.npz    the same of the default backbone alone, up to its features

Converting takes TensorFlow and ten seconds. So the package carries the result, but for
the large weights, which lie in packages that this one needs anyway: each is a tensor of
a checkpoint, transposed, times the factor of each channel into which the converter
folds a batch normalization. Put together, the file is the same to the last bit.
"""

from __future__ import annotations

import contextlib
import hashlib
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pixsent_tf.errors import WeightsError
from pixsent_tf.inference.litert import muted
from pixsent_tf.models.packages import PACKAGES
from pixsent_tf.whole import whole

NAME = "prepared.npz"
FEATURES = Path(__file__).parents[1] / "shipped" / "features.npz"
_DAMAGE = (OSError, EOFError, ValueError, zipfile.BadZipFile, zlib.error)
_LEAST_BYTES = 4096  # of a weight that is worth leaving out
_DENSE, _DEPTHWISE = (0, 2, 3, 1), (1, 2, 3, 0)  # from PyTorch's axes to LiteRT's
_MOST_ROUNDED = 3  # places of a float32 by which the factor that fits best may be off


@dataclass(frozen=True)
class _Weight:
    """A weight of the converted model, and where it comes from.

    Attributes:
        start: Of its bytes in the file.
        name: Of the backbone and its tensor.
        scale: Factor of each channel, float32.
        num_bytes: Of it.
    """

    start: int
    name: str
    scale: np.ndarray
    num_bytes: int


def take_apart(content: bytes, backbones: Sequence[str]) -> dict[str, np.ndarray]:
    """Leave out of a converted model what packages of weights hold.

    Args:
        content: The `.tflite` file.
        backbones: Names in `PACKAGES` of the networks that it looks with.

    Returns:
        Arrays from which `put_together` makes the file again.
    """
    tensors = _read(backbones)
    found = {}
    for constant in _constants(content):
        start = content.find(constant.tobytes())
        if constant.ndim == 4 and constant.nbytes >= _LEAST_BYTES and start >= 0:
            for name, tensor in tensors.items():
                scale = _fit(constant, tensor)
                if scale is not None:
                    found[start] = _Weight(start, name, scale, constant.nbytes)
    weights = [found[start] for start in sorted(found)]
    rest, end = [], 0
    for weight in weights:
        rest.append(content[end : weight.start])
        end = weight.start + weight.num_bytes
    return {
        "rest": np.frombuffer(b"".join([*rest, content[end:]]), dtype="uint8"),
        "starts": np.array([weight.start for weight in weights]),
        "names": np.array([weight.name for weight in weights]),
        "scales": np.concatenate([np.zeros(0, "f4"), *(w.scale for w in weights)]),
        "backbones": np.array(backbones),
        "sha256": np.array(hashlib.sha256(content).hexdigest()),
    }


def put_together(parts: Mapping[str, np.ndarray]) -> bytes:
    """Make a converted model whole.

    Args:
        parts: As `take_apart` returns them.

    Returns:
        The `.tflite` file.

    Raises:
        WeightsError: If a package of weights is missing or another one, or the file
            would not be the one that was taken apart.
    """
    tensors = _read(parts["backbones"].tolist())
    content, rest, scales = bytearray(), parts["rest"].tobytes(), parts["scales"]
    for start, name in zip(parts["starts"], parts["names"].tolist(), strict=True):
        between, tensor = start - len(content), tensors[name]
        content += rest[:between] + _make(tensor, scales[: len(tensor)]).tobytes()
        rest, scales = rest[between:], scales[len(tensor) :]
    content += rest
    if hashlib.sha256(content).hexdigest() != str(parts["sha256"]):
        raise WeightsError(
            f"{NAME} and {', '.join(parts['backbones'])} make another model than was "
            "converted; install pixsent-tf again."
        )
    return bytes(content)


def prepare(folder: Path, path: Path) -> None:
    """Make the converted form of a model that ships.

    Args:
        folder: Where the package carries it.
        path: The `.tflite` file to write; the `.json` file is written beside it.

    Raises:
        WeightsError: If that model is not carried in this form, or the file is
            damaged; as `put_together` does.
    """
    parts = _read_parts(folder / NAME)
    content, known = put_together(parts), str(parts["known"])
    with whole(path) as temporary:
        temporary.write_bytes(content)
    with whole(path.with_suffix(".json")) as temporary:
        temporary.write_text(known, "utf-8")


def prepare_features(identity: str, path: Path) -> bool:
    """Make the converted form of the default backbone, if that is what is wanted.

    Args:
        identity: Of the network that is wanted; see `engine.identify`.
        path: The `.tflite` file to write.

    Returns:
        Whether it was written; False for another network, or where the package is
        damaged or weights are other ones than were converted.
    """
    try:
        parts = _read_parts(FEATURES)
        if str(parts["identity"]) != identity:
            return False
        content = put_together(parts)
    except WeightsError:
        return False
    with whole(path) as temporary:
        temporary.write_bytes(content)
    return True


def _read_parts(path: Path) -> dict[str, np.ndarray]:
    try:
        with path.open("rb") as file, np.load(file) as saved:
            return dict(saved)
    except _DAMAGE as error:
        raise WeightsError(
            f"{path.name} cannot be read ({error}); install pixsent-tf again."
        ) from error


def _read(backbones: Iterable[str]) -> dict[str, np.ndarray]:
    """Read the convolutions of some backbones, by the names of both."""
    return {
        f"{backbone}/{name}": tensor
        for backbone in backbones
        for name, tensor in PACKAGES[backbone].read().items()
        if tensor.ndim == 4
    }


def _constants(content: bytes) -> Iterator[np.ndarray]:
    """Read what a converted model holds before it has seen anything."""
    from ai_edge_litert.interpreter import Interpreter

    with muted():
        interpreter = Interpreter(model_content=content)
        interpreter.allocate_tensors()
    for tensor in interpreter.get_tensor_details():
        with contextlib.suppress(ValueError):  # it is computed
            yield interpreter.get_tensor(tensor["index"])


def _make(tensor: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Turn a tensor of a checkpoint into a weight of the converted model."""
    if tensor.shape[1] == 1:  # each channel is looked at alone
        return tensor.transpose(_DEPTHWISE) * scale
    return tensor.transpose(_DENSE) * scale.reshape(-1, 1, 1, 1)


def _fit(weight: np.ndarray, tensor: np.ndarray) -> np.ndarray | None:
    """Find by which factor for each channel a weight is made of a tensor, if it is."""
    plain = _make(tensor, np.ones(len(tensor), "float32"))
    if plain.shape != weight.shape:
        return None
    channel = 3 if tensor.shape[1] == 1 else 0
    ours, theirs = (
        np.moveaxis(value, channel, 0).reshape(len(tensor), -1)
        for value in (plain, weight)
    )
    first = np.abs(ours).argmax(axis=1)[:, None]
    largest = np.take_along_axis(ours, first, 1)
    scale = np.take_along_axis(theirs, first, 1) / np.where(largest == 0, 1, largest)
    found, is_found = scale, np.zeros(scale.shape, bool)
    for places in range(-_MOST_ROUNDED, _MOST_ROUNDED + 1):
        tried = (scale.view("int32") + places).view("float32")
        is_same = (ours * tried == theirs).all(axis=1, keepdims=True)
        found, is_found = np.where(is_same, tried, found), is_found | is_same
    return found.ravel() if is_found.all() else None
