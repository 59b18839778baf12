"""Where does the network see sentiment? Section 3.6 of the paper."""

from __future__ import annotations

from pixsent_tf.recipes.finetuning import FIVE

TITLE = "Sentiment maps"

# Each picture is mapped by the model of the fold in which it is a test picture.
ROWS = ()
REFERENCE = FIVE
