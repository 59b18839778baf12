"""The page's answers are `predict`'s; what cannot be read says why."""

from __future__ import annotations

import base64
import io
import zlib

import keras
import numpy as np
import pytest
from PIL import Image

from pixsent_tf.analysis import drawing
from pixsent_tf.analysis.maps import SentimentMapper
from pixsent_tf.config import PreprocessConfig
from pixsent_tf.demo.answers import Answerer
from pixsent_tf.inference.model import SentimentModel
from tests.float32 import assert_close_float32
from tests.serving.conftest import OPERATIONS


def encode(pixels: np.ndarray, form: str, **more: object) -> bytes:
    """Write a picture as a file's bytes."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, form, **more)
    return buffer.getvalue()


def decode_uri(uri: str) -> np.ndarray:
    """Read what a data URI holds."""
    head, _, body = uri.partition(",")
    assert head == "data:image/jpeg;base64"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(body))))


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    """A ramp from red to blue with some noise, uint8 [90, 140, 3]."""
    ramp = np.linspace(0, 255, 140)[None, :, None] * [[[-1, 0, 1]]] + [255, 60, 0]
    noise = np.random.default_rng(0).normal(0, 2, (90, 140, 3))
    return (ramp + noise).clip(0, 255).astype("uint8")


@pytest.fixture(scope="module")
def upright_and_turned(picture) -> dict[str, bytes]:
    """Files that TensorFlow decodes, and files that it leaves to Pillow."""
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter
    return {
        "plain.jpg": encode(picture, "JPEG"),
        "turned.jpg": encode(picture, "JPEG", exif=exif),
        "plain.png": encode(picture, "PNG"),
        "plain.webp": encode(picture, "WEBP"),
        "plain.tiff": encode(picture, "TIFF"),
        "gray.bmp": encode(picture[..., 0], "BMP"),
    }


def test_probabilities_are_those_of_predict(answerer, upright_and_turned, tmp_path):
    paths = []
    for name, encoded in upright_and_turned.items():
        (tmp_path / name).write_bytes(encoded)
        paths.append(str(tmp_path / name))
    expected = list(answerer.model.predict(paths))

    answers = [answerer.predict(n, e) for n, e in upright_and_turned.items()]

    for answer, wanted in zip(answers, expected, strict=True):
        assert answer["status"] == "ok"
        assert answer["answer"] == wanted.answer
        found = [answer["probs"][name] for name in ("negative", "positive")]
        assert_close_float32(found, wanted.probs, operations=OPERATIONS, scale=1)
    by_name = {answer["name"]: answer["probs"]["positive"] for answer in answers}
    assert by_name["plain.jpg"] != by_name["gray.bmp"]


def test_the_thumbnail_is_the_whole_picture_upright(answerer, upright_and_turned):
    plain = answerer.predict("a", upright_and_turned["plain.png"])
    turned = answerer.predict("b", upright_and_turned["turned.jpg"])

    assert decode_uri(plain["thumbnail"]).shape == (90, 140, 3)
    assert decode_uri(turned["thumbnail"]).shape == (140, 90, 3)


@pytest.mark.parametrize(
    ("encoded", "status", "message"),
    [
        (b"", "empty", "holiday.jpg is empty (0 bytes)."),
        (b"just some words", "not_an_image", "holiday.jpg is not a picture"),
        (b"\xff\xd8\xff\xe0 and nothing more", "truncated", "holiday.jpg"),
    ],
)
@pytest.mark.parametrize("question", ["predict", "map"])
def test_a_broken_file_is_answered_with_its_reason(
    answerer, question, encoded, status, message
):
    answer = getattr(answerer, question)("holiday.jpg", encoded)

    assert set(answer) == {"name", "status", "message"}
    assert answer["status"] == status
    assert message in answer["message"]
    assert "/" not in answer["message"]  # where it lay is nobody's business


def test_a_file_that_breaks_off_is_answered_with_its_reason(
    answerer, upright_and_turned
):
    half = upright_and_turned["plain.png"]
    half = half[: len(half) // 2]

    assert answerer.predict("half.png", half)["status"] == "truncated"


def test_a_file_that_claims_a_billion_pixels_is_refused_unread(answerer):
    png = bytearray(encode(np.zeros([1, 1, 3], "uint8"), "PNG"))
    png[16:24] = (40_000).to_bytes(4, "big") * 2
    png[29:33] = zlib.crc32(png[12:29]).to_bytes(4, "big")

    answer = answerer.predict("bomb.png", bytes(png))

    assert answer["status"] == "too_large"


def test_a_map_comes_back_over_the_picture(answerer, picture, upright_and_turned):
    answer = answerer.map("a.png", upright_and_turned["plain.png"])

    mapped = SentimentMapper(answerer.model).map(picture)
    assert answer["status"] == "ok"
    for key, drawn in (
        ("picture", picture),
        ("smooth", drawing.smooth_overlay(picture, mapped.smooth[..., 1])),
        ("cells", drawing.cells_overlay(picture, mapped.cells[..., 1])),
    ):
        found = decode_uri(({**answer, **answer["maps"]["positive"]})[key]).astype(int)
        assert found.shape == drawn.shape
        assert np.abs(found - drawn).mean() < 5  # what JPEG takes away


def test_large_pictures_come_back_small_enough_to_show(answerer):
    large = encode(np.zeros([1500, 2000, 3], "uint8"), "JPEG")

    drawn = answerer.map("a", large)["maps"]["positive"]

    assert decode_uri(drawn["smooth"]).shape == (576, 768, 3)


def test_the_threshold_is_the_one_of_predict(answerer):
    known = answerer.describe()

    model = SentimentModel(answerer.model.model)
    assert known["threshold"] == model.abstain_at(0.95).threshold
    assert 0.5 < known["threshold"] < 0.7
    assert len(known["held_out"]) == 50
    assert known["class_names"] == ("negative", "positive")
    assert known["maps"] == [
        {"name": "positive", "low": "negative", "high": "positive"}
    ]


def test_a_model_without_held_out_answers_has_no_threshold(tiny_model):
    known = Answerer(tiny_model, "tiny").describe()

    assert known["threshold"] is None
    assert len(known["held_out"]) == 0


def test_a_model_of_three_classes_has_a_map_of_each(upright_and_turned):
    crops = keras.Input((16, 16, 3), name="crops")
    pooled = keras.layers.GlobalAveragePooling2D()(crops)
    classifier = keras.Model(
        crops, keras.layers.Dense(3, name="logits")(pooled), name="classifier"
    )
    names = ("calm", "glad", "sad")
    model = SentimentModel.build(
        classifier, PreprocessConfig(20, 16), names, temperature=300.0
    )
    answerer = Answerer(model, "three")
    encoded = upright_and_turned["plain.jpg"]

    assert [one["name"] for one in answerer.describe()["maps"]] == list(names)
    assert tuple(answerer.predict("a", encoded)["probs"]) == names
    assert tuple(answerer.map("a", encoded)["maps"]) == names
