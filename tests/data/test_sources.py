"""Is every source opened, and every wrong one refused in one line?"""

from __future__ import annotations

import pytest
from deepsent_files import write_deepsent

from pixsent_tf.config import DataConfig
from pixsent_tf.data.lists.labelled import open_list
from pixsent_tf.data.sources import open_dataset
from pixsent_tf.errors import ConfigError, DataError, PixsentError


def write_folder(root, **classes):
    for name, files in classes.items():
        (root / name).mkdir(parents=True)
        for file in files:
            (root / name / file).parent.mkdir(exist_ok=True)
            (root / name / file).touch()
    return root


def test_subfolders_are_classes_and_pictures_may_lie_deeper(tmp_path):
    write_folder(tmp_path, positive=["b.JPG", "deep/a.png"], negative=["c.webp"])

    dataset = open_dataset(DataConfig(str(tmp_path)))

    assert dataset.ids == ("negative/c.webp", "positive/b.JPG", "positive/deep/a.png")
    assert dataset.labels.tolist() == [0, 1, 1]
    assert dataset.class_names == ("negative", "positive")


def test_broken_link_in_a_folder_is_a_picture_that_cannot_be_read(tmp_path):
    write_folder(tmp_path, a=["1.jpg"], b=["2.jpg"])
    (tmp_path / "a/gone.jpg").symlink_to("nowhere.jpg")

    assert open_dataset(DataConfig(str(tmp_path))).ids[1] == "a/gone.jpg"


def test_list_gives_names_with_spaces_and_labels(tmp_path):
    for name in ("my cat.jpg", "b.jpg"):
        (tmp_path / name).touch()
    (tmp_path / "list.txt").write_text("my cat.jpg 1\n\nb.jpg 0\n")

    dataset = open_dataset(DataConfig(str(tmp_path / "list.txt")))

    assert dataset.ids == ("my cat.jpg", "b.jpg")
    assert dataset.labels.tolist() == [1, 0]
    assert dataset.class_names == ("negative", "positive")


@pytest.mark.parametrize(("name", "comma"), [("t.csv", ","), ("t.tsv", "\t")])
def test_table_gives_class_names(name, comma, tmp_path):
    write_folder(tmp_path, pictures=["a.jpg", "b.jpg"])
    lines = [("label", "path", "more"), ("joy", "a.jpg", ""), ("awe", "b.jpg", "x")]
    (tmp_path / name).write_text("\n".join(comma.join(line) for line in lines))

    dataset = open_dataset(
        DataConfig(str(tmp_path / name), images=str(tmp_path / "pictures"))
    )

    assert (dataset.ids, dataset.class_names) == (("a.jpg", "b.jpg"), ("awe", "joy"))
    assert dataset.labels.tolist() == [1, 0]


def test_deepsent_folder_opens_at_five_agrees_by_default(tmp_path):
    dataset = open_dataset(DataConfig(str(write_deepsent(tmp_path / "deep"))))

    assert (dataset.name, len(dataset)) == ("deep-five_agrees", 20)


def test_missing_source_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"gone does not exist; give a folder with one"):
        open_dataset(DataConfig(str(tmp_path / "gone")))


def test_empty_folder_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"needs one subfolder per class.* it has none"):
        open_dataset(DataConfig(str(tmp_path)))


def test_folder_with_one_class_is_refused(tmp_path):
    write_folder(tmp_path, happy=["a.jpg"])

    with pytest.raises(DataError, match=r"two or more; it has only 'happy'"):
        open_dataset(DataConfig(str(tmp_path)))


def test_class_without_pictures_is_refused(tmp_path):
    write_folder(tmp_path, happy=["a.jpg"], sad=["notes.txt"])

    with pytest.raises(
        DataError, match=r"sad holds no pictures; remove it or add some"
    ):
        open_dataset(DataConfig(str(tmp_path)))


def test_list_that_names_missing_files_is_refused(tmp_path):
    (tmp_path / "list.txt").write_text("gone.jpg 1\nlost.jpg 0\n")

    with pytest.raises(
        DataError, match=r"list.txt names 2 of 2 files .* first .*gone.jpg"
    ):
        open_dataset(DataConfig(str(tmp_path / "list.txt")))


def test_line_without_a_label_is_named_by_number(tmp_path):
    (tmp_path / "list.txt").write_text("a.jpg 1\nb.jpg\n")

    with pytest.raises(DataError, match=r"list.txt:2 reads 'b.jpg'; a line is"):
        open_dataset(DataConfig(str(tmp_path / "list.txt")))


def test_table_without_its_columns_is_refused(tmp_path):
    (tmp_path / "t.csv").write_text("url,class\na.jpg,x\n")

    with pytest.raises(DataError, match=r"columns url, class; none is called like a p"):
        open_dataset(DataConfig(str(tmp_path / "t.csv")))


def test_subset_of_a_source_that_has_none_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"has no level 'five_agrees'"):
        open_dataset(DataConfig(str(tmp_path), level="five_agrees"))


def test_every_refusal_is_one_line(tmp_path):
    (tmp_path / "list.txt").write_text("gone.jpg 1\n")
    for source in (tmp_path, tmp_path / "gone", tmp_path / "list.txt"):
        with pytest.raises(PixsentError, match=r"^[^\n]+$"):
            open_dataset(DataConfig(str(source)))


def test_labels_of_several_annotators_are_what_most_say(colored_folder, tmp_path):
    names = sorted(str(path) for path in colored_folder.glob("*/0[0-2].png"))
    said = ("nnp", "pps", "ss", "np", "p", "pp")
    words = {"n": "negative", "p": "positive", "s": "skip"}
    lines = [
        f"{name},{words[letter]},{who},0.5,1.0"
        for name, letters in zip(names, said, strict=True)
        for who, letter in enumerate(letters)
    ]
    head = "path,label,annotator,probability,seconds"
    (tmp_path / "labels.csv").write_text("\n".join([head, *lines]) + "\n")

    dataset = open_list(tmp_path / "labels.csv", tmp_path)

    found = dict(zip(dataset.ids, dataset.labels.tolist(), strict=True))
    assert found == {names[0]: 0, names[1]: 1, names[4]: 1, names[5]: 1}


def test_several_sources_take_the_settings_that_they_know(tmp_path):
    deepsent = write_deepsent(tmp_path / "deep")
    write_folder(tmp_path / "own", negative=["a.jpg"], positive=["b.jpg"])
    data = DataConfig(
        str(tmp_path / "own"),
        level="three_agrees",
        group="user",
        more_sources=(str(deepsent),),
    )

    dataset = open_dataset(data)

    assert dataset.source_names == ("own", "deep-three_agrees")
    assert dataset.ids[:2] == ("negative/a.jpg", "positive/b.jpg")
    alone = open_dataset(DataConfig(str(deepsent), level="three_agrees", group="user"))
    assert dataset.ids[2:] == alone.ids
    names = [dataset.group_names[number] for number in dataset.groups]
    assert names[:2] == ["", ""]
    assert names[2] == f"deep-three_agrees/{alone.group_names[alone.groups[0]]}"


def test_a_setting_that_no_source_knows_is_refused(tmp_path):
    for name in ("one", "two"):
        write_folder(tmp_path / name, a=["1.jpg"], b=["2.jpg"])
    data = DataConfig(
        str(tmp_path / "one"),
        level="five_agrees",
        more_sources=(str(tmp_path / "two"),),
    )

    with pytest.raises(ConfigError, match=r"None of .*two knows data\.level='five_agr"):
        open_dataset(data)


@pytest.mark.parametrize("source", ["smileys", "tfds:anything", "folder"])
def test_a_folder_of_a_list_is_refused_where_there_is_no_list(source, tmp_path):
    if source == "folder":
        write_folder(tmp_path, positive=["a.jpg"], negative=["b.jpg"])
        source = str(tmp_path)

    with pytest.raises(ConfigError, match=r"data\.images='x' does nothing with"):
        open_dataset(DataConfig(source, images="x"))


def test_a_set_of_tensorflow_datasets_has_no_level():
    with pytest.raises(ConfigError, match="tfds:anything has no level"):
        open_dataset(DataConfig("tfds:anything", level="five_agrees"))
