"""A network whose answers are its pictures' colors is asked about others' ratings."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from pixsent_tf.config import DataConfig, PreprocessConfig, Recipe
from pixsent_tf.errors import ConfigError, DataError, RunError
from pixsent_tf.inference.model import SentimentModel
from pixsent_tf.inference.predictions import Failure
from pixsent_tf.inference.rated import RatedTable
from pixsent_tf.models.output import RatingOutput, SentimentOutput
from pixsent_tf.runs import Run
from pixsent_tf.studies.ratings.evaluate import evaluate_ratings, open_rated_run, rates

# name, red, green, valence, arousal; the first and the fourth are no pictures
PICTURES = (
    ("k", 0, 0, 2.0, 6.0),
    ("c", 40, 200, 2.5, 4.0),
    ("h", 120, 80, 3.5, 2.5),
    ("a", 0, 0, 6.0, 1.5),
    ("e", 200, 160, 6.5, 4.5),
    ("d", 160, 20, 5.5, 2.0),
)
BROKEN = ("k", "a")
READ = tuple(row for row in PICTURES if row[0] not in BROKEN)


def build(output: RatingOutput | SentimentOutput) -> SentimentModel:
    """First a fortieth of green, then one and a fortieth of red."""
    crops = keras.Input((8, 8, 3), name="crops")
    pooled = keras.layers.GlobalAveragePooling2D()(crops)
    head = keras.layers.Dense(2, name="logits")
    network = keras.Model(crops, head(pooled))
    head.set_weights([np.array([[0, 1], [1, 0], [0, 0]]) / 40, np.array([0.0, 1.0])])
    return SentimentModel.wrap(network, PreprocessConfig(10, 8), output)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a model of ratings, arousal first."""
    path = tmp_path_factory.mktemp("model") / "colors.keras"
    build(RatingOutput(("arousal", "valence"), (1, 7), (0.5, 1.5))).save(path)
    return path


@pytest.fixture(scope="module")
def classes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a model of classes."""
    path = tmp_path_factory.mktemp("model") / "classes.keras"
    build(SentimentOutput(("sad", "happy"))).save(path)
    return path


def write_table(folder: Path, rows: tuple[tuple[str, int, int, float, float], ...]):
    """Pictures of one color each, and a table that has valence before arousal."""
    folder.mkdir(exist_ok=True)
    lines = ["path,valence,arousal"]
    for name, red, green, valence, arousal in rows:
        path = folder / f"{name}.png"
        if name in BROKEN:
            path.write_bytes(b"no picture")
        else:
            Image.new("RGB", (10, 10), (red, green, 7)).save(path)
        lines.append(f"{path.name},{valence},{arousal}")
    (folder / "rated.csv").write_text("\n".join(lines) + "\n")
    return folder / "rated.csv"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return write_table(tmp_path / "rated", PICTURES)


def write_run(
    folder: Path, table: Path, saved: Path, tested: tuple[str, ...], **settings: object
) -> Run:
    """A finished run on a table, which tested these pictures only."""
    data = DataConfig(str(table), target=("arousal", "valence"), scale="1:7")
    run = Run.create(folder)
    run.write_recipe(Recipe(data=replace(data, **settings), seed=3))
    run.write_json("results.json", {"scale": [1, 7]})
    (run.path / "model.keras").write_bytes(saved.read_bytes())
    count = len(tested)
    RatedTable(
        name="run",
        ids=tested,
        targets=("arousal", "valence"),
        answers=np.linspace(2, 5, 2 * count).reshape(count, 2),
        labels=np.linspace(1, 6, 2 * count).reshape(count, 2),
        low=np.full((count, 2), 1.0),
        high=np.full((count, 2), 5.5),
        failures=(Failure("a.png", "empty", "a.png is empty."),),
    ).write(run)
    return run


def test_answers_and_ratings_stay_together_around_pictures_that_cannot_be_read(
    saved: Path, table: Path
) -> None:
    subject, found = evaluate_ratings(saved, DataConfig(str(table)), scale="1:7")

    said = subject.table
    assert said.name == "colors"
    assert said.targets == ("arousal", "valence")
    wanted = {f"{name}.png": row for name, *row in READ}
    assert sorted(said.ids) == sorted(wanted)
    for i, name in enumerate(said.ids):
        red, green, valence, arousal = wanted[name]
        assert said.labels is not None
        assert said.labels[i].tolist() == [arousal, valence]
        answer = [max(1, green / 40), 1 + red / 40]  # .5 is beyond the scale
        assert said.answers[i] == pytest.approx(answer, abs=1e-4)
        assert said.low is not None
        assert said.high is not None
        lower = [max(1, answer[0] - 0.5), max(1, answer[1] - 1.5)]
        assert said.low[i] == pytest.approx(lower, abs=1e-4)
        upper = [min(7, answer[0] + 0.5), min(7, answer[1] + 1.5)]
        assert said.high[i] == pytest.approx(upper, abs=1e-4)
    assert said.answers.dtype == np.float64
    assert {(one.id, one.reason) for one in said.failures} == {
        ("a.png", "not_an_image"),
        ("k.png", "not_an_image"),
    }
    assert all(one.id in one.message for one in said.failures)
    assert found["unreadable"] == [one.to_json() for one in said.failures]
    assert found["coverage"] == 4 / 6  # of those that were asked
    assert found["num_examples"] == 4
    arousal = found["targets"][0]
    off = np.array([5 - 4, 2 - 2.5, 4 - 4.5, 1 - 2])
    assert arousal["rmse"] == pytest.approx(np.sqrt((off**2).mean()), abs=1e-4)


def test_a_bare_model_is_told_by_its_file_and_has_neither_run_nor_recipe(
    saved: Path, table: Path
) -> None:
    subject, found = evaluate_ratings(saved, DataConfig(str(table)), scale="0:10")

    assert subject.name == f"colors.keras on {subject.dataset.name}"
    assert (subject.run, subject.recipe) == (None, None)
    assert subject.scale == (1, 7)  # the model's, not the pictures'
    assert found["scale"] == [1, 7]
    assert found["notes"] == []
    names = [Path(path).name for path in subject.paths()]
    assert names == list(subject.table.ids)  # those that were read only
    assert all(Path(path).is_file() for path in subject.paths())
    assert replace(subject, dataset=None).paths() == []


def test_intervals_count_groups_where_the_pictures_have_them(
    saved: Path, table: Path
) -> None:
    head, *lines = table.read_text().splitlines()
    rows = [f"{line},g{i // 2}" for i, line in enumerate(lines)]
    table.write_text("\n".join([f"{head},group", *rows]))

    _, found = evaluate_ratings(saved, DataConfig(str(table)))

    assert found["interval_unit"] == "group"


def test_files_of_rated_pictures_that_have_gone_from_the_table_are_passed_over(
    saved: Path, table: Path
) -> None:
    subject, _ = evaluate_ratings(saved, DataConfig(str(table)))
    ids = subject.table.ids
    kept = [i for i, name in enumerate(subject.dataset.ids) if name != ids[1]]

    fewer = replace(subject, dataset=subject.dataset.take(np.array(kept)))

    assert [Path(path).name for path in fewer.paths()] == [ids[0], ids[2], ids[3]]


@pytest.mark.parametrize(
    ("low", "high", "warned"),
    [
        (1.0, 7.0, None),  # the ends belong to the scale
        (0.75, 6.0, "rated from 0.75 to 6.5: look at r only"),
        (1.25, 7.5, "rated from 1.25 to 7.5: look at r only"),
    ],
)
def test_ratings_beyond_the_models_scale_are_warned_of(
    saved: Path, tmp_path: Path, low: float, high: float, warned: str | None
) -> None:
    rows = list(PICTURES)
    rows[1] = (*rows[1][:3], low, 4.0)
    rows[2] = (*rows[2][:4], high)
    table = write_table(tmp_path / "rated", tuple(rows))

    _, found = evaluate_ratings(saved, DataConfig(str(table)), scale="0:10")

    if warned is None:
        assert found["notes"] == []
    else:
        (note,) = found["notes"]
        assert note.startswith("The model answers from 1 to 7, and these pictures")
        assert warned in note


def test_a_scale_of_the_pictures_is_refused_that_does_not_hold_them(
    saved: Path, table: Path
) -> None:
    with pytest.raises(DataError, match="2:5"):
        evaluate_ratings(saved, DataConfig(str(table)), scale="2:5")


def test_pictures_that_trained_the_model_are_counted(
    saved: Path, table: Path, tmp_path: Path
) -> None:
    run = write_run(tmp_path / "run", table, saved, ("e.png", "c.png", "k.png"))
    (tmp_path / "link").symlink_to(tmp_path / "rated")  # the same files
    other = tmp_path / "link" / "other.csv"  # h and d trained it, e tested it
    (tmp_path / "rated" / "new.png").write_bytes(
        (tmp_path / "rated" / "h.png").read_bytes()
    )
    rows = [f"{n}.png,{v},{v}" for n, v in zip("ehdn", (2, 3, 4, 5), strict=True)]
    rows[3] = "new.png,5,5"  # the same bytes as h, another file
    other.write_text("\n".join(["path,valence,arousal", *rows]))

    subject, found = evaluate_ratings(run.path, DataConfig(str(other)))

    assert found["notes"] == [
        "2 of these 4 pictures trained this model: the numbers flatter it."
    ]
    assert subject.name == "run on " + subject.dataset.name
    assert subject.run == run
    assert subject.recipe == run.read_recipe()


def test_pictures_that_the_run_tested_or_never_saw_are_no_matter(
    saved: Path, table: Path, tmp_path: Path
) -> None:
    run = write_run(tmp_path / "run", table, saved, ("c.png", "h.png", "e.png"))
    other = tmp_path / "rated" / "other.csv"
    other.write_text("path,valence,arousal\nh.png,3,4\ne.png,5,2\nc.png,2,2\n")

    _, found = evaluate_ratings(run.path, DataConfig(str(other)))

    assert found["notes"] == []


def test_nothing_is_said_of_training_where_its_pictures_are_gone(
    saved: Path, table: Path, tmp_path: Path
) -> None:
    gone = tmp_path / "gone.csv"
    run = write_run(tmp_path / "run", gone, saved, ("c.png", "h.png", "e.png"))

    _, found = evaluate_ratings(run.path, DataConfig(str(table)), scale="1:7")

    assert found["notes"] == []
    subject = open_rated_run(run.path)
    assert subject.dataset is None
    assert subject.paths() == []
    (note,) = subject.notes
    assert note.startswith("The pictures are not to be had any more: ")
    assert "gone.csv" in note


def test_a_run_is_evaluated_on_what_it_said_of_its_own_test_rows(
    saved: Path, table: Path, tmp_path: Path
) -> None:
    run = write_run(tmp_path / "run", table, saved, ("e.png", "c.png", "d.png"))

    subject, found = evaluate_ratings(run.path, None)

    assert subject.name == "run"
    assert subject.table.ids == ("e.png", "c.png", "d.png")
    assert subject.scale == (1.0, 7.0)
    assert subject.recipe is not None
    assert subject.recipe.seed == 3
    assert found["coverage"] == 3 / 4
    assert [row["id"] for row in found["unreadable"]] == ["a.png"]
    assert found["notes"] == []
    assert len(subject.dataset) == 6
    assert [Path(path).name for path in subject.paths()] == list(subject.table.ids)


def test_a_run_without_ratings_of_raters_or_without_a_scale_is_named(
    saved: Path, table: Path, tmp_path: Path
) -> None:
    run = write_run(tmp_path / "run", table, saved, ("e.png", "c.png"))
    said = run.read_table("predictions.csv")
    names = [name for name in said[0] if not name.startswith("label_")]
    run.write_table("predictions.csv", names, [[row[n] for n in names] for row in said])

    with pytest.raises(RunError, match="run holds no rated predictions to evaluate"):
        evaluate_ratings(run.path, None)
    for broken in ({}, {"scale": [1]}, {"scale": ["low", "high"]}):
        (run.path / "results.json").write_text(json.dumps(broken))
        with pytest.raises(RunError, match=r"results\.json is damaged"):
            open_rated_run(run.path)


def test_a_run_that_answered_nothing_is_named(
    saved: Path, table: Path, tmp_path: Path
) -> None:
    run = write_run(tmp_path / "run", table, saved, ("e.png", "c.png"))
    head, *_, last = (run.path / "predictions.csv").read_text().splitlines()
    (run.path / "predictions.csv").write_text(f"{head}\n{last}\n")

    with pytest.raises(RunError, match="run holds no rated predictions to evaluate"):
        evaluate_ratings(run.path, None)


def test_a_bare_model_is_asked_about_pictures_only(saved: Path) -> None:
    with pytest.raises(ConfigError, match=r"colors\.keras is a bare model; name the"):
        evaluate_ratings(saved, None)


def test_pictures_none_of_which_can_be_read_are_named(saved: Path, table: Path) -> None:
    for path in table.parent.glob("*.png"):
        path.write_bytes(b"")

    with pytest.raises(DataError, match="None of the pictures of rated can be read"):
        evaluate_ratings(saved, DataConfig(str(table)))


def test_a_model_of_classes_is_refused_in_one_line(classes: Path, table: Path) -> None:
    with pytest.raises(ConfigError, match="answers sad or happy and rates nothing"):
        evaluate_ratings(classes, DataConfig(str(table)))


def test_which_models_rate(
    saved: Path, classes: Path, table: Path, tmp_path: Path
) -> None:
    run = write_run(tmp_path / "run", table, saved, ("c.png",))
    plain = Run.create(tmp_path / "plain")
    plain.write_recipe(Recipe(data=DataConfig(str(table))))

    assert rates(saved) is True
    assert rates(classes) is False
    assert rates(run.path) is True
    assert rates(str(plain.path)) is False
    assert not any(map(rates, ("shipped", "shipped-best")))
    with pytest.raises(RunError, match=r"no run folder"):
        rates(tmp_path)
