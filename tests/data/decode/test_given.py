"""Pictures that a program hands over, and what is none: each kind becomes a file."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from pixsent_tf.data.decode.files import read_image
from pixsent_tf.data.decode.given import as_files
from pixsent_tf.errors import PixsentError

PIXELS = np.random.default_rng(0).integers(0, 256, [6, 8, 3]).astype("uint8")


def encoded(pixels=PIXELS, kind="PNG", **settings):
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, kind, **settings)
    return stream.getvalue()


def turned():
    """An image whose EXIF has it turned by a quarter."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return Image.open(io.BytesIO(encoded(exif=exif.tobytes())))


def opened(path):
    """A file that was opened to be read."""
    path.write_bytes(encoded())
    return path.open("rb")


# what makes the input of a folder, the names, and whether it is a single picture
CASES = {
    "a text": (lambda f: str(f / "a.png"), ["{}/a.png"], True),
    "a path": (lambda f: f / "a.png", ["{}/a.png"], True),
    "a folder": (lambda f: f, ["{}/a.png", "{}/deep/b.png"], False),
    "bytes": (lambda f: encoded(), ["bytes 0"], True),
    "a bytearray": (lambda f: bytearray(encoded()), ["bytes 0"], True),
    "a stream": (lambda f: io.BytesIO(encoded()), ["file 0"], True),
    "an image": (lambda f: Image.fromarray(PIXELS), ["image 0"], True),
    "an array": (lambda f: PIXELS, ["array 0"], True),
    "arrays": (lambda f: np.stack([PIXELS, PIXELS]), ["array 0", "array 1"], False),
    "a list": (
        lambda f: [str(f / "a.png"), PIXELS, encoded()],
        ["{}/a.png", "array 1", "bytes 2"],
        False,
    ),
    "a generator": (
        lambda f: (PIXELS for _ in range(2)),
        ["array 0", "array 1"],
        False,
    ),
    "a column of paths": (
        lambda f: np.array([str(f / "a.png")] * 2),
        ["{}/a.png"] * 2,
        False,
    ),
    "nothing at all": (lambda f: [], [], False),
}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "deep").mkdir()
    for name in ("a.png", "deep/b.png"):
        Image.fromarray(PIXELS).save(tmp_path / name)
    return tmp_path


@pytest.mark.parametrize("case", CASES)
def test_every_kind_becomes_files_with_the_same_pixels(case, folder):
    make, names, is_single = CASES[case]

    with as_files(make(folder)) as given:
        assert list(given.names) == [name.format(folder) for name in names]
        assert given.is_single == is_single
        for path in given.paths:
            np.testing.assert_array_equal(read_image(path), PIXELS)


def test_an_open_file_is_called_by_its_name(tmp_path):
    with opened(tmp_path / "c.png") as file, as_files(file) as given:
        assert given.names == (str(tmp_path / "c.png"),)


def test_an_image_is_turned_upright_as_a_file_is():
    with as_files(turned()) as given:
        np.testing.assert_array_equal(read_image(given.paths[0]), np.rot90(PIXELS, -1))


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "CMYK", "1", "YCbCr"])
def test_an_image_of_any_mode_is_read(mode):
    with as_files(Image.fromarray(PIXELS).convert(mode)) as given:
        assert read_image(given.paths[0]).shape == PIXELS.shape


def read_bytes(path):
    with open(path, "rb") as file:
        return file.read()


def test_bytes_are_kept_as_they_are():
    content = encoded(kind="JPEG")

    with as_files(content) as given:
        assert read_bytes(given.paths[0]) == content


def test_files_are_gone_afterwards():
    with as_files(PIXELS) as given:
        pass

    with pytest.raises(FileNotFoundError):
        read_bytes(given.paths[0])


REFUSED = {
    "none": (None, r"What was given is no picture, it is a NoneType; a picture is"),
    "a number": (7, r"it is a int; a picture is a path, a folder, bytes"),
    "a mapping": ({"a.jpg": 1}, r"it is a dict; a picture is"),
    "a list in a list": ([[PIXELS]], r"Picture 0 of the coll.*list; give one"),
    "none among them": ([PIXELS, None], r"Picture 1 of the collection is no"),
    "fractions": (PIXELS / 255, r"float64 \[6, 8, 3\]; if they are of 0…1"),
    "floats": (PIXELS.astype("float32"), r"float32 \[6, 8, 3\]; give pixels\.round"),
    "integers": (PIXELS.astype("int64"), r"int64 \[6, 8, 3\]; give pixels\.astype"),
    "gray": (PIXELS[..., 0], r"\[H, W, 3\] or \[B, H, W, 3\]; these are \[6, 8\]"),
    "four channels": (PIXELS[..., [0, 1, 2, 2]], r"these are \[6, 8, 4\]"),
    "channels first": (PIXELS.transpose(2, 0, 1), r"these are \[3, 6, 8\]"),
    "no pixels": (PIXELS[:0], r"these are \[0, 8, 3\]"),
    "a text file": (io.StringIO("x"), r"opened as text .* open it with mode 'rb'"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_anything_else_is_refused_in_a_line_that_says_what_came(case):
    given, said = REFUSED[case]

    with pytest.raises(PixsentError, match=said) as caught, as_files(given):
        pass
    assert str(caught.value).isprintable()


def test_a_folder_without_pictures_is_refused(tmp_path):
    with pytest.raises(PixsentError, match="holds no pictures; name another"):
        as_files(tmp_path).__enter__()


def test_a_deep_gray_image_has_the_levels_that_it_has_as_a_file(tmp_path):
    levels = np.array([[0, 256, 0x7FFF, 0x8000, 0xFFFF]], "uint16")
    image = Image.fromarray(levels)
    image.save(tmp_path / "a.png")

    with as_files(image) as given:
        found = read_image(given.paths[0])

    assert found[0, :, 0].tolist() == [0, 1, 127, 128, 255]
    assert (found == read_image(tmp_path / "a.png")).all()


def test_pictures_of_every_kind_are_numbered_where_they_stand(tmp_path):
    Image.new("RGB", (4, 3)).save(tmp_path / "b.png")
    encoded = (tmp_path / "b.png").read_bytes()
    two = np.zeros((2, 3, 4, 3), "uint8")

    with as_files([str(tmp_path / "b.png"), encoded, two, encoded]) as given:
        names = given.names
        assert not given.is_single

    path = str(tmp_path / "b.png")
    assert names == (path, "bytes 1", "array 2", "array 3", "bytes 4")
    for one, is_single in ((two[0], True), (two, False), (two[:1], False)):
        with as_files(one) as given:
            assert given.is_single == is_single
