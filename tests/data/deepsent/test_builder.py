"""Does `tfds.load("pixsent_twitter/...")` give the files, votes and folds?"""

from __future__ import annotations

from pathlib import Path

import pytest
import tensorflow_datasets as tfds
from deepsent_files import fold_of, label_of, name_of, write_deepsent

import pixsent_tf.data.deepsent  # noqa: F401  registers the builder
from pixsent_tf.data.deepsent import mirror
from pixsent_tf.errors import DataError


def load(config: str, manual: Path, data_dir: Path):
    settings = tfds.download.DownloadConfig(manual_dir=manual)
    return tfds.load(
        f"pixsent_twitter/{config}",
        data_dir=data_dir,
        split="train",
        download_and_prepare_kwargs={"download_config": settings},
        decoders={"image": tfds.decode.SkipDecoding()},
    )


def by_id(examples) -> dict[str, dict]:
    return {row["id"].decode(): row for row in examples.as_numpy_iterator()}


@pytest.mark.parametrize("images", ["images", "Agg_AMT_Candidates"])
@pytest.mark.parametrize("below", [".", "twitter_dataset"])
def test_every_layout_gives_every_file_unchanged(images, below, tmp_path):
    root = write_deepsent(tmp_path / "manual" / below, images)

    rows = by_id(load("four_agrees", tmp_path / "manual", tmp_path / "data"))

    assert sorted(rows) == sorted(name_of(number) for number in range(26))
    for number in range(26):
        row = rows[name_of(number)]
        assert row["image"] == (root / images / name_of(number)).read_bytes()
        assert (row["label"], row["fold"]) == (label_of(number), fold_of(number))
        agreeing = 5 if number < 20 else 4
        assert row["votes"][label_of(number)] == agreeing
        assert row["votes"].sum() == 5


def test_without_published_folds_all_levels_share_stratified_ones(tmp_path):
    write_deepsent(tmp_path / "manual", folds=False)
    # Five folds need five pictures of each class at every level.
    folds = {
        config: {
            name: int(row["fold"])
            for name, row in by_id(
                load(config, tmp_path / "manual", tmp_path / "data")
            ).items()
        }
        for config in ("five_agrees", "three_agrees")
    }

    assert folds["five_agrees"].items() <= folds["three_agrees"].items()
    assert set(folds["five_agrees"].values()) == {1, 2, 3, 4, 5}


def test_description_of_the_features_has_class_names(tmp_path):
    info = tfds.builder("pixsent_twitter/three_agrees", data_dir=tmp_path).info

    assert info.features["label"].names == ["negative", "positive"]
    assert info.supervised_keys == ("image", "label")


def test_manual_folder_of_something_else_is_refused_in_one_line(tmp_path):
    (tmp_path / "manual").mkdir()
    (tmp_path / "manual/readme.txt").write_text("?")

    with pytest.raises(DataError, match=r"manual holds no twitter_.* as manual_dir"):
        load("five_agrees", tmp_path / "manual", tmp_path / "data")


def test_without_a_folder_the_mirror_is_asked(tmp_path, monkeypatch):
    root = write_deepsent(tmp_path / "fetched")
    monkeypatch.setattr(mirror, "fetch", lambda downloads: root)

    rows = by_id(load("five_agrees", tmp_path / "nothing", tmp_path / "data"))

    assert len(rows) == 20
