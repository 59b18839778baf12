"""Which starting weights serve best? Table 5 of the paper."""

from __future__ import annotations

from dataclasses import replace

from pixsent_tf.recipes.finetuning import FIVE

TITLE = "Table 5: initialization"

PUBLISHED = (
    ("places", 0.823, 0.823),
    ("deepsentibank", 0.804, 0.806),
    ("mvso_en", 0.839, 0.844),
    ("mvso_es", 0.833, 0.844),
    ("mvso_fr", 0.825, 0.828),
    ("mvso_it", 0.838, 0.838),
    ("mvso_de", 0.837, 0.837),
    ("mvso_zh", 0.797, 0.806),
)
STARTS = tuple(
    replace(
        FIVE,
        name=f"start-{start}",
        model=replace(FIVE.model, weights=start),
        expected=(("center", center), ("ten_crop", ten_crop)),
    )
    for start, center, ten_crop in PUBLISHED
)
SCRATCH = replace(
    FIVE,
    name="start-scratch",
    model=replace(FIVE.model, weights=None),
    expected=(),
)
ROWS = (FIVE, *STARTS, SCRATCH)
REFERENCE = FIVE
