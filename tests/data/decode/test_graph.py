import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from torture import encode, picture, translucent, with_exif, write_torture

from pixsent_tf.data.decode.files import read_image
from pixsent_tf.data.decode.graph import decode, on_white


@pytest.fixture(scope="module")
def torture(tmp_path_factory):
    folder = tmp_path_factory.mktemp("torture") / "files"
    return folder, write_torture(folder)


@pytest.fixture(scope="module")
def traced_decode():
    return tf.function(
        lambda encoded: decode(encoded),
        input_signature=[tf.TensorSpec([], tf.string)],
    )


@pytest.fixture(scope="module")
def photograph():
    """Something with detail at every scale, 1200 x 900, as a JPEG."""
    rng = np.random.default_rng(0)
    pixels = np.zeros([900, 1200, 3])
    for step in (4, 8, 16, 32, 64, 128):
        noise = rng.integers(0, 256, (900 // step + 1, 1200 // step + 1, 3))
        layer = Image.fromarray(noise.astype(np.uint8))
        layer = layer.resize((1200, 900), Image.Resampling.BICUBIC)
        pixels += np.asarray(layer, np.float64) * step
    image = Image.fromarray((pixels / 252).astype(np.uint8))
    return encode(image, "JPEG", quality=90)


def test_both_routes_agree_on_every_format_that_both_can_read(torture, traced_decode):
    folder, files = torture
    differences = {}
    for file in files:
        if file.is_decodable:
            ours = traced_decode(tf.constant((folder / file.name).read_bytes()))
            pillow = read_image(folder / file.name).astype(int)
            differences[file.name] = np.abs(ours.numpy() - pillow).max()

    assert len(differences) >= 30
    assert {name: d for name, d in differences.items() if d > 2} == {}


def test_what_tensorflow_reads_wrongly_or_not_at_all_is_refused(torture, traced_decode):
    folder, files = torture
    accepted = []
    for file in files:
        if not file.is_decodable and (folder / file.name).is_file():
            try:
                traced_decode(tf.constant((folder / file.name).read_bytes()))
            except tf.errors.InvalidArgumentError:
                continue
            accepted.append(file.name)

    assert accepted == []


def test_a_refusal_says_what_the_bytes_are():
    frames = [picture(seed=1)]
    animation = encode(picture(), "WEBP", save_all=True, append_images=frames)

    with pytest.raises(tf.errors.InvalidArgumentError, match="animated WebP"):
        decode(animation)
    with pytest.raises(tf.errors.InvalidArgumentError, match="no JPEG, PNG"):
        decode(b"")


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_turns_the_picture_upright(orientation, form):
    turns = {  # by NumPy: quarter turns counter-clockwise, then a mirror
        1: lambda a: a,
        2: np.fliplr,
        3: lambda a: np.rot90(a, 2),
        4: np.flipud,
        5: lambda a: np.flipud(np.rot90(a)),
        6: lambda a: np.rot90(a, -1),
        7: lambda a: np.fliplr(np.rot90(a)),
        8: np.rot90,
    }
    lossless = {"WEBP": {"lossless": True}}.get(form, {})
    stored = np.asarray(Image.open(io.BytesIO(encode(picture(), form, **lossless))))

    upright = decode(with_exif(orientation, form, **lossless)).numpy()

    assert np.array_equal(upright, turns[orientation](stored))


def test_transparent_parts_lie_on_white():
    image = translucent()
    pixels = np.asarray(image).astype(float)
    alpha = pixels[..., 3:] / 255
    expected = pixels[..., :3] * alpha + 255 * (1 - alpha)

    decoded = decode(encode(image, "PNG")).numpy()

    assert np.abs(decoded - expected).max() <= 0.51


@pytest.mark.parametrize(
    ("target_side", "expected"),
    [(700, (900, 1200)), (300, (450, 600)), (100, (225, 300)), (64, (113, 150))],
)
def test_large_jpegs_are_decoded_no_larger_than_of_use(
    photograph, target_side, expected
):
    image = decode(photograph, target_side=target_side)

    assert tuple(image.shape[:2]) == expected


@pytest.mark.parametrize("side", [64, 128, 300])
def test_decoding_at_a_fraction_keeps_the_pixels_of_an_antialiased_reduction(
    photograph, side
):
    whole = Image.open(io.BytesIO(photograph))
    by_pillow = whole.resize((side, side), Image.Resampling.BILINEAR)

    image = decode(photograph, target_side=side)
    reduced = tf.image.resize(image, [side, side], antialias=True).numpy()

    assert np.abs(reduced - np.asarray(by_pillow, float)).mean() < 1.5


def test_a_small_jpeg_is_decoded_whole_whatever_the_target():
    assert decode(encode(picture(), "JPEG"), target_side=256).shape == (64, 96, 3)


def test_files_decode_in_a_parallel_map_and_bad_ones_can_be_passed_over(torture):
    folder, files = torture
    names = [file.name for file in files if (folder / file.name).is_file()]
    pixels = (
        tf.data.Dataset.from_tensor_slices([str(folder / name) for name in names])
        .map(lambda path: tf.shape(decode(tf.io.read_file(path))), 2)
        .ignore_errors()
    )

    assert sum(1 for _ in pixels) == sum(file.is_decodable for file in files)


def test_decoding_travels_inside_a_saved_model(tmp_path):
    class Decoder(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([], tf.string)])
        def __call__(self, encoded):
            return decode(encoded, target_side=32)

    encoded = with_exif(6)
    tf.saved_model.save(Decoder(), tmp_path)

    reloaded = tf.saved_model.load(tmp_path)

    expected = decode(encoded, target_side=32).numpy()
    assert np.array_equal(reloaded(tf.constant(encoded)).numpy(), expected)


def test_levels_on_white_are_rounded_to_the_nearest():
    # (10 * 100 + 255 * 155) / 255 is 158.92, (100 * 128 + 255 * 127) / 255 177.2
    rgba = np.array([[[10, 10, 10, 100], [100, 100, 100, 128], [7, 8, 9, 255]]], "u1")
    expected = [[[159, 159, 159], [177, 177, 177], [7, 8, 9]]]

    assert on_white(tf.constant(rgba)).numpy().tolist() == expected
    traced = tf.function(
        on_white, input_signature=[tf.TensorSpec([None, None, None], tf.uint8)]
    )
    assert traced(rgba).numpy().tolist() == expected
    assert traced(rgba[..., :3]).numpy().tolist() == rgba[..., :3].tolist()
