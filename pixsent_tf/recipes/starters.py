"""Which recipe to start with: cheap, or as good as frozen features get?"""

from __future__ import annotations

from dataclasses import replace

from pixsent_tf.config import ModelConfig, Recipe

DEFAULT = Recipe(name="default")

BEST = replace(
    DEFAULT,
    name="best",
    model=ModelConfig(
        backbone="efficientnet_lite0@320+efficientnet_lite2@380",
        crop_share=1.0,
        mirror=True,
    ),
)
