"""How much does each layer know? Table 3 of the paper."""

from __future__ import annotations

from dataclasses import replace

from pixsent_tf.recipes.finetuning import FIVE

TITLE = "Table 3: a linear classifier on each layer"
REMARK = (
    "“C as the paper”: the penalty with the best mean over the test folds, which "
    "flatters. “C nested”: chosen inside the training pictures of each fold."
)

# Inverse inverse_penalties, as the paper tried them
INVERSE_PENALTIES = tuple(2.0**n for n in (-5, -3, -1, 0, 1, 3, 5, 7, 9, 11, 13, 15))
CLASSIFIERS = ("svm", "softmax")
PUBLISHED = (
    *(("conv1", 0.667, 0.670), ("pool1", 0.674, 0.680), ("norm1", 0.706, 0.712)),
    *(("conv2", 0.735, 0.738), ("pool2", 0.732, 0.729), ("norm2", 0.735, 0.737)),
    *(("conv3", 0.752, 0.748), ("conv4", 0.794, 0.781), ("conv5", 0.776, 0.779)),
    *(("pool5", 0.784, 0.786), ("fc6", 0.804, 0.810), ("fc7", 0.814, 0.814)),
    ("fc8", 0.820, 0.821),
)
ROWS = tuple(
    replace(FIVE, name=layer, expected=(("svm", svm), ("softmax", softmax)))
    for layer, svm, softmax in PUBLISHED
)
REFERENCE = FIVE  # its fold models are looked into
