"""Is every kind of table read that people have, by every verb's one reader?"""

from __future__ import annotations

import json
import re

import pytest

from pixsent_tf.config import DataConfig
from pixsent_tf.data.sources import open_dataset
from pixsent_tf.errors import ConfigError, DataError, PixsentError
from tests.heard import Heard

ROWS = [("a.jpg", "pos"), ("grün.jpg", "neg"), ("deep/c.jpg", "pos"), ("d.jpg", "neg")]


def text(comma=",", header=("path", "label"), rows=ROWS, end="\n"):
    lines = [comma.join(line) for line in (header, *rows)]
    return end.join(lines) + end


def parquet(path, rows, names=("path", "label")):
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    columns = zip(*rows, strict=True)
    pq.write_table(pa.table(dict(zip(names, columns, strict=True))), path)


BACK = [(name.replace("/", "\\"), label) for name, label in ROWS]
DOTTED = [(f"./{name}", label) for name, label in ROWS]
OBJECTS = "".join(json.dumps({"image": p, "class": c}) + "\n" for p, c in ROWS)
# name of the file, its bytes, and what is said about it, in part
READ = {
    "commas": ("t.csv", text().encode(), None),
    "windows ends": ("t.csv", text(end="\r\n").encode(), None),
    "mark": ("t.csv", text().encode("utf-8-sig"), None),
    "semicolons": ("t.csv", text(";").encode(), "read as separated by semicolons"),
    "tabs": ("t.tsv", text("\t").encode(), None),
    "tabs in csv": ("t.csv", text("\t").encode(), "separated by tabs"),
    "commas in tsv": ("t.tsv", text().encode(), "separated by commas"),
    "bars": ("t.csv", text("|").encode(), "separated by bars"),
    "for excel": ("t.csv", b"sep=;\n" + text(";").encode(), "separated by semicolons"),
    "utf-16": (
        "t.csv",
        text("\t").encode("utf-16"),
        "read as UTF-16, separated by tabs",
    ),
    "utf-16 unmarked": ("t.csv", text().encode("utf-16-le"), "read as UTF-16"),
    "utf-16 turned": ("t.csv", text().encode("utf-16-be"), "read as UTF-16"),
    "cp1252": ("t.csv", text().encode("cp1252"), "read as Windows-1252"),
    "quoted": ("t.csv", text('","').replace("\n", '"\n"')[:-1].encode(), None),
    "upper suffix": ("T.CSV", text().encode(), None),
    "usual names": (
        *("t.csv", text(header=("File Name", "Sentiment")).encode()),
        "path from 'File Name', label from 'Sentiment'",
    ),
    "image and target": (
        *("t.csv", text(header=("image_path", "TARGET")).encode()),
        "path from 'image_path', label from 'TARGET'",
    ),
    "img and class": (
        "t.csv",
        text(header=("img", "class")).encode(),
        "label from 'class'",
    ),
    "backslashes": ("t.csv", text(rows=BACK).encode(), None),
    "dots": ("t.csv", text(rows=DOTTED).encode(), None),
    "json lines": (
        "t.jsonl",
        OBJECTS.encode(),
        "path from 'image', label from 'class'",
    ),
    "table as text": ("t.txt", text("\t").encode(), "separated by tabs"),
    "pairs by tabs": ("t.txt", text("\t").split("\n", 1)[1].encode(), None),
    "pairs by commas": ("t.txt", text().split("\n", 1)[1].encode(), None),
    "pairs in cp1252": ("t.txt", text(" ").split("\n", 1)[1].encode("cp1252"), "-1252"),
}
READ["quoted"] = (
    *(
        "t.csv",
        "\n".join(f'"{p}","{c}"' for p, c in [("path", "label"), *ROWS]).encode(),
    ),
    None,
)


@pytest.fixture
def pictures(tmp_path):
    for name, _ in ROWS:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def write(folder, content, name="t.csv"):
    (folder / name).write_text(content, encoding="utf-8")
    return str(folder / name)


def check(dataset):
    assert [name.removeprefix("./") for name in dataset.ids] == [n for n, _ in ROWS]
    assert dataset.labels.tolist() == [1, 0, 1, 0]
    assert dataset.class_names == ("negative", "positive")


@pytest.mark.parametrize("case", READ)
def test_a_table_is_read_and_what_is_unusual_is_said(case, pictures):
    name, content, said = READ[case]
    (pictures / name).write_bytes(content)
    heard = Heard()

    check(open_dataset(DataConfig(str(pictures / name)), progress=heard))

    lines = [line for line in heard.lines if "reading" not in line]
    assert len(lines) == (said is not None)
    assert said is None or said in lines[0]


def test_parquet_is_read_alike(pictures):
    parquet(pictures / "t.parquet", ROWS)

    check(open_dataset(DataConfig(str(pictures / "t.parquet"))))


def test_numbers_and_gaps_of_parquet_are_labels_and_none(pictures):
    rows = [
        (name, label)
        for (name, _), label in zip(ROWS, (1.0, 0.0, None, 0.0), strict=True)
    ]
    parquet(pictures / "t.parquet", rows)
    data = DataConfig(str(pictures / "t.parquet"), skip_unlabelled=True)

    assert open_dataset(data).labels.tolist() == [1, 0, 0]
    with pytest.raises(DataError, match=r"no label in row 3 \(first deep/c\.jpg"):
        open_dataset(DataConfig(data.source))


def test_columns_are_named_by_the_user(pictures):
    source = write(pictures, text(header=("where", "mood")))
    data = DataConfig(source, columns=("path=where", "label=mood"))

    check(open_dataset(data))


def test_paths_are_relative_to_the_table_or_to_the_images(pictures, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("lists")
    source = write(elsewhere, text())

    check(open_dataset(DataConfig(source, images=str(pictures))))
    with pytest.raises(DataError, match=r"names 4 of 4 files that do not.*--images"):
        open_dataset(DataConfig(source))


def test_extra_columns_are_kept_for_groups(pictures):
    rows = [(*row, user) for row, user in zip(ROWS, "abab", strict=True)]
    source = write(pictures, text(header=("path", "label", "user"), rows=rows))

    assert open_dataset(DataConfig(source, group="user")).groups.tolist() == [
        0,
        1,
        0,
        1,
    ]


@pytest.mark.parametrize("other", ["./a.jpg", "deep/../a.jpg", ".\\a.jpg"])
def test_one_file_under_two_spellings_is_found(other, pictures):
    source = write(pictures, text(rows=[*ROWS, (other, "pos")]))

    with pytest.raises(DataError, match=r"names one file twice, as 'a\.jpg' and as"):
        open_dataset(DataConfig(source))


REFUSED = {
    "no header": (
        text().split("\n", 1)[1],
        r"begins with a\.jpg, pos.*write path,label",
    ),
    "no path": (text(header=("url", "label")), r"like a path.*--columns path=COLUMN"),
    "no label": (
        text(header=("path", "mood")),
        r"like a label.*--columns label=COLUMN",
    ),
    "an empty path": (text(rows=[*ROWS, ("", "pos")]), r"has no path in row 5"),
    "nothing": ("", r"t\.csv is empty; a table begins with"),
    "a header only": (text(rows=[]), r"holds no pictures"),
    "one class": (text(rows=ROWS[::2]), r"holds one class only, 'positive'"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_read_is_refused_in_one_line(case, pictures):
    content, said = REFUSED[case]

    with pytest.raises(PixsentError, match=said) as caught:
        open_dataset(DataConfig(write(pictures, content)))
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (
            ("path=gone",),
            r"has no column 'gone', which --columns names; it has path, l",
        ),
        (("lable=label",), r"knows no 'lable'; the nearest is 'label'"),
        (("label",), r"--columns 'label' is not of the form NAME=VALUE"),
    ],
)
def test_columns_that_are_not_there_are_refused(columns, said, pictures):
    with pytest.raises(ConfigError, match=said):
        open_dataset(DataConfig(write(pictures, text()), columns=columns))


@pytest.mark.parametrize("name", ["t.xlsx", "t.json", "t.feather"])
def test_tables_that_are_not_read_are_named_for_what_they_are(name, pictures):
    with pytest.raises(DataError, match=rf"{name} is a table of a kind .*; save it"):
        open_dataset(DataConfig(write(pictures, "x", name)))


GIVEN = ("path", "label", "split", "fold", "weight", "votes_neg", "votes_pos")
CELLS = [
    *(("Train", "0", "1", "1", "4"), ("training", "1", "0.5", "3", "2")),
    *(("test", "0", "2", "0", "5"), ("test", "1", "1", "4", "1")),
]


def given(pictures, **changed):
    cells = [list(row) for row in CELLS]
    for name, column in changed.items():
        for row, cell in zip(cells, column, strict=True):
            row[GIVEN.index(name) - 2] = cell
    rows = [(*row, *own) for row, own in zip(ROWS, cells, strict=True)]
    return write(pictures, text(header=GIVEN, rows=rows))


def test_splits_folds_weights_and_votes_of_a_table_are_used(pictures):
    heard = Heard()

    dataset = open_dataset(DataConfig(given(pictures)), progress=heard)

    assert dataset.splits.tolist() == ["train", "train", "test", "test"]
    assert dataset.divided.tolist() == [False, False, True, True]
    assert dataset.folds.tolist() == [1, 2, 1, 2]
    assert dataset.weights.tolist() == [1, 0.5, 2, 1]
    assert dataset.votes.tolist() == [[1, 4], [3, 2], [0, 5], [4, 1]]
    told = "\n".join(heard.lines)
    for said in (
        "splits train 2, test 2; fit trains on train and tests on test",
        "2 folds of 2 pictures, 0 to 1 as 1 to 2",
        "its weights, 0.5 to 2, count in training",
    ):
        assert said in told


def test_a_column_is_left_alone_on_demand(pictures):
    data = DataConfig(given(pictures), columns=("fold=", "split="))
    dataset = open_dataset(data)

    assert dataset.folds is None
    assert dataset.splits is None


def test_a_column_called_split_that_is_none_is_left_alone_and_named(pictures):
    source = given(pictures, split="xyxy")
    heard = Heard()

    assert open_dataset(DataConfig(source), progress=heard).splits is None
    assert any(
        "column of splits holds 'x', and is left alone" in x for x in heard.lines
    )
    with pytest.raises(DataError, match=r"has the split 'x'; a split is train, val or"):
        open_dataset(DataConfig(source, columns=("split=split",)))


def test_votes_alone_are_labels_and_ties_are_left_out(pictures):
    rows = [
        (name, *v) for (name, _), v in zip(ROWS, ("14", "32", "22", "50"), strict=True)
    ]
    source = write(pictures, text(header=("path", "votes neg", "votes pos"), rows=rows))
    heard = Heard()

    dataset = open_dataset(DataConfig(source), progress=heard)

    assert dataset.labels.tolist() == [1, 0, 0]
    assert dataset.votes.tolist() == [[1, 4], [3, 2], [5, 0]]
    assert any("left out 1 (tied votes)" in x for x in heard.lines)


@pytest.mark.parametrize(
    ("column", "cells", "said"),
    [
        (
            "weight",
            ("1", "x", "1", "1"),
            r"the weight 'x' in the row of grün\.jpg; it is",
        ),
        ("weight", ("1", "-1", "1", "1"), r"the weight '-1' .* a number from 0 up"),
        ("votes_pos", ("1", "", "1", "1"), r"the votes_pos '' in the row of grün\.jpg"),
    ],
)
def test_a_cell_that_is_no_number_is_named(column, cells, said, pictures):
    with pytest.raises(DataError, match=said):
        open_dataset(DataConfig(given(pictures, **{column: cells})))


def test_an_empty_fold_is_no_fold_and_that_is_said(pictures):
    heard = Heard()
    source = given(pictures, fold=("1", "2", "", "2"))

    assert open_dataset(DataConfig(source), progress=heard).folds.tolist() == [
        1,
        2,
        0,
        2,
    ]
    assert any(re.search("; in none 1, which neither", line) for line in heard.lines)


def test_weights_that_are_all_nothing_are_refused(pictures):
    with pytest.raises(DataError, match=r"only weights of 0; .*--columns weight="):
        open_dataset(DataConfig(given(pictures, weight="0000")))


def test_pictures_within_a_table_are_named_for_what_they_are(pictures):
    rows = [({"bytes": b"x", "path": name}, label) for name, label in ROWS]
    parquet(pictures / "t.parquet", rows, ("image", "label"))

    with pytest.raises(DataError, match="holds the pictures themselves where pa"):
        open_dataset(DataConfig(str(pictures / "t.parquet")))


def test_two_columns_of_one_name_are_refused(pictures):
    rows = [(*row, "x") for row in ROWS]
    source = write(pictures, text(header=("path", "label", "label"), rows=rows))

    with pytest.raises(DataError, match=r"has two columns 'label'; take one of them"):
        open_dataset(DataConfig(source))


def test_an_absolute_path_is_another_spelling(pictures, monkeypatch):
    monkeypatch.chdir(pictures)
    write(pictures, text(rows=[*ROWS, (f"{pictures}/a.jpg", "pos")]))

    with pytest.raises(DataError, match=r"names one file twice, as 'a\.jpg' and as"):
        open_dataset(DataConfig("t.csv"))


def test_the_category_of_what_was_rated_is_no_label(pictures):
    rows = [(n, c, v) for (n, _), c, v in zip(ROWS, "abab", "6126", strict=True)]
    source = write(pictures, text(header=("image", "category", "valence"), rows=rows))

    dataset = open_dataset(DataConfig(source))

    assert dataset.class_names == ("negative", "positive")
    assert dataset.labels.tolist() == [1, 0, 0, 1]


def test_annotators_who_spell_a_class_otherwise_agree(pictures):
    rows = [("a.jpg", "NEG", "x"), ("a.jpg", "0", "y"), ("a.jpg", "pos", "z")]
    rows += [("d.jpg", "1", "x"), ("deep/c.jpg", "skip", "x"), ("grün.jpg", "", "x")]
    header = ("path", "label", "annotator")
    heard = Heard()

    source = write(pictures, text(header=header, rows=rows))
    dataset = open_dataset(DataConfig(source), progress=heard)

    assert dataset.ids == ("a.jpg", "d.jpg")
    assert dataset.labels.tolist() == [0, 1]
    assert "t.csv: left out 2 (skipped, or tied)" in heard.lines
