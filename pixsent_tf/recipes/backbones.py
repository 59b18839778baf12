"""What do other networks reach under the same protocol? An extension."""

from __future__ import annotations

from dataclasses import replace

from pixsent_tf.recipes.finetuning import FIVE, FOUR, THREE
from pixsent_tf.recipes.starters import DEFAULT

TITLE = "Other backbones, same folds"

_LITE = ("efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2")

# A logistic head on frozen features, all three levels
FROZEN = tuple(
    replace(DEFAULT, name=f"{backbone}-frozen-{level}", data=of.data, model=model)
    for backbone in _LITE
    for model in (replace(DEFAULT.model, backbone=backbone),)
    for level, of in (("five", FIVE), ("four", FOUR), ("three", THREE))
)
# Every layer trained as the paper trains; by the command for any other network
TRAINED = tuple(
    replace(FIVE, name=backbone, model=model, expected=())
    for backbone in (*_LITE, "keras:MobileNetV2")
    for model in (replace(DEFAULT.model, backbone=backbone),)
)
ALEXNET = replace(
    FIVE,
    name="alexnet",
    model=replace(FIVE.model, backbone="alexnet", weights="alexnet"),
    expected=(),
)
ROWS = (*FROZEN, *TRAINED, ALEXNET)
REFERENCE = FROZEN[0]
