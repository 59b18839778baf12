"""Does one more layer behind the first classifier help? Table 6 of the paper."""

from __future__ import annotations

from dataclasses import replace

from pixsent_tf.recipes.finetuning import FIVE

TITLE = "Table 6: going deeper"

CAFFENET = replace(
    FIVE,
    name="caffenet-fc9",
    model=replace(FIVE.model, surgery="fc8-1000+fc9"),
    expected=(("center", 0.795), ("ten_crop", 0.803)),
)
MVSO_EN = replace(
    FIVE,
    name="mvso_en-fc9",
    model=replace(FIVE.model, weights="mvso_en", surgery="fc8-4342+fc9"),
    expected=(("center", 0.702), ("ten_crop", 0.694)),
)
ROWS = (CAFFENET, MVSO_EN)
REFERENCE = FIVE
