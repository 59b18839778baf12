"""Every setting of every part: its default, its range, its type, and its use.

A setting without a row here fails.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, replace
from typing import Any

import pytest

from pixsent_tf.config import (
    STRATEGIES,
    DataConfig,
    EvaluationConfig,
    ModelConfig,
    PreprocessConfig,
    Recipe,
    TrainingConfig,
    from_json,
    override,
    to_json,
)
from pixsent_tf.errors import ConfigError

PARTS = {
    "data": DataConfig,
    "model": ModelConfig,
    "training": TrainingConfig,
    "evaluation": EvaluationConfig,
}
NOTHING = object()
HEAD, LAST, ALL, LP_FT = STRATEGIES
DESCENT = (LAST, ALL, LP_FT)


@dataclass(frozen=True)
class Row:
    """What is known about one setting.

    Attributes:
        changed: A value that is not the default.
        outside: A value of its type that is refused.
        mistyped: A value of another type.
        used_by: The strategies that it does something with.
        needs: Other settings that it does something with.
    """

    changed: Any
    outside: Any = NOTHING
    mistyped: Any = "x"
    used_by: tuple[str, ...] = STRATEGIES
    needs: tuple[tuple[str, Any], ...] = ()


ROWS = {
    "name": Row("mine", mistyped=3),
    "seed": Row(1, -1),
    "expected": Row([["center", 0.5]], [["center", float("nan")]]),
    "data.source": Row("pictures", mistyped=3),
    "data.level": Row("four_agrees", "six_agree", 3),
    "data.images": Row("pictures", mistyped=3),
    "data.group": Row("user", mistyped=3),
    "data.labels": Row("votes", "soft", 3),
    "data.example_weights": Row("agreement", "unequal", 3),
    "data.join_weight": Row(0.5, 1.1),
    "data.num_folds": Row(3, 1, 3.7),
    "data.balance": Row("both", "all", 3),
    "data.more_sources": Row(["others"], mistyped=3),
    "data.columns": Row(["path=img"], mistyped=3),
    "data.classes": Row(["negative=sad"], mistyped=3),
    "data.skip_unlabelled": Row(True, mistyped=3),
    "data.target": Row(["valence"], mistyped=3),
    "data.scale": Row("1:7", "7:1", 3, needs=(("data.target", ["valence"]),)),
    "data.threshold": Row(4.0, mistyped="x"),
    "model.backbone": Row("caffenet@67+alexnet", "caffenet@", 3),
    "model.weights": Row(None, mistyped=3),
    "model.crop_fraction": Row(1.0, 0.0),
    "model.mirror": Row(True, mistyped=3.5),
    "model.texture": Row(True, mistyped=3.5),
    "model.words": Row("a,b", mistyped=3),
    "model.surgery": Row("fc7-2", "fc7", 3, DESCENT),
    "model.dropout": Row(0.5, 2, used_by=DESCENT),
    "model.initializer_stddev": Row(0.1, -1, used_by=(LAST, ALL)),
    "training.strategy": Row("all", "magic", 3),
    "training.epochs": Row(3, 0, 3.7, DESCENT),
    "training.batch_size": Row(8, 0, 8.5, DESCENT),
    "training.optimizer": Row("caffe_sgd", "sgdd", 3, DESCENT),
    "training.learning_rate": Row(0.1, -1, used_by=DESCENT),
    "training.momentum": Row(
        0.5, 1, used_by=DESCENT, needs=(("training.optimizer", "caffe_sgd"),)
    ),
    "training.weight_decay": Row(0.1, -1, used_by=DESCENT),
    "training.schedule": Row("step", "linear", 3, DESCENT),
    "training.step_epochs": Row(
        2, 0, used_by=DESCENT, needs=(("training.schedule", "step"),)
    ),
    "training.head_multiplier": Row(1.0, 0, used_by=(LAST, ALL)),
    "training.crop": Row(False, mistyped=3, used_by=DESCENT),
    "training.flip": Row(False, mistyped=3, used_by=DESCENT),
    "training.min_area_fraction": Row(0.5, -2, used_by=DESCENT),
    "training.jitter": Row(0.5, 2, used_by=DESCENT),
    "training.mixup": Row(0.2, -1, used_by=DESCENT),
    "training.trained_fraction": Row(0.5, 0, used_by=(LAST,)),
    "training.num_views": Row(2, -1, 3.7, used_by=(LAST,)),
    "training.head_first": Row(True, mistyped=3, used_by=(LAST,)),
    "training.blend_head": Row(True, mistyped=3, used_by=DESCENT),
    "training.bottom_multiplier": Row(0.5, 0, used_by=(LP_FT,)),
    "training.patience": Row(3, -1, 3.7, DESCENT),
    "training.max_steps": Row(3, -1, 3.7, DESCENT),
    "training.calibration_folds": Row(3, -1, 3.7, DESCENT),
    "training.label_smoothing": Row(0.1, 7, used_by=DESCENT),
    "training.rating_loss": Row(
        "huber", "cubic", 3, DESCENT, needs=(("data.target", ["valence"]),)
    ),
    "training.ema": Row(0.9, 3, used_by=DESCENT),
    "training.freeze_normalization": Row(False, mistyped=3, used_by=DESCENT),
    "training.ensemble_size": Row(3, 0, 3.7),
    "training.inverse_penalty": Row(3.0, 0.0, used_by=(HEAD,)),
    "evaluation.test_fraction": Row(0.3, 5),
    "evaluation.ten_crop": Row(True, mistyped=3.5, used_by=DESCENT),
}


def by_constructor(settings):
    tree = _nest(settings)
    parts = {name: PARTS[name](**tree.pop(name)) for name in PARTS if name in tree}
    return Recipe(**parts, **tree)


def by_replace(settings):
    tree, recipe = _nest(settings), Recipe()
    parts = {
        name: replace(getattr(recipe, name), **tree.pop(name))
        for name in PARTS
        if name in tree
    }
    return replace(recipe, **parts, **tree)


def by_text(settings):
    texts = {k: v if k == "expected" else as_text(v) for k, v in settings.items()}
    return override(Recipe(), texts)


def as_text(value):
    """Write a value as a command line does."""
    return ",".join(value) if isinstance(value, list) else str(value)


def by_json(settings):
    return from_json(json.dumps(_nest(settings)))


WAYS = (by_constructor, by_replace, by_text, by_json)


def _nest(settings):
    tree: dict[str, Any] = {}
    for name, value in settings.items():
        part, _, last = name.rpartition(".")
        (tree.setdefault(part, {}) if part else tree)[last] = value
    return tree


def look_up(recipe, name):
    for step in name.split("."):
        recipe = getattr(recipe, step)
    return recipe


def used(name, strategy=None):
    """Settings under which a setting does something."""
    row = ROWS[name]
    return {"training.strategy": strategy or row.used_by[-1], **dict(row.needs)}


def refused(name):
    return pytest.raises(ConfigError, match=rf"^{name}\S*=|^Backbone|^No surgery")


def test_every_setting_has_a_row():
    names = [
        f"{part}.{field.name}"
        for part, cls in PARTS.items()
        for field in dataclasses.fields(cls)
    ]
    own = [f.name for f in dataclasses.fields(Recipe) if f.name not in PARTS]

    assert sorted(ROWS) == sorted([*own, *names])


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ROWS)
def test_its_default_is_accepted(name, way):
    default = look_up(Recipe(), name)

    assert way({name: default}) == Recipe()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ROWS)
def test_a_change_is_kept_by_every_way(name, way):
    settings = {**used(name), name: ROWS[name].changed}
    recipe = way(settings)
    expected = by_constructor(settings)

    assert recipe == expected != Recipe()
    assert from_json(to_json(recipe)) == recipe


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "name", [k for k, r in ROWS.items() if r.outside is not NOTHING]
)
def test_a_value_out_of_range_is_refused_by_name(name, way):
    with refused(name):
        way({name: ROWS[name].outside})


@pytest.mark.parametrize(
    ("name", "way"),
    [
        (name, way)
        for name, row in ROWS.items()
        for way in WAYS
        if way is not by_text or row.mistyped == "x"  # a text is never no text
    ],
)
def test_a_value_of_another_type_is_refused_by_name(name, way):
    with refused(name):
        way({name: ROWS[name].mistyped})


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("name", [k for k in ROWS if k != "training.strategy"])
def test_a_strategy_that_does_not_use_it_refuses_it(name, strategy, way):
    row = ROWS[name]
    settings = {"training.strategy": strategy, name: row.changed}
    if strategy in row.used_by:
        assert way({**settings, **dict(row.needs)})
        return
    with pytest.raises(
        ConfigError, match=rf"^{name}.* does nothing with \w+ \S+; use "
    ):
        way(settings)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "name",
    [
        k
        for k, row in ROWS.items()
        if row.needs and k not in ("data.scale", "training.rating_loss")
    ],
)
def test_a_choice_that_does_not_use_it_refuses_it(name, way):
    ((other, value),) = ROWS[name].needs
    settings = {"training.strategy": "all", name: ROWS[name].changed}

    with pytest.raises(ConfigError, match=f"use --set {other}={value}"):
        way(settings)


@pytest.mark.parametrize("way", WAYS)
def test_a_loss_of_ratings_is_refused_without_any(way):
    settings = {"training.strategy": "all", "training.rating_loss": "huber"}

    with pytest.raises(ConfigError, match="does nothing with classes; use --target"):
        way(settings)


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("value", ["x", 3, None, [1]])
def test_a_part_that_is_none_is_refused(part, value):
    message = rf"^{part}=.* is no {PARTS[part].__name__}\.$"

    with pytest.raises(ConfigError, match=message):
        Recipe(**{part: value})
    with pytest.raises(ConfigError, match=message):
        override(Recipe(), {part: value})
    with pytest.raises(ConfigError, match=message):
        from_json(json.dumps({part: value}))


@pytest.mark.parametrize("name", ["mirror", "texture"])
def test_a_network_that_was_cut_has_neither_mirror_nor_texture(name):
    model = ModelConfig(backbone="caffenet", surgery="fc7-2", **{name: True})

    with pytest.raises(
        ConfigError, match=f"model.{name} does nothing with surgery fc7-2"
    ):
        Recipe(model=model, training=TrainingConfig(strategy="all"))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"crop_size": 300}, "crop_size=300 must be at most canvas_size=256"),
        ({"crop_size": 0}, "crop_size=0 is no whole number of 1 or more"),
        ({"crop_size": 224.5}, "crop_size=224.5 is no whole number"),
        ({"crop_size": 224, "fit": "stretch"}, "fit='stretch' is none of squash, crop"),
        ({"crop_size": 224, "resample": 3}, "resample=3 is none of bilinear, bicubic"),
    ],
)
def test_a_geometry_that_cannot_be_is_refused(settings, message):
    with pytest.raises(ConfigError, match=message):
        PreprocessConfig(256, **settings)


@pytest.mark.parametrize("way", WAYS)
def test_words_that_say_nothing_are_refused_where_they_are_given(way):
    with pytest.raises(ConfigError, match="Words 'one' are of fewer than two classes"):
        way({"model.words": "one"})
