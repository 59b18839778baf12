"""What `adapt` refuses, keeps and says of its choice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pixsent_tf.config import DataConfig, ModelConfig, PreprocessConfig, Recipe
from pixsent_tf.errors import UsageError
from pixsent_tf.inference.model import SentimentModel
from pixsent_tf.models.output import RatingOutput
from pixsent_tf.results.adaptations import AdaptResults, RatingAdaptResults
from pixsent_tf.runs import Run
from pixsent_tf.studies.adapt import adapt, explain
from pixsent_tf.studies.adapting.looked import Came
from pixsent_tf.training.adapting import Loss
from tests.heard import Heard
from tests.studies.adapting.drawn import network

GEOMETRY = PreprocessConfig(10, 8)
BROKEN = 4


def of_classes(recipe: Recipe | None = None) -> SentimentModel:
    names = ("positive", "negative")
    return SentimentModel.build(network(), GEOMETRY, names, recipe=recipe)


def of_ratings() -> SentimentModel:
    output = RatingOutput(("valence", "arousal"), (1.0, 7.5), (1.0, 2.0))
    return SentimentModel.wrap(network(), GEOMETRY, output)


def write_table(folder: Path, count: int, *, rated: bool, broken: bool = False) -> str:
    """Draw pictures by turns red and blue; label or rate them in a table."""
    lines = ["path,valence,arousal" if rated else "path,label"]
    for number in range(count):
        pixels = np.random.default_rng(number).integers(0, 90, (10, 10, 3))
        pixels[..., 2 * (number % 2)] += 120
        Image.fromarray(pixels.astype("uint8")).save(folder / f"{number:02}.png")
        told = f"{2 + number % 2 * 3 + number / 50:.2f},{1 + number / 10:.1f}"
        label = ("negative", "positive")[number % 2]
        lines.append(f"{number:02}.png,{told if rated else label}")
    if broken:
        (folder / f"{BROKEN:02}.png").write_bytes(b"")
    (folder / "told.csv").write_text("\n".join(lines) + "\n")
    return str(folder / "told.csv")


@pytest.mark.parametrize(("count", "missing"), [(9, 1), (7, 3)])
def test_a_table_of_few_ratings_is_refused_by_what_it_lacks(
    tmp_path: Path, count: int, missing: int
) -> None:
    table = write_table(tmp_path, count, rated=True)

    with pytest.raises(
        UsageError,
        match=f"has {count} rated pictures; adapting needs 10: {missing} more",
    ):
        adapt(DataConfig(table), model=of_ratings(), out=tmp_path / "run")

    assert not (tmp_path / "run").exists()


@pytest.fixture(scope="module")
def heard() -> Heard:
    return Heard()


@pytest.fixture(scope="module")
def rated(
    tmp_path_factory: pytest.TempPathFactory, heard: Heard
) -> tuple[AdaptResults | RatingAdaptResults, Run]:
    """Eleven ratings, one of whose pictures is broken: ten are enough."""
    folder = tmp_path_factory.mktemp("rated")
    data = DataConfig(write_table(folder, 11, rated=True, broken=True))
    out = folder / "run"
    told = adapt(data, model=of_ratings(), out=out, seed=3, progress=heard)
    return told, Run.open(out)


def test_ten_readable_ratings_are_enough(
    rated: tuple[AdaptResults | RatingAdaptResults, Run], heard: Heard
) -> None:
    told, run = rated

    assert told["num_labels"] == 10
    assert [one["id"] for one in told["unreadable"]] == ["04.png"]
    assert told["settings_tried"] == 3
    assert told["model"] == "sentiment"  # nothing else is known of it
    assert told["out"] == str(run.path)
    assert run.read_json("results.json") == told
    total = next(total for total, what in heard.steps if what == "adapting")
    assert total == 22  # half for folds, half for all of them
    # eleven are hashed, compared and read; ten are judged once, and all are kept
    assert heard.counts[-1] == 11
    assert sum(heard.counts) == 3 * 11 + 10 + 11


def test_the_recipe_names_the_ratings_that_the_model_was_asked_for(
    rated: tuple[AdaptResults | RatingAdaptResults, Run],
) -> None:
    recipe = rated[1].read_recipe()

    assert recipe.name == "adapted"
    assert recipe.seed == 3
    assert recipe.data.target == ("valence", "arousal")
    assert recipe.data.scale == "1:7.5"
    assert recipe.expected == ()


def test_the_history_has_a_row_of_each_candidate(
    rated: tuple[AdaptResults | RatingAdaptResults, Run],
) -> None:
    told, run = rated
    rows = run.read_table("history.csv")

    assert [row["name"] for row in rows] == ["as-is", "scale", "head"]
    assert list(rows[0]) == ["name", "loss", "gain", "gain_error"]
    for row, one in zip(rows, told["candidates"], strict=True):
        assert float(row["gain"]) == pytest.approx(one["gain_over_head"])


def test_a_model_of_classes_keeps_its_recipe_but_for_data_and_seed(
    tmp_path: Path,
) -> None:
    data = DataConfig(write_table(tmp_path, 12, rated=False))
    known = Recipe(
        name="mine", model=ModelConfig("mobilenet_v2"), expected=(("center", 0.5),)
    )

    told = adapt(data, model=of_classes(known), out=tmp_path / "run", seed=5)

    recipe = Run.open(tmp_path / "run").read_recipe()
    assert told["model"] == "mobilenet_v2"
    assert recipe.model == known.model
    assert (recipe.name, recipe.seed, recipe.expected) == ("adapted", 5, ())
    assert recipe.data.source == data.source
    assert SentimentModel.load(tmp_path / "run").class_names == ("positive", "negative")


def came(model: SentimentModel, choice: str) -> Came:
    losses = (
        Loss("as-is", 0.75, 0.25, 0.125),
        Loss("scale", 0.5, 0.0625, 0.03),
        Loss("head", 0.875, 0.0, 0.0),
    )
    return Came(model, choice, losses, {}, table=None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("choice", "verdict"),
    [
        ("as-is", "the head is worse by 0.250 ± 0.125"),
        ("scale", "the head is worse by 0.062 ± 0.030"),
        ("head", "none of the simpler ones is better by a standard error"),
    ],
)
def test_the_reason_names_the_numbers_of_what_was_chosen(
    choice: str, verdict: str
) -> None:
    what, rated = came(of_classes(), choice), came(of_ratings(), choice)

    assert explain(what) == (
        "log loss on labels that trained nothing: as-is 0.750, scale 0.500, "
        f"head 0.875; {verdict}"
    )
    assert explain(rated).startswith("squared error on labels that trained nothing: as")
