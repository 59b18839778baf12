"""How is each table of the paper run? Trainings, layer probes, or maps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import ModuleType

import numpy as np

from pixsent_tf.recipes import (
    backbones,
    finetuning,
    initialization,
    layer_ablation,
    layer_addition,
    linear_probes,
    sentiment_maps,
)
from pixsent_tf.results.paper import PaperRow, PaperTable
from pixsent_tf.runs import Run
from pixsent_tf.studies.paper.figures import layers_figure, rows_figure
from pixsent_tf.studies.paper.fold_maps import write_fold_maps
from pixsent_tf.studies.paper.layer_probes import Probed, probe_layers
from pixsent_tf.studies.paper.measured_table import measure
from pixsent_tf.studies.paper.protocol import VIEWS
from pixsent_tf.studies.paper.rows import Row, Rows, why_missing
from pixsent_tf.whole import whole

MODULES: dict[str, ModuleType] = {
    "2": finetuning,
    "3": linear_probes,
    "4": layer_ablation,
    "5": initialization,
    "6": layer_addition,
    "maps": sentiment_maps,
    "backbones": backbones,
}


def run_table(rows: Rows, name: str) -> PaperTable:
    """Run one table, or go on with it; its picture is written beside it.

    Args:
        rows: The study.
        name: One of `MODULES`.

    Returns:
        What `table-T.json` holds.

    Raises:
        DataError: If none of the pictures can be read.
    """
    run = {"3": _probe_table, "maps": _map_table}.get(name, _row_table)
    return run(rows, name)


def _empty(rows: Rows, name: str) -> PaperTable:
    return {
        "title": MODULES[name].TITLE,
        "source": rows.plan.source,
        "notes": rows.notes,
        "majority": {},
        "rows": [],
        "missing": [],
        "remarks": [],
    }


def _row_table(rows: Rows, name: str) -> PaperTable:
    """Run a table of trainings."""
    table, module = _empty(rows, name), MODULES[name]
    recipes = [*module.ROWS]
    if name == "backbones":
        first = backbones.TRAINED[0]
        recipes += [
            replace(first, name=key, model=replace(first.model, backbone=key))
            for key in rows.plan.backbones
        ]
    recipes = [recipe for recipe in recipes if rows.plan.wants(recipe.name)]
    if rows.plan.only:
        names = ", ".join(recipe.name for recipe in recipes) or "none"
        table["remarks"].append(f"Only some rows were asked for: {names}.")
    partner = _partner(rows, module, table)
    history = {}
    for recipe in recipes:
        reason = why_missing(rows, recipe)
        if reason is not None:
            table["missing"].append({"name": recipe.name, "reason": reason})
            continue
        row = rows.row(recipe)
        history[recipe.name] = row.answered[0].history
        table["majority"] |= rows.majority(recipe)
        table["rows"] += _measure(rows, row, partner, dict(recipe.expected))
    figure = rows_figure(
        table["title"],
        table["rows"],
        table["majority"],
        history,
        note=" ".join(rows.notes[:1]),
    )
    with whole(rows.run.path / f"table-{name}.png") as temporary:
        temporary.write_bytes(figure)
    return table


def _partner(rows: Rows, module: ModuleType, table: PaperTable) -> Row | None:
    """Run the row that the others of its table are compared with."""
    reference = getattr(module, "REFERENCE", None)
    if reference is None:
        return None
    reason = why_missing(rows, reference)
    if reason is not None:
        table["remarks"].append(f"No paired tests to {reference.name}: {reason}")
        return None
    return rows.row(reference)


def _measure(
    rows: Rows, row: Row, reference: Row | None, expected: Mapping[str, float]
) -> list[PaperRow]:
    """Measure a row by both views; ten crops are paired with their center crop."""
    entries: list[PaperRow] = []
    for view in VIEWS:
        partner, name = None, None
        if reference is not None and reference.answered is not row.answered:
            if reference.answered[0].ids == row.answered[0].ids:
                name = reference.name
                partner = reference.answered[0].correct(view)
        elif view == "ten_crop":
            name, partner = "center crop", row.answered[0].correct("center")
        entry = measure(
            np.stack([one.correct(view) for one in row.answered]),
            row.answered[0].folds,
            paper=expected.get(view),
            is_comparable=rows.is_comparable,
            partner=partner,
            partner_name=name,
        )
        entries.append({"name": row.name, "view": view, **entry})
    return entries


def _probe_table(rows: Rows, name: str) -> PaperTable:
    """Train linear classifiers on the layers of the networks of Table 2."""
    table, recipe = _empty(rows, name), linear_probes.REFERENCE
    reason = why_missing(rows, recipe)
    if reason is not None:
        table["missing"].append({"name": "every layer", "reason": reason})
        return table
    rows.row(recipe)
    layers = [row.name for row in linear_probes.ROWS]
    rows.progress.say(f"probing {len(layers)} layers of {recipe.name}")
    probed = probe_layers(
        rows.dataset(recipe),
        rows.run_of(recipe),
        Run(rows.run.path / "probes"),
        layers,
        folds=rows.plan.folds,
        progress=rows.progress,
    )
    curves: dict[str, list[float | None]] = {}
    for row in linear_probes.ROWS:
        for kind, paper in row.expected:
            curves.setdefault(f"paper, {kind}", []).append(paper)
            for entry in _measure_probe(rows, row.name, probed, kind, paper):
                table["rows"].append(entry)
                curves.setdefault(entry["view"], []).append(entry["ours"])
    table["majority"] = rows.majority(recipe)
    table["remarks"] = [linear_probes.REMARK]
    figure = layers_figure(
        table["title"],
        layers,
        curves,
        next(iter(table["majority"].values())),
        note=" ".join(rows.notes[:1]),
    )
    with whole(rows.run.path / f"table-{name}.png") as temporary:
        temporary.write_bytes(figure)
    return table


def _measure_probe(
    rows: Rows,
    layer: str,
    found: Mapping[tuple[str, str], Probed],
    kind: str,
    paper: float,
) -> list[PaperRow]:
    probed = found[layer, kind]
    as_paper = measure(
        probed.by_penalty[probed.best_penalty],
        probed.folds,
        paper=paper,
        is_comparable=rows.is_comparable,
        partner=probed.nested,
        partner_name="nested",
    )
    nested = measure(probed.nested, probed.folds)
    return [
        {"name": layer, "view": f"{kind}, C as the paper", **as_paper},
        {"name": layer, "view": f"{kind}, C nested", **nested},
    ]


def _map_table(rows: Rows, name: str) -> PaperTable:
    """Map every test picture by the model of its fold."""
    table, recipe = _empty(rows, name), sentiment_maps.REFERENCE
    reason = why_missing(rows, recipe)
    if reason is not None:
        table["missing"].append({"name": "every map", "reason": reason})
        return table
    rows.row(recipe)
    rows.progress.say(f"mapping the test pictures of {recipe.name}")
    found = write_fold_maps(
        rows.dataset(recipe),
        rows.run_of(recipe),
        rows.run.path / "maps",
        folds=rows.plan.folds,
        progress=rows.progress,
    )
    with whole(rows.run.path / f"table-{name}.png") as temporary:
        found.sheet.save(temporary)
    table["majority"] = rows.majority(recipe)
    table["remarks"] = [
        f"{found.num_examples} test pictures, each mapped by the model that has not "
        f"seen it: {found.cells} cells, {found.positive_share:.0%} of them more likely "
        f"positive. {len(found.unreadable)} pictures could not be read.",
        sentiment_maps.REMARK,
    ]
    return table
