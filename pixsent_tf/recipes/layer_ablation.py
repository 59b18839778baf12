"""How much of the network is needed? Table 4 of the paper, and ASM'15's raw cuts."""

from __future__ import annotations

from dataclasses import replace

from pixsent_tf.recipes.finetuning import FIVE

TITLE = "Table 4: layer ablation"

FC7 = replace(
    FIVE,
    name="fc7-2",
    model=replace(FIVE.model, surgery="fc7-2"),
    expected=(("center", 0.784), ("ten_crop", 0.797)),
)
FC6 = replace(
    FIVE,
    name="fc6-2",
    model=replace(FIVE.model, surgery="fc6-2"),
    training=replace(FIVE.training, learning_rate=1e-4),
    expected=(("center", 0.651), ("ten_crop", 0.676)),
)
# The cut network's own units as classes; not in this paper, so nothing is expected.
RAW = tuple(
    replace(FIVE, name=cut, model=replace(FIVE.model, surgery=cut), expected=())
    for cut in ("fc7-4096", "fc6-4096", "fc8-1000")
)
ROWS = (FC7, FC6, *RAW)
REFERENCE = FIVE
