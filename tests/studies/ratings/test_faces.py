"""How far a drawn mouth is bent is learnt; what people said of other faces is not."""

from __future__ import annotations

import pytest

from pixsent_tf.config import DataConfig, Recipe
from pixsent_tf.data.sources import open_dataset
from pixsent_tf.runs import Run
from pixsent_tf.studies.crossval import crossval
from tests.drawn_faces import write_faces

pytestmark = pytest.mark.slow  # 400 pictures through the default network
COUNT = 400


def study(folder, *, shuffled):
    """What three folds tell of the default network's features."""
    (folder / "faces").mkdir()
    table = write_faces(folder / "faces", COUNT, size=224, shuffled=shuffled)
    data = DataConfig(str(table), target=("valence",), scale="1:7", num_folds=3)
    run = Run.create(folder / "run")
    results = crossval(Recipe(data=data), open_dataset(data), run, keep_models=False)
    return results["targets"][0]


def test_the_bend_of_a_mouth_is_recovered_within_the_raters_ceiling(tmp_path):
    found = study(tmp_path, shuffled=False)

    assert 0.75 < found["pearson_r"] < found["ceiling"]["pearson_r"]
    assert found["ceiling"]["rmse"] < found["rmse"] < 0.7 * found["rating_sd"]
    assert found["coverage"]["observed"] == pytest.approx(0.9, abs=0.05)


def test_ratings_of_other_faces_are_not_recovered(tmp_path):
    found = study(tmp_path, shuffled=True)
    low, high = found["pearson_r_null_band"]

    assert low <= found["pearson_r"] <= high
    assert found["rmse"] > 0.97 * found["rating_sd"]
    assert found["coverage"]["observed"] == pytest.approx(0.9, abs=0.05)
