"""Presets: their pixels, their vectors, their sizes, and what is refused."""

from __future__ import annotations

import json
import shutil
import sys

import numpy as np
import pytest

from pixsent_tf.config import ModelConfig
from pixsent_tf.errors import ConfigError, WeightsError
from pixsent_tf.models import zoo
from pixsent_tf.models.towers.sizes import interpolate
from tests.small_presets import KINDS, SIDE, build, write

CROPS = np.random.default_rng(0).integers(0, 256, (3, SIDE, SIDE, 3), "uint8")


def expected_of(kind, network, folder):
    """What KerasHub itself makes of the crops, a vector each."""
    import keras_hub

    converter = keras_hub.layers.ImageConverter.from_preset(str(folder))
    pixels = converter(CROPS.astype("float32"))
    if hasattr(network, "get_vision_embeddings"):
        return network.get_vision_embeddings(pixels).numpy()
    named = {"DINOV2": "images", "DINOV3": "pixel_values"}
    output = network({named[kind]: pixels} if kind in named else pixels).numpy()
    if kind == "ResNet":
        return output.mean((1, 2))
    prefix = {"DINOV2": 3, "DINOV3": 5, "ViT": 1}[kind]  # token 0 and registers
    return np.concatenate([output[:, 0], output[:, prefix:].mean(1)], axis=1)


@pytest.mark.parametrize("kind", KINDS)
def test_features_are_those_of_keras_hub(kind, preset_of):
    folder, network = preset_of(kind)

    backbone = zoo.build_backbone(ModelConfig(f"hub:{folder}"))
    features = backbone(CROPS.astype("float32")).numpy()

    expected = expected_of(kind, network, folder)
    np.testing.assert_allclose(features, expected, atol=1e-5)
    assert features.std(axis=0).mean() > 0.01


CONVOLUTIONS = {
    "CSPNet": {
        "stem_filters": 8,
        "stem_kernel_size": 3,
        "stem_strides": 1,
        "stackwise_depth": [1, 1],
        "stackwise_strides": [1, 2],
        "stackwise_num_filters": [8, 16],
        "block_type": "dark_block",
        "stage_type": "dark",
    },
    "DenseNet": {"stackwise_num_repeats": [1, 1, 1], "growth_rate": 4},
    "EfficientNet": {
        "stackwise_kernel_sizes": [3, 3],
        "stackwise_num_repeats": [1, 1],
        "stackwise_input_filters": [8, 8],
        "stackwise_output_filters": [8, 16],
        "stackwise_expansion_ratios": [1, 4],
        "stackwise_squeeze_and_excite_ratios": [0.0, 0.25],
        "stackwise_strides": [1, 2],
        "stackwise_block_types": ["fused", "unfused"],
        "width_coefficient": 1.0,
        "depth_coefficient": 1.0,
    },
    "HGNetV2": {
        "depths": [1, 1],
        "embedding_size": 8,
        "hidden_sizes": [8, 16],
        "stem_channels": [3, 8, 8],
        "hidden_act": "relu",
        "use_learnable_affine_block": False,
        "stackwise_stage_filters": [(8, 4, 8, 1, 1, 3), (8, 8, 16, 1, 1, 3)],
        "apply_downsample": [False, True],
        "use_lightweight_conv_block": [False, False],
        "image_shape": (SIDE, SIDE, 3),
    },
    "MiT": {
        "layerwise_depths": [1, 1],
        "num_layers": 2,
        "layerwise_num_heads": [1, 1],
        "layerwise_sr_ratios": [2, 1],
        "max_drop_path_rate": 0.0,
        "layerwise_patch_sizes": [7, 3],
        "layerwise_strides": [4, 2],
        "hidden_dims": [8, 16],
        "image_shape": (SIDE, SIDE, 3),
    },
    "VGG": {"stackwise_num_repeats": [1, 1], "stackwise_num_filters": [8, 16]},
    "Xception": {
        "stackwise_conv_filters": [[8, 8], [16, 16]],
        "stackwise_pooling": [True, False],
    },
}


@pytest.mark.parametrize("kind", CONVOLUTIONS)
def test_of_convolutions_the_mean_of_the_last_maps_is_taken(kind, tmp_path):
    hub = pytest.importorskip("keras_hub")
    network = getattr(hub.models, f"{kind}Backbone")(**CONVOLUTIONS[kind])
    network.save_to_preset(str(tmp_path))
    converter = getattr(hub.layers, f"{kind}ImageConverter")
    converter(image_size=(SIDE, SIDE)).save_to_preset(str(tmp_path))

    backbone = zoo.build_backbone(ModelConfig(f"hub:{tmp_path}"))
    features = backbone(CROPS.astype("float32")).numpy()

    maps = network(CROPS.astype("float32"))
    maps = maps["stage2"] if isinstance(maps, dict) else maps
    expected = maps.numpy().mean((1, 2))
    np.testing.assert_allclose(features, expected, rtol=1e-4, atol=1e-4)


BLOCK = {"num_layers": 1, "num_heads": 2, "hidden_dim": 16, "intermediate_dim": 32}
SWIN = {"embed_dim": 8, "depths": (1, 1), "num_heads": (2, 2), "window_size": 4}


@pytest.mark.parametrize(
    ("kind", "settings", "prefix"),
    [
        ("DeiT", {"patch_size": 8, **BLOCK}, 2),
        ("SwinTransformer", SWIN, 0),
    ],
)
def test_tokens_before_the_patches_are_no_patches(kind, settings, prefix, tmp_path):
    hub = pytest.importorskip("keras_hub")
    build_network = getattr(hub.models, f"{kind}Backbone")
    network = build_network(image_shape=(SIDE, SIDE, 3), **settings)
    network.save_to_preset(str(tmp_path))
    converter = getattr(hub.layers, f"{kind}ImageConverter")
    converter(image_size=(SIDE, SIDE), scale=1 / 255).save_to_preset(str(tmp_path))

    backbone = zoo.build_backbone(ModelConfig(f"hub:{tmp_path}"))
    features = backbone(CROPS.astype("float32")).numpy()

    tokens = network(CROPS / np.float32(255)).numpy()
    patches, first = tokens[:, prefix:].mean(1), tokens[:, 0]
    expected = np.concatenate([first, patches], axis=1) if prefix else patches
    np.testing.assert_allclose(features, expected, atol=1e-4)


def test_the_geometry_is_that_of_the_image_converter(tmp_path):
    pytest.importorskip("keras_hub")
    write("ViT", tmp_path / "a", interpolation="bicubic", crop_to_aspect_ratio=False)
    write("ViT", tmp_path / "b", side=48)

    plain = zoo.preprocess_of(ModelConfig(f"hub:{tmp_path / 'a'}"))
    large = zoo.preprocess_of(ModelConfig(f"hub:{tmp_path / 'b'}"))

    assert (plain.canvas_size, plain.crop_size) == (SIDE, SIDE)
    assert (plain.fit, plain.resample) == ("squash", "bicubic")
    assert (large.crop_size, large.fit, large.resample) == (48, "crop", "bilinear")


def test_beside_a_network_that_sees_whole_pictures_a_preset_does_too(preset_of):
    name = f"hub:{preset_of('SigLIP')[0]}"

    joined = zoo.preprocess_of(ModelConfig(f"{name}+efficientnet_lite0@64"))

    assert zoo.preprocess_of(ModelConfig(name)).fit == "crop"
    assert (joined.fit, joined.crop_size) == ("squash", 64)


@pytest.mark.parametrize("kind", KINDS)
def test_every_tower_is_built_for_other_crops(kind, preset_of):
    name = f"hub:{preset_of(kind)[0]}"
    model = ModelConfig(f"{name}@48")
    large = np.repeat(np.repeat(CROPS, 2, 1), 2, 2)[:, :48, :48].astype("float32")

    backbone = zoo.build_backbone(model)
    features, own = backbone(large).numpy(), zoo.build_backbone(ModelConfig(name))

    assert zoo.preprocess_of(model).crop_size == 48
    assert backbone.input.shape[1] == 48
    assert features.shape[1] == own.output.shape[1]
    assert features.std(axis=0).mean() > 0.01


def test_dinov2_reads_positions_that_no_file_brings_back_otherwise(preset_of):
    """KerasHub keeps two tables, and fills one from the other when it loads a file."""
    folder, network = preset_of("DINOV2")
    backbone = zoo.build_backbone(ModelConfig(f"hub:{folder}@64"))
    positions = {
        weight.name: weight.numpy()
        for weight in backbone.weights
        if "position_embeddings" in weight.name
    }
    own = network.embeddings.position_embeddings.numpy()

    kept = positions["position_embeddings"]
    np.testing.assert_array_equal(positions["interpolated_position_embeddings"], kept)
    np.testing.assert_allclose(kept[0, 0], own[0, 0], rtol=1e-6)
    expected = interpolate(own[0, 1:].reshape(4, 4, -1), 8).reshape(64, -1)
    np.testing.assert_allclose(kept[0, 1:], expected, atol=1e-6)


@pytest.mark.parametrize(
    ("kind", "size", "message"),
    [
        ("SigLIP", 50, "must be a multiple of 8"),
        ("DINOV2", 50, "must be a multiple of 8"),
    ],
)
def test_a_size_that_cannot_be_is_refused(kind, size, message, preset_of):
    with pytest.raises(ConfigError, match=message):
        zoo.build_backbone(ModelConfig(f"hub:{preset_of(kind)[0]}@{size}"))


def test_pixels_that_do_not_fill_patches_are_left_out_as_the_preset_does(tmp_path):
    hub = pytest.importorskip("keras_hub")
    side = SIDE + 5  # as the 384 pixels of siglip_so400m_patch14_384
    network = write("SigLIP", tmp_path, side=side)
    backbone = zoo.build_backbone(ModelConfig(f"hub:{tmp_path}"))
    crops = np.random.default_rng(0).integers(0, 256, (2, side, side, 3))

    converter = hub.layers.ImageConverter.from_preset(str(tmp_path))
    expected = network.get_vision_embeddings(converter(crops.astype("float32")))
    np.testing.assert_allclose(backbone(crops.astype("float32")), expected, atol=1e-5)


def test_a_preset_of_two_sizes_is_asked_which_is_meant(tmp_path):
    pytest.importorskip("keras_hub")
    write("ViT", tmp_path, image_size=(48, 48))

    with pytest.raises(ConfigError, match="which is meant: @32 or @48"):
        zoo.build_backbone(ModelConfig(f"hub:{tmp_path}"))
    for side in (32, 48):
        backbone = zoo.build_backbone(ModelConfig(f"hub:{tmp_path}@{side}"))
        assert backbone.input.shape[1] == side


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"image_size": (32, 48)},
            r"makes pictures of \(32, 48\) pixels; only squares",
        ),
        ({"image_size": None}, "only squares"),
        (
            {"pad_to_aspect_ratio": True, "crop_to_aspect_ratio": False},
            "puts bars around pictures",
        ),
    ],
)
def test_pictures_that_we_do_not_make_are_refused(settings, message, tmp_path):
    pytest.importorskip("keras_hub")
    write("ViT", tmp_path, **settings)

    with pytest.raises(ConfigError, match=message):
        zoo.entry(f"hub:{tmp_path}")


def test_a_network_that_reads_no_squares_is_refused(tmp_path):
    hub = pytest.importorskip("keras_hub")
    network = build("ViT")
    config = {**network.get_config(), "image_shape": (SIDE, 48, 3)}
    type(network).from_config(config).save_to_preset(str(tmp_path))
    converter = hub.layers.ViTImageConverter(image_size=(SIDE, SIDE))
    converter.save_to_preset(str(tmp_path))

    with pytest.raises(ConfigError, match="reads 32 by 48 pixels; only networks"):
        zoo.build_backbone(ModelConfig(f"hub:{tmp_path}"))


def test_a_random_start_is_decided_by_the_seed(preset_of):
    model = ModelConfig(f"hub:{preset_of('ViT')[0]}", weights=None)

    first, again, other = (zoo.build_backbone(model, seed=seed) for seed in (3, 3, 4))

    values = [
        np.concatenate([w.ravel() for w in each.get_weights()])
        for each in (first, again, other)
    ]
    np.testing.assert_array_equal(values[0], values[1])
    assert np.abs(values[0] - values[2]).max() > 0.01


def test_a_name_that_keras_hub_does_not_know_is_told_what_it_may_mean():
    pytest.importorskip("keras_hub")

    with pytest.raises(ConfigError, match=r"the nearest is .siglip2_base_patch16_256"):
        zoo.entry("hub:siglip2_base_patch16_265")


def test_a_folder_may_have_any_name_without_a_plus(preset_of, tmp_path, monkeypatch):
    folder = tmp_path / "Bär, 熊 (1)"
    shutil.copytree(preset_of("ViT")[0], folder)
    shutil.copytree(folder, tmp_path / "Bär, 馬 (1)")
    expected = zoo.build_backbone(ModelConfig(f"hub:{folder}"))(CROPS)
    monkeypatch.setenv("HOME", str(tmp_path))

    for name in (f"hub:{folder}/", "hub:~/Bär, 熊 (1)"):
        backbone = zoo.build_backbone(ModelConfig(name))
        assert backbone.name.isascii()
        np.testing.assert_array_equal(backbone(CROPS), expected)
    both = ModelConfig(f"hub:{folder}+hub:{tmp_path / 'Bär, 馬 (1)'}")
    joined = zoo.build_backbone(both)(CROPS)
    np.testing.assert_allclose(joined, np.concatenate([expected] * 2, 1), atol=1e-6)


def test_a_folder_that_is_no_preset_is_refused(tmp_path):
    pytest.importorskip("keras_hub")

    with pytest.raises(ConfigError, match=r"nor a folder with a config\.json"):
        zoo.entry(f"hub:{tmp_path}")


def test_a_preset_that_is_silent_about_pixels_is_refused(tmp_path):
    pytest.importorskip("keras_hub")
    write("ViT", tmp_path)
    (tmp_path / "image_converter.json").unlink()

    with pytest.raises(ConfigError, match=r"image_converter\.json"):
        zoo.entry(f"hub:{tmp_path}")


def test_a_network_that_reads_no_pictures_is_refused(tmp_path):
    hub = pytest.importorskip("keras_hub")
    hub.models.BertBackbone(
        vocabulary_size=9,
        num_layers=1,
        num_heads=1,
        hidden_dim=4,
        intermediate_dim=4,
    ).save_to_preset(str(tmp_path))

    with pytest.raises(ConfigError, match="cannot be read"):
        zoo.entry(f"hub:{tmp_path}")


def test_a_kind_that_no_vector_is_taken_from_is_refused(tmp_path, preset_of):
    folder, _ = preset_of("ViT")
    write("ViT", tmp_path)
    for name in ("config.json", "image_converter.json"):
        text = (folder / name).read_text().replace("ViT", "SAM")
        (tmp_path / name).write_text(text)

    with pytest.raises(ConfigError, match="is a SAMBackbone, which no vector"):
        zoo.entry(f"hub:{tmp_path}")


def test_damaged_weights_are_told_in_one_line(tmp_path):
    pytest.importorskip("keras_hub")
    write("ViT", tmp_path)
    (tmp_path / "model.weights.h5").write_bytes(b"nothing")

    with pytest.raises(WeightsError, match="cannot be read") as caught:
        zoo.build_backbone(ModelConfig(f"hub:{tmp_path}"))
    assert "\n" not in str(caught.value)


def test_without_keras_hub_the_name_says_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "keras_hub", None)

    with pytest.raises(ConfigError, match=r"pip install 'pixsent-tf\[hub\]'"):
        zoo.entry(f"hub:{tmp_path}")


def test_one_constant_for_all_channels_is_one_number(tmp_path):
    pytest.importorskip("keras_hub")
    write("ViT", tmp_path, scale=[1 / 127.5] * 3, offset=-1.0)
    backbone = zoo.build_backbone(ModelConfig(f"hub:{tmp_path}"))
    layer = backbone.get_layer("normalize")

    assert (layer.scale, layer.offset) == (1 / 127.5, -1.0)
    assert json.dumps(layer.get_config())
