"""The zoo: names, sizes, branches, weights."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from caffe_files import write_npz
from PIL import Image

from pixsent_tf.config import ModelConfig
from pixsent_tf.errors import ConfigError
from pixsent_tf.models import zoo
from pixsent_tf.models.joined import FeatureBlock, Reduce, feature_blocks
from tests.float32 import assert_close_float32, operations_of

CROPS = np.random.default_rng(0).integers(0, 256, (2, 96, 96, 3)).astype("float32")


def build(name: str, **settings) -> keras.Model:
    """Build a backbone; with random weights its features would all be near zero."""
    return zoo.build_backbone(ModelConfig(name, **settings))


@pytest.mark.parametrize(
    ("name", "canvas", "crop"),
    [
        ("efficientnet_lite0", 256, 224),
        ("efficientnet_lite0@320", 366, 320),
        ("efficientnet_lite0+efficientnet_lite2", 297, 260),
        ("keras:EfficientNetV2S", 439, 384),
        ("caffenet", 256, 227),
    ],
)
def test_the_geometry_follows_from_the_name(name, canvas, crop):
    config = zoo.preprocess_of(ModelConfig(name))

    assert (config.canvas_size, config.crop_size) == (canvas, crop)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("resnext", "Unknown backbone 'resnext'; .*there are alexnet, caffenet"),
        ("keras:ResNext", "keras.applications has no 'ResNext'"),
        ("efficientnet_lite0@big", "not of the form NAME, NAME@PIXELS"),
        ("caffenet+efficientnet_lite0", "joins backbones that squash and that crop"),
    ],
)
def test_a_name_that_means_nothing_is_refused(name, message):
    with pytest.raises(ConfigError, match=message):
        zoo.preprocess_of(ModelConfig(name))


def test_a_share_of_one_lets_the_network_see_the_whole_picture():
    config = zoo.preprocess_of(ModelConfig("efficientnet_lite0@320", crop_fraction=1.0))

    assert (config.canvas_size, config.crop_size) == (320, 320)


def test_a_branch_named_twice_is_refused():
    with pytest.raises(ConfigError, match="names a branch twice"):
        build("efficientnet_lite0+efficientnet_lite0")


def test_caffenet_says_that_it_brings_no_weights():
    with pytest.raises(
        ConfigError, match=r"comes without weights; give a \.caffemodel"
    ):
        zoo.build_backbone(ModelConfig("caffenet"))


def test_joined_features_are_those_of_the_branches_side_by_side():
    joined = build("efficientnet_lite0@96+efficientnet_lite0@64")
    large, small = build("efficientnet_lite0@96"), build("efficientnet_lite0@64")
    reduced = joined.get_layer("reduce_1")(CROPS)

    features = joined(CROPS).numpy()
    operations = operations_of(large)
    assert_close_float32(features[:, :1280], large(CROPS), operations=operations)
    assert_close_float32(features[:, 1280:], small(reduced), operations=operations)
    assert features.max() > 1


def test_names_that_a_layer_may_not_have_are_joined_too():
    joined = build("keras:MobileNetV3Small@64+efficientnet_lite0@64", weights=None)

    features = tf.function(joined)(CROPS[:, :64, :64])  # a graph checks the names
    assert features.shape == (2, 576 + 1280)


def test_a_smaller_branch_sees_the_crop_as_pillow_would_reduce_it():
    joined = build("efficientnet_lite0@96+efficientnet_lite0@48")
    small = joined.get_layer("reduce_1")(CROPS).numpy()

    for crop, reduced in zip(CROPS, small, strict=True):
        expected = Image.fromarray(crop.astype("uint8")).resize(
            (48, 48), Image.Resampling.BILINEAR
        )
        assert np.abs(reduced - np.asarray(expected)).max() <= 1


def test_a_smaller_branch_sees_the_crop_as_tensorflow_would_reduce_it():
    reduced = Reduce(48)(CROPS).numpy()

    expected = tf.image.resize(CROPS, (48, 48), antialias=True).numpy()
    assert np.abs(reduced - expected).max() <= 1e-6 * expected.max()


def test_three_pixels_become_two_by_their_distance_to_the_new_centers():
    # Centers of the new pixels at .75 and 2.25 of the old line, reach 1.5 pixels.
    crops = np.array([80, 0, 160, 0, 0, 0, 0, 0, 0], "float32").reshape(1, 3, 3, 1)
    across = np.array([80 * 5 / 8, 160 * 5 / 8])

    reduced = Reduce(2)(crops).numpy()[0, ..., 0]

    np.testing.assert_allclose(reduced, [across * 5 / 8, [0, 0]], atol=1e-5)


def test_mirrored_features_do_not_tell_left_from_right():
    plain, both = (
        build("efficientnet_lite0@96"),
        build("efficientnet_lite0@96", mirror=True),
    )

    flipped = CROPS[:, :, ::-1]
    expected = (plain(CROPS) + plain(flipped)) / 2
    assert_close_float32(both(CROPS), expected, operations=operations_of(plain))
    assert np.abs(plain(CROPS) - plain(flipped)).max() > 0.1
    assert_close_float32(both(flipped), expected, operations=operations_of(plain))


def test_a_file_of_weights_is_a_start_like_any_other(tmp_path):
    other = zoo.build_backbone(
        ModelConfig("efficientnet_lite0@96", weights=None), seed=7
    )
    write_npz(other, tmp_path / "w.npz")
    loaded = zoo.build_backbone(
        ModelConfig("efficientnet_lite0@96", weights=str(tmp_path / "w.npz"))
    )

    for mine, theirs in zip(loaded.weights, other.weights, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_the_head_is_linear_in_the_features():
    backbone = build("efficientnet_lite0@96")
    classifier = zoo.attach_head(backbone, num_classes=3, stddev=0.1, dropout=0.5)

    kernel, bias = classifier.get_layer(zoo.HEAD).get_weights()
    expected = backbone(CROPS).numpy() @ kernel + bias
    assert_close_float32(classifier(CROPS), expected, operations=len(kernel))


def test_texture_is_mean_and_deviation_of_the_stage_beside_unit_features():
    plain = build("efficientnet_lite0@96")
    textured = build("efficientnet_lite0@96", texture=True)
    maps = keras.Model(plain.input, plain.get_layer("stage6").output)(CROPS).numpy()
    pooled = plain(CROPS).numpy()

    features = textured(CROPS).numpy()
    unit = pooled / np.linalg.norm(pooled, axis=1, keepdims=True)
    operations, scale = operations_of(plain), float(np.abs(maps).max())
    assert_close_float32(features[:, :1280], unit, operations=operations)
    for found, expected in (
        (features[:, 1280:1472], maps.mean((1, 2))),
        (features[:, 1472:], maps.std((1, 2))),
    ):
        assert_close_float32(found, expected, operations=operations, scale=scale)


def test_blocks_share_the_norm_by_kind():
    textured = build("efficientnet_lite0@64+efficientnet_lite0@48", texture=True)
    blocks = feature_blocks(textured)

    assert [block.width for block in blocks] == [1280, 384, 1280, 384]
    assert [block.share for block in blocks] == [0.375, 0.125, 0.375, 0.125]
    assert [block.standardize for block in blocks] == [False, True, False, True]
    assert feature_blocks(build("efficientnet_lite0@64")) == (FeatureBlock(1280),)


def test_a_backbone_without_a_known_stage_has_no_texture():
    with pytest.raises(ConfigError, match="caffenet has no stage whose texture"):
        zoo.build_backbone(ModelConfig("caffenet", weights=None, texture=True))
