"""Do tables tell the source of their pictures? What else they tell: test_sources."""

from __future__ import annotations

import pytest

from pixsent_tf.config import DataConfig
from pixsent_tf.data.sources import open_dataset
from pixsent_tf.errors import DataError


def write(folder, *sources):
    lines = ["path,label,source"]
    for number, source in enumerate(sources):
        (folder / f"{number}.png").touch()
        lines.append(f"{number}.png,{number % 2},{source}")
    (folder / "table.csv").write_text("\n".join(lines))
    return DataConfig(str(folder / "table.csv"))


def test_a_column_source_tells_where_each_picture_comes_from(tmp_path):
    dataset = open_dataset(write(tmp_path, "web", "album", "web"))

    assert dataset.sources.tolist() == [0, 1, 0]
    assert dataset.source_names == ("web", "album")
    assert dataset.take([1, 2]).sources.tolist() == [1, 0]


def test_one_source_for_all_is_none(tmp_path):
    assert open_dataset(write(tmp_path, "web", "web")).sources is None


def test_a_picture_without_a_source_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"gives '1\.png' no source; fill the column"):
        open_dataset(write(tmp_path, "web", ""))
