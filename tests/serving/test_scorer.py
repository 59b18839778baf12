from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pixsent_tf.inference.model import SentimentModel
from pixsent_tf.models.output import RatingOutput
from pixsent_tf.serving import scorer
from pixsent_tf.serving.saved_model import export_saved_model
from pixsent_tf.serving.scorer import Row, Scorer
from tests.float32 import assert_close_float32
from tests.serving.conftest import OPERATIONS, to_file


@pytest.fixture(scope="module")
def scoring(tiny_export):
    return Scorer(str(tiny_export), 8)


@pytest.fixture
def folder(pngs, images, tmp_path):
    """Readable files of three kinds, among them one that TensorFlow refuses."""
    for number, content in enumerate(pngs):
        (tmp_path / f"{number}.png").write_bytes(content)
    (tmp_path / "7.tiff").write_bytes(to_file(images[0], "TIFF"))
    (tmp_path / "8.jpg").write_bytes(to_file(images[1], "JPEG"))
    return tmp_path


def test_rows_are_those_of_predict(scoring, tiny_model, folder):
    paths = sorted(str(path) for path in folder.iterdir())
    (folder / "9.jpg").write_bytes(b"")
    paths += [str(folder / "9.jpg"), str(folder / "not there.jpg")]

    rows = list(scoring.score(paths))

    predicted = list(tiny_model.predict(paths))
    assert [row.path for row in rows] == paths
    for row, prediction in zip(rows, predicted, strict=True):
        if prediction.error is None:
            assert_close_float32(row.numbers, prediction.probs, operations=OPERATIONS)
        else:
            assert (row.status, row.numbers) == (prediction.error.reason, None)
    assert [row.status for row in rows[-2:]] == ["empty", "missing"]


def test_many_files_are_scored_by_litert_with_the_same_rows(
    scoring, tiny_model, tiny_export, folder, monkeypatch, tmp_path
):
    monkeypatch.setenv("PIXSENT_CACHE", str(tmp_path / "cache"))
    paths = sorted(str(path) for path in folder.iterdir())

    fast = Scorer(str(tiny_export), num_examples=10**4)
    Scorer(str(export_saved_model(tiny_model, tmp_path / "again")), 10**4)

    engines = tmp_path / "cache" / "engines"
    (kept,) = engines.glob("*.tflite")  # one, whichever export it is
    assert kept.suffix == ".tflite"
    for row, other in zip(fast.score(paths), scoring.score(paths), strict=True):
        assert (row.path, row.status, row.answer) == (other.path, "ok", other.answer)
        assert_close_float32(row.numbers, other.numbers, operations=OPERATIONS)


def test_batches_keep_the_order(scoring, folder, monkeypatch):
    paths = sorted(str(path) for path in folder.iterdir())
    whole = list(scoring.score(paths))
    monkeypatch.setattr(scorer, "BATCH_SIZE", 2)

    rows = list(scoring.score(paths))

    assert [row.path for row in rows] == paths
    for row, other in zip(rows, whole, strict=True):
        assert_close_float32(row.numbers, other.numbers, operations=OPERATIONS)


def test_the_answer_is_the_likeliest_class(scoring, folder):
    for row in scoring.score([str(folder / "0.png"), str(folder / "3.png")]):
        assert row.answer == ("negative", "positive")[int(np.argmax(row.numbers))]


def test_files_that_are_on_no_disk_are_opened_by_the_opener(tiny_export, pngs, images):
    store = {
        "gs://bucket/a.png": pngs[0],
        "gs://bucket/b.tiff": to_file(images[0], "TIFF"),
        "gs://bucket/c.png": b"nothing",
    }

    def open_file(path):
        if path not in store:
            raise FileNotFoundError(path)
        return io.BytesIO(store[path])

    rows = list(
        Scorer(str(tiny_export), 8, open_file).score([*store, "gs://bucket/d.png"])
    )

    assert [row.status for row in rows] == ["ok", "ok", "not_an_image", "missing"]
    assert_close_float32(rows[0].numbers, rows[1].numbers, operations=OPERATIONS)


def test_a_batch_without_a_readable_file_asks_the_model_nothing(scoring, tmp_path):
    (tmp_path / "empty.jpg").touch()

    rows = list(scoring.score([str(tmp_path / "empty.jpg")]))

    assert rows == [Row(str(tmp_path / "empty.jpg"), "empty")]


def test_a_picture_of_too_many_pixels_never_reaches_a_decoder(scoring, tmp_path):
    path = tmp_path / "huge.png"
    Image.new("1", (20_000, 6_000)).save(path)

    assert [row.status for row in scoring.score([str(path)])] == ["too_large"]


@pytest.mark.parametrize("broken", [[0], [1], [0, 2, 3]])
def test_a_broken_file_shifts_no_row(scoring, tiny_model, folder, monkeypatch, broken):
    paths = sorted(str(path) for path in folder.iterdir())[:5]
    for position in broken:
        Path(paths[position]).write_bytes(b"")
    monkeypatch.setattr(scorer, "BATCH_SIZE", 3)

    rows = list(scoring.score(paths))

    assert [row.path for row in rows] == paths
    for i, (row, each) in enumerate(zip(rows, tiny_model.predict(paths), strict=True)):
        assert (row.status == "empty") == (i in broken)
        if i not in broken:
            assert_close_float32(row.numbers, each.probs, operations=OPERATIONS)


def test_ratings_stand_beside_the_ends_of_their_intervals(
    tiny_model, folder, tmp_path_factory
):
    rating = RatingOutput(("valence", "arousal"), (1, 7), (0.5, 2.0))
    rated = SentimentModel.wrap(
        tiny_model.classifier, tiny_model.preprocessor.config, rating
    )
    export = export_saved_model(rated, tmp_path_factory.mktemp("rated") / "export")
    paths = sorted(str(path) for path in folder.iterdir())
    Path(paths[1]).write_bytes(b"")

    rows = list(Scorer(str(export), 8).score(paths))

    assert [row.path for row in rows] == paths
    assert (rows[1].status, rows[1].numbers) == ("empty", None)
    del rows[1], paths[1]
    for row, said in zip(rows, rated.rate(paths), strict=True):
        valence, arousal = said.ratings
        ends = [max(valence - 0.5, 1), min(valence + 0.5, 7)]
        ends += [max(arousal - 2.0, 1), min(arousal + 2.0, 7)]
        expected = [valence, *ends[:2], arousal, *ends[2:]]
        assert_close_float32(row.numbers, expected, operations=OPERATIONS, scale=7)
        assert row.answer is None


def test_a_jpeg_without_its_end_is_told_as_repaired(scoring, images, tmp_path):
    content = to_file(images[0], "JPEG")
    for name, written in (("a.jpg", content[:-2]), ("b.jpg", content)):
        (tmp_path / name).write_bytes(written)

    rows = list(scoring.score([str(tmp_path / name) for name in ("a.jpg", "b.jpg")]))

    assert [row.status for row in rows] == ["ok (repaired)", "ok"]
    assert rows[0].numbers == rows[1].numbers
