"""A model that is saved twice is the same file."""

from __future__ import annotations

import subprocess
import sys
import zipfile

import numpy as np

from pixsent_tf.inference.model import SentimentModel

SAVE = (
    "import sys\n"
    "from pathlib import Path\n"
    "import keras\n"
    "from pixsent_tf.inference.model import SentimentModel\n"
    "held = [keras.layers.Dense(3) for _ in range(50)]  # other addresses\n"
    "SentimentModel.load(sys.argv[1]).save(Path(sys.argv[2]))"
)


def test_two_processes_write_the_same_bytes(tiny_model, tmp_path):
    given, *made = (tmp_path / f"{name}.keras" for name in ("given", "one", "other"))
    tiny_model.save(given)
    saving = [subprocess.Popen([sys.executable, "-c", SAVE, given, to]) for to in made]
    assert [each.wait() for each in saving] == [0, 0]

    one, other = (path.read_bytes() for path in made)
    assert one == other


def test_no_time_and_no_address_is_left(tiny_model, tmp_path):
    tiny_model.save(tmp_path / "model.keras")
    with zipfile.ZipFile(tmp_path / "model.keras") as archive:
        times = {info.date_time for info in archive.infolist()}
        config = archive.read("config.json").decode()
        metadata = archive.read("metadata.json").decode()

    assert times == {(1980, 1, 1, 0, 0, 0)}
    assert '"shared_object_id": 0' in config
    assert "date" not in metadata


def test_the_model_is_the_same(tiny_model, tmp_path):
    tiny_model.save(tmp_path / "model.keras")
    again = SentimentModel.load(tmp_path / "model.keras")

    for before, after in zip(
        tiny_model.model.get_weights(), again.model.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(before, after)
