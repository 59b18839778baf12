"""Is a file found however a table spells its name?"""

from __future__ import annotations

import unicodedata

import pytest

from pixsent_tf.data.lists.paths import find_spelling, read_named
from pixsent_tf.errors import DataError


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "deep").mkdir()
    for name in ("deep/a.png", unicodedata.normalize("NFD", "grün.png"), "b\\c.png"):
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path / "deep")
    return tmp_path


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("deep/a.png", "deep/a.png"),
        ("deep\\a.png", "deep/a.png"),
        ("b\\c.png", "b\\c.png"),
        (
            unicodedata.normalize("NFC", "grün.png"),
            unicodedata.normalize("NFD", "grün.png"),
        ),
        ("gone.png", None),
    ],
)
def test_the_name_is_as_on_the_disk(name, found, folder):
    assert find_spelling(folder, name) == found


def test_files_are_here_or_beside_the_table_or_as_they_are_named(folder):
    rows = ["file,tag", "a.png,x", "deep\\a.png,y", "gone.png,", "gs://b/c.png,"]
    (folder / "t.csv").write_text("\n".join(rows))

    named = list(read_named(folder / "t.csv"))

    assert [row["path"] for row in named] == [
        "a.png",
        f"{folder}/deep/a.png",
        "gone.png",
        "gs://b/c.png",
    ]
    assert [row["tag"] for row in named] == ["x", "y", "", ""]


def test_a_table_that_names_no_files_is_refused(folder):
    (folder / "t.csv").write_text("url,tag\nx,y\n")

    with pytest.raises(DataError, match=r"like a path .*--columns path=COLUMN"):
        list(read_named(folder / "t.csv"))
