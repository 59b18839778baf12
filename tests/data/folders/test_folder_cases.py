"""Folders as people have them: each is read right, or refused in a line that helps.

A row is a tree of files, what the data set holds, and what is said of it. Files are
written by `draw`: a picture unless a row says otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pixsent_tf.config import DataConfig
from pixsent_tf.data.sources import open_dataset
from pixsent_tf.errors import DataError
from tests.heard import Heard

JPEG, PNG, GIF, WEBP, TIFF = "JPEG", "PNG", "GIF", "WEBP", "TIFF"
PPM, TGA, JPEG2000, AVIF = "PPM", "TGA", "JPEG2000", "AVIF"


@dataclass(frozen=True)
class Case:
    """A folder, and what becomes of it.

    Attributes:
        files: Format of each picture by its path, or the bytes of what is none.
        ids: The pictures that are read, by class.
        said: Parts of the lines that are said, in any order; none at all if empty.
        links: What each link leads to.
        splits: Pictures of each split.
        refused: A pattern of the one line, where the folder is refused.
    """

    files: dict[str, str | bytes]
    ids: dict[str, list[str]] = field(default_factory=dict)
    said: tuple[str, ...] = ()
    links: dict[str, str] = field(default_factory=dict)
    splits: dict[str, int] | None = None
    refused: str | None = None


def pictures(*names: str) -> dict[str, str | bytes]:
    """Name JPEG files."""
    return dict.fromkeys(names, JPEG)


TWO = pictures("sour/1.jpg", "sour/2.jpg", "merry/1.jpg")
TWO_IDS = {"merry": ["merry/1.jpg"], "sour": ["sour/1.jpg", "sour/2.jpg"]}
RUN = {"runs/fit-1/recipe.json": b"{}", "runs/fit-1/drawn.png": PNG}

CASES = {
    "classes": Case(TWO, TWO_IDS),
    "splits of classes": Case(
        pictures("train/a/1.jpg", "train/b/2.jpg", "val/a/3.jpg", "test/a/4.jpg")
        | pictures("test/b/5.jpg"),
        {
            "a": ["test/a/4.jpg", "train/a/1.jpg", "val/a/3.jpg"],
            "b": ["test/b/5.jpg", "train/b/2.jpg"],
        },
        (
            "splits train 2, val 1, test 2; fit trains on train and val and tests on "
            "test, evaluate judges by test",
        ),
        splits={"train": 2, "val": 1, "test": 2},
    ),
    "two splits, as somebody writes them": Case(
        pictures("Train/a/1.jpg", "Train/b/2.jpg", "TEST/a/3.jpg", "TEST/b/4.jpg"),
        {
            "a": ["TEST/a/3.jpg", "Train/a/1.jpg"],
            "b": ["TEST/b/4.jpg", "Train/b/2.jpg"],
        },
        ("splits train 2, test 2; fit trains on train and tests on test",),
        splits={"train": 2, "test": 2},
    ),
    "a validation part alone tests": Case(
        pictures("train/a/1.jpg", "train/b/2.jpg", "valid/a/3.jpg", "valid/b/4.jpg"),
        {
            "a": ["train/a/1.jpg", "valid/a/3.jpg"],
            "b": ["train/b/2.jpg", "valid/b/4.jpg"],
        },
        ("splits train 2, val 2; fit trains on train and tests on val",),
        splits={"train": 2, "val": 2},
    ),
    "classes of splits": Case(
        pictures("a/train/1.jpg", "a/test/2.jpg", "b/train/3.jpg", "b/test/4.jpg"),
        {
            "a": ["a/test/2.jpg", "a/train/1.jpg"],
            "b": ["b/test/4.jpg", "b/train/3.jpg"],
        },
        ("splits train 2, test 2;",),
        splits={"train": 2, "test": 2},
    ),
    "a test part without classes": Case(
        pictures("train/a/1.jpg", "train/b/2.jpg", "test/3.jpg", "test/4.jpg"),
        {"a": ["train/a/1.jpg"], "b": ["train/b/2.jpg"]},
        ("passed over 2 (in a split, without a class): test/3.jpg, test/4.jpg",),
    ),
    "splits without classes": Case(
        pictures("train/1.jpg", "test/2.jpg"),
        refused=r"has the splits test, train, and no classes in what trains; put one",
    ),
    "a class that only tests": Case(
        pictures("train/a/1.jpg", "train/b/2.jpg", "test/c/3.jpg"),
        refused=r"test/c is a class that .* never trains on \(a, b\); rename it",
    ),
    "runs of this package": Case(
        TWO | RUN, TWO_IDS, ("passed over 1 (written by pixsent-tf): runs",)
    ),
    "maps and an exported model": Case(
        TWO
        | {"maps/maps.npz": b"", "maps/contact-sheet.png": PNG}
        | {
            "out/saved_model.pb": b"",
            "sour/maps/maps.npz": b"",
            "sour/maps/0.png": PNG,
        },
        TWO_IDS,
        ("passed over 3 (written by pixsent-tf): maps, out, sour/maps",),
    ),
    "a class that is called runs": Case(
        pictures("runs/1.jpg", "walks/2.jpg"),
        {"runs": ["runs/1.jpg"], "walks": ["walks/2.jpg"]},
    ),
    "suffixes that say nothing": Case(
        {
            "sour/1.jpg_large": JPEG,
            "sour/2.pjpeg": JPEG,
            "sour/3": PNG,
            "sour/4.jp2": JPEG2000,
            "merry/5.ppm": PPM,
            "merry/6.tga": TGA,
            "merry/7.avif": AVIF,
            "merry/8.dat": WEBP,
            "merry/9.JPG!d": GIF,
        },
        {
            "merry": [
                f"merry/{n}" for n in ["5.ppm", "6.tga", "7.avif", "8.dat", "9.JPG!d"]
            ],
            "sour": [
                f"sour/{name}" for name in ("1.jpg_large", "2.pjpeg", "3", "4.jp2")
            ],
        },
    ),
    "other files, each by its content": Case(
        TWO
        | {
            "sour/notes": b"a note\n",
            "sour/clip.mp4": b"\0\0\0\x18ftypmp42" + bytes(16),
            "sour/logo.svg": b"<?xml version='1.0'?><svg/>",
            "merry/more.zip": b"PK\3\4" + bytes(30),
            "merry/new.jxl": b"\xff\x0a" + bytes(16),
            "merry/b.dat": b"\0\1\2\3" * 9,
        },
        TWO_IDS,
        (
            "passed over 6",
            "2 (no picture by its content): merry/b.dat, sour/notes",
            "1 (a video): sour/clip.mp4",
            "1 (an SVG drawing): sour/logo.svg",
            "1 (a zip archive): merry/more.zip",
            "1 (a JPEG XL picture): merry/new.jxl",
        ),
    ),
    "what systems leave": Case(
        TWO
        | {
            "__MACOSX/sour/._1.jpg": b"Mac",
            "sour/.ipynb_checkpoints/1-checkpoint.jpg": JPEG,
            "sour/Thumbs.db": b"\xd0\xcf\x11\xe0",
            "sour/._2.jpg": b"Mac",
            ".git/x.jpg": JPEG,
        },
        TWO_IDS,
        (
            "passed over 5 (hidden or of the system): .git, __MACOSX, sour/",
            " and 2 more",
        ),
    ),
    "pictures beside the classes": Case(
        TWO | pictures("cover.jpg"),
        TWO_IDS,
        ("passed over 1 (beside the classes, without one): cover.jpg",),
    ),
    "one folder around them": Case(
        {f"set-main/{name}": form for name, form in TWO.items()}
        | {"__MACOSX/._set": b"Mac", "README.md": b"# a set"},
        {
            "merry": ["set-main/merry/1.jpg"],
            "sour": ["set-main/sour/1.jpg", "set-main/sour/2.jpg"],
        },
        (
            "the classes lie in",
            "set-main: merry, sour",
            "passed over 2",
            "README.md",
        ),
    ),
    "a folder around splits": Case(
        pictures(
            *(f"z/{split}/{c}/1.jpg" for split in ("train", "test") for c in ("a", "b"))
        ),
        {
            "a": ["z/test/a/1.jpg", "z/train/a/1.jpg"],
            "b": ["z/test/b/1.jpg", "z/train/b/1.jpg"],
        },
        ("the classes lie in", "splits train 2, test 2;"),
        splits={"train": 2, "test": 2},
    ),
    "links to folders are followed": Case(
        pictures("sour/1.jpg", "merry/1.jpg", ".store/2.jpg"),
        {"merry": ["merry/1.jpg"], "sour": ["sour/1.jpg", "sour/more/2.jpg"]},
        ("hidden or of the system): .store",),
        links={"sour/more": "../.store"},
    ),
    "loops of links are cut": Case(
        TWO,
        TWO_IDS,
        ("passed over 1 (a link that leads nowhere new): sour/again",),
        links={"sour/again": "../sour"},
    ),
    "a link to no file": Case(
        TWO,
        {"merry": ["merry/1.jpg"], "sour": [*TWO_IDS["sour"], "sour/gone.jpg"]},
        links={"sour/gone.jpg": "nowhere.jpg"},
    ),
    "names of any kind": Case(
        pictures('very sour/it\'s "1".jpg', "fröhlich/ü 笑.jpg"),
        {
            "fröhlich": ["fröhlich/ü 笑.jpg"],
            "very sour": ['very sour/it\'s "1".jpg'],
        },
    ),
    "a class without pictures": Case(
        TWO | {"angry/notes.txt": b"none yet"},
        refused=r"angry holds no pictures; remove it or add some",
    ),
    "one class": Case(
        pictures("merry/1.jpg"), refused=r"two or more; it has only 'merry'"
    ),
}


def draw(path: Path, form: str, seed: int) -> None:
    """Write a picture that no other file shows."""
    Image.init()
    if form not in Image.SAVE:  # AVIF before Pillow 11.3: its first bytes are enough
        path.write_bytes(b"\0\0\0\x18ftypavif" + bytes(16))
        return
    pixels = np.random.default_rng(seed).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path, form)


def write(case: Case, folder: Path) -> Path:
    """Write the files of a case."""
    folder.mkdir()
    for seed, (name, content) in enumerate(case.files.items()):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            draw(path, content, seed)
    for name, target in case.links.items():
        (folder / name).symlink_to(target)
    return folder


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_folder_is_read_or_refused(case, tmp_path):
    folder, heard = write(case, tmp_path / "set"), Heard()
    data = DataConfig(str(folder))
    if case.refused:
        with pytest.raises(DataError, match=case.refused):
            open_dataset(data)
        return

    dataset = open_dataset(data, progress=heard)

    found: dict[str, list[str]] = {}
    for name, label in zip(dataset.ids, dataset.labels, strict=True):
        found.setdefault(dataset.class_names[label], []).append(name)
    assert {label: sorted(names) for label, names in found.items()} == case.ids
    lines = "\n".join(heard.lines)
    assert [part for part in case.said if part not in lines] == []
    assert bool(lines) == bool(case.said), lines
    assert tuple(heard.lines) == dataset.notes
    splits = None if dataset.splits is None else dataset.splits.tolist()
    assert case.splits == (splits and {s: splits.count(s) for s in set(splits)})


@pytest.mark.parametrize(
    ("name", "content", "pattern"),
    [
        ("set.zip", b"PK\3\4" + bytes(40), r"set.zip is a zip archive; unpack it, and"),
        ("set.tgz", b"\x1f\x8b" + bytes(40), r"is a compressed archive; unpack it"),
        ("one.jpg", JPEG, r"is a single picture; name a folder .* pixsent-tf predict"),
        ("one", PNG, r"is a single picture; name a folder"),
    ],
)
def test_file_that_is_no_list_is_refused_in_a_line_that_helps(
    name, content, pattern, tmp_path
):
    path = tmp_path / name
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        draw(path, content, 0)

    with pytest.raises(DataError, match=pattern):
        open_dataset(DataConfig(str(path)))
