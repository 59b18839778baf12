"""Every file in its place, whichever decoder reads it, and the bad ones named."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from pixsent_tf.config import PreprocessConfig
from pixsent_tf.data import pipeline
from pixsent_tf.data.decode.one_by_one import PictureStream
from pixsent_tf.data.pipeline import (
    CanvasReader,
    CanvasStream,
    decode_canvas,
    is_jpeg,
    pillow_canvas,
)
from pixsent_tf.data.preprocess import Preprocessor
from pixsent_tf.errors import DataError, ImageError
from tests.heard import Heard

PREPROCESSOR = Preprocessor(PreprocessConfig(canvas_size=16, crop_size=12))


def pixels_of(number, width=16, height=16):
    generator = np.random.default_rng(number)
    return generator.integers(0, 256, (height, width, 3), dtype="uint8")


@pytest.fixture
def save(tmp_path):
    def write(name, number=0, **options):
        path = tmp_path / name
        Image.fromarray(pixels_of(number)).save(path, **options)
        return str(path)

    return write


@pytest.fixture(params=[0, 2, 64])
def ahead(request, monkeypatch):
    """Fewer files ahead than there are, and more."""
    monkeypatch.setattr(pipeline, "_AHEAD", request.param)


def read(paths, **settings):
    stream = CanvasStream(paths, PREPROCESSOR, **settings)
    batches = list(stream)
    positions = np.concatenate([p for p, _ in batches]) if batches else np.array([])
    canvases = np.concatenate([c for _, c in batches]) if batches else np.array([])
    return stream, positions.tolist(), canvases


def test_pictures_come_in_order_whoever_decodes_them(save, ahead):
    # TensorFlow does not read TIFF: every second picture takes the way by Pillow.
    names = [f"{i}.{'tiff' if i % 2 else 'png'}" for i in range(7)]
    paths = [save(name, i) for i, name in enumerate(names)]

    stream, positions, canvases = read(paths, batch_size=3)

    assert positions == list(range(7))
    np.testing.assert_array_equal(canvases, [pixels_of(i) for i in range(7)])
    assert stream.by_pillow == {1, 3, 5}


def test_bad_files_are_named_and_the_others_go_on(save, tmp_path, ahead):
    (tmp_path / "empty.jpg").write_bytes(b"")
    (tmp_path / "page.jpg").write_text("<html></html>")
    whole = Path(save("whole.jpg", quality=95)).read_bytes()
    (tmp_path / "short.jpg").write_bytes(whole[: len(whole) // 2])
    bad = ["empty.jpg", "page.jpg", "short.jpg", "missing.jpg"]
    paths = [save("a.jpg"), *(str(tmp_path / name) for name in bad), save("b.jpg")]

    stream, positions, _ = read(paths)

    assert positions == [0, 5]
    reasons = {i: error.reason for i, error in stream.failures.items()}
    assert reasons == {1: "empty", 2: "not_an_image", 3: "truncated", 4: "missing"}


def test_memory_is_flat_and_who_stops_early_has_nothing_more_read(save, monkeypatch):
    monkeypatch.setattr(pipeline, "_AHEAD", 2)
    seen = []
    refusal = CanvasStream._refusal
    monkeypatch.setattr(
        CanvasStream, "_refusal", lambda *each: seen.append(each[1]) or refusal(*each)
    )
    paths = [save(f"{number}.png", number) for number in range(20)]

    batches = iter(CanvasStream(paths, PREPROCESSOR, batch_size=2))
    assert next(batches)[0].tolist() == [0, 1]
    batches.close()

    assert seen[:2] == paths[:2]
    assert len(seen) <= 2 + 2


@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_pictures_of_too_many_pixels_are_refused(save, suffix, ahead):
    stream, positions, _ = read([save(f"large.{suffix}")], max_pixels=255)

    assert positions == []
    assert stream.failures[0].reason == "too_large"


def test_as_many_pixels_as_are_allowed_are_read(save):
    assert read([save("large.jpg")], max_pixels=256)[1] == [0]


def test_batches_are_full_but_the_last(save, ahead):
    paths = [save(f"{i}.jpg", i) for i in range(5)]

    sizes = [len(canvases) for _, canvases in CanvasStream(paths, PREPROCESSOR, 2)]

    assert sizes == [2, 2, 1]


def test_only_jpegs_gives_the_pixels_of_the_general_way():
    stream = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6  # lies on its side
    image = Image.fromarray(pixels_of(0, 60, 40))
    image.save(stream, "JPEG", exif=exif.tobytes())

    both = [
        decode_canvas(tf.constant(stream.getvalue()), PREPROCESSOR, only_jpeg=only_jpeg)
        for only_jpeg in (False, True)
    ]

    np.testing.assert_array_equal(*both)
    upright = image.rotate(-90, expand=True).resize((16, 16), Image.BILINEAR)
    assert np.abs(both[0].numpy().astype(int) - np.asarray(upright)).mean() < 8


def test_a_jpeg_is_known_by_its_content(save, tmp_path):
    png = save("is.png")
    (tmp_path / "named.jpg").write_bytes(Path(png).read_bytes())

    assert is_jpeg(save("is.jpg"))
    assert not is_jpeg(png)
    assert not is_jpeg(str(tmp_path / "named.jpg"))
    assert not is_jpeg(str(tmp_path / "missing.jpg"))
    assert not is_jpeg(str(tmp_path))


def test_no_files_give_no_batches(ahead):
    assert read([])[1] == []


@pytest.mark.data
def test_photographs_are_within_a_level_and_a_half_of_pillow(shared_data):
    paths = sorted((shared_data / "deepsent" / "images").glob("*.jpg"))[:24]
    preprocessor = Preprocessor(PreprocessConfig(canvas_size=256, crop_size=224))

    ((_, canvases),) = CanvasStream([str(path) for path in paths], preprocessor)

    for path, canvas in zip(paths, canvases, strict=True):
        with Image.open(path) as image:
            wanted = image.convert("RGB").resize((256, 256), Image.BILINEAR)
        assert np.abs(canvas.astype(int) - np.asarray(wanted)).mean() < 1.5


def test_one_file_is_read_as_a_stream_reads_it(save, tmp_path):
    # TensorFlow does not read TIFF.
    paths = [save("0.png", 0), save("1.tiff", 1)]
    (tmp_path / "page.jpg").write_text("<html></html>")
    reader = CanvasReader(PREPROCESSOR)

    for number, path in enumerate(paths):
        np.testing.assert_array_equal(reader.read(path), pixels_of(number))
    with pytest.raises(ImageError, match=r"page\.jpg is not a picture") as caught:
        reader.read(tmp_path / "page.jpg")
    assert caught.value.reason == "not_an_image"


def test_whole_pictures_come_with_their_positions_and_broken_ones_are_named(
    save, tmp_path
):
    (tmp_path / "page.jpg").write_text("<html></html>")
    heard = Heard()
    stream = PictureStream(
        [save("0.png", 0), str(tmp_path / "page.jpg"), save("2.png", 2)],
        heard,
        "mapping",
    )

    found = dict(stream)

    assert set(found) == {0, 2}
    np.testing.assert_array_equal(found[2], pixels_of(2))
    assert stream.failures[1].reason == "not_an_image"
    assert heard.steps == [(3, "mapping")]
    assert sum(heard.counts) == 3


def test_pictures_of_which_none_can_be_read_are_refused(tmp_path):
    with pytest.raises(DataError, match="None of the 1 pictures can be read"):
        list(PictureStream([str(tmp_path / "missing.jpg")], Heard(), "mapping"))


def test_a_large_picture_is_never_there_twice(tmp_path, monkeypatch):
    pixels = np.random.default_rng(0).integers(0, 256, (9, 12, 3), dtype="uint8")
    tall = np.kron(pixels, np.ones((200, 200, 1), dtype="uint8"))  # 4.3 megapixels
    Image.fromarray(tall).save(tmp_path / "large.png")
    copied = []

    def noting(value, *arguments, **settings):
        copied.append(np.size(value))
        return constant(value, *arguments, **settings)

    constant = tf.constant
    monkeypatch.setattr("pixsent_tf.data.pipeline.tf.constant", noting)
    canvas = pillow_canvas(tmp_path / "large.png", PREPROCESSOR)

    assert max(copied) <= tall.size / 8
    whole = np.asarray(PREPROCESSOR.to_canvas(constant(tall)))
    assert np.abs(canvas.astype(int) - whole.astype(int)).max() <= 1


def test_a_loader_reads_each_of_many_files_whoever_decodes_it(save):
    names = ["0.jpg", "1.png", "2.tiff", "3.jpg", "4.tiff", "5.gif", "6.jpg"]
    paths = [save(name, number) for number, name in enumerate(names)]
    _, _, expected = read(paths)

    indices = [6, 1, 4]  # a JPEG first, and one that TensorFlow does not read
    load = pipeline.canvas_loader(paths, PREPROCESSOR, np.array(indices), {2, 4})
    for index in indices:
        found = np.asarray(load(tf.constant(index, tf.int64)))
        np.testing.assert_array_equal(found, expected[index])
