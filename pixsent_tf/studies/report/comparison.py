"""What does a comparison leave behind? Numbers, a table of differences, and a page."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pixsent_tf.analysis import drawing
from pixsent_tf.data.decode.files import read_image
from pixsent_tf.data.sources import open_recorded
from pixsent_tf.errors import ImageError, PixsentError
from pixsent_tf.inference.pairing import Aligned
from pixsent_tf.results.answers import CompareResults
from pixsent_tf.runs import Run, environment, write_text
from pixsent_tf.studies.compare import Comparison
from pixsent_tf.studies.report import page

NUM_PICTURES = 12  # in the gallery of each pair


def write(
    comparison: Comparison, sources: Sequence[str | Path], out: Run
) -> CompareResults:
    """Write numbers, the differing pictures and a page.

    Args:
        comparison: What was found.
        sources: The runs, whose pictures are shown where they are to be had.
        out: The folder.

    Returns:
        The numbers, and where they are.
    """
    aligned = comparison.aligned
    results: CompareResults = {**comparison.results, "out": str(out.path)}
    here = environment()
    out.write_json("results.json", results)
    out.write_json("environment.json", here)
    probs = aligned.probs.max(axis=2)
    answers = aligned.probs.argmax(axis=2)
    place = {name: i for i, name in enumerate(aligned.ids)}
    rows = []
    for row in results["differing"]:
        i = place[row["id"]]
        each = [
            f"{aligned.class_names[answers[m, i]]} {probs[m, i]:.3f}"
            for m in range(len(answers))
        ]
        rows.append([row["id"], row["label"], *each])
    out.write_table("differences.csv", ["id", "label", *aligned.names], rows)
    text = page.render(
        "compare.html",
        title=" – ".join(aligned.names),
        subtitle=f"{len(aligned.ids)} pictures that all of them answered, "
        f"{len(rows)} of them differently",
        notes=results["notes"],
        pairs=results["pairs"],
        models=list(zip(aligned.names, aligned.correct.sum(axis=1), strict=True)),
        num_examples=len(aligned.ids),
        galleries=_galleries(aligned, _files(sources)),
        commands=[shlex.join(here["command"])],
    )
    write_text(out.path / "compare.html", text)
    return results


def _files(sources: Sequence[str | Path]) -> dict[str, str]:
    """Find the pictures of the first run that still has them, by file name."""
    for source in sources:
        try:
            recipe = Run.open(source).read_recipe()
            dataset = open_recorded(recipe.data, seed=recipe.seed)
        except PixsentError:
            continue
        return {
            **{
                Path(n).name: p for n, p in zip(dataset.ids, dataset.paths, strict=True)
            },
            **dict(zip(dataset.ids, dataset.paths, strict=True)),
        }
    return {}


def _galleries(aligned: Aligned, files: dict[str, str]) -> list[page.Gallery]:
    """Show what only one of the first two models gets right, the surest first."""
    galleries = []
    gap = np.abs(aligned.probs[0] - aligned.probs[1]).max(axis=1)
    for winner, loser in ((0, 1), (1, 0)):
        only = aligned.correct[winner] & ~aligned.correct[loser]
        chosen = [i for i in np.argsort(-gap, kind="stable") if only[i]]
        shown = [_picture(aligned, int(i), files) for i in chosen[:NUM_PICTURES]]
        galleries.append(
            page.Gallery(
                f"Only {aligned.names[winner]} is right",
                f"{len(chosen)} pictures, the largest differences first.",
                [picture for picture in shown if picture],
            )
        )
    return galleries


def _picture(
    aligned: Aligned, position: int, files: dict[str, str]
) -> page.Picture | None:
    name = aligned.ids[position]
    if name not in files:
        return None
    try:
        image = read_image(files[name])
    except ImageError:
        return None
    label = aligned.class_names[aligned.labels[position]]
    said = [
        f"{model}: {aligned.class_names[int(p.argmax())]} {p.max():.0%}"
        for model, p in zip(aligned.names, aligned.probs[:, position], strict=True)
    ]
    return page.Picture(
        id=name,
        label=label,
        answer=label,
        prob=1.0,
        image=page.data_uri(drawing.thumbnail(image)),
        caption=f"Labelled {label}. {'; '.join(said)}",
    )
