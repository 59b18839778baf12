"""Pictures of a folder are found by their names, in order."""

from __future__ import annotations

from pixsent_tf.data.pictures import walk_pictures


def test_hidden_files_and_other_files_are_passed_over(tmp_path):
    for name in (".x.jpg", "notes.txt", "b/2.JPG", "a/1.jpg", ".git/3.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()

    assert [path.name for path in walk_pictures(tmp_path)] == ["1.jpg", "2.JPG"]
