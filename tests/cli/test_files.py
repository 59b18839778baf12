"""One way to name pictures, whatever the verb."""

from __future__ import annotations

import io
import os

import pytest

from pixsent_tf.cli.files import find_files, read_list
from pixsent_tf.errors import DataError, UsageError


@pytest.fixture
def folder(tmp_path):
    """A folder with two pictures, one of them deeper, and a note."""
    (tmp_path / "deep").mkdir()
    for name in ("b.jpg", "deep/a.png", "note.md"):
        (tmp_path / name).write_bytes(b"")
    return tmp_path


def test_a_folder_is_walked_for_pictures(folder):
    assert find_files([str(folder)]) == [f"{folder}/b.jpg", f"{folder}/deep/a.png"]


def test_a_list_names_paths_with_blanks_and_marks_as_they_are(folder):
    listed = folder / "list.txt"
    listed.write_bytes("\ufeffsome where/ö.jpg \r\n\n b.jpg\r\n".encode())

    assert find_files([str(listed)]) == ["some where/ö.jpg ", " b.jpg"]


def test_a_dash_is_such_a_list_on_standard_input(monkeypatch):
    lines = io.TextIOWrapper(io.BytesIO(b"b.jpg\n\na.jpg\nlatin\xff.jpg\n"))
    monkeypatch.setattr("sys.stdin", lines)

    assert find_files(["-"]) == ["b.jpg", "a.jpg", os.fsdecode(b"latin\xff.jpg")]


def test_a_glob_is_sorted_and_sources_keep_their_order(folder):
    found = find_files([f"{folder}/*.jpg", f"{folder}/**/*.png", "gone.jpg"])

    assert found == [f"{folder}/b.jpg", f"{folder}/deep/a.png", "gone.jpg"]


def test_a_file_that_looks_like_a_glob_is_that_file(folder):
    odd = folder / "holiday[1].jpg"
    odd.write_bytes(b"")

    assert find_files([str(odd)]) == [str(odd)]


def test_nothing_found_is_told(folder):
    with pytest.raises(DataError, match=r"\*\.gif holds no pictures; name files or"):
        find_files([f"{folder}/*.gif"])


def test_a_table_lists_its_paths_and_its_columns_are_kept_where_asked(folder):
    table = folder / "posts.csv"
    table.write_text("id,path,user\n7,b.jpg,ann\n8,deep/a.png,\n")

    assert find_files([str(table)]) == [f"{folder}/b.jpg", f"{folder}/deep/a.png"]
    listed = read_list([str(table)], keep_columns=True)
    assert listed.paths == [f"{folder}/b.jpg", f"{folder}/deep/a.png"]
    assert listed.columns == {"id": ["7", "8"], "user": ["ann", ""]}
    assert read_list([str(table)], keep_columns=False).columns == {}


@pytest.mark.parametrize(
    ("text", "error", "match"),
    [
        (
            "path,answer,prob_positive\na,b,1\n",
            UsageError,
            "answer, prob_positive, which",
        ),
        ("url,user\na,b\n", DataError, "url, user; none is called like a path"),
        ("path,user\n,b\n", DataError, "a row without a path; it has path, user"),
        ("path,user\n", DataError, "holds no pictures"),
    ],
)
def test_a_table_that_cannot_be_kept_is_told(folder, text, error, match):
    (folder / "posts.csv").write_text(text)

    with pytest.raises(error, match=match):
        read_list([str(folder / "posts.csv")], keep_columns=True)


def test_columns_of_what_is_no_table_are_refused(folder):
    with pytest.raises(UsageError, match="needs one table"):
        read_list([str(folder)], keep_columns=True)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_a_table_of_any_kind_names_files_here_or_beside_itself(encoding, folder):
    table = folder / "posts.csv"
    table.write_bytes("tag;Image\ngrün;deep\\a.png\n;gone.jpg\n".encode(encoding))

    assert find_files([str(table)]) == [f"{folder}/deep/a.png", "gone.jpg"]
    kept = read_list([str(table)], keep_columns=True)
    assert kept.columns == {"tag": ["grün", ""]}


def test_a_list_may_be_written_by_windows(folder):
    (folder / "list.txt").write_bytes("grün.jpg\r\n".encode("cp1252"))

    assert find_files([str(folder / "list.txt")]) == ["grün.jpg"]
