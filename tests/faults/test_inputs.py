"""What becomes of a picture that costs too much, or is none, on each way to an answer?

One table: how the file is made, the fixed word for it, and words of the line that says
why. Every row goes through `predict`, the page, Pillow and the served graph.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import tensorflow as tf
from PIL import Image
from torture import encode, picture

from benchmarks import costly_files
from pixsent_tf.config import PreprocessConfig
from pixsent_tf.data.decode.files import read_image
from pixsent_tf.data.pipeline import CanvasReader, CanvasStream, is_jpeg
from pixsent_tf.data.preprocess import Preprocessor
from pixsent_tf.errors import ImageError
from tests.serving.conftest import tiny_export, tiny_model

__all__ = ["tiny_export", "tiny_model"]

PREPROCESSOR = Preprocessor(PreprocessConfig(canvas_size=20, crop_size=16))


@dataclass(frozen=True)
class Fault:
    """A file that gets no answer.

    Attributes:
        name: Of the file.
        make: Writes it at a path.
        reason: The fixed word for it.
        words: A part of the line that says why.
    """

    name: str
    make: Callable[[Path], object]
    reason: str
    words: str


def of_bytes(name: str, content: bytes, reason: str, words: str) -> Fault:
    return Fault(name, lambda path: path.write_bytes(content), reason, words)


def sparse(path: Path) -> None:
    path.write_bytes(encode(picture(), "JPEG"))
    os.truncate(path, 6_000_000_000)


def listening(path: Path) -> None:
    # a socket's path has at most 108 bytes: it is bound by its name alone
    here = os.getcwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(path.name)
    finally:
        os.chdir(here)


PLAIN = Image.new("RGB", (64, 64))
COSTLY = [
    of_bytes(
        "rgba.png",
        costly_files.png(9000, 9000, color_type=6, rows=1),
        "too_large",
        "9000 x 9000 pixels of PNG take 599 MB; the limit is",
    ),
    of_bytes(
        "deep.png",
        costly_files.png(7000, 7000, color_type=2, bits=16, rows=1),
        "too_large",
        "PIXSENT_MAX_MEMORY_MB=300",
    ),
    of_bytes(
        "ribbon.png",
        costly_files.png(70_000, 1, color_type=2),
        "too_large",
        "a side of 70000 pixels; the limit is 65535",
    ),
    of_bytes(
        "lossless.webp",
        costly_files.webp(16_383, 16_383),
        "too_large",
        "pixels",
    ),
    of_bytes(
        "beyond.gif",
        costly_files.gif_beyond_screen((1, 1), (30_000, 30_000)),
        "too_large",
        "900000000 pixels",
    ),
    of_bytes(
        "within-a-bomb.gif",
        costly_files.gif_beyond_screen((1, 1), (9_000, 9_000)),
        "too_large",
        "9000 x 9000 pixels of GIF",
    ),
    of_bytes(
        "scans.jpg",
        costly_files.jpeg_of_many_scans(PLAIN, 500),
        "too_large",
        "a JPEG of 500 scans",
    ),
    Fault("sparse.jpg", sparse, "too_large", "6000 MB; the limit is PIXSENT_MAX_FILE"),
]
STRANGE = [
    Fault("pipe.jpg", os.mkfifo, "not_an_image", "is a pipe, not a picture"),
    Fault("socket.jpg", listening, "not_an_image", "is a socket, not a picture"),
    Fault(
        "device.jpg",
        lambda path: path.symlink_to("/dev/zero"),
        "not_an_image",
        "is a device, not a picture",
    ),
    Fault("folder.jpg", Path.mkdir, "not_an_image", "is a folder, not a picture"),
    Fault(
        "loop.jpg",
        lambda path: path.symlink_to(path.name),
        "unreadable",
        "Too many levels of symbolic links",
    ),
    Fault(
        "dangling.jpg",
        lambda path: path.symlink_to("nowhere"),
        "missing",
        "is a link to a missing file",
    ),
    Fault("x" * 300 + ".jpg", lambda path: None, "unreadable", "File name too long"),
    Fault("nul\0byte.jpg", lambda path: None, "missing", r"nul\x00byte.jpg does not"),
    of_bytes("two\nlines.jpg", b"", "empty", r"two\nlines.jpg is empty"),
    of_bytes(os.fsdecode(b"latin\xff.jpg"), b"", "empty", r"latin\xff.jpg is empty"),
]
FAULTS = [*COSTLY, *STRANGE]
NAMES = [ascii(fault.name)[1:25] for fault in FAULTS]


@pytest.fixture(scope="module", params=FAULTS, ids=NAMES)
def fault(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("faults") / request.param.name
    request.param.make(path)
    return request.param, str(path)


def test_pillow_is_not_asked_for_it(fault):
    expected, path = fault

    with pytest.raises(ImageError) as caught:
        read_image(path)

    assert caught.value.reason == expected.reason
    assert expected.words in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.fixture(scope="module")
def stream(tmp_path_factory):
    """All of them at once, between two good pictures, on the way of `predict`."""
    folder = tmp_path_factory.mktemp("stream")
    good = folder / "good.jpg"
    good.write_bytes(encode(picture(), "JPEG"))
    paths = [good]
    for fault in FAULTS:
        path = folder / fault.name
        fault.make(path)
        paths.append(path)
    stream = CanvasStream([str(path) for path in [*paths, good]], PREPROCESSOR)
    return stream, [position for positions, _ in stream for position in positions]


def test_predict_names_them_all_and_reads_the_others(stream):
    found, positions = stream

    assert positions == [0, len(FAULTS) + 1]
    assert [found.failures[i + 1].reason for i in range(len(FAULTS))] == [
        fault.reason for fault in FAULTS
    ]


def test_names_of_any_bytes_are_answered(tmp_path):
    paths = []
    for name in ("two\nlines.jpg", os.fsdecode(b"latin\xff.png"), "späte 笑.gif"):
        path = tmp_path / name
        path.write_bytes(encode(picture(), {"jpg": "JPEG"}.get(name[-3:], name[-3:])))
        paths.append(str(path))

    stream = CanvasStream(paths, PREPROCESSOR)

    assert [i for positions, _ in stream for i in positions] == [0, 1, 2]
    for path in paths:
        assert CanvasReader(PREPROCESSOR).read(path).shape == (20, 20, 3)


def test_what_is_no_file_is_not_opened(fault, monkeypatch):
    expected, path = fault
    if expected in COSTLY:
        return

    def refuse(*_: object, **__: object):
        raise AssertionError("It was opened.")

    monkeypatch.setattr("builtins.open", refuse)
    assert expected.reason == "empty" or not is_jpeg(path)


@pytest.mark.journey
@pytest.mark.parametrize(
    "costly",
    [fault for fault in COSTLY if fault.name != "sparse.jpg"],
    ids=lambda fault: fault.name,
)
def test_the_served_graph_answers_that_it_is_unreadable(costly, tiny_export, tmp_path):
    serve = tf.saved_model.load(str(tiny_export)).signatures["serving_default"]
    costly.make(tmp_path / costly.name)
    content = (tmp_path / costly.name).read_bytes()

    answer = serve(image_bytes=tf.constant([content, encode(picture(), "PNG")]))

    assert answer["valid"].numpy().tolist() == [False, True]


@pytest.mark.parametrize("fit", ["squash", "crop"])
@pytest.mark.parametrize("size", [(70, 50), (50, 70), (700, 3), (3, 700)])
def test_strips_give_the_pixels_of_the_whole(fit, size, monkeypatch):
    monkeypatch.setattr("pixsent_tf.data.preprocess.STRIP_PIXELS", 200)
    preprocessor = Preprocessor(PreprocessConfig(20, 16, fit=fit))
    image = tf.constant(picture(*size))

    strips = preprocessor.to_canvas_in_strips(image, tf.identity).numpy().astype(int)

    assert abs(strips - preprocessor.to_canvas(image).numpy()).max() <= 1


def test_a_large_picture_gives_the_canvas_that_pillow_gives(tmp_path):
    image = picture(2600, 1900)
    image.putalpha(128)
    image.save(tmp_path / "large.png", compress_level=1)
    white = Image.new("RGBA", image.size, "white")
    flat = Image.alpha_composite(white, image).convert("RGB")
    expected = tf.constant(flat.resize((20, 20), Image.Resampling.BILINEAR))

    canvas = CanvasReader(PREPROCESSOR).read(tmp_path / "large.png")

    assert abs(canvas.astype(int) - tf.cast(expected, tf.int32).numpy()).max() <= 2
