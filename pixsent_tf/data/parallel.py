"""Who sets how many pictures a pipeline reads at a time? We do: one for each core.

tf.data's autotuner would find a number too, but it wakes up ever more seldom, and a
pipeline that ends between two of its rounds may hold its last batch until the next: 16
to 19 seconds in which the process does nothing.
"""

from __future__ import annotations

import tensorflow as tf


def untuned(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """Keep the autotuner from a pipeline, so that no batch waits for it.

    Args:
        dataset: The end of a pipeline; what is said of it holds for all before. A
            `num_parallel_calls` of `tf.data.AUTOTUNE` then means the threads of the
            machine that runs it, 16 at most, which is what a saved graph wants.

    Returns:
        The same elements.
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)
