"""Names that lead out of a list's folder are told once, and refused on request."""

from __future__ import annotations

import pytest

from pixsent_tf.data.lists.labelled import open_list
from pixsent_tf.data.lists.strays import STRICT, find_strays
from pixsent_tf.errors import DataError
from tests.heard import Heard


def test_plain_names_are_no_strays():
    assert (
        find_strays("list.txt", ["a.jpg", "b/c..jpg", "./d.jpg", "..e/f.jpg"]) is None
    )


@pytest.mark.parametrize("name", ["/etc/passwd", "../a.jpg", "a/../../b.jpg", "//x"])
def test_names_that_lead_out_are_counted(name):
    line = find_strays("list.txt", ["a.jpg", name, name])

    assert line.startswith("list.txt names 2 files by absolute paths or by '..', first")


def test_a_strict_environment_refuses_them(monkeypatch):
    monkeypatch.setenv(STRICT, "1")

    with pytest.raises(DataError, match="--strict refuses that"):
        find_strays("list.txt", ["/etc/passwd"])


@pytest.mark.parametrize("suffix", ["txt", "csv"])
def test_a_list_says_so_once(suffix, tmp_path):
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).write_bytes(b"")
    separator = {"txt": " ", "csv": ","}[suffix]
    rows = [
        f"{tmp_path / name}{separator}{i}" for i, name in enumerate(("a.jpg", "b.jpg"))
    ]
    header = ["path,label"] if suffix == "csv" else []
    path = tmp_path / f"list.{suffix}"
    path.write_text("\n".join([*header, *rows]) + "\n")
    heard = Heard()

    open_list(path, tmp_path, progress=heard)

    assert len(heard.lines) == 1
    assert "names 2 files by absolute paths" in heard.lines[0]
