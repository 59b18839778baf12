from __future__ import annotations

import shutil

import numpy as np
import pytest
from PIL import Image

from pixsent_tf.config import DataConfig, Recipe
from pixsent_tf.errors import ExportError
from pixsent_tf.inference.predictions import Failure
from pixsent_tf.inference.rated import RatedTable
from pixsent_tf.runs import Run
from pixsent_tf.serving import samples as samples_module
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


def test_crops_after_a_broken_picture_keep_their_labels(
    tiny_run, preprocessor, colored_folder, tmp_path
):
    folder = tmp_path / "pictures"
    shutil.copytree(colored_folder, folder)
    (folder / "negative" / "03.png").write_bytes(b"")  # the second that was tested
    whole = read_samples(tiny_run, preprocessor)

    samples = read_samples(tiny_run, preprocessor, source=str(folder))

    assert samples.labels.tolist() == [0] * 3 + [1] * 4
    np.testing.assert_array_equal(
        samples.held_out, np.delete(whole.held_out, 1, axis=0)
    )


def test_of_many_pictures_the_same_few_are_taken_with_their_labels(
    tiny_run, preprocessor, monkeypatch
):
    whole = read_samples(tiny_run, preprocessor)
    monkeypatch.setattr(samples_module, "MAX_HELD_OUT", 3)
    label_of = {
        crop.tobytes(): label
        for crop, label in zip(whole.held_out, whole.labels, strict=True)
    }

    few, again = (read_samples(tiny_run, preprocessor) for _ in "12")

    assert [label_of[crop.tobytes()] for crop in few.held_out] == few.labels.tolist()
    assert len(few.labels) == 3
    np.testing.assert_array_equal(few.held_out, again.held_out)


def test_a_run_whose_pictures_are_not_all_there_is_refused(
    tiny_run, preprocessor, colored_folder, tmp_path
):
    folder = tmp_path / "pictures"
    shutil.copytree(colored_folder, folder)
    (folder / "positive" / "06.png").unlink()

    with pytest.raises(ExportError, match=r"holds 7 of the 8 pictures that .* tested"):
        read_samples(tiny_run, preprocessor, source=str(folder))


def test_another_seed_takes_other_pictures(tiny_run, preprocessor, monkeypatch):
    monkeypatch.setattr(samples_module, "NUM_REPRESENTATIVE", 5)

    first, other = (
        read_samples(tiny_run, preprocessor, seed=seed).training for seed in (1, 2)
    )

    assert len(first) == len(other) == 5
    assert first.tobytes() != other.tobytes()


def test_of_a_rated_run_what_was_asked_without_an_answer_is_held_out_too(
    preprocessor, tmp_path
):
    names = [f"{i}.png" for i in range(8)]
    lines = ["path,valence"]
    for i, name in enumerate(names):
        Image.new("RGB", (20, 20), (20 * i, 0, 0)).save(tmp_path / name)
        lines.append(f"{name},{1 + i / 2}")
    (tmp_path / "ratings.csv").write_text("\n".join(lines))
    run = Run.create(tmp_path / "run")
    source = str(tmp_path / "ratings.csv")
    run.write_recipe(Recipe(data=DataConfig(source=source, target=("valence",))))
    RatedTable(
        name="run",
        ids=("1.png", "6.png"),
        targets=("valence",),
        answers=np.array([[2.0], [5.0]]),
        failures=(Failure("4.png", "empty", "4.png cannot be read: empty."),),
    ).write(run)

    samples = read_samples(run, preprocessor)

    assert samples.labels.tolist() == [[1.5], [3.0], [4.0]]  # of 1, 4 and 6
    assert samples.held_out[:, 0, 0, 0].tolist() == [20, 80, 120]
    assert sorted(samples.training[:, 0, 0, 0].tolist()) == [0, 40, 60, 100, 140]
