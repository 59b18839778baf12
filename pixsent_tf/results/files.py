"""What do `export`, `inspect` and `doctor` tell?"""

from __future__ import annotations

from typing import Any, TypedDict


class SavedModelResults(TypedDict):
    """What `export` tells of a SavedModel."""

    name: str  # of the model on the server
    version: int  # its number
    serve_check_difference: float | None  # largest from Keras, with `--serve-check`
    out: str  # the folder of the version


class Tensor(TypedDict):
    """What goes in or comes out."""

    name: str  # in the signature
    dtype: str  # of its numbers
    shape: list[int | str]  # "B" for any number of pictures


class ExportScore(TypedDict):
    """How good an export is on the pictures that its run held out."""

    name: str  # "keras" for the model that it came from
    accuracy: float | None  # share of right answers; null for ratings
    flips: int | None  # pictures with another answer than Keras'; null for ratings
    pearson_r: float | None  # mean over the targets; null for classes
    rmse: float | None  # likewise
    max_change: float  # largest difference of a probability, or a rating, from Keras'
    size_bytes: int | None  # of the file; null for Keras
    latency_ms: dict[str, float]  # median time for one crop, by number of threads


class RatingDescription(TypedDict):
    """What an app has to know about ratings."""

    targets: list[str]  # by their place in the output
    scale: list[float]  # the lowest and the highest there can be
    half_widths: list[float]  # how far an interval that holds nine of ten reaches


class FileDescription(TypedDict):
    """What an app has to know about a file for a phone."""

    file: str  # its name
    quantize: str  # how its numbers are stored
    size_bytes: int  # of the file
    signature: str  # name of the signature
    input: Tensor  # the crop
    output: Tensor  # the probabilities, or the ratings
    class_names: list[str]  # by class index; empty for ratings
    rating: RatingDescription | None  # null for classes
    preprocess: dict[str, Any]  # the geometry between picture and crop


class FileCard(FileDescription):
    """The same, with what it was scored on."""

    num_examples: int  # pictures that the run held out
    scores: list[ExportScore]  # Keras' first, the export's last


class FileResults(FileCard):
    """What `export` tells of a TFLite or ONNX file."""

    out: str  # the file


class Layer(TypedDict):
    """A layer in a file of weights."""

    name: str  # of the layer
    type: str  # what it does, or "array"
    shapes: list[list[int]]  # of its arrays


class InspectResults(TypedDict):
    """What `inspect` tells."""

    layers: list[Layer]  # in the order of the file
    num_parameters: int  # numbers in all


class Environment(TypedDict):
    """Machine and versions, as `environment.json` holds them."""

    python: str  # version
    platform: str  # system and processor
    cpus: int  # cores that the process may use
    packages: dict[str, str]  # versions by the names of packages
    command: list[str]  # the command line


class DoctorResults(TypedDict):
    """What `doctor` tells."""

    python: str  # version
    platform: str  # system and processor
    cpus: int  # cores that the process may use
    packages: dict[str, str]  # versions by the names of packages
    device: str  # what trains
    weights: str  # whether the default network can be built
    decoder: str  # whether pictures can be read
    cache: str  # what is kept between commands
    engine: str  # what computes frozen networks, and why
    healthy: bool  # whether all of it works
