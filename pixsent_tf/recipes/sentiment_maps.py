"""Where does the network see sentiment? Section 3.6 of the paper."""

from __future__ import annotations

from pixsent_tf.recipes.finetuning import FIVE

TITLE = "Sentiment maps"
REMARK = (
    "table-maps.png: the surest answers beside their maps, green positive, red "
    "negative; maps/fold-K holds every picture, with a smooth map as well."
)

# Each picture is mapped by the model of the fold in which it is a test picture.
ROWS = ()
REFERENCE = FIVE
