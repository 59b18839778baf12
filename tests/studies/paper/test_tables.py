"""Which rows stand in a table, with whose numbers, and what each is paired with?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.stats import binomtest

from pixsent_tf.config import Recipe
from pixsent_tf.recipes import finetuning, layer_ablation, linear_probes
from pixsent_tf.recipes.finetuning import FIVE, THREE
from pixsent_tf.runs import Run
from pixsent_tf.studies.paper import rows as rows_module
from pixsent_tf.studies.paper import tables
from pixsent_tf.studies.paper.fold_maps import FoldMaps
from pixsent_tf.studies.paper.layer_probes import Probed
from pixsent_tf.studies.paper.plan import Plan
from pixsent_tf.studies.paper.rows import Row, Rows
from pixsent_tf.studies.paper.tables import run_table
from tests.heard import Heard
from tests.studies.paper.drawn_answers import SIZES, DrawnProtocol, answers

FOLDS = (1, 2, 4)  # 5, 21 and 10 pictures
HOMES = np.repeat(FOLDS, [SIZES[fold] for fold in FOLDS])


class Comparable(Rows):
    """Rows of small pictures that are taken for the paper's."""

    def __init__(self, plan: Plan, run: Run, heard: Heard) -> None:
        super().__init__(plan, run, heard)
        self.is_comparable = True

    def majority(self, recipe: Recipe) -> dict[str, float]:
        return {str(recipe.data.level): 0.5 + len(str(recipe.data.level)) / 100}


@pytest.fixture
def protocol(monkeypatch: pytest.MonkeyPatch) -> DrawnProtocol:
    drawn = DrawnProtocol()
    monkeypatch.setattr(rows_module, "run_protocol", drawn)
    return drawn


def study(source: Path, out: Path, **settings: object) -> Comparable:
    settings = {"random_start": True, "folds": FOLDS, **settings}
    return Comparable(Plan(str(source), **settings), Run(out), Heard())  # type: ignore[arg-type]


def right(recipe: Recipe, view: str, seed: int = 0) -> np.ndarray:
    """Which answers are right of what was drawn for a row."""
    found = answers(f"{recipe.name} {seed}", str(recipe.data.level), FOLDS)
    return found.probs[view][np.arange(len(HOMES)), found.labels] == 1


def mean_of_folds(each: np.ndarray) -> float:
    """First within each fold, then over folds, however many pictures they have."""
    return sum(each[fold == HOMES].mean() for fold in FOLDS) / len(FOLDS)


def exact_p(one: np.ndarray, other: np.ndarray) -> float:
    """McNemar's test as the binomial test that it is."""
    first = sum(bool(a) and not b for a, b in zip(one, other, strict=True))
    second = sum(bool(b) and not a for a, b in zip(one, other, strict=True))
    return binomtest(first, first + second).pvalue


def test_a_row_has_the_mean_of_its_folds_by_either_view(
    protocol: DrawnProtocol, colored_folder: Path, tmp_path: Path
) -> None:
    rows = study(colored_folder, tmp_path, only=("caffenet-five", "caffenet-three"))

    table = run_table(rows, "2")

    assert table["title"] == finetuning.TITLE
    assert table["source"] == str(colored_folder)
    assert table["notes"] == rows.notes
    assert [(row["name"], row["view"]) for row in table["rows"]] == [
        ("caffenet-five", "center"),
        ("caffenet-five", "ten_crop"),
        ("caffenet-three", "center"),
        ("caffenet-three", "ten_crop"),
    ]
    assert [row["paper"] for row in table["rows"]] == [0.817, 0.830, 0.739, 0.749]
    recipes = (FIVE, FIVE, THREE, THREE)
    for row, recipe in zip(table["rows"], recipes, strict=True):
        ours = mean_of_folds(right(recipe, row["view"]))
        assert row["ours"] == pytest.approx(ours)
        assert row["ours"] != pytest.approx(right(recipe, row["view"]).mean(), abs=1e-4)
        assert row["paper"] is not None
        assert row["difference"] == pytest.approx(ours - row["paper"])
        assert (row["num_examples"], row["folds"]) == (36, [1, 2, 4])
        assert row["num_repeats"] == 1
    # of each level by its own name: len("five_agrees") is 11
    assert table["majority"] == {"five_agrees": 0.61, "three_agrees": 0.62}
    assert table["missing"] == []
    assert table["remarks"] == [
        "Only some rows were asked for: caffenet-five, caffenet-three."
    ]
    with Image.open(tmp_path / "table-2.png") as figure:
        assert min(figure.size) > 200


def test_ten_crops_are_paired_with_their_own_center_where_a_table_has_no_reference(
    protocol: DrawnProtocol, colored_folder: Path, tmp_path: Path
) -> None:
    rows = study(colored_folder, tmp_path, only=("caffenet-three",), num_repeats=2)

    center, ten_crop = run_table(rows, "2")["rows"]

    assert (center["partner"], center["p"]) == (None, None)
    assert ten_crop["partner"] == "center crop"
    expected = exact_p(right(THREE, "ten_crop"), right(THREE, "center"))
    assert ten_crop["p"] == pytest.approx(expected)  # of the first seed
    assert ten_crop["num_repeats"] == 2
    both = np.stack([right(THREE, "center", seed) for seed in (0, 1)]).mean(axis=0)
    assert center["ours"] == pytest.approx(mean_of_folds(both))


def test_rows_are_paired_with_the_reference_of_their_table_by_the_same_view(
    protocol: DrawnProtocol, colored_folder: Path, tmp_path: Path
) -> None:
    rows = study(colored_folder, tmp_path, only=("fc7-2", "fc6-2"))

    table = run_table(rows, "4")

    assert protocol.calls[0].recipe.name == "caffenet-five"  # runs, and stands not here
    assert [row["name"] for row in table["rows"]] == [
        "fc7-2",
        "fc7-2",
        "fc6-2",
        "fc6-2",
    ]
    recipes = (layer_ablation.FC7, layer_ablation.FC6)
    for row, recipe in zip(table["rows"], np.repeat(recipes, 2), strict=True):
        assert row["partner"] == "caffenet-five"
        view = row["view"]
        assert row["p"] == pytest.approx(
            exact_p(right(recipe, view), right(FIVE, view))
        )
    assert len({row["p"] for row in table["rows"]}) > 2  # views and rows are told apart


def test_the_reference_in_its_own_table_is_paired_with_its_center_only(
    protocol: DrawnProtocol, colored_folder: Path, tmp_path: Path
) -> None:
    rows = study(colored_folder, tmp_path, only=("caffenet-five", "*places*"))

    table = run_table(rows, "5")

    # at random every start is the same run, whose name says so
    assert {row["name"].partition(" (")[0] for row in table["rows"]} >= {
        "caffenet-five"
    }
    assert [row["partner"] for row in table["rows"]] == [
        None if row["view"] == "center" else "center crop" for row in table["rows"]
    ]
    assert all("the same run" in row["name"] for row in table["rows"][2:])
    assert len(protocol.calls) == 1


def test_rows_on_other_pictures_are_paired_with_nothing(
    protocol: DrawnProtocol,
    colored_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(finetuning, "REFERENCE", FIVE, raising=False)
    rows = study(colored_folder, tmp_path, only=("*-three", "*-five-slow"))

    table = run_table(rows, "2")

    partners = {(row["name"], row["view"]): row["partner"] for row in table["rows"]}
    assert partners == {
        ("caffenet-three", "center"): None,
        ("caffenet-three", "ten_crop"): None,  # nor with its center, by another test
        ("caffenet-five-slow", "center"): "caffenet-five",
        ("caffenet-five-slow", "ten_crop"): "caffenet-five",
    }


def test_the_same_pictures_in_another_order_are_paired_with_nothing(
    colored_folder: Path, tmp_path: Path
) -> None:
    first = answers("a", "five_agrees", FOLDS)
    names = (first.ids[1], first.ids[0], *first.ids[2:])
    other = replace(answers("b", "five_agrees", FOLDS), ids=names)
    rows = study(colored_folder, tmp_path)

    entries = tables._measure(rows, Row("a", [first]), Row("b", [other]), {})

    assert [(one["partner"], one["p"]) for one in entries] == [(None, None)] * 2


def test_rows_whose_start_is_missing_are_named_and_the_others_run(
    protocol: DrawnProtocol, colored_folder: Path, tmp_path: Path
) -> None:
    rows = study(colored_folder, tmp_path, random_start=False)

    table = run_table(rows, "5")

    run = {row["name"] for row in table["rows"]}
    assert len(run) == 1  # only the row from scratch needs no file
    assert run == {call.recipe.name for call in protocol.calls}
    assert protocol.calls[0].recipe.model.weights is None
    missing = [row["name"] for row in table["missing"]]
    assert missing[0] == "caffenet-five"
    assert not run & set(missing)
    assert all("starting weights are missing" in r["reason"] for r in table["missing"])
    (remark,) = table["remarks"]
    assert remark.startswith("No paired tests to caffenet-five: its starting weights")
    assert list(table["majority"]) == ["five_agrees"]


def test_backbones_that_are_named_become_rows_of_their_own(
    protocol: DrawnProtocol, colored_folder: Path, tmp_path: Path
) -> None:
    names = ("keras:ResNet50", "caffenet")
    rows = study(colored_folder, tmp_path, backbones=names, only=names)

    table = run_table(rows, "backbones")

    assert [row["name"] for row in table["rows"][::2]] == list(names)
    found = {c.recipe.name: c.recipe.model.backbone for c in protocol.calls}
    assert {name: found[name] for name in names} == {name: name for name in names}


def test_a_pattern_that_no_row_has_is_told(
    protocol: DrawnProtocol, colored_folder: Path, tmp_path: Path
) -> None:
    table = run_table(study(colored_folder, tmp_path, only=("other",)), "2")

    assert table["rows"] == []
    assert table["remarks"] == ["Only some rows were asked for: none."]
    assert (tmp_path / "table-2.png").is_file()


@pytest.fixture
def probed(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """Let the layers be drawn, and note what was asked."""
    asked: dict[str, object] = {}

    def probe_layers(dataset, run, out, layers, *, folds, progress):
        asked.update(run=run, out=out, layers=layers, folds=folds)
        generator = np.random.default_rng(5)
        found = {}
        for place, layer in enumerate(layers):
            for kind in ("softmax", "svm"):
                by_penalty = generator.random((3, len(HOMES))) < 0.5 + place / 40
                by_penalty[1] |= HOMES == 2  # the second penalty is best
                nested = generator.random(len(HOMES)) < 0.6 + HOMES / 20
                found[layer, kind] = Probed(by_penalty, nested, HOMES)
        asked["found"] = found
        return found

    monkeypatch.setattr(tables, "probe_layers", probe_layers)
    return asked


def test_layers_are_measured_by_the_best_penalty_and_by_the_nested_one(
    protocol: DrawnProtocol,
    probed: dict[str, object],
    colored_folder: Path,
    tmp_path: Path,
) -> None:
    rows = study(colored_folder, tmp_path)

    table = run_table(rows, "3")

    assert [call.recipe.name for call in protocol.calls] == ["caffenet-five"]
    layers = [row.name for row in linear_probes.ROWS]
    assert probed["layers"] == layers
    assert probed["run"] == rows.run_of(FIVE)
    assert probed["out"] == Run(tmp_path / "probes")
    assert probed["folds"] == FOLDS
    assert isinstance(rows.progress, Heard)
    assert f"probing {len(layers)} layers of caffenet-five" in rows.progress.lines
    assert [(row["name"], row["view"]) for row in table["rows"]] == [
        (layer, f"{kind}, C {how}")
        for layer in layers
        for kind in ("svm", "softmax")
        for how in ("as the paper", "nested")
    ]
    published = {(name, "svm"): svm for name, svm, _ in linear_probes.PUBLISHED}
    published |= {(name, "softmax"): top for name, _, top in linear_probes.PUBLISHED}
    found = probed["found"]
    assert isinstance(found, dict)
    for as_paper, nested in zip(table["rows"][::2], table["rows"][1::2], strict=True):
        key = as_paper["name"], as_paper["view"].split(",")[0]
        each = found[key]
        best = max(range(3), key=lambda c: mean_of_folds(each.by_penalty[c]))
        assert as_paper["ours"] == pytest.approx(mean_of_folds(each.by_penalty[best]))
        assert as_paper["paper"] == published[key]
        assert as_paper["difference"] is not None
        assert as_paper["partner"] == "nested"
        assert as_paper["p"] == pytest.approx(
            exact_p(each.by_penalty[best], each.nested)
        )
        assert nested["ours"] == pytest.approx(mean_of_folds(each.nested))
        assert (nested["paper"], nested["partner"]) == (None, None)
    assert table["majority"] == {"five_agrees": 0.61}
    assert table["remarks"] == [linear_probes.REMARK]
    with Image.open(tmp_path / "table-3.png") as figure:
        assert min(figure.size) > 200


def test_maps_are_those_of_the_models_of_five_agrees(
    protocol: DrawnProtocol,
    colored_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = []

    def write_fold_maps(dataset, run, out, *, folds, progress):
        asked.append((dataset, run, out, folds))
        lost = [{"id": n, "reason": "empty", "message": n} for n in ("a", "c")]
        return FoldMaps(7, "5 × 4", 0.381, lost, Image.new("RGB", (30, 20), "red"))

    monkeypatch.setattr(tables, "write_fold_maps", write_fold_maps)
    rows = study(colored_folder, tmp_path)

    table = run_table(rows, "maps")

    assert asked == [
        (rows.dataset(FIVE), rows.run_of(FIVE), tmp_path / "maps", FOLDS),
    ]
    assert [call.keep_models for call in protocol.calls] == [True]
    assert table["remarks"][0] == (
        "7 test pictures, each mapped by the model that has not seen it: 5 × 4 cells, "
        "38% of them more likely positive. 2 pictures could not be read."
    )
    assert len(table["remarks"]) == 2
    assert table["majority"] == {"five_agrees": 0.61}
    assert table["rows"] == []
    with Image.open(tmp_path / "table-maps.png") as sheet:
        assert sheet.size == (30, 20)


@pytest.mark.parametrize(
    ("name", "what"), [("3", "every layer"), ("maps", "every map")]
)
def test_nothing_is_looked_into_without_the_start_of_the_network(
    protocol: DrawnProtocol, colored_folder: Path, tmp_path: Path, name: str, what: str
) -> None:
    table = run_table(study(colored_folder, tmp_path, random_start=False), name)

    (missing,) = table["missing"]
    assert missing["name"] == what
    assert missing["reason"].startswith(
        "its starting weights are missing; put caffenet"
    )
    assert (table["rows"], table["majority"], protocol.calls) == ([], {}, [])
    assert not list(tmp_path.iterdir())
