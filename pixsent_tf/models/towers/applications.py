"""How do the networks of `keras.applications` become backbones like ours?

Some of them normalize pixels themselves, others leave it to the caller; here each gets
the first layers that its weights were trained with, so that all take RGB in 0..255.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass

import keras

from pixsent_tf.config import PreprocessConfig
from pixsent_tf.config.values import nearest
from pixsent_tf.errors import ConfigError, WeightsError
from pixsent_tf.models.layers import CaffeInput
from pixsent_tf.models.towers.reading import mean_of_maps, to_backbone

IMAGENET_MEAN = (0.485, 0.456, 0.406)  # RGB, 0..1
IMAGENET_VARIANCE = (0.229**2, 0.224**2, 0.225**2)
KERAS_CAFFE_MEAN = (103.939, 116.779, 123.68)  # BGR, 0..255, as Keras rounds it


@dataclass(frozen=True)
class Family:
    """Networks that share a module of `keras.applications`.

    Attributes:
        prefix: What their names begin with.
        normalization: "inside" the network, "symmetric" (-1..1), "torch" (mean and
            deviation of ImageNet) or "caffe" (BGR less the mean).
        crop_size: Side of the crops, in pixels, unless a name has its own.
    """

    prefix: str
    normalization: str
    crop_size: int = 224


FAMILIES = (
    Family("EfficientNet", "inside"),
    Family("ConvNeXt", "inside"),
    Family("MobileNetV3", "inside"),
    Family("MobileNet", "symmetric"),
    Family("NASNetLarge", "symmetric", 331),
    Family("NASNetMobile", "symmetric"),
    Family("Inception", "symmetric", 299),
    Family("Xception", "symmetric", 299),
    Family("DenseNet", "torch"),
    Family("VGG", "caffe"),
    Family("ResNet50V2", "symmetric"),
    Family("ResNet101V2", "symmetric"),
    Family("ResNet152V2", "symmetric"),
    Family("ResNet", "caffe"),
)
CROP_SIZES = {  # of the scaled families, as their weights were trained
    **{"EfficientNetB1": 240, "EfficientNetB2": 260, "EfficientNetB3": 300},
    **{"EfficientNetB4": 380, "EfficientNetB5": 456, "EfficientNetB6": 528},
    **{"EfficientNetB7": 600, "EfficientNetV2B1": 240, "EfficientNetV2B2": 260},
    **{"EfficientNetV2B3": 300, "EfficientNetV2S": 384, "EfficientNetV2M": 480},
    "EfficientNetV2L": 480,
}


def application_names() -> tuple[str, ...]:
    """List the networks.

    Returns:
        Names of the functions of `keras.applications`, sorted.
    """
    found = inspect.getmembers(keras.applications, inspect.isfunction)
    return tuple(sorted(name for name, _ in found if _family(name) is not None))


def application_preprocess(name: str) -> PreprocessConfig:
    """Give the geometry of a network.

    Args:
        name: One of `application_names()`.

    Returns:
        The crop its weights were trained with, on a canvas an eighth wider.

    Raises:
        ConfigError: If there is no such network.
    """
    crop_size = CROP_SIZES.get(name, _known_family(name).crop_size)
    return PreprocessConfig(round(crop_size / 0.875), crop_size)


def build_application(
    name: str, weights: str | None, input_size: int | None = None
) -> keras.Model:
    """Build a network from pixels to pooled features.

    Args:
        name: One of `application_names()`.
        weights: "imagenet", which Keras downloads once, or None for random ones.
        input_size: Side of the crops, in pixels; as trained if None.

    Returns:
        Model from `crops`, RGB 0..255 [B, S, S, 3], to `features`, float32 [B, F].

    Raises:
        ConfigError: If there is no such network.
        WeightsError: If the weights cannot be downloaded.
    """
    normalization = _known_family(name).normalization
    side = input_size or application_preprocess(name).crop_size

    def network(pixels: keras.KerasTensor) -> keras.KerasTensor:
        return _apply(name, weights, pixels, is_raw=normalization == "inside")

    return to_backbone(
        name.lower(),
        side,
        lambda crops: _normalize(crops, normalization),
        network,
        mean_of_maps,
    )


def _apply(
    name: str, weights: str | None, pixels: keras.KerasTensor, *, is_raw: bool
) -> keras.KerasTensor:
    """Put a network behind pixels, and give its last maps, [B, h, w, F]."""
    build = getattr(keras.applications, name)
    settings = {}
    if is_raw and "include_preprocessing" in inspect.signature(build).parameters:
        settings = {"include_preprocessing": True}
    try:
        network = build(
            include_top=False, weights=weights, input_tensor=pixels, **settings
        )
    except Exception as error:  # the download raises whatever the network stack does
        if weights is None:
            raise
        raise WeightsError(
            f"The ImageNet weights of {name} cannot be downloaded "
            f"({type(error).__name__}); give a .weights.h5 file or use --weights None."
        ) from error
    return network.output


def _normalize(crops: keras.KerasTensor, normalization: str) -> keras.KerasTensor:
    if normalization == "symmetric":
        return keras.layers.Rescaling(1 / 127.5, -1, name="normalize")(crops)
    if normalization == "torch":
        unit = keras.layers.Rescaling(1 / 255, name="rescale")(crops)
        return keras.layers.Normalization(
            mean=IMAGENET_MEAN, variance=IMAGENET_VARIANCE, name="normalize"
        )(unit)
    if normalization == "caffe":
        return CaffeInput(KERAS_CAFFE_MEAN, name="normalize")(crops)
    return crops


def _family(name: str) -> Family | None:
    return next((f for f in FAMILIES if name.startswith(f.prefix)), None)


def _known_family(name: str) -> Family:
    family = _family(name)
    if family is None or not hasattr(keras.applications, name):
        raise ConfigError(
            f"keras.applications has no {name!r}{nearest(name, application_names())}; "
            f"it has {', '.join(application_names())}."
        )
    return family
