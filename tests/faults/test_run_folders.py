"""Any file of a run folder is damaged: what reads it says so in a line, or goes on.

The files are those that the commands really write. After each damage every command that
opens the folder is started; a folder that is begun again loses what it had finished
first, so that what a killed command goes on from is read, too.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from pixsent_tf.cli import cli
from pixsent_tf.config import PreprocessConfig
from pixsent_tf.models import zoo
from pixsent_tf.recipes import finetuning
from tests.rated_pictures import write_rated
from tests.studies.small_rows import ROWS, register
from tests.tiny_network import build_tiny

TINY = ("--backbone", "tiny", "--set", "model.weights=None")
TUNED = ("--strategy", "all", "--set", "training.epochs=1")
SEARCH = (
    *("--backbones", "tiny", "--strategies", "head", "--trials", "2", "--no-nested"),
    *("--num-inner-folds", "2", "--set", "model.weights=None"),
)
TEXTS = {".json", ".csv"}
PAGES = {".md", ".svg", ".html", ".png", ".jpg"}  # written, never read


@dataclass(frozen=True)
class Study:
    """A command, and those that read what it writes.

    Attributes:
        begin: Its arguments; DATA stands for the pictures, RUN for its folder.
        read: Arguments of others.
        finished: Files without which it is not finished, and goes on.
    """

    begin: Sequence[str]
    read: Sequence[Sequence[str]]
    finished: Sequence[str] = ("results.json",)


EVALUATE = ("evaluate", "RUN", "--fast", "--quiet")
STUDIES = {
    "fit": Study(
        ("fit", "DATA", *TINY, *TUNED, "--out", "RUN", "--quiet"),
        [
            EVALUATE,
            ("audit", "RUN"),
            ("compare", "RUN", "RUN", "--json"),
            ("predict", "DATA", "--model", "RUN", "--quiet"),
        ],
    ),
    "crossval": Study(
        ("crossval", "DATA", *TINY, "--num-folds", "2", "--out", "RUN", "--quiet"),
        [EVALUATE, ("audit", "RUN")],
    ),
    "ratings": Study(
        (
            "fit",
            "RATED",
            *TINY,
            "--target",
            "valence",
            "--scale",
            "1:7",
            "--out",
            "RUN",
            "--quiet",
        ),
        [EVALUATE, ("predict", "DATA", "--model", "RUN", "--quiet"), ("audit", "RUN")],
    ),
    "tune": Study(
        ("tune", "DATA", *SEARCH, "--out", "RUN", "--quiet"),
        [("predict", "DATA", "--model", "RUN", "--quiet"), ("audit", "RUN")],
        ("results.json", "folds/fold-1.json"),
    ),
    "reproduce": Study(
        ("reproduce", "campos2016", "DATA", "--tables", "2", "--out", "RUN", "--quiet"),
        [],
        (),
    ),
}


@pytest.fixture(scope="module")
def small():
    """Networks that train at once."""
    with pytest.MonkeyPatch.context() as patch:
        entry = zoo.BackboneEntry(
            build_tiny, PreprocessConfig(canvas_size=16, crop_size=12)
        )
        patch.setitem(zoo.BACKBONES, "tiny", entry)
        register(patch.setitem)
        patch.setattr(finetuning, "ROWS", ROWS)
        yield


@pytest.fixture(scope="module")
def study(request, small, colored_folder, tmp_path_factory):
    """A finished study: its commands with their paths, and its folder."""
    folder = tmp_path_factory.mktemp(request.param)
    paths = {
        "DATA": str(colored_folder),
        "RUN": str(folder / "run"),
    }
    if request.param == "ratings":
        (folder / "rated").mkdir()
        paths["RATED"] = str(write_rated(folder / "rated"))
    found = STUDIES[request.param]
    commands = [
        [paths.get(word, word) for word in words]
        for words in (found.begin, *found.read)
    ]
    begun = run(commands[0])
    assert begun.exit_code == 0, begun.output
    for name in found.finished:
        (folder / "run" / name).unlink()
    return commands, folder / "run"


def run(words: Sequence[str]) -> Result:
    return CliRunner().invoke(cli, words)


def flipped(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 4]) + content[middle + 1 :]


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "emptied": lambda content: b"",
    "cut": lambda content: content[: len(content) // 2],
    "a bit flipped": flipped,
    "not UTF-8": lambda content: b"\xff\x80" + content,
    "another type": lambda content: b"[]",
    "nothing in it": lambda content: b"{}\n",
    "UTF-16": lambda content: content.decode("utf-8", "replace").encode("utf-16"),
}


def edited(path: Path, content: bytes) -> Iterator[tuple[str, bytes]]:
    """Change what a text says, each place in turn."""
    if path.suffix == ".json":
        yield from edited_json(json.loads(content))
    elif path.suffix == ".csv":
        lines = content.decode().splitlines()
        yield "no header", "\n".join(lines[1:]).encode()
        yield "header only", f"{lines[0]}\n".encode()
        yield "short rows", "\n".join([lines[0], *(r[:3] for r in lines[1:])]).encode()
        for i in range(len(lines[0].split(","))):
            table = [line.split(",") for line in lines]
            name, table[-1][i] = table[0][i], "x\0y"
            yield f"another {name}", "\n".join(map(",".join, table)).encode()
            table = [row[:i] + row[i + 1 :] for row in table]
            yield f"no {name}", "\n".join(map(",".join, table)).encode()


def edited_json(values: dict[str, Any]) -> Iterator[tuple[str, bytes]]:
    some = [*values.items()][: None if len(values) < 20 else 2]  # of pictures, a few
    for name, value in some:
        others = {each: one for each, one in values.items() if each != name}
        yield f"no {name}", json.dumps(others).encode()
        for other in (None, 7, "x", [], {"x": [None]}, [["x"]]):
            if type(other) is not type(value):
                changed = json.dumps({**values, name: other})
                yield f"{name} {json.dumps(other)}", changed.encode()
        if isinstance(value, dict):
            for what, inner in edited_json(value):
                yield (
                    f"{name}.{what}",
                    json.dumps({**values, name: json.loads(inner)}).encode(),
                )


def damages(path: Path, *, whole: bool) -> Iterator[tuple[str, bytes]]:
    content = path.read_bytes()
    yield from ((name, damage(content)) for name, damage in DAMAGES.items())
    if whole and path.suffix in TEXTS:
        yield from edited(path, content)


def complaints(
    commands: Sequence[Sequence[str]], folder: Path, *, whole: bool
) -> Iterator[str]:
    """Damage each file in turn; tell of what is no single line, or names no file."""
    kept = folder.with_name("kept")
    shutil.copytree(folder, kept)
    files = sorted(path for path in kept.rglob("*") if path.is_file())
    for path in files:
        if path.suffix in PAGES or "tensorboard" in path.parts:
            continue
        name = path.relative_to(kept)
        for what, content in damages(path, whole=whole):
            for words in commands:
                shutil.rmtree(folder)
                shutil.copytree(kept, folder)
                (folder / name).write_bytes(content)
                found = run(words)
                told = found.stderr.strip()
                is_one_line = found.exit_code in (1, 2) and "\n" not in told
                is_known = "should not have happened" not in told
                names_it = name.name in told or str(folder) in told
                is_said = names_it or "a leak" in told  # decisions that were edited
                if found.exit_code != 0 and not (is_one_line and is_known and is_said):
                    yield f"{words[0]}, {name}, {what}: {told[-300:]}"
    shutil.rmtree(folder)
    kept.rename(folder)


@pytest.mark.parametrize("study", ["fit"], indirect=True)
def test_a_damaged_file_of_a_run_is_named_in_one_line(study):
    commands, folder = study

    assert list(complaints([commands[0], commands[2]], folder, whole=False)) == []


@pytest.mark.slow
@pytest.mark.parametrize("study", STUDIES, indirect=True)
def test_whatever_is_damaged_in_a_run_is_told_in_one_line(study):
    commands, folder = study

    assert list(complaints(commands, folder, whole=True)) == []
