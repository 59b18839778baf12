"""Whatever bytes come in, nothing but an error of ours comes out, and soon.

A sample in every run; more than ten thousand cases with `-m slow`.
"""

from __future__ import annotations

import contextlib
import io
import signal
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from torture import good_files, picture

from pixsent_tf import config
from pixsent_tf.config import Recipe
from pixsent_tf.data.decode.files import read_image
from pixsent_tf.data.lists.labelled import open_list
from pixsent_tf.data.lists.tables import read_rows
from pixsent_tf.data.pipeline import CanvasReader
from pixsent_tf.errors import PixsentError
from pixsent_tf.inference.foreign import check_archive
from pixsent_tf.inference.model import SentimentModel
from pixsent_tf.inference.predictions import Predictions
from pixsent_tf.models.caffemodel import read_caffemodel
from pixsent_tf.models.torch_pickle import read_state_dict
from pixsent_tf.models.weights import load_weights
from pixsent_tf.runs import Run
from tests.faults.mutation import mutations
from tests.faults.test_inputs import PREPROCESSOR
from tests.models import caffe_files, test_torch_pickle
from tests.serving.conftest import tiny_model

__all__ = ["tiny_model"]

SECONDS = 10


@dataclass(frozen=True)
class Reader:
    """Something that reads files of strangers.

    Attributes:
        seeds: Good contents.
        name: Of the file.
        read: Reads it.
        count: Cases of the slow run.
    """

    seeds: Callable[[], list[bytes]]
    name: str
    read: Callable[[Path], object]
    count: int


def pictures() -> list[bytes]:
    return [content for _, content, _ in good_files() if len(content) < 20_000]


def table(*lines: str) -> Callable[[], list[bytes]]:
    return lambda: ["".join(f"{line}\n" for line in lines).encode()]


def caffemodel() -> list[bytes]:
    matrix = np.arange(12, dtype="float32").reshape(3, 4)
    blobs = [caffe_files.blob(matrix), caffe_files.blob(matrix, legacy=True)]
    return [
        caffe_files.bytes_field(100, caffe_files.layer_v2("fc8", "InnerProduct", one))
        for one in blobs
    ]


def state_dict() -> list[bytes]:
    state = test_torch_pickle._state_dict(a=test_torch_pickle._tensor())
    return [test_torch_pickle._legacy(state, test_torch_pickle.MATRIX)]


def npz() -> list[bytes]:
    stream = io.BytesIO()
    np.savez(stream, **{"conv/kernel": np.ones((3, 3)), "conv/bias": np.zeros(3)})
    return [stream.getvalue()]


READER = CanvasReader(PREPROCESSOR)


def read_run(name: str) -> Callable[[Path], object]:
    """Read a file of a run folder."""

    def read(path: Path) -> object:
        run = Run(path.parent)
        if name == "recipe.json":
            return run.read_recipe()
        return run.read_json(name)

    return read


READERS = {
    "pictures by Pillow": Reader(pictures, "picture", read_image, 3000),
    "pictures by TensorFlow": Reader(pictures, "picture", READER.read, 1000),
    "lists": Reader(
        table("a.jpg 0", "b c.jpg 1", "d.jpg positive"),
        "list.txt",
        lambda path: open_list(path, path.parent),
        1000,
    ),
    "tables": Reader(
        table("path,label,group", "a.jpg,0,x", '"b,c.jpg",1,y'),
        "table.csv",
        lambda path: open_list(path, path.parent),
        1000,
    ),
    "ratings": Reader(
        table("path,valence,sd", "a.jpg,2.5,1", "b.jpg,6.5,0.5"),
        "ratings.csv",
        lambda path: open_list(path, path.parent),
        500,
    ),
    "recipes": Reader(
        lambda: [config.to_json(Recipe()).encode()],
        "recipe.json",
        read_run("recipe.json"),
        1000,
    ),
    "results": Reader(
        lambda: [b'{"accuracy": 0.8, "folds": [{"fold": 1}]}'],
        "results.json",
        read_run("results.json"),
        500,
    ),
    "predictions": Reader(
        table(
            "id,fold,label,answer,prob_negative,prob_positive,status",
            "a.jpg,1,positive,positive,0.25,0.75,ok",
            "b.jpg,2,negative,,,,truncated",
        ),
        "predictions.csv",
        Predictions.read,
        1000,
    ),
    "answers": Reader(
        lambda: [b'{"path": "a.jpg", "probs": {"positive": 0.5}, "status": "ok"}\n'],
        "answers.jsonl",
        lambda path: list(read_rows(path)),
        500,
    ),
    "caffemodels": Reader(caffemodel, "net.caffemodel", read_caffemodel, 1000),
    "torch pickles": Reader(
        state_dict, "net.pth", lambda path: read_state_dict(path), 1000
    ),
}


@pytest.fixture(params=READERS)
def reader(request, tmp_path) -> Reader:
    found = READERS[request.param]
    if found.read == READER.read:  # which traces a graph at the first picture
        (tmp_path / "good").write_bytes(pictures()[0])
        READER.read(tmp_path / "good")
    return found


@contextlib.contextmanager
def within(seconds: int) -> Iterator[None]:
    """Fail where something hangs."""

    def stop(*_: object) -> None:
        raise AssertionError(f"It took longer than {seconds} s.")

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)  # of a core, however busy it is
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def survive(read: Callable[[Path], object], path: Path, content: bytes) -> None:
    """Read one damaged file."""
    path.write_bytes(content)
    with warnings.catch_warnings(), within(SECONDS):
        warnings.simplefilter("ignore")  # as the command line has it
        try:
            read(path)
        except PixsentError as error:
            lines = str(error).count("\n")
            message = f"{lines} lines too many: {error}"
            if lines:
                raise AssertionError(message) from error
        except Exception as error:
            kept = path.with_name("culprit")
            kept.write_bytes(content)
            raise AssertionError(f"{type(error).__name__}: {error}; {kept}") from error


def test_damaged_files_are_refused_in_one_line(reader, tmp_path):
    for content in mutations(reader.seeds(), 25):
        survive(reader.read, tmp_path / reader.name, content)


@pytest.mark.slow
def test_thousands_of_damaged_files_are_refused_in_one_line(reader, tmp_path):
    for content in mutations(reader.seeds(), reader.count, seed=1):
        survive(reader.read, tmp_path / reader.name, content)


def through_keras(model, folder: Path, count: int, seed: int) -> None:
    """Damage a saved model: its bytes, and those of its members."""
    import zipfile

    model.save(folder / "good.keras")
    whole = (folder / "good.keras").read_bytes()
    with zipfile.ZipFile(folder / "good.keras") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    for number, content in enumerate(mutations([whole], count, seed=seed)):
        survive(check_archive, folder / "model.keras", content)
        name = ("config.json", "model.weights.h5", "metadata.json")[number % 3]
        (damaged,) = mutations([members[name]], 1, seed=1000 * seed + number)
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as archive:
            for each, kept in members.items():
                archive.writestr(each, damaged if each == name else kept)
        read = SentimentModel.load if number % 5 == 0 else check_archive
        survive(read, folder / "model.keras", stream.getvalue())


def test_damaged_models_are_refused_in_one_line(tiny_model, tmp_path):
    through_keras(tiny_model, tmp_path, 10, seed=0)


@pytest.mark.slow
def test_hundreds_of_damaged_models_are_refused_in_one_line(tiny_model, tmp_path):
    through_keras(tiny_model, tmp_path, 500, seed=1)


def through_weights(model, folder: Path, count: int, seed: int) -> None:
    """Damage archives of NumPy."""
    network = model.classifier
    for content in mutations(npz(), count, seed=seed):
        survive(
            lambda path: load_weights(network, path), folder / "weights.npz", content
        )


def test_damaged_arrays_are_refused_in_one_line(tiny_model, tmp_path):
    through_weights(tiny_model, tmp_path, 25, seed=0)


@pytest.mark.slow
def test_hundreds_of_damaged_arrays_are_refused_in_one_line(tiny_model, tmp_path):
    through_weights(tiny_model, tmp_path, 500, seed=1)


def test_the_slow_run_has_ten_thousand_cases():
    assert sum(reader.count for reader in READERS.values()) + 2 * 500 + 500 > 10_000


def test_the_same_seed_damages_the_same():
    seeds = [picture().tobytes()]

    assert list(mutations(seeds, 5)) == list(mutations(seeds, 5))
    assert len(set(mutations(seeds, 50))) >= 45
