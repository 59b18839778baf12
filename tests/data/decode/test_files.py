import sys

import numpy as np
import pytest
from PIL import Image, ImageOps
from torture import (
    deep_gray,
    encode,
    picture,
    translucent,
    with_chunk,
    write_torture,
)

from pixsent_tf.data.decode import exif, files
from pixsent_tf.data.decode.bounds import Bounds
from pixsent_tf.data.decode.files import read_image
from pixsent_tf.data.decode.jpeg import is_repaired
from pixsent_tf.data.decode.kinds import sniff
from pixsent_tf.data.decode.opening import REASONS, check_header
from pixsent_tf.data.lists.strays import STRICT
from pixsent_tf.errors import ImageError


@pytest.fixture(scope="module")
def torture(tmp_path_factory):
    folder = tmp_path_factory.mktemp("torture") / "files"
    return folder, write_torture(folder)


def status(path):
    try:
        read_image(path)
    except ImageError as error:
        return error.reason
    return "ok"


def test_every_kind_of_file_is_read_or_named_by_its_defect(torture):
    folder, files = torture
    found = {file.name: status(folder / file.name) for file in files}

    assert len(files) >= 20
    assert found == {file.name: file.status for file in files}


def test_every_reason_is_one_that_is_documented(torture):
    _, files = torture

    assert {file.status for file in files} - {"ok"} == set(REASONS)


def test_a_message_names_the_file_on_one_line(torture):
    folder, files = torture
    for file in files:
        if file.status != "ok":
            with pytest.raises(ImageError) as caught:
                read_image(folder / file.name)
            assert str(folder / file.name) in str(caught.value)
            assert "\n" not in str(caught.value)


def test_headers_alone_tell_what_no_decoder_should_see(torture):
    folder, files = torture
    reasons = {}
    for file in files:
        error = check_header(folder / file.name)
        reasons[file.name] = error.reason if error else "ok"

    assert reasons["bomb.png"] == "too_large"
    assert reasons["page.jpg"] == "not_an_image"
    assert reasons["cut.jpg"] == "ok"  # its defect is in the pixels
    assert all(reasons[file.name] == "ok" for file in files if file.status == "ok")


def test_the_pixel_limit_is_the_callers(tmp_path):
    picture(40, 30).save(tmp_path / "a.png")

    assert read_image(tmp_path / "a.png", max_pixels=1200).shape == (30, 40, 3)
    with pytest.raises(ImageError, match=r"40 x 30 pixels.*max_pixels=1199"):
        read_image(tmp_path / "a.png", max_pixels=1199)


@pytest.mark.parametrize(
    ("header", "name"),
    [
        (b"", "empty"),
        (b"\xff\xd8\xff\xe0", "jpeg"),
        (b"\x89PNG\r\n\x1a\n", "png"),
        (b"GIF87a", "gif"),
        (b"BM" + bytes(12) + b"\x28\0\0\0", "bmp"),
        (b"BMW.jpg 1\nb.jpg 0\n", "unknown"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "webp"),
        (b"RIFF\0\0\0\0WAVE", "unknown"),
        (b"II*\0", "tiff"),
        (b"\0\0\0\x18ftypheic", "heic"),
        (b"\0\0\0\x18ftypavif", "avif"),
        (b"\0\0\0\x18ftypmp42", "video"),
        (b"\xef\xbb\xbf\n <!DOCTYPE html>", "html"),
        (b"<HTML><head>", "html"),
        (b"hello", "unknown"),
    ],
)
def test_formats_are_told_by_content(header, name):
    assert sniff(header) == name


def test_sixteen_bits_keep_their_eight_highest(tmp_path):
    deep_gray().save(tmp_path / "a.png")
    expected = np.asarray(deep_gray()) // 256

    image = read_image(tmp_path / "a.png")

    assert (image == expected[..., None]).all()


def test_transparent_parts_lie_on_white(tmp_path):
    translucent().save(tmp_path / "a.png")
    white = Image.new("RGBA", translucent().size, "white")
    expected = np.asarray(Image.alpha_composite(white, translucent()).convert("RGB"))

    image = read_image(tmp_path / "a.png")

    assert np.abs(image.astype(int) - expected).max() <= 1


def test_inks_mean_the_same_in_every_format(tmp_path):
    inks = picture().convert("CMYK")
    inks.save(tmp_path / "a.tiff")
    inks.save(tmp_path / "a.jpg", quality=100, subsampling=0)

    difference = read_image(tmp_path / "a.tiff").astype(int) - read_image(
        tmp_path / "a.jpg"
    )

    assert np.abs(difference).mean() < 1.5


def test_the_first_frame_is_read(tmp_path):
    frames = [picture(seed=1), picture(seed=2)]
    (tmp_path / "a.webp").write_bytes(
        encode(picture(), "WEBP", save_all=True, append_images=frames, lossless=True)
    )

    assert np.array_equal(read_image(tmp_path / "a.webp"), np.asarray(picture()))


def test_heic_without_its_reader_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    (tmp_path / "a.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(100))

    with pytest.raises(ImageError, match=r"pip install pixsent-tf\[heic\]") as caught:
        read_image(tmp_path / "a.heic")
    assert caught.value.reason == "unsupported"


@pytest.mark.parametrize(
    ("owner", "name"),
    [(exif, "read_tiff_turn"), (Image.Image, "has_transparency_data")],
)
def test_a_fault_of_ours_is_no_defect_of_a_file(owner, name, tmp_path, monkeypatch):
    path = tmp_path / "good.jpg"
    path.write_bytes(encode(picture(), "JPEG"))
    monkeypatch.delattr(owner, name)  # as an older library would lack it

    with pytest.raises((AttributeError, NameError), match=name):
        read_image(path)


@pytest.mark.parametrize(
    ("missing", "is_read"), [(2, True), (4, False), (12, False), (40, False)]
)
def test_a_jpeg_without_its_end_is_read_if_no_pixel_is_missing(
    missing, is_read, tmp_path
):
    path, content = tmp_path / "torn.jpg", encode(picture(), "JPEG", quality=90)
    path.write_bytes(content)
    whole = read_image(path)
    path.write_bytes(content[:-missing])

    assert is_repaired(path)  # if it can be read at all
    if is_read:
        assert (read_image(path) == whole).all()
        return
    with pytest.raises(ImageError, match="its last pixels are missing") as caught:
        read_image(path)
    assert caught.value.reason == "truncated"


@pytest.mark.parametrize(
    ("content", "words", "reason"),
    [
        (b"version https://git-lfs.github.com/spec/v1", "Git LFS", "not_an_image"),
        (b"\0\0\0\x18ftypqt  ....", "a video", "not_an_image"),
        (b"%PDF-1.7", "a PDF", "not_an_image"),
        (b"PK\3\4" + bytes(30), "a zip archive; unpack it", "not_an_image"),
        (b"<svg xmlns='x'>", "an SVG drawing, which is not read", "unsupported"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "a JPEG XL picture", "unsupported"),
        (b"8BPS\0\1", "a Photoshop document", "unsupported"),
        (b"FUJIFILMCCD-RAW 0201", "a camera's raw file", "unsupported"),
        (b"II*\0\x10\0\0\0CR\2\0", "a camera's raw file", "unsupported"),
    ],
)
def test_what_is_not_read_is_named_for_what_it_is(content, words, reason, tmp_path):
    path = tmp_path / "photo.jpg"
    path.write_bytes(content)

    with pytest.raises(ImageError, match=words) as caught:
        read_image(path)
    assert caught.value.reason == reason


def test_avif_without_a_reader_for_it_is_named(tmp_path, monkeypatch):
    path = tmp_path / "photo.jpg"
    path.write_bytes(b"\0\0\0\x18ftypavif" + bytes(64))
    Image.init()
    monkeypatch.setattr(Image, "OPEN", {"JPEG": Image.OPEN["JPEG"]})

    with pytest.raises(ImageError, match=r"an AVIF picture; to read it, `pip install"):
        read_image(path)


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("form", ["PNG", "WEBP", "TIFF"])
def test_a_picture_is_turned_upright_as_pillow_turns_it(form, turn, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (5, 9, 3), "uint8")
    mark = Image.Exif()
    mark[0x0112] = turn
    options = {"lossless": True} if form == "WEBP" else {}
    path = tmp_path / f"a.{form.lower()}"
    Image.fromarray(pixels).save(path, form, exif=mark.tobytes(), **options)

    found = read_image(path)

    with Image.open(path) as image:
        expected = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    np.testing.assert_array_equal(found, expected)
    assert found.shape == ((9, 5, 3) if turn >= 5 else (5, 9, 3))
    assert found.flags.c_contiguous


def test_levels_on_white_are_rounded_to_the_nearest(tmp_path):
    # (10 * 100 + 255 * 155) / 255 is 158.92, (100 * 128 + 255 * 127) / 255 177.2
    rgba = np.array([[[10, 10, 10, 100], [100, 100, 100, 128], [7, 8, 9, 255]]], "u1")
    Image.fromarray(rgba, "RGBA").save(tmp_path / "a.png")

    assert read_image(tmp_path / "a.png").tolist() == (
        [[[159, 159, 159], [177, 177, 177], [7, 8, 9]]]
    )


def test_deep_grays_lose_their_lower_byte(tmp_path):
    levels = np.array([[0, 255, 256, 0x7FFF, 0x8000, 0xFFFF]], "uint16")
    Image.fromarray(levels).save(tmp_path / "a.png")

    assert read_image(tmp_path / "a.png")[0, :, 1].tolist() == [0, 0, 1, 127, 128, 255]


def test_the_transparent_level_of_a_deep_gray_is_white(tmp_path):
    levels = np.array([[300, 5000, 300, 65535]], "uint16")
    png = encode(Image.fromarray(levels), "PNG")
    key = (300).to_bytes(2, "big")
    (tmp_path / "a.png").write_bytes(with_chunk(png, b"tRNS", key))

    assert read_image(tmp_path / "a.png")[0, :, 0].tolist() == [255, 19, 255, 255]


@pytest.mark.parametrize(
    ("most", "expected"), [(65_535, "ok"), (65_536, "unsupported")]
)
def test_sixteen_bits_are_the_most_that_has_a_white(most, expected, tmp_path):
    levels = np.array([[0, 1000, most]], "int32")
    Image.fromarray(levels, "I").save(tmp_path / "a.tiff")

    assert status(tmp_path / "a.tiff") == expected


def test_a_jpeg_that_memory_does_not_hold_is_reduced_whatever_is_of_use(
    tmp_path, monkeypatch
):
    picture(1000, 1200).save(tmp_path / "a.jpg", quality=30)
    size = (tmp_path / "a.jpg").stat().st_size
    # in reserve 32 M; at full size 7 bytes a pixel, and a quarter of that at a half
    monkeypatch.setattr(
        files, "BOUNDS", Bounds(memory_bytes=32_000_000 + size + 2_100_000)
    )

    whole, useful, small = (
        read_image(tmp_path / "a.jpg", target_side=side) for side in (None, 900, 200)
    )

    assert whole.shape == useful.shape == (600, 500, 3)
    assert small.shape == (300, 250, 3)  # no smaller than is of use


def test_a_jpeg_without_its_end_is_refused_where_that_is_asked_for(
    tmp_path, monkeypatch
):
    (tmp_path / "a.jpg").write_bytes(encode(picture(), "JPEG")[:-2])
    assert status(tmp_path / "a.jpg") == "ok"

    monkeypatch.setenv(STRICT, "1")

    with pytest.raises(ImageError, match="end marker is missing; --strict") as caught:
        read_image(tmp_path / "a.jpg")
    assert caught.value.reason == "truncated"
