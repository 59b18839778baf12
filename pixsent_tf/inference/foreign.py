"""Is this a model that this package wrote? Asked of its content, before Keras reads it.

A `.keras` file is a ZIP of a graph as JSON and of weights as HDF5. Keras makes an
object of every class that the JSON names, and follows what the HDF5 refers to: so both
are read here first, and whatever a network of this package does not need is refused.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import h5py

from pixsent_tf.errors import WeightsError, shown
from pixsent_tf.models.towers.table import SEEING

CONFIG, WEIGHTS = "config.json", "model.weights.h5"
# Members of the archive, and how many bytes each may have.
MEMBERS = {CONFIG: 32 * 2**20, "metadata.json": 2**16, WEIGHTS: 2**31}
_HDF5 = b"\x89HDF\r\n\x1a\n"

LAYERS = frozenset(
    [
        "Activation",
        "Add",
        "Average",
        "AveragePooling2D",
        "BatchNormalization",
        "CenterCrop",
        "Concatenate",
        "Conv2D",
        "Conv2DTranspose",
        "Cropping2D",
        "Dense",
        "DepthwiseConv2D",
        "Dropout",
        "ELU",
        "Flatten",
        "GlobalAveragePooling2D",
        "GlobalMaxPooling2D",
        "GroupNormalization",
        "Identity",
        "InputLayer",
        "LayerNormalization",
        "LeakyReLU",
        "MaxPooling2D",
        "Maximum",
        "Multiply",
        "Normalization",
        "PReLU",
        "Permute",
        "ReLU",
        "Rescaling",
        "Reshape",
        "Resizing",
        "SeparableConv2D",
        "Softmax",
        "SpatialDropout2D",
        "Subtract",
        "UnitNormalization",
        "UpSampling2D",
        "ZeroPadding2D",
    ]
)
INITIALIZERS = frozenset(
    [
        "Constant",
        "GlorotNormal",
        "GlorotUniform",
        "HeNormal",
        "HeUniform",
        "LecunNormal",
        "LecunUniform",
        "Ones",
        "Orthogonal",
        "RandomNormal",
        "RandomUniform",
        "TruncatedNormal",
        "VarianceScaling",
        "Zeros",
    ]
)
CLASSES: dict[str | None, frozenset[str]] = {
    "keras": frozenset({"DTypePolicy", "Functional", "Sequential"}),
    "keras.layers": LAYERS,
    "keras.initializers": INITIALIZERS,
    "keras.regularizers": frozenset({"L1", "L2", "L1L2"}),
    "keras.src.models.functional": frozenset({"Functional"}),
    "keras.src.ops.numpy": frozenset({"Add", "Multiply", "Subtract"}),
    "keras.src.applications.convnext": frozenset({"LayerScale"}),
    "keras.src.applications.inception_resnet_v2": frozenset({"CustomScaleLayer"}),
    "pixsent_tf.data.preprocess": frozenset({"ToCrop"}),
    "pixsent_tf.models.gate": frozenset({"Gate"}),
    "pixsent_tf.models.output": frozenset({"SentimentOutput", "RatingOutput"}),
    "pixsent_tf.models.joined": frozenset({"Texture", "Reduce", "Mirror"}),
    "pixsent_tf.models.layers": frozenset(
        [
            "CaffeInput",
            "GroupedConv2D",
            "CeilMaxPooling2D",
            "LocalResponseNormalization",
        ]
    ),
    "pixsent_tf.models.towers.reading": frozenset({"FirstToken", "PatchMap"}),
    None: frozenset({"__keras_tensor__"}),
}
HUB = "keras_hub"  # its networks that see, each a class with plain settings


def check_archive(path: Path) -> frozenset[str]:
    """Refuse a file that is no model of this package, or holds more than a model.

    Args:
        path: The file, whatever its name.

    Returns:
        Packages, beside Keras and this one, that its classes come from.

    Raises:
        WeightsError: If it is none.
    """
    try:
        with path.open("rb") as file:
            return _check(path, file)
    except OSError as error:
        raise WeightsError(
            f"{shown(path)} cannot be read: {error.strerror or error}."
        ) from error


def _check(path: Path, file: BinaryIO) -> frozenset[str]:
    start = file.read(len(_HDF5))
    if start == _HDF5:
        raise _refusal(path, "it is HDF5, which can hold code")
    if not zipfile.is_zipfile(file):
        raise _refusal(path, "it is no .keras archive, or is cut short")
    try:
        with zipfile.ZipFile(file) as archive:
            _check_members(path, archive)
            config = json.loads(archive.read(CONFIG))
            weights = archive.read(WEIGHTS)
    except WeightsError:
        raise
    except Exception as error:  # zipfile and zlib raise many types on damaged files
        raise _refusal(path, f"it is damaged ({_line(error)})") from error
    try:
        classes = list(_classes(config))
    except RecursionError:
        raise _refusal(path, "its layers are nested without end") from None
    for module, name, registered in classes:
        if not _is_known(module, name, registered):
            what = f"{module}.{name}"
            raise _refusal(
                path, f"it holds {what}, which no model of this package does"
            )
    _check_weights(path, weights)
    modules = {str(module).partition(".")[0] for module, _, _ in classes}
    return frozenset(modules & {HUB})


def _check_members(path: Path, archive: zipfile.ZipFile) -> None:
    """Refuse members that are missing, foreign, there twice or too large."""
    members = archive.infolist()
    names = [member.filename for member in members]
    if sorted(names) != sorted(MEMBERS):
        other = next((name for name in names if name not in MEMBERS), None)
        what = f"it lacks one of {', '.join(MEMBERS)}, or has it twice"
        raise _refusal(path, what if other is None else f"it holds {shown(other)!r}")
    for member in members:
        if member.file_size > MEMBERS[member.filename]:
            raise _refusal(path, f"its {member.filename} is too large")


def _classes(value: Any) -> Iterator[tuple[Any, Any, Any]]:
    """Give module, name and registered name of every class that Keras would make."""
    if isinstance(value, dict):
        if "class_name" in value or "module" in value:
            name, registered = value.get("class_name"), value.get("registered_name")
            yield value.get("module"), name, registered
        for each in value.values():
            yield from _classes(each)
    elif isinstance(value, list):
        for each in value:
            yield from _classes(each)


def _is_known(module: Any, name: Any, registered: Any) -> bool:
    if not isinstance(name, str) or not isinstance(module, str | None):
        return False
    if module is not None and module.startswith(f"{HUB}.src.models."):
        return name in SEEING and registered == f"{HUB}>{name}"
    return name in CLASSES.get(module, ()) and registered in (
        None,
        name,
        f"pixsent_tf>{name}",
    )


def _check_weights(path: Path, content: bytes) -> None:
    """Refuse HDF5 that refers to other files, or claims more than it holds."""
    try:
        with h5py.File(io.BytesIO(content), "r") as file:
            problem = _find_problem(file)
    except Exception as error:  # h5py raises many types on damaged files
        raise _refusal(path, f"its weights are damaged ({_line(error)})") from error
    if problem is not None:
        raise _refusal(path, f"its weights {problem}")


def _find_problem(group: h5py.Group) -> str | None:
    for name in group:
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            return "refer to other files"
        member = group[name]
        if isinstance(member, h5py.Group):
            problem = _find_problem(member)
            if problem is not None:
                return problem
        elif isinstance(member, h5py.Dataset):
            if member.external or member.is_virtual:
                return "refer to other files"
            if member.nbytes > MEMBERS[WEIGHTS]:
                return "claim more than there can be"
    return None


def _refusal(path: Path, why: str) -> WeightsError:
    return WeightsError(
        f"{shown(path)} is no model of this package: {why}; give a run folder, or the "
        f".keras file of one."
    )


def _line(error: Exception) -> str:
    return " ".join((str(error) or type(error).__name__).split())[:200]
