import csv
import hashlib

import numpy as np
import pytest
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from pixsent_tf.data.sample.smileys import draw_smiley, write_smileys


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    folder = tmp_path_factory.mktemp("smileys")
    return folder, write_smileys(folder)


def rows(table):
    with table.open(newline="") as file:
        return list(csv.DictReader(file))


def fingerprint(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }


def test_the_sample_has_four_hundred_faces_of_which_55_percent_smile(sample):
    folder, table = sample
    labels = [row["label"] for row in rows(table)]

    assert len(list(folder.glob("negative/*.jpg"))) == labels.count("negative") == 180
    assert len(list(folder.glob("positive/*.jpg"))) == labels.count("positive") == 220


def test_one_seed_gives_the_same_bytes_and_another_gives_others(tmp_path):
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        write_smileys(tmp_path / name, count=6, seed=seed)
    first, again, other = (fingerprint(tmp_path / name) for name in "abc")

    assert first == again
    assert not set(first.values()) & set(other.values())


def test_a_sample_that_is_there_is_left_alone(tmp_path):
    table = write_smileys(tmp_path, count=4)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.*")}

    assert write_smileys(tmp_path, count=4) == table
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.*")} == before


def test_another_sample_replaces_the_one_that_is_there(tmp_path):
    write_smileys(tmp_path, count=8)
    table = write_smileys(tmp_path, count=4, seed=1)

    files = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.jpg")}
    assert files == {row["path"] for row in rows(table)}
    assert len(files) == 4


def test_boxes_lie_inside_the_picture_and_the_mouth_inside_the_lower_face(sample):
    folder, table = sample
    for row in rows(table):
        with Image.open(folder / row["path"]) as image:
            width, height = image.size
        left, top, right, bottom = (
            int(row[f"face_{side}"]) for side in ("left", "top", "right", "bottom")
        )
        assert 0 <= left < right <= width
        assert 0 <= top < bottom <= height
        assert left <= int(row["mouth_left"]) < int(row["mouth_right"]) <= right
        middle = (int(row["mouth_top"]) + int(row["mouth_bottom"])) / 2
        assert (top + bottom) / 2 < middle < bottom


@pytest.mark.parametrize("seed", range(12))
def test_the_label_changes_the_mouth_and_nothing_else(seed):
    sad, happy = draw_smiley(seed, label=0), draw_smiley(seed, label=1)
    differs = np.any(sad.image != happy.image, axis=-1)

    for left, top, right, bottom in (sad.mouth_box, happy.mouth_box):
        differs[top:bottom, left:right] = False

    assert not differs.any()


@pytest.mark.parametrize("seed", range(12))
def test_corners_are_above_the_middle_of_a_positive_mouth_alone(seed):
    # Where the two mouths differ, each is dark where the other shows skin.
    sad, happy = (draw_smiley(seed, label).image.sum(axis=-1) for label in (0, 1))
    darker = {"sad": sad + 60 < happy, "happy": happy + 60 < sad}
    heights = {}
    for name, mask in darker.items():
        rows, columns = np.nonzero(mask)
        # The tilt is a straight slope: what is left of it is the bow.
        slope, level = np.polyfit(columns, rows, 1)
        left, right = np.percentile(columns, [10, 90])
        is_corner = (columns <= left) | (columns >= right)
        bow = rows - (slope * columns + level)
        heights[name] = bow[is_corner].mean()

    assert heights["happy"] < 0 < heights["sad"]  # rows count downward


def test_pixels_alone_do_not_tell_a_linear_classifier_the_label(sample):
    folder, table = sample
    labels = [row["label"] for row in rows(table)]
    pixels = np.stack(
        [
            np.asarray(Image.open(folder / row["path"]).convert("L").reduce(8)).ravel()
            for row in rows(table)
        ]
    )
    classifier = make_pipeline(StandardScaler(), LogisticRegression(C=1e-3))

    assert cross_val_score(classifier, pixels / 255.0, labels, cv=5).mean() < 0.75


def test_other_sizes_show_the_same_scene():
    small, large = draw_smiley(5, 1, size=128), draw_smiley(5, 1, size=256)

    ratio = np.array(large.mouth_box) / np.array(small.mouth_box)

    assert np.abs(ratio - 2).max() < 0.1
