"""What is one experiment, as plain data?

A `Recipe` says everything that decides a result and nothing else. It is frozen, prints
itself, goes to JSON and back, and is changed by `override` or `dataclasses.replace`.
"""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pixsent_tf.errors import ConfigError

CLASS_NAMES = ("negative", "positive")
LEVELS = ("five_agrees", "four_agrees", "three_agrees")
STRATEGIES = ("head", "last-blocks", "all", "lp-ft")


@dataclass(frozen=True)
class PreprocessConfig:
    """How a picture of any size becomes the square that a network reads.

    The whole picture is brought to a square canvas, and crops are cut from it.
    Training, evaluation and the exported model all use this one object.

    Attributes:
        canvas_size: Side of the canvas, in pixels.
        crop_size: Side of the crop that the network reads, in pixels.
        fit: "squash" changes the aspect ratio and keeps every pixel; "crop" keeps the
            aspect ratio and cuts the longer side around its center.
        resample: Interpolation, always antialiased.
    """

    canvas_size: int
    crop_size: int
    fit: Literal["squash", "crop"] = "squash"
    resample: Literal["bilinear", "bicubic"] = "bilinear"

    def __post_init__(self) -> None:
        if not 0 < self.crop_size <= self.canvas_size:
            raise ConfigError(
                f"crop_size={self.crop_size} must be positive and at most "
                f"canvas_size={self.canvas_size}."
            )


@dataclass(frozen=True)
class DataConfig:
    """Which pictures, which labels, which folds.

    Attributes:
        source: "smileys", "tfds:NAME", or the path of a folder, a list or a CSV file.
        level: Agreement level of the DeepSent layout; None for every other source.
        images: Folder that a list's names are relative to; None for the list's own.
        labels: "hard" takes the majority, "votes" the share of the votes.
        example_weights: "agreement" weighs a picture by the lead of its votes, from 0
            for a tie to 1 for unanimity, where votes are known; "equal" weighs none.
        join_weight: Weight of those pictures of a DeepSent folder that fewer agree on
            than `level` asks for: they train every fold and test none; 0 leaves them
            out.
        num_folds: Folds made where the data publishes none.
    """

    source: str = "smileys"
    level: str | None = None
    images: str | None = None
    labels: Literal["hard", "votes"] = "hard"
    example_weights: Literal["equal", "agreement"] = "equal"
    join_weight: float = 0.0
    num_folds: int = 5

    def __post_init__(self) -> None:
        if not 0 <= self.join_weight <= 1:
            raise ConfigError(
                f"The weight {self.join_weight} of joining pictures is not in 0 to 1."
            )


@dataclass(frozen=True)
class ModelConfig:
    """Which network, starting from which weights.

    Attributes:
        backbone: A name of `models.zoo`; NAME@PIXELS for another size, several joined
            by "+".
        weights: "imagenet", a file, or None for a random start.
        crop_fraction: Side of the crop by side of the canvas, 0…1; 1 lets the network
            see the whole picture, None takes what the backbone was evaluated with.
        mirror: Average the features of each crop and of its mirror image.
        texture: Add mean and deviation of the maps of the last stage but one.
        surgery: A named change of the layers, see `models.surgery`; None for none.
        dropout: Share of the features dropped before the head, 0…1.
        initializer_stddev: Of the head's normal initializer.
    """

    backbone: str = "efficientnet_lite0"
    weights: str | None = "imagenet"
    crop_fraction: float | None = None
    mirror: bool = False
    texture: bool = False
    surgery: str | None = None
    dropout: float = 0.0
    initializer_stddev: float = 0.01


@dataclass(frozen=True)
class TrainingConfig:
    """How the weights are found.

    Attributes:
        strategy: "head" trains a logistic head on frozen features; "last-blocks" and
            "all" fine-tune; "lp-ft" trains the head first, then everything.
        epochs: Passes over the training part.
        batch_size: Images a step.
        optimizer: "caffe_sgd" is the paper's, "adamw" the modern choice.
        learning_rate: Base rate.
        momentum: Of SGD.
        weight_decay: On weights, never on biases or normalization.
        schedule: "constant", "step" (the paper's) or "cosine".
        step_epochs: Epochs between two tenfold cuts of the step schedule.
        head_multiplier: Factor of the head's learning rate.
        crop: Random crops in training; the center crop otherwise.
        flip: Random mirroring in training.
        min_area_fraction: Smallest part of the canvas that a training crop shows, 0…1;
            below 1 crops are resized.
        jitter: Largest relative change of brightness, contrast and saturation, 0…1.
        mixup: Parameter of the beta distribution by which pictures are mixed in pairs;
            0 for none.
        class_weights: Weigh each class by the inverse of its frequency.
        trained_fraction: Share of the layers, from the head back, that "last-blocks"
            trains, 0…1.
        bottom_multiplier: Factor of the first layer's learning rate in "lp-ft"; the
            factors of the layers between it and the head form a geometric series.
        patience: Epochs without a better inner loss before stopping; 0 never stops and
            keeps the last iterate, as the paper does.
        max_steps: Stop after this many steps, to try a pipeline out; 0 for no limit.
        label_smoothing: Share of the target spread over all classes, 0…1.
        ema: Momentum of the moving average of the weights; 0 for none.
        freeze_normalization: Keep the batch statistics of the starting weights.
        ensemble_size: Networks or heads, of as many seeds, whose logits are averaged.
        inverse_penalty: Strength of L2 of a head on frozen features, larger is weaker;
            None chooses it by inner cross-validation.
    """

    strategy: str = "head"
    epochs: int = 10
    batch_size: int = 32
    optimizer: Literal["caffe_sgd", "adamw"] = "adamw"
    learning_rate: float = 1e-4
    momentum: float = 0.9
    weight_decay: float = 5e-4
    schedule: Literal["constant", "step", "cosine"] = "cosine"
    step_epochs: float = 6
    head_multiplier: float = 10.0
    crop: bool = True
    flip: bool = True
    min_area_fraction: float = 1.0
    jitter: float = 0.0
    mixup: float = 0.0
    class_weights: bool = False
    trained_fraction: float = 0.3
    bottom_multiplier: float = 0.1
    patience: int = 0
    max_steps: int = 0
    label_smoothing: float = 0.0
    ema: float = 0.0
    freeze_normalization: bool = True
    ensemble_size: int = 1
    inverse_penalty: float | None = None

    def __post_init__(self) -> None:
        if self.strategy not in STRATEGIES:
            raise ConfigError(
                f"Unknown strategy {self.strategy!r}; it is one of "
                f"{', '.join(STRATEGIES)}."
            )
        if self.ensemble_size < 1:
            raise ConfigError(
                f"An ensemble of {self.ensemble_size} is none; 1 or more."
            )
        if self.inverse_penalty is not None and self.inverse_penalty <= 0:
            raise ConfigError(
                f"The inverse penalty {self.inverse_penalty} must be above 0."
            )


@dataclass(frozen=True)
class EvaluationConfig:
    """What is held out, and how a picture is looked at.

    Attributes:
        test_fraction: Share of the pictures that `fit` holds out, 0…1.
        ten_crop: Average the ten crops instead of taking the center.
    """

    test_fraction: float = 0.2
    ten_crop: bool = False


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a result.

    Attributes:
        name: Stands in tables and folder names.
        seed: Of shuffles, splits, crops and initial weights.
        expected: Published numbers this recipe should meet, by level and crop.
    """

    name: str = "default"
    data: DataConfig = field(default_factory=DataConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    evaluation: EvaluationConfig = field(default_factory=EvaluationConfig)
    seed: int = 0
    expected: tuple[tuple[str, float], ...] = ()


def override(recipe: Recipe, settings: Mapping[str, Any]) -> Recipe:
    """Change a recipe by dotted names.

    Args:
        recipe: The recipe to start from.
        settings: Values by name, such as `{"training.epochs": 3}`; a string is read as
            the type of the setting.

    Returns:
        A new recipe; the old one is unchanged.

    Raises:
        ConfigError: If a name does not exist or a value does not fit its type.

    Example:
        >>> override(Recipe(), {"training.epochs": "3"}).training.epochs
        3
    """
    for name, value in settings.items():
        recipe = _replace(recipe, name.split("."), value, name)
    return recipe


def _replace(part: Any, path: list[str], value: Any, name: str) -> Any:
    known = typing.get_type_hints(type(part))
    if path[0] not in known:
        raise ConfigError(
            f"No setting {name!r}; {path[0]!r} is none of {sorted(known)}."
        )
    if len(path) > 1:
        inner = getattr(part, path[0])
        if not dataclasses.is_dataclass(inner):
            raise ConfigError(f"No setting {name!r}; {path[0]!r} has no parts.")
        value = _replace(inner, path[1:], value, name)
    else:
        value = _read(known[path[0]], value, name)
    return dataclasses.replace(part, **{path[0]: value})


def _read(hint: Any, value: Any, name: str) -> Any:
    """Read a value, or its text, as the annotated type."""
    options = typing.get_args(hint)
    origin = typing.get_origin(hint)
    if origin is Literal:
        if value not in options:
            raise ConfigError(f"{name}={value!r} is none of {', '.join(options)}.")
        return value
    if origin in (typing.Union, types.UnionType):
        if value is None or value == "None":
            return None
        (hint,) = (option for option in options if option is not type(None))
    if hint is bool and isinstance(value, str):
        if value.lower() not in ("true", "false"):
            raise ConfigError(f"{name}={value!r} must be true or false.")
        return value.lower() == "true"
    if hint in (int, float, str) and not isinstance(value, hint):
        try:
            return hint(value)
        except (TypeError, ValueError):
            raise ConfigError(f"{name}={value!r} is no {hint.__name__}.") from None
    return value


def to_json(recipe: Recipe) -> str:
    """Write a recipe as JSON, every setting included.

    Args:
        recipe: Any recipe.

    Returns:
        Text that `from_json` reads back to an equal recipe.
    """
    return json.dumps(dataclasses.asdict(recipe), indent=2) + "\n"


def from_json(text: str) -> Recipe:
    """Read a recipe that `to_json` wrote.

    Args:
        text: The JSON text; settings that are left out take their defaults.

    Returns:
        The recipe.

    Raises:
        ConfigError: If the text is no JSON object or names an unknown setting.
    """
    try:
        values = json.loads(text)
    except json.JSONDecodeError as error:
        raise ConfigError(f"The recipe is not JSON: {error}.") from None
    if not isinstance(values, dict):
        raise ConfigError(f"A recipe is a JSON object; this one is {values!r:.40}.")
    expected = tuple((name, number) for name, number in values.pop("expected", ()))
    return override(Recipe(expected=expected), dict(_flatten(values)))


def _flatten(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    pairs: list[tuple[str, Any]] = []
    for key, value in values.items():
        if isinstance(value, dict):
            pairs += _flatten(value, f"{prefix}{key}.")
        else:
            pairs.append((prefix + key, value))
    return pairs
