"""What does an audit look like as a web page, with the pairs to see?"""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

from jinja2 import Environment, PackageLoader, StrictUndefined
from PIL import Image

from pixsent_tf.data.decode.files import read_image
from pixsent_tf.data.table import Dataset
from pixsent_tf.results.audits import AuditResults, CopiedPair, Suspect

MAX_PAIRS = 100
MAX_SUSPECTS = 100
_SIDE = 240  # of a thumbnail's longer side, in pixels; shown at half the size


class _Crossed(TypedDict):
    """A part whose folds a pair crosses."""

    part: str
    folds: list[int] | None


class _Shown(CopiedPair):
    """A pair, and the parts whose folds it crosses."""

    crosses: list[_Crossed]


class _ShownSuspect(Suspect):
    """A suspect, its row in the list, and its picture as a URL."""

    row: int
    thumbnail: str


class _Doubted(TypedDict):
    """A part with suspects, and all of its labels."""

    name: str
    class_names: tuple[str, ...]
    num_suspects: int
    num_believed: int
    suspects: list[_ShownSuspect]
    columns: list[str]
    rows: list[list[str]]


def render(findings: AuditResults, *, title: str, parts: Sequence[Dataset] = ()) -> str:
    """Write an audit as one HTML page that needs no other file.

    Args:
        findings: What `audit.audit` returned, with suspects where they were looked for.
        title: The name of the data.
        parts: The data sets that were audited, in order, for the corrected lists.

    Returns:
        The page; the pairs that leak or contradict each other come first, a hundred at
        most, and so are suspects.
    """
    environment = Environment(
        loader=PackageLoader("pixsent_tf", "data/copies"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pairs = _merge_pairs(findings)
    shown = [
        {**pair, "thumbnails": [_thumbnail(path) for path in pair["paths"]]}
        for pair in pairs[:MAX_PAIRS]
    ]
    return environment.get_template("audit.html").render(
        title=title,
        findings=findings,
        pairs=shown,
        num_pairs=len(pairs),
        doubted=[
            _doubt(dataset, part["suspects"])
            for dataset, part in zip(parts, findings["parts"], strict=False)
            if part["suspects"]
        ],
    )


def _doubt(dataset: Dataset, suspects: Sequence[Suspect]) -> _Doubted:
    """Put together what the page shows and lists of a part."""
    names = dataset.class_names
    rows = [
        [str(Path(path).absolute()), names[label]]
        for path, label in zip(dataset.paths, dataset.labels, strict=True)
    ]
    columns = ["path", "label"]
    if dataset.groups is not None:
        columns.append("group")
        for row, group in zip(rows, dataset.groups, strict=True):
            row.append(dataset.group_names[group])
    place = {name: i for i, name in enumerate(dataset.ids)}
    return {
        "name": dataset.name,
        "class_names": names,
        "num_suspects": len(suspects),
        "num_believed": sum(one["is_believed"] for one in suspects),
        "suspects": [
            {**one, "row": row, "thumbnail": _thumbnail(dataset.paths[row])}
            for one in suspects[:MAX_SUSPECTS]
            for row in [place[one["id"]]]
        ],
        "columns": columns,
        "rows": rows,
    }


def _merge_pairs(findings: AuditResults) -> list[_Shown]:
    """List each pair once, with the parts whose folds it crosses."""
    merged: dict[tuple[str, ...], _Shown] = {}
    for part in findings["parts"]:
        for pair in part["pairs"]:
            entry = merged.setdefault(tuple(pair["paths"]), {**pair, "crosses": []})
            if pair in part["crossing"]:
                entry["crosses"].append({"part": part["name"], "folds": pair["folds"]})
    return sorted(
        merged.values(),
        key=lambda pair: (
            len(set(pair["labels"])) == 1,
            not pair["crosses"],
            pair["distance"],
        ),
    )


def _thumbnail(path: str) -> str:
    """Reduce a picture to a JPEG inside a URL."""
    image = Image.fromarray(read_image(path, target_side=_SIDE))
    image.thumbnail((_SIDE, _SIDE))
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=80)
    return "data:image/jpeg;base64," + base64.b64encode(stream.getvalue()).decode()
