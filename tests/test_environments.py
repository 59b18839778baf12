"""On machines as people have them: the same answer, or one line that names the cause.

Each row is a start of the command in a process of its own, where something is not as
usual: what Keras is told, the home, the cache, the locale, the names of files.
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pixsent_tf.errors import ConfigError
from pixsent_tf.inference import archive as archive_module

WITH_TENSORFLOW = ("--engine", "tensorflow")


@dataclass(frozen=True)
class Case:
    """A start of the command.

    Attributes:
        options: After the picture.
        environment: What is set, or taken away by None; "{tmp}" is a fresh folder.
        keras_json: What `~/.keras/keras.json` holds.
        name: Of the picture.
        prepare: Makes the folder of the picture what it is to be.
    """

    options: tuple[str, ...] = ()
    environment: dict[str, str | None] = field(default_factory=dict)
    keras_json: str | None = None
    name: str = "photo.png"
    prepare: Callable[[Path], object] = lambda folder: None


def keras(**settings: str) -> str:
    """Write a `keras.json`."""
    usual = {"backend": "tensorflow", "floatx": "float32", "epsilon": 1e-7}
    return json.dumps({**usual, **settings})


CASES = {
    "Keras on PyTorch by the environment": Case(
        WITH_TENSORFLOW, {"KERAS_BACKEND": "torch"}
    ),
    "Keras on JAX by the environment": Case(WITH_TENSORFLOW, {"KERAS_BACKEND": "jax"}),
    "channels first": Case(
        WITH_TENSORFLOW, keras_json=keras(image_data_format="channels_first")
    ),
    "half precision": Case(WITH_TENSORFLOW, keras_json=keras(floatx="float16")),
    "Keras on PyTorch by its file": Case(
        WITH_TENSORFLOW, keras_json=keras(backend="torch")
    ),
    "a torn keras.json": Case(WITH_TENSORFLOW, keras_json='{"backend": "ten'),
    "no home": Case(environment={"HOME": None, "PIXSENT_CACHE": None}),
    "a home that is not there": Case(
        environment={"HOME": "/nonexistent/me", "PIXSENT_CACHE": None}
    ),
    "a cache that cannot be written to": Case(
        WITH_TENSORFLOW, {"PIXSENT_CACHE": "/proc/no/cache"}
    ),
    "a cache that is a file": Case(environment={"PIXSENT_CACHE": "{tmp}/photo.png"}),
    "the locale C": Case(
        environment={"LC_ALL": "C", "LANG": "C"}, name="späte Grüße 笑.png"
    ),
    "the locale C, and no UTF-8 at all": Case(
        environment={
            **{"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        },
        name="späte Grüße 笑.png",
    ),
    "a name that is no text": Case(name=os.fsdecode(b"sp\xe4te.png")),
    "spaces and quotes": Case(name='My Drive/it\'s "the" one.png'),
    "a name that begins with a dash": Case(name="sub/-n.png"),
    "a folder that cannot be written to": Case(
        prepare=lambda folder: folder.chmod(0o555)
    ),
    "Keras' logging turned up": Case(environment={"TF_CPP_MIN_LOG_LEVEL": "0"}),
}


def start(case: Case, folder: Path) -> subprocess.CompletedProcess[str]:
    """Predict one picture as a case says."""
    path = folder / case.name
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (6, 8, 3), dtype=np.uint8)
    Image.fromarray(coarse).resize((320, 240)).save(path)
    case.prepare(path.parent)
    environment = dict(os.environ)
    if case.keras_json is not None:
        (folder / ".keras").mkdir()
        (folder / ".keras/keras.json").write_text(case.keras_json)
        environment["HOME"] = str(folder)
    for key, value in case.environment.items():
        environment.pop(key, None)
        if value is not None:
            environment[key] = value.replace("{tmp}", str(folder))
    return subprocess.run(
        [sys.executable, "-m", "pixsent_tf", "predict", str(path), *case.options],
        env=environment,
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",  # names of any bytes come back as they were
        check=False,
    )


@pytest.fixture(scope="module")
def usual(tmp_path_factory) -> float:
    """What is answered where nothing is unusual."""
    return answer(start(Case(), tmp_path_factory.mktemp("usual")))


def answer(said: subprocess.CompletedProcess[str]) -> float:
    """Read the probability from what was printed."""
    assert said.returncode == 0, said.stderr
    assert "Traceback" not in said.stderr
    (row,) = csv.DictReader(said.stdout.splitlines())
    return float(row["prob_positive"])


@pytest.mark.journey  # TensorFlow takes seconds to load
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_answer_is_the_same(case, usual, tmp_path):
    assert abs(answer(start(case, tmp_path)) - usual) < 0.005


def test_keras_that_was_loaded_on_something_else_is_named(monkeypatch):
    import keras

    from pixsent_tf.models import backend

    monkeypatch.setattr(keras.config, "backend", lambda: "torch")

    with pytest.raises(ConfigError, match=r"Keras runs on torch .* import pixsent_tf"):
        backend.settle()


def test_a_network_of_another_keras_is_named(tmp_path):
    path = tmp_path / "model.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", '{"keras_version": "9.8.7"}')

    here = metadata.version("keras")
    assert archive_module.tell_versions(path) == (
        f" that can be read here: Keras 9.8.7 wrote it, and Keras {here} is installed "
        f"(`pip install -U keras`)"
    )


@pytest.mark.parametrize("verb", ["fit", "crossval"])
def test_a_place_that_cannot_be_written_to_is_named(verb, tmp_path):
    (tmp_path / "file").write_text("")
    out = str(tmp_path / "file/run")
    command = [sys.executable, "-m", "pixsent_tf", verb, "smileys", "--out", out]
    said = subprocess.run(command, capture_output=True, text=True, check=False)

    assert said.returncode == 2
    assert f"{out} cannot be: {tmp_path / 'file'} is a file, not" in said.stderr
    assert len(said.stderr.splitlines()) == 1
