"""Does any image-classification set of TensorFlow Datasets become files?"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tensorflow_datasets as tfds
from deepsent_files import fold_of, label_of, name_of, write_deepsent
from torture import encode, picture

from pixsent_tf.config import DataConfig
from pixsent_tf.data.sources import open_dataset
from pixsent_tf.data.tfds import open_tfds
from pixsent_tf.errors import DataError


class Moods(tfds.core.GeneratorBasedBuilder):
    """Two splits, names of files, pictures in two formats."""

    VERSION = tfds.core.Version("2.0.0")

    def _info(self):
        features = {
            "image": tfds.features.Image(shape=(None, None, 3)),
            "label": tfds.features.ClassLabel(names=["calm", "wild"]),
            "file_name": tfds.features.Text(),
        }
        features = tfds.features.FeaturesDict(features)
        return tfds.core.DatasetInfo(builder=self, features=features)

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples(6), "test": self._generate_examples(2)}

    def _generate_examples(self, count):
        for number in range(count):
            path = Path(self._data_dir_root, f"{number}.jpg")
            path.write_bytes(encode(picture(seed=number), "JPEG"))
            yield number, {"image": path, "label": number % 2, "file_name": path.name}


class Spelled(Moods):
    """Classes that are spelled in another way and in another order."""

    def _info(self):
        features = {
            "image": tfds.features.Image(shape=(None, None, 3)),
            "label": tfds.features.ClassLabel(names=["POS", "neg"]),
            "votes": tfds.features.Tensor(shape=(2,), dtype=np.int64),
        }
        features = tfds.features.FeaturesDict(features)
        return tfds.core.DatasetInfo(builder=self, features=features)

    def _generate_examples(self, count):
        for number, example in super()._generate_examples(count):
            example.pop("file_name")
            yield number, {**example, "votes": [4, 1]}


class TwoPictures(tfds.core.GeneratorBasedBuilder):
    """No classification: two pictures, no label."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        features = {"left": tfds.features.Image(), "right": tfds.features.Image()}
        features = tfds.features.FeaturesDict(features)
        return tfds.core.DatasetInfo(builder=self, features=features)

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples()}

    def _generate_examples(self):
        pixels = np.zeros((4, 4, 3), np.uint8)
        yield 0, {"left": pixels, "right": pixels}


def test_bytes_labels_and_names_are_the_builders(tmp_path):
    dataset = open_tfds("moods", data_dir=tmp_path)

    assert dataset.class_names == ("calm", "wild")
    assert sorted(dataset.ids) == [f"{number}.jpg" for number in range(6)]
    for name, path, label in zip(
        dataset.ids, dataset.paths, dataset.labels, strict=True
    ):
        assert Path(path).read_bytes() == (tmp_path / name).read_bytes()
        assert Path(path).suffix == ".jpeg"
        assert label == int(name[0]) % 2


def test_classes_are_read_as_in_folders_and_tables(tmp_path):
    dataset = open_tfds("spelled", data_dir=tmp_path)

    assert dataset.class_names == ("negative", "positive")
    assert sorted(dataset.labels.tolist()) == [0, 0, 0, 1, 1, 1]
    assert dataset.votes.tolist() == [[1, 4]] * 6
    assert dataset.notes == ("tfds:spelled: reading neg as negative; POS as positive",)


def test_split_can_be_named(tmp_path):
    assert len(open_tfds("moods:test", data_dir=tmp_path)) == 2
    assert len(open_tfds("moods:train+test", data_dir=tmp_path)) == 8


def test_second_time_nothing_is_written(tmp_path):
    first = open_tfds("moods", data_dir=tmp_path)
    times = [Path(path).stat().st_mtime_ns for path in first.paths]

    again = open_tfds("moods", data_dir=tmp_path)

    assert again.ids == first.ids
    assert [Path(path).stat().st_mtime_ns for path in again.paths] == times


def test_votes_and_folds_come_along(tmp_path):
    write_deepsent(tmp_path / "downloads/manual")

    dataset = open_tfds("pixsent_twitter/four_agrees", data_dir=tmp_path)

    numbers = [int(name.split("-")[1][:2]) for name in dataset.ids]
    assert sorted(dataset.ids) == sorted(map(name_of, range(26)))
    assert dataset.folds.tolist() == [fold_of(number) for number in numbers]
    assert dataset.votes.argmax(axis=1).tolist() == [label_of(n) for n in numbers]


def test_sources_open_it_by_its_prefix(tmp_path, monkeypatch):
    monkeypatch.setattr(
        tfds, "builder", lambda name, data_dir: Moods(data_dir=str(tmp_path))
    )

    assert len(open_dataset(DataConfig("tfds:moods:test"))) == 2


def test_unknown_set_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"TensorFlow Datasets has no 'no_such_set'"):
        open_tfds("no_such_set", data_dir=tmp_path)


def test_unknown_split_is_refused_with_those_there_are(tmp_path):
    with pytest.raises(DataError, match=r"has no split 'val'; it has (train|test), t"):
        open_tfds("moods:val", data_dir=tmp_path)


def test_set_of_another_kind_is_refused(tmp_path):
    with pytest.raises(
        DataError, match=r"has 2 features of the kind Image; one picture"
    ):
        open_tfds("two_pictures", data_dir=tmp_path)


def test_error_of_a_builder_of_ours_stays_one_line(tmp_path):
    manual = tmp_path / "downloads/manual"
    manual.mkdir(parents=True)
    (manual / "other.txt").touch()

    with pytest.raises(DataError, match=r"^[^\n]*manual holds no twitter_[^\n]*$"):
        open_tfds("pixsent_twitter/five_agrees", data_dir=tmp_path)


def test_standard_output_stays_clean(tmp_path, capfd):
    open_tfds("moods", data_dir=tmp_path)

    assert capfd.readouterr().out == ""
