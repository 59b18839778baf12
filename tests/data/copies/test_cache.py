"""What a search found is given again: whole, of these bytes, or not at all."""

from __future__ import annotations

import numpy as np
import pytest

from pixsent_tf.data.copies import cache

COLUMNS = {"pairs": 2, "groups": 1}
FOUND = {"pairs": np.array([[0, 2], [1, 4]]), "groups": np.array([0, 1, 0, 2, 1])}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("PIXSENT_CACHE", str(tmp_path / "cache"))
    cache._remembered.clear()
    yield tmp_path / "cache" / "copies"
    cache._remembered.clear()


def same(found) -> bool:
    return found is not None and all(
        np.array_equal(found[name], FOUND[name]) for name in COLUMNS
    )


def test_what_was_kept_is_given_to_this_process_and_to_the_next(folder):
    cache.keep("abc", FOUND)

    assert same(cache.recall("abc", COLUMNS))
    assert [path.name for path in folder.iterdir()] == ["abc.npz"]
    cache._remembered.clear()  # the next process
    assert same(cache.recall("abc", COLUMNS))
    assert cache.recall("abd", COLUMNS) is None


def test_eight_are_remembered_and_the_oldest_goes(folder):
    for k in range(9):
        cache.keep(f"digest{k}", FOUND)
    for path in folder.iterdir():
        path.unlink()

    assert cache.recall("digest0", COLUMNS) is None
    assert all(same(cache.recall(f"digest{k}", COLUMNS)) for k in range(1, 9))


@pytest.mark.parametrize("damage", ["cut", "empty", "text", "column", "dimensions"])
def test_what_is_not_whole_is_as_good_as_nothing(folder, damage):
    cache.keep("abc", FOUND)
    cache._remembered.clear()
    path = folder / "abc.npz"
    content = path.read_bytes()
    if damage == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif damage == "empty":
        path.write_bytes(b"")
    elif damage == "text":
        path.write_text("nothing of the kind")
    elif damage == "column":
        np.savez(path, pairs=FOUND["pairs"])
    else:
        np.savez(path, pairs=FOUND["pairs"].ravel(), groups=FOUND["groups"])

    assert cache.recall("abc", COLUMNS) is None


def test_a_folder_that_cannot_be_made_only_costs_the_time(folder):
    folder.parent.touch()  # a file where the folder should be

    cache.keep("abc", FOUND)

    assert same(cache.recall("abc", COLUMNS))
    cache._remembered.clear()
    assert cache.recall("abc", COLUMNS) is None
