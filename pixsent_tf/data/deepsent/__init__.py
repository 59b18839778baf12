"""DeepSent for TensorFlow Datasets; importing this registers `pixsent_twitter`.

Example:
    >>> import tensorflow_datasets as tfds
    >>> import pixsent_tf.data.deepsent
    >>> tfds.builder_cls("pixsent_twitter").name
    'pixsent_twitter'
"""

from pixsent_tf.data.deepsent.builder import PixsentTwitter

__all__ = ["PixsentTwitter"]
