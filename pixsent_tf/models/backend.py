"""On what does Keras run here? TensorFlow, with pixels before channels, in float32.

The environment and `~/.keras/keras.json` may say otherwise for other work of the user:
weights of a network would have other shapes, or another library would be asked for.
`import pixsent_tf` names the backend, as long as nobody has loaded Keras before.
"""

from __future__ import annotations

import keras

from pixsent_tf.errors import ConfigError


def settle() -> None:
    """Have Keras build networks as this package means them.

    Raises:
        ConfigError: If Keras runs on another backend already.
    """
    backend = keras.config.backend()
    if backend != "tensorflow":
        raise ConfigError(
            f"Keras runs on {backend} in this process, and these networks need "
            f"TensorFlow; import pixsent_tf before keras, or set "
            f"KERAS_BACKEND=tensorflow."
        )
    if keras.config.image_data_format() != "channels_last":
        keras.config.set_image_data_format("channels_last")
    if keras.config.floatx() != "float32":
        keras.config.set_floatx("float32")
        keras.config.set_dtype_policy("float32")
