from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from pixsent_tf.errors import ExportError
from pixsent_tf.serving.samples import read_samples


@pytest.fixture
def preprocessor(tiny_model):
    return tiny_model.preprocessor


def test_held_out_pictures_are_those_the_run_tested_on(
    tiny_run, preprocessor, colored_folder
):
    samples = read_samples(tiny_run, preprocessor)

    first = Image.open(colored_folder / "negative" / "00.png")
    crop = first.resize((20, 20), Image.Resampling.BILINEAR).crop((2, 2, 18, 18))
    assert samples.labels.tolist() == [0] * 4 + [1] * 4
    assert abs(samples.held_out[0].astype(int) - np.asarray(crop, int)).max() <= 1


def test_no_training_picture_is_held_out(tiny_run, preprocessor):
    samples = read_samples(tiny_run, preprocessor)

    held_out = {crop.tobytes() for crop in samples.held_out}
    assert len(samples.training) == 16
    assert not held_out & {crop.tobytes() for crop in samples.training}


def test_other_data_than_the_runs_is_refused(tiny_run, preprocessor, tmp_path):
    for label in ("negative", "positive"):
        (tmp_path / label).mkdir()
        Image.new("RGB", (8, 8)).save(tmp_path / label / "other.png")

    with pytest.raises(ExportError, match="holds 0 of the 8 pictures"):
        read_samples(tiny_run, preprocessor, source=str(tmp_path))
