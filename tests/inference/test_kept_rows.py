"""A long table goes on where it was; what answers something else is never taken."""

from __future__ import annotations

import json

import pytest

from pixsent_tf.inference import kept_rows
from pixsent_tf.inference.kept_rows import KeptRows
from tests.heard import Heard


@pytest.fixture
def paths(tmp_path, monkeypatch):
    """Five files, in parts of two."""
    monkeypatch.setattr(kept_rows, "PART", 2)
    for name in "abcde":
        (tmp_path / name).write_text(name)
    return [str(tmp_path / name) for name in "abcde"]


class Model:
    """Answers with the text of a file; notes which; may be killed at one."""

    def __init__(self, killed_at=None):
        self.asked = []
        self.killed_at = killed_at

    def __call__(self, paths):
        for path in paths:
            if path == self.killed_at:
                raise KeyboardInterrupt
            self.asked.append(path)
            with open(path) as file:
                yield {"path": path, "answer": file.read()}


def killed(kept, paths, number):
    with pytest.raises(KeyboardInterrupt):
        list(kept.rows(paths, Model(paths[number])))


def test_no_more_than_a_part_is_answered_twice(paths, tmp_path):
    kept = KeptRows(tmp_path / "rows", "model 1")
    killed(kept, paths, 3)
    model, heard = Model(), Heard()
    rows = list(kept.rows(paths, model, progress=heard))

    assert model.asked == paths[2:]
    assert rows == [{"path": path, "answer": path[-1]} for path in paths]
    assert heard.steps == [(5, "predicting")]
    assert sum(heard.counts) == 2  # the model tells of those that it answers


@pytest.mark.parametrize("change", ["model", "bytes", "name"])
def test_another_question_is_answered_anew(paths, tmp_path, change):
    killed(KeptRows(tmp_path / "rows", "model 1"), paths, 2)
    kept = KeptRows(tmp_path / "rows", "model 2" if change == "model" else "model 1")
    if change == "bytes":
        (tmp_path / "b").write_text("other")
    if change == "name":
        (tmp_path / "b").rename(tmp_path / "f")
        paths[1] = str(tmp_path / "f")
    model = Model()
    rows = list(kept.rows(paths, model))

    assert model.asked == paths
    expected = {"model": "b", "bytes": "other", "name": "b"}[change]
    assert rows[1]["answer"] == expected


@pytest.mark.parametrize("damage", ["cut", "empty", "flip", "latin"])
def test_a_damaged_part_is_answered_anew(paths, tmp_path, damage):
    kept = KeptRows(tmp_path / "rows", "model 1")
    killed(kept, paths, 2)
    (part,) = (tmp_path / "rows").iterdir()
    content = part.read_bytes()
    json.loads(content.splitlines()[1])
    flipped = bytearray(content)
    flipped[-4] ^= 1
    part.write_bytes(
        {
            "cut": content[:-3],
            "empty": b"",
            "flip": bytes(flipped),
            "latin": content + b"\xff",
        }[damage]
    )
    model = Model()
    rows = list(kept.rows(paths, model))

    assert model.asked == paths
    assert [row["answer"] for row in rows] == list("abcde")


def test_what_is_no_number_is_not_kept(paths, tmp_path):
    kept = KeptRows(tmp_path / "rows", "model 1")

    with pytest.raises(ValueError, match="JSON compliant"):
        list(kept.rows(paths, lambda some: [{"prob": float("nan")} for _ in some]))

    assert not list((tmp_path / "rows").glob("*.jsonl"))
