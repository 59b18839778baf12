"""Which model is asked about which picture, and what is kept of its answers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from PIL import Image

from pixsent_tf.config import DataConfig, PreprocessConfig, Recipe
from pixsent_tf.data.table import Dataset
from pixsent_tf.errors import ConfigError, DataError
from pixsent_tf.inference.model import SentimentModel
from pixsent_tf.inference.predictions import Predictions
from pixsent_tf.models.output import RatingOutput
from pixsent_tf.progress import NO_PROGRESS
from pixsent_tf.runs import Run
from pixsent_tf.studies.subjects import Subject, open_model, open_run

# Inside, edge on the left, label, split. The first and the fourth test picture are
# empty files.
ROWS = (
    ("g", 90, 90, "negative", "test"),
    ("a", 20, 20, "positive", "train"),
    ("f", 150, 30, "positive", "test"),
    ("b", 60, 250, "negative", "test"),
    ("e", 99, 99, "positive", "test"),
    ("c", 200, 200, "negative", "val"),
    ("d", 110, 230, "negative", "test"),
)
EMPTY = ("g", "e")


def write_model(path: Path, names: tuple[str, ...], middle: float = 100) -> None:
    """A network whose first class is as probable as a picture is bright."""
    crops = keras.Input((8, 8, 3), name="crops")
    dense = keras.layers.Dense(len(names), name="logits")
    logits = dense(keras.layers.GlobalAveragePooling2D()(crops))
    kernel, bias = np.zeros((3, len(names))), np.zeros(len(names))
    kernel[:, 0], bias[0] = 1 / 120, -middle / 40
    dense.set_weights([kernel, bias])
    network = keras.Model(crops, logits)
    SentimentModel.build(network, PreprocessConfig(10, 8), names).save(path)


def prob(mean: float, middle: float = 100) -> float:
    return float(1 / (1 + np.exp((middle - mean) / 40)))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures, their table, and models whose classes are against the alphabet."""
    folder = tmp_path_factory.mktemp("subjects")
    lines, split = ["path,label"], ["path,label,split"]
    for name, inside, edge, label, part in ROWS:
        pixels = np.full((10, 10, 3), inside, dtype="uint8")
        pixels[:, 0] = edge
        Image.fromarray(pixels).save(folder / f"{name}.png")
        if name in EMPTY:
            (folder / f"{name}.png").write_bytes(b"")
        lines.append(f"{name}.png,{label}")
        split.append(f"{name}.png,{label},{part}")
    (folder / "all.csv").write_text("\n".join(lines))
    (folder / "split.csv").write_text("\n".join(split))
    write_model(folder / "model.keras", ("positive", "negative"))
    write_model(folder / "shy.keras", ("positive", "negative"), middle=180)
    return folder


def ask(
    home: Path, model: str | Path, table: str = "split.csv", **more: Any
) -> Subject:
    data = DataConfig(str(home / table))
    asked = {"ten_crop": False, "progress": NO_PROGRESS, **more}
    return open_model(home / model, data, **asked)


def test_only_what_tests_is_asked_and_rows_after_a_broken_one_stay(home: Path) -> None:
    found = ask(home, "model.keras")

    said = found.predictions
    assert said.ids == ("f.png", "b.png", "d.png")
    assert said.class_names == ("positive", "negative")
    assert said.labels is not None
    assert said.labels.tolist() == [0, 1, 1]
    np.testing.assert_allclose(
        said.probs[:, 0], [prob(150), prob(60), prob(110)], atol=1e-4
    )
    assert [(one.id, one.label) for one in said.failures] == [
        ("g.png", 1),
        ("e.png", 0),
    ]
    assert all(one.reason == "empty" for one in said.failures)
    assert all("empty" in one.message for one in said.failures)
    assert found.ten_crop is None
    assert (said.name, found.name) == ("model", "model.keras on split")
    assert found.run is found.recipe is None
    assert found.dataset is not None
    assert len(found.dataset) == 5
    assert list(found.models) == [0]


def test_the_center_is_kept_beside_the_mean_over_ten_crops(home: Path) -> None:
    """Of five crops and their mirrors, two hold the edge: one column of eight."""
    found = ask(home, "model.keras", ten_crop=True)

    center = [prob(150), prob(60), prob(110)]
    edged = [prob((7 * a + b) / 8) for a, b in ((150, 30), (60, 250), (110, 230))]
    mean = [0.6 * c + 0.4 * e for c, e in zip(center, edged, strict=True)]
    assert found.ten_crop is not None
    np.testing.assert_allclose(found.predictions.probs[:, 0], center, atol=1e-4)
    np.testing.assert_allclose(found.ten_crop[:, 0], mean, atol=1e-4)
    np.testing.assert_allclose(found.ten_crop.sum(axis=1), 1, atol=1e-5)


def test_a_table_that_nobody_divided_is_asked_whole(home: Path) -> None:
    assert len(ask(home, "model.keras", "all.csv").predictions.asked) == 7


def test_what_was_found_on_opening_the_pictures_is_told(home: Path) -> None:
    (home / "odd.csv").write_text("path,label\na.png,NEG\nb.png,pos")

    (note,) = ask(home, "model.keras", "odd.csv").notes

    assert "NEG" in note


def test_pictures_of_which_none_can_be_read_are_refused(home: Path) -> None:
    (home / "bad.csv").write_text("path,label\ng.png,negative\ne.png,positive")

    with pytest.raises(DataError, match="None of the pictures of bad can be read"):
        ask(home, "model.keras", "bad.csv")


@pytest.mark.parametrize("labels", [("sky", "fog"), ("sky", "hay")])
def test_classes_that_are_other_or_fewer_than_the_models_are_refused(
    home: Path, labels: tuple[str, str]
) -> None:
    if not (home / "three.keras").is_file():
        write_model(home / "three.keras", ("sky", "sea", "fog"))
    (home / "two.csv").write_text(f"path,label\na.png,{labels[0]}\nb.png,{labels[1]}")

    with pytest.raises(DataError, match=r"the model sky, sea, fog; name them"):
        ask(home, "three.keras", "two.csv")


def test_a_threshold_needs_ratings_on_one_side(home: Path) -> None:
    with pytest.raises(ConfigError, match=r"^--threshold divides ratings, and neither"):
        ask(home, "model.keras", threshold=4.0)


def test_a_model_of_ratings_answers_at_a_threshold_and_is_refused_without(
    home: Path, tmp_path: Path
) -> None:
    plain = SentimentModel.load(home / "model.keras")
    rating = RatingOutput(("valence", "arousal"), (1.0, 7.0), (0.5, 0.5))
    rated = tmp_path / "rated.keras"
    SentimentModel.wrap(plain.classifier, plain.preprocessor.config, rating).save(rated)

    found = ask(home, rated, threshold=4.0)

    assert found.predictions.class_names == ("negative", "positive")
    with pytest.raises(ConfigError, match="answers with ratings"):
        ask(home, rated)


def test_a_threshold_divides_the_pictures_of_a_model_of_classes(home: Path) -> None:
    (home / "rated.csv").write_text(
        "path,valence,valence_sd,valence_n\na.png,4,1,9\nb.png,3.9,1,9\nc.png,6,1,9"
    )

    found = ask(home, "model.keras", "rated.csv", threshold=4.0)

    assert found.predictions.labels is not None
    assert found.predictions.labels.tolist() == [0, 1, 0]


IDS = ("a.png", "b.png", "c.png", "d.png", "f.png")
LABELS = np.array([0, 1, 1, 1, 0])
SAID = Predictions(
    "mine", IDS, np.eye(2)[LABELS] * 0.6 + 0.2, ("positive", "negative"), LABELS
)
FOLDS = np.array([7, 3, 3, 7, 7])


def write_run(home: Path, path: Path, models: dict[str, str], **parts: Any) -> Path:
    run = Run.create(path)
    source = parts.pop("source", "all.csv")
    run.write_recipe(Recipe(data=DataConfig(str(home / source)), seed=5))
    replace(SAID, **parts).write(run)
    for name, model in models.items():
        (path / name).write_bytes((home / model).read_bytes())
    return path


def test_each_fold_has_the_model_that_did_not_train_on_it(
    home: Path, tmp_path: Path
) -> None:
    kept = {"model-fold3.keras": "shy.keras", "model-fold7.keras": "model.keras"}
    found = open_run(write_run(home, tmp_path / "run", kept, folds=FOLDS))

    assert sorted(found.models) == [3, 7]
    white = np.full((1, 10, 10, 3), 140, dtype="uint8")
    for place, middle in enumerate((100, 180, 180, 100, 100)):
        model = found.model_of(place)
        assert model is not None
        assert model.probs(white)[0, 0] == pytest.approx(prob(140, middle), abs=1e-4)
    assert (found.name, found.notes) == ("run", [])
    assert found.recipe is not None
    assert found.recipe.seed == 5
    assert found.predictions.ids == IDS
    assert found.paths() == [str(home / name) for name in IDS]


@pytest.mark.parametrize("missing", ["model-fold3.keras", "model-fold7.keras"])
def test_the_model_of_all_folds_stands_for_none_that_is_missing(
    home: Path, tmp_path: Path, missing: str
) -> None:
    """`model.keras` of a cross-validation has seen every picture."""
    names = {"model-fold3.keras", "model-fold7.keras", "model.keras"} - {missing}
    kept = dict.fromkeys(names, "model.keras")
    found = open_run(write_run(home, tmp_path / "run", kept, folds=FOLDS))

    assert found.models == {}
    assert found.model_of(2) is None
    assert [note[:21] for note in found.notes] == ["The run kept no model"]


def test_a_single_part_is_tested_by_the_model_of_the_run(
    home: Path, tmp_path: Path
) -> None:
    kept = {"model.keras": "model.keras"}
    found = open_run(write_run(home, tmp_path / "run", kept, folds=FOLDS * 0 + 4))

    assert list(found.models) == [0]
    assert found.model_of(3) is found.models[0]
    assert found.notes == []
    bare = open_run(write_run(home, tmp_path / "bare", {}, source="gone.csv"))
    assert bare.models == {}
    assert bare.dataset is None
    assert bare.paths() == [None] * 5
    assert bare.groups() is None
    assert bare.notes[0].startswith("The pictures are not to be had any more: ")
    assert len(bare.notes) == 2


def test_files_and_groups_go_by_the_names_of_pictures(home: Path) -> None:
    ids = ("d.png", "b.png", "a.png", "f.png")
    dataset = Dataset(
        name="some",
        ids=ids,
        paths=tuple(f"/x/{name}" for name in ids),
        labels=np.array([1, 1, 0, 0]),
        class_names=("positive", "negative"),
        groups=np.array([8, 6, 5, 6]),
    )
    one = Subject("mine", SAID, dataset, {}, None, None, [])

    assert one.paths() == ["/x/a.png", "/x/b.png", None, "/x/d.png", "/x/f.png"]
    groups = one.groups()
    assert groups is not None
    assert groups[[0, 1, 3, 4]].tolist() == [5, 6, 8, 6]
    assert groups[2] < 0


@pytest.mark.parametrize(("folds", "seen"), [(None, 2), (FOLDS, 6)])
def test_pictures_that_trained_the_model_are_counted(
    home: Path, tmp_path: Path, folds: np.ndarray | None, seen: int
) -> None:
    """Of all seven, a run that tests five trains two; each fold's others train all."""
    (home / "new.csv").write_text(
        (home / "all.csv").read_text().replace("c.png", "other/c.png")
    )
    (home / "other").mkdir(exist_ok=True)
    (home / "other" / "c.png").write_bytes((home / "c.png").read_bytes())
    kept = {"model.keras": "model.keras"}
    path = write_run(home, tmp_path / "run", kept, folds=folds)

    found = ask(home, path, "new.csv")

    assert found.notes == [
        f"{seen} of these 7 pictures trained this model: the numbers flatter it."
    ]
    assert found.run is not None
    assert found.recipe is not None
    assert found.recipe.seed == 5


def test_no_picture_that_only_tested_is_told_of(home: Path, tmp_path: Path) -> None:
    (home / "few.csv").write_text("path,label\na.png,positive\nd.png,negative")
    kept = {"model.keras": "model.keras"}

    assert ask(home, write_run(home, tmp_path / "a", kept), "few.csv").notes == []
    gone = write_run(home, tmp_path / "b", kept, source="gone.csv")
    assert ask(home, gone, "few.csv").notes == []
