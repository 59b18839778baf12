"""Are classes recognized as people spell them, in folders and in tables alike?"""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from pixsent_tf.config import DataConfig
from pixsent_tf.data.class_names import (
    canonical,
    index_labels,
    is_nothing,
    match_classes,
    name_classes,
    order_classes,
)
from pixsent_tf.data.sources import open_dataset
from pixsent_tf.errors import ConfigError, DataError, PixsentError
from tests.heard import Heard

BOTH = ("negative", "positive")
# labels of four pictures; the classes; class indices; what is said, in part
CASES = {
    "as expected": (["negative", "positive"] * 2, BOTH, [0, 1, 0, 1], None),
    "upper case": (["NEGATIVE", "POSITIVE"] * 2, BOTH, [0, 1, 0, 1], "NEGATIVE as neg"),
    "capitals": (["Positive", "Negative"] * 2, BOTH, [1, 0, 1, 0], "Positive as posit"),
    "short": (
        ["neg", "pos"] * 2,
        BOTH,
        [0, 1, 0, 1],
        "neg as negative; pos as positive",
    ),
    "other languages": (
        ["négatif", "positif"] * 2,
        BOTH,
        [0, 1, 0, 1],
        "positif as pos",
    ),
    "zero and one": (
        ["0", "1", "1", "0"],
        BOTH,
        [0, 1, 1, 0],
        "0 as neg.*1 as positive",
    ),
    "minus one": (["-1", "1"] * 2, BOTH, [0, 1, 0, 1], "-1 as negative; 1 as positive"),
    "floats": (["0.0", "1.0"] * 2, BOTH, [0, 1, 0, 1], "0.0 as negative; 1.0 as posit"),
    "with neutral": (
        *(["-1", "0", "1", "1"], ("negative", "neutral", "positive"), [0, 1, 2, 2]),
        "0 as neutral",
    ),
    "sad and happy": (["sad", "happy"] * 2, BOTH, [0, 1, 0, 1], "sad as negative"),
    "truth": (
        ["False", "True"] * 2,
        BOTH,
        [0, 1, 0, 1],
        "False as neg.*True as positive",
    ),
    "four spellings": (
        *(["neg", "Negative", "POS", "positive"], BOTH, [0, 0, 1, 1]),
        "neg and Negative as negative, one class of 2 pictures",
    ),
    "words and numbers": (
        ["0", "negative", "1", "pos"],
        BOTH,
        [0, 0, 1, 1],
        "one class",
    ),
    "others are left": (
        ["joy", "awe", "joy", "awe"],
        ("awe", "joy"),
        [1, 0, 1, 0],
        None,
    ),
    "others are merged": (
        *(["Joy", "joy", "joy", "awe"], ("awe", "joy"), [1, 1, 1, 0]),
        "Joy and joy as joy, one class of 3 pictures",
    ),
    "stars stay stars": (["1", "2", "10", "2"], ("1", "2", "10"), [0, 1, 2, 1], None),
    "one word of a pair": (
        *(["happy", "angry", "sad", "sad"], ("angry", "happy", "sad"), [1, 0, 2, 2]),
        None,
    ),
    "a third class": (
        *(["pos", "neg", "mixed", "mixed"], ("mixed", *BOTH), [2, 1, 0, 0]),
        "neg as negative; pos as positive",
    ),
}


def write_table(folder, labels, name="t.csv", more=""):
    for i in range(len(labels)):
        (folder / f"{i}.jpg").touch()
    rows = [f'{i}.jpg,"{label}"' for i, label in enumerate(labels)]
    (folder / name).write_text("\n".join(["path,label", *rows]) + "\n")
    return str(folder / name)


def write_folders(folder, labels):
    for i, label in enumerate(labels):
        (folder / label).mkdir(exist_ok=True)
        (folder / label / f"{i}.jpg").touch()
    return str(folder)


@pytest.mark.parametrize("kind", ["table", "folder"])
@pytest.mark.parametrize("case", CASES)
def test_spellings_become_classes_and_that_is_said(case, kind, tmp_path):
    labels, class_names, indices, said = CASES[case]
    source = (write_table if kind == "table" else write_folders)(tmp_path, labels)
    heard = Heard()

    dataset = open_dataset(DataConfig(source), progress=heard)

    assert dataset.class_names == class_names
    number = [int(name[-5]) for name in dataset.ids]
    assert dataset.labels.tolist() == [indices[i] for i in number]
    if said is None:
        assert not heard.lines
    else:
        (line,) = heard.lines
        assert line == dataset.notes[0]
        if kind == "table":  # a folder is sorted
            assert re.search(said, line), line


def test_spaces_around_a_label_are_no_part_of_it(tmp_path):
    source = write_table(tmp_path, ["NEGATIVE ", " positive", "negative", "positive"])

    assert open_dataset(DataConfig(source)).class_names == BOTH


def test_the_user_names_what_no_rule_knows(tmp_path):
    source = write_table(tmp_path, ["gloom", "joy", "Fear", "JOY "])
    data = DataConfig(source, classes=("negative=gloom|fear", "positive=joy"))

    dataset = open_dataset(data)

    assert dataset.labels.tolist() == [0, 1, 0, 1]
    assert dataset.class_names == BOTH


def test_the_user_names_folders_too(tmp_path):
    source = write_folders(tmp_path, ["gloom", "joy"])
    data = DataConfig(source, classes=("negative=gloom", "positive=joy"))

    assert open_dataset(data).class_names == BOTH


def test_a_label_that_is_not_there_cannot_be_renamed(tmp_path):
    data = DataConfig(
        write_table(tmp_path, ["neg", "pos"]), classes=("negative=ngative",)
    )

    with pytest.raises(ConfigError, match=r"no label 'ngative'.*; it has neg, pos\."):
        open_dataset(data)


def test_classes_of_another_form_are_refused():
    with pytest.raises(ConfigError, match=r"--classes 'neg' is not of the form NAME="):
        DataConfig("x", classes=("neg",))


@pytest.mark.parametrize("label", ["", " ", "NaN", "nan", "None", "null", "NA", "<NA>"])
def test_a_missing_label_is_refused_by_its_row(label, tmp_path):
    source = write_table(tmp_path, ["neg", "pos", label, "pos", label])

    with pytest.raises(
        DataError, match=r"has no label in rows 3, 5 \(first 2\.jpg"
    ) as e:
        open_dataset(DataConfig(source))
    assert "--skip-unlabelled" in str(e.value)
    assert is_nothing(label)


def test_a_missing_label_is_left_out_on_demand(tmp_path):
    source = write_table(tmp_path, ["neg", "pos", "", "pos"])
    heard = Heard()

    dataset = open_dataset(DataConfig(source, skip_unlabelled=True), progress=heard)

    assert dataset.ids == ("0.jpg", "1.jpg", "3.jpg")
    assert "left out 1 (no label)" in heard.lines[0]


@pytest.mark.parametrize("option", ["columns", "skip_unlabelled"])
def test_what_only_tables_know_is_refused_for_a_folder(option, tmp_path):
    source = write_folders(tmp_path, ["neg", "pos"])
    value = {"columns": ("path=a",), "skip_unlabelled": True}[option]

    with pytest.raises(PixsentError, match=r"does nothing with .*; only"):
        open_dataset(DataConfig(source, **{option: value}))


def test_classes_of_a_model_are_found_however_they_are_spelled():
    assert match_classes(["negative", "positive"], ["Sad", "Happy"]) == [0, 1]
    assert match_classes(["positive", "negative"], BOTH) == [1, 0]
    assert match_classes(["awe", "positive"], BOTH) is None
    assert canonical(["POS", "NEG"]) == ("positive", "negative")


def test_many_spellings_are_said_on_one_line():
    labels = [f"{' ' * i}cat\n" for i in range(9)]
    (note,) = name_classes([*labels, "dog"], "t.csv").notes

    assert note.isprintable()
    assert "and 4 more as cat, one class of 9 pictures" in note


@pytest.mark.parametrize(
    ("names", "ordered"),
    [
        (["positive", "negative", "positive"], ("negative", "positive")),
        (["10", "9", "-1"], ("-1", "9", "10")),
        (["zebra", "ant", "cow"], ("ant", "cow", "zebra")),
    ],
)
def test_classes_have_a_fixed_order(names, ordered):
    assert order_classes(names) == ordered


def test_of_several_sources_one_at_least_has_a_label_that_is_renamed(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    spelled = write_table(tmp_path / "a", ["negative", "positive"])
    own = write_folders(tmp_path / "b", ["gloom", "joy"])
    classes = ("negative=gloom", "positive=joy")
    data = DataConfig(spelled, more_sources=(own,), classes=classes)

    dataset = open_dataset(data)

    assert dataset.class_names == BOTH
    assert dataset.labels.tolist() == [0, 1, 0, 1]
    wrong = replace(data, classes=(*classes, "negative=glom"))
    with pytest.raises(ConfigError, match=r"None of .* has the label 'glom', which"):
        open_dataset(wrong)


def test_labels_are_found_among_known_classes_gaps_or_not():
    assert index_labels(["0", "", "1", "NaN"], BOTH) == {"0": 0, "1": 1}
    assert index_labels(["Sad", "happy"], ["happy", "sad"]) == {"Sad": 1, "happy": 0}
    assert index_labels(["awe", "POS"], BOTH) == {"POS": 1}
