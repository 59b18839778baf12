"""What is one experiment, as plain data?

A `Recipe` says everything that decides a result and nothing else. It is frozen, prints
itself, goes to JSON and back, and is changed by `override` or `dataclasses.replace`.
"""

from __future__ import annotations

import typing
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pixsent_tf.config.networks import Branch, Surgery, read_backbone, read_surgery
from pixsent_tf.config.scales import check_rated, check_rated_recipe
from pixsent_tf.config.use import refuse_unused
from pixsent_tf.config.values import (
    BelowOne,
    Checked,
    Count,
    Fraction,
    NotNegative,
    Part,
    Positive,
    Range,
    Seed,
    Whole,
)
from pixsent_tf.errors import ConfigError

CLASS_NAMES = ("negative", "positive")
PROB = "prob_"  # begins the columns of probabilities in every table
Level = Literal["five_agrees", "four_agrees", "three_agrees"]
LEVELS: tuple[str, ...] = typing.get_args(Level)
Balance = Literal["none", "classes", "sources", "both"]
Strategy = Literal["head", "last-blocks", "all", "lp-ft"]
STRATEGIES: tuple[str, ...] = typing.get_args(Strategy)


@dataclass(frozen=True)
class PreprocessConfig(Checked):
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

    canvas_size: Count
    crop_size: Count
    fit: Literal["squash", "crop"] = "squash"
    resample: Literal["bilinear", "bicubic"] = "bilinear"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.crop_size > self.canvas_size:
            raise ConfigError(
                f"crop_size={self.crop_size} must be at most "
                f"canvas_size={self.canvas_size}."
            )


@dataclass(frozen=True)
class DataConfig(Checked, prefix="data."):
    """Which pictures, which labels, which folds.

    Attributes:
        source: "smileys", "tfds:NAME", or the path of a folder, a list or a CSV file.
        level: Agreement level of the DeepSent layout; None for every other source.
        images: Folder that a list's names are relative to; None for the list's own.
        group: What tells which pictures belong together, such as those of one person,
            so that none trains what another tests: a column of a CSV table or a
            feature of a TFDS set (`group` counts without being named), "folder" for
            the folders within those of the classes, "user" for a DeepSent folder.
        labels: "hard" takes the majority, "votes" the share of the votes.
        example_weights: "agreement" weighs a picture by the lead of its votes, from 0
            for a tie to 1 for unanimity, where votes are known; "equal" weighs none.
        join_weight: Weight of those pictures of a DeepSent folder that fewer agree on
            than `level` asks for: they train every fold and test none; 0 leaves them
            out.
        num_folds: Folds made where the data publishes none.
        balance: Which kinds of picture weigh the same in training, whatever their
            numbers: "classes", "sources", or "both" for each class of each source;
            within a kind, `example_weights` keep their ratios. The temperature and the
            threshold for `unsure` are chosen with kinds balanced alike.
        more_sources: Further sources, which train and test together with the first;
            their classes have the same names. `level`, `images`, `group` and `columns`
            are for those that know them.
        columns: Which column of a table holds what, where its name does not tell:
            "path=img", "label=mood", "votes=joy|fear"; "fold=" has a column left
            alone.
        classes: Which labels mean a class, where the spelling does not tell:
            "negative=neg|sad", "positive=joy".
        skip_unlabelled: Leave rows of a table out that have no label, instead of
            refusing the table.
        target: Columns of ratings that a model is to answer with, such as "valence" and
            "arousal"; empty for a model that answers with classes.
        scale: "LOW:HIGH", the lowest and the highest rating there can be, such as
            "1:7"; None for the whole numbers around the ratings.
        threshold: Valence from which a picture of a table of ratings is positive, all
            others being negative; None calls it negative up to 3.5, positive from 5 and
            leaves out what is between.
    """

    source: str = "smileys"
    level: Level | None = None
    images: str | None = None
    group: str | None = None
    labels: Literal["hard", "votes"] = "hard"
    example_weights: Literal["equal", "agreement"] = "equal"
    join_weight: Fraction = 0.0
    num_folds: Annotated[int, Range(least=2)] = 5
    balance: Balance = "none"
    more_sources: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    skip_unlabelled: bool = False
    target: tuple[str, ...] = ()
    scale: str | None = None
    threshold: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_rated(self)
        _ = self.chosen_columns, self.renamed_labels  # refuse texts of other forms

    @property
    def chosen_columns(self) -> dict[str, str]:
        """Columns by what they hold; "" for a column that is left alone."""
        return dict(_read_pair(text, "columns", "path=img") for text in self.columns)

    @property
    def renamed_labels(self) -> dict[str, str]:
        """Classes by the label that means them."""
        pairs = [_read_pair(text, "classes", "negative=neg") for text in self.classes]
        return {
            label.strip(): name for name, labels in pairs for label in labels.split("|")
        }


def _read_pair(text: str, setting: str, example: str) -> tuple[str, str]:
    """Read a text with a sign between two names."""
    name, equals, value = (part.strip() for part in text.partition("="))
    if not equals or not name:
        raise ConfigError(
            f"--{setting} {text!r} is not of the form NAME=VALUE, such as {example}."
        )
    return name, value


@dataclass(frozen=True)
class ModelConfig(Checked, prefix="model."):
    """Which network, starting from which weights.

    Attributes:
        backbone: A name of `models.zoo`; NAME@PIXELS for another size, several joined
            by "+"; see `networks`.
        weights: "imagenet", or what else the backbone comes with, as a preset does; a
            file; or None for a random start.
        crop_fraction: Side of the crop by side of the canvas, 0…1; 1 lets the network
            see the whole picture, None takes what the backbone was evaluated with.
        mirror: Average the features of each crop and of its mirror image.
        texture: Add mean and deviation of the maps of the last stage but one.
        words: Prompts whose nearness stands beside the features, as one number more for
            two classes: "a sad picture,a happy picture", or a `.json` file; see
            `prompts`. For presets that read texts; None for none.
        surgery: A named change of the layers, see `networks`; None for none.
        dropout: Share of the features dropped before the head, 0…1.
        initializer_stddev: Of the head's normal initializer.
    """

    backbone: str = "efficientnet_lite0"
    weights: str | None = "imagenet"
    crop_fraction: Part | None = None
    mirror: bool = False
    texture: bool = False
    words: str | None = None
    surgery: str | None = None
    dropout: BelowOne = 0.0
    initializer_stddev: NotNegative = 0.01

    def __post_init__(self) -> None:
        super().__post_init__()
        branches = self.branches  # refuses a name of another form
        if self.words is not None:
            from pixsent_tf.config.prompts import read_prompts  # few ask for it

            read_prompts(self.words)  # refuses what says nothing
        if self.change is not None and len(branches) > 1:
            raise ConfigError(
                f"model.surgery={self.surgery!r} changes one network; model.backbone="
                f"{self.backbone!r} joins {len(branches)}."
            )

    @property
    def branches(self) -> tuple[Branch, ...]:
        """The networks that `backbone` names."""
        return read_backbone(self.backbone)

    @property
    def change(self) -> Surgery | None:
        """The change of layers that `surgery` names."""
        return None if self.surgery is None else read_surgery(self.surgery)


@dataclass(frozen=True)
class TrainingConfig(Checked, prefix="training."):
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
        trained_fraction: Share of the layers, from the head back, that "last-blocks"
            trains, 0…1.
        num_views: Crops and mirrors of each picture that the epochs of "last-blocks"
            show by turns; what its frozen layers make of them is computed once. 0 cuts
            new ones in each epoch, which pass all layers.
        head_first: Let "last-blocks" start from the head of frozen features, as "lp-ft"
            does, instead of a random one.
        blend_head: Average the logits of a fine-tuned network with those of the head of
            frozen features; inner folds say how much either counts. Of several
            backbones the head reads all, and the last is fine-tuned.
        bottom_multiplier: Factor of the first layer's learning rate in "lp-ft"; the
            factors of the layers between it and the head form a geometric series.
        patience: Epochs without a better inner loss before stopping; 0 never stops and
            keeps the last iterate, as the paper does.
        max_steps: Stop after this many steps, to try a pipeline out; 0 for no limit.
        label_smoothing: Share of the target spread over all classes, 0…1.
        rating_loss: What descent makes small for ratings: squared errors, or Huber's
            loss, which counts errors of more than one deviation linearly.
        ema: Momentum of the moving average of the weights; 0 for none.
        freeze_normalization: Keep the batch statistics of the starting weights.
        calibration_folds: Of five inner folds, how many are predicted by a network that
            the others trained, which gives fine-tuned networks their temperature and
            the threshold for `unsure`; 0 leaves them without.
        ensemble_size: Networks or heads, of as many seeds, whose logits are averaged.
        inverse_penalty: Strength of L2 of a head on frozen features, larger is weaker;
            None chooses it by inner cross-validation.
    """

    strategy: Strategy = "head"
    epochs: Count = 10
    batch_size: Count = 32
    optimizer: Literal["caffe_sgd", "adamw"] = "adamw"
    learning_rate: NotNegative = 1e-4
    momentum: BelowOne = 0.9
    weight_decay: NotNegative = 5e-4
    schedule: Literal["constant", "step", "cosine"] = "cosine"
    step_epochs: Positive = 6.0
    head_multiplier: Positive = 10.0
    crop: bool = True
    flip: bool = True
    min_area_fraction: Part = 1.0
    jitter: Fraction = 0.0
    mixup: NotNegative = 0.0
    trained_fraction: Part = 0.1
    num_views: Whole = 4
    head_first: bool = False
    blend_head: bool = False
    bottom_multiplier: Positive = 0.1
    patience: Whole = 0
    max_steps: Whole = 0
    label_smoothing: Fraction = 0.0
    rating_loss: Literal["squared", "huber"] = "squared"
    ema: BelowOne = 0.0
    freeze_normalization: bool = True
    calibration_folds: Annotated[int, Range(least=0, most=5)] = 1
    ensemble_size: Count = 1
    inverse_penalty: Positive | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.blend_head and not self.calibration_folds:
            raise ConfigError(
                "training.blend_head=True takes its weight from inner folds; use "
                "training.calibration_folds=1 or more."
            )


@dataclass(frozen=True)
class EvaluationConfig(Checked, prefix="evaluation."):
    """What is held out, and how a picture is looked at.

    Attributes:
        test_fraction: Share of the pictures that `fit` holds out, above 0, at most 0.5.
        ten_crop: Average the ten crops instead of taking the center.
    """

    test_fraction: Annotated[float, Range(above=0, most=0.5)] = 0.2
    ten_crop: bool = False


@dataclass(frozen=True)
class Recipe(Checked):
    """Everything that decides a result.

    A setting that the others make idle, such as epochs where only a head is trained,
    must have its default; see `use.USES`.

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
    seed: Seed = 0
    expected: tuple[tuple[str, float], ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        refuse_unused(self)
        check_rated_recipe(self)
