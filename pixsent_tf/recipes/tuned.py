"""What does fine-tuning add to the recipes to start with?"""

from __future__ import annotations

from dataclasses import replace

from pixsent_tf.config import TrainingConfig
from pixsent_tf.recipes.starters import BEST, DEFAULT

# One network whose last block and head are trained; chosen on inner splits of the
# training folds, see docs/explanation/fine-tuned.md.
FINETUNED = replace(
    DEFAULT,
    name="finetuned",
    training=TrainingConfig(
        strategy="last-blocks", trained_fraction=0.1, epochs=4, num_views=4
    ),
)

# `best`, and beside it the largest of its networks with the last block trained as in
# `finetuned`, on crops that show the same share of the picture.
FINETUNED_BEST = replace(
    BEST,
    name="finetuned-best",
    training=replace(
        FINETUNED.training, num_views=3, min_area_fraction=0.75, blend_head=True
    ),
)
