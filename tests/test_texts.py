"""A text that is none is named, with what it looks like."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pixsent_tf.errors import DataError, RunError
from pixsent_tf.texts import (
    find_encoding,
    guess_encoding,
    read_brought,
    read_object,
    read_table,
    read_text,
    streamed,
    understood,
    why_no_file,
)


@pytest.mark.parametrize(
    ("encoding", "name"),
    [
        ("utf-16", "UTF-16"),
        ("utf-16-le", "UTF-16"),
        ("utf-32", "UTF-32"),
        ("cp1252", "Windows-1252 or Latin-1"),
        ("latin-1", "Windows-1252 or Latin-1"),
    ],
)
def test_an_encoding_is_guessed(encoding, name):
    assert guess_encoding("grüße.jpg positive\n".encode(encoding)) == name


@pytest.mark.parametrize(
    ("encoding", "named"),
    [
        ("utf-8", ""),
        ("utf-8-sig", ""),
        ("utf-16", "UTF-16"),
        ("utf-16-le", "UTF-16"),
        ("utf-16-be", "UTF-16"),
        ("cp1252", "Windows-1252"),
    ],
)
def test_what_people_bring_is_read_in_its_own_encoding(encoding, named, tmp_path):
    text = "a.jpg 1\n" * 200_000 + "grüße.jpg 0\n"  # the umlaut is far from the start
    (tmp_path / "list.txt").write_bytes(text.encode(encoding))

    assert read_brought(tmp_path / "list.txt") == (text, named)


@pytest.mark.parametrize(
    ("content", "guess"),
    [
        ("grüße.jpg 0\n".encode("utf-32"), "UTF-32"),
        (b"\x89PNG\0\0" + bytes(range(128)), "no text at all"),
        (b"a\x81\x8d 1\n", "Windows-1252 or Latin-1"),
        ("a.jpg 0\n".encode("utf-16")[:-1], "UTF-16 that is damaged"),
        ("a.jpg 0\n".encode("utf-16-be") + b"\xd8\0", "UTF-16 that is damaged"),
    ],
)
def test_what_is_in_no_known_encoding_is_refused_with_a_guess(content, guess, tmp_path):
    (tmp_path / "list.txt").write_bytes(content)

    with pytest.raises(DataError, match=rf"neither UTF-8.* looks like {guess}; sav"):
        find_encoding(tmp_path / "list.txt")


def test_what_is_no_text_is_called_so():
    assert guess_encoding(b"\x89PNG\0\0" + bytes(range(128))) == "no text at all"


def test_a_list_in_another_encoding_is_named_with_its_line(tmp_path):
    (tmp_path / "list.txt").write_bytes("a.jpg 1\ngrüße.jpg 0\n".encode("cp1252"))

    with pytest.raises(DataError, match=r"line 2 holds the byte 0xfc; .*Windows-1252"):
        read_text(tmp_path / "list.txt")


def test_a_mark_in_front_is_no_part_of_the_text(tmp_path):
    (tmp_path / "list.txt").write_bytes(b"\xef\xbb\xbfa.jpg 1\n")

    assert read_text(tmp_path / "list.txt") == "a.jpg 1\n"


@pytest.mark.parametrize("name", ["missing.txt", "folder", "nul\0byte", "x" * 300])
def test_what_cannot_be_opened_is_said_in_one_line(name, tmp_path):
    (tmp_path / "folder").mkdir()

    with pytest.raises(
        RunError, match=r"cannot be read|is a folder, not a file"
    ) as caught:
        read_text(tmp_path / name, RunError)
    assert str(caught.value).isprintable()


def test_a_sparse_text_is_not_read(tmp_path):
    (tmp_path / "list.txt").write_text("a.jpg 1\n")
    os.truncate(tmp_path / "list.txt", 6_000_000_000)

    with pytest.raises(DataError, match="too large for a text: 6000 MB"):
        read_text(tmp_path / "list.txt")


def test_short_rows_are_filled_and_long_ones_cut(tmp_path):
    (tmp_path / "a.csv").write_text("path,label\na.jpg\nb.jpg,1,2,3\n")

    columns, rows = read_table(tmp_path / "a.csv")

    assert columns == ("path", "label")
    assert rows == [{"path": "a.jpg", "label": ""}, {"path": "b.jpg", "label": "1"}]


def test_a_quoted_name_may_hold_a_new_line(tmp_path):
    (tmp_path / "a.csv").write_text('path,label\n"two\nlines.jpg",1\n')

    assert read_table(tmp_path / "a.csv")[1][0]["path"] == "two\nlines.jpg"


def test_a_cell_that_is_too_long_is_said_in_one_line(tmp_path):
    (tmp_path / "a.csv").write_text("path,label\n" + "x" * 200_000 + ",1\n")

    with pytest.raises(DataError, match=r"line 2, cannot be read: field larger than"):
        read_table(tmp_path / "a.csv")


@pytest.mark.parametrize(
    "text", ["{", "[1]", "null", "1e", '{"a": ' + "9" * 5000 + "}", "[" * 100_000]
)
def test_what_is_no_object_is_damaged(text, tmp_path):
    (tmp_path / "a.json").write_text(text)

    with pytest.raises(RunError, match=r"a\.json is damaged: it (is no JSON|holds no)"):
        read_object(tmp_path / "a.json", RunError)


def test_an_encoding_found_on_the_way_is_named_too(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes("path\ngrüße\n".encode("cp1252"))

    with (
        pytest.raises(DataError, match="Windows-1252"),
        streamed(path),
        path.open(encoding="utf-8") as file,
    ):
        list(file)


@pytest.mark.parametrize(
    ("take_apart", "why"),
    [
        (lambda kept: kept["packages"], "it lacks 'packages'"),
        (lambda kept: kept["command"].get("x"), "something else than was written"),
        (lambda kept: [*kept["cpus"]], "something else than was written"),
        (lambda kept: tuple(kept["folds"])[1], "something else than was written"),
        (lambda kept: float(kept["command"]), "something else than was written"),
    ],
)
def test_what_does_not_hold_what_it_should_is_damaged(take_apart, why):
    kept = {"command": "x\ny", "cpus": 2, "folds": [1]}

    with (
        pytest.raises(RunError, match=rf"environment.json is damaged: .*{why}"),
        understood(Path("run/environment.json"), RunError),
    ):
        take_apart(kept)


@pytest.mark.parametrize("read", [read_text, read_brought, find_encoding])
def test_what_is_no_file_is_not_opened(read, tmp_path):
    os.mkfifo(tmp_path / "list.txt")  # who opens it waits for ever

    with pytest.raises(DataError, match="is a pipe, a socket or a device, not a file"):
        read(tmp_path / "list.txt")
    with pytest.raises(DataError, match="is a folder, not a file"):
        read(tmp_path)
    assert why_no_file(tmp_path / "none").endswith("none does not exist")
