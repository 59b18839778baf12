"""Which recipe to start with: cheap, or as good as frozen features get?"""

from __future__ import annotations

from dataclasses import replace

from pixsent_tf.config import DataConfig, ModelConfig, Recipe, TrainingConfig

DEFAULT = Recipe(name="default")

# Three networks that see the whole picture, large, with the texture of a middle
# stage; chosen on inner splits of the training folds, where mirror images gave nothing.
BEST = replace(
    DEFAULT,
    name="best",
    data=DataConfig(example_weights="agreement"),
    model=ModelConfig(
        backbone="efficientnet_lite0@320+efficientnet_lite1@320+efficientnet_lite2@380",
        crop_fraction=1.0,
        texture=True,
    ),
)

# One network whose last block and head are trained, chosen on inner splits of the
# training folds: see docs/explanation/fine-tuned.md.
FINETUNED = replace(
    DEFAULT,
    name="finetuned",
    training=TrainingConfig(strategy="last-blocks", epochs=8),
)

# The model that comes with the package: the default network, shown the whole picture at
# a size between its own and that of `best`. Maps of its answers are exact. The penalty
# was the best of .3, 1, 3 and 10 on sources that were left out.
SHIPPED = replace(
    DEFAULT,
    name="shipped",
    data=DataConfig(example_weights="agreement", balance="both"),
    model=ModelConfig(backbone="efficientnet_lite0@288", crop_fraction=1.0),
    training=TrainingConfig(inverse_penalty=3.0),
)

# The better one, which takes several times as long, with the networks of `best`.
SHIPPED_BEST = replace(SHIPPED, name="shipped-best", model=BEST.model)
