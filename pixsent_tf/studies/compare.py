"""Which model is better, and where do they differ? (`pixsent-tf compare`)"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pixsent_tf.analysis import drawing
from pixsent_tf.data.decode.graph import read_image
from pixsent_tf.data.sources import open_dataset
from pixsent_tf.errors import ImageError, PixsentError, UsageError
from pixsent_tf.evaluation import compare
from pixsent_tf.inference.pairing import Aligned, align
from pixsent_tf.inference.predictions import read_answers
from pixsent_tf.runs import Run, environment, write_text
from pixsent_tf.studies.report import page

NUM_PICTURES = 12  # in the gallery of each pair


@dataclass(frozen=True)
class Comparison:
    """Several models on the same pictures.

    Attributes:
        aligned: Their answers.
        results: What `--json` prints: `names`, `num_examples`, `accuracies`, `pairs`,
            `differing` (pictures on which not all agree) and `notes`.
    """

    aligned: Aligned
    results: dict[str, Any]

    def describe(self) -> list[tuple[str, str]]:
        """Put the comparison into words.

        Returns:
            Pairs of a name and its value.
        """
        return compare.describe(self.aligned, self.results["pairs"])


def compare_models(sources: Sequence[str | Path]) -> Comparison:
    """Compare runs or tables.

    Args:
        sources: Run folders or CSV files, two or more.

    Returns:
        The comparison.

    Raises:
        UsageError: If there is only one source.
        PixsentError: If a source cannot be read, or they do not fit together.
    """
    if len(sources) < 2:
        raise UsageError(f"{len(sources)} source cannot be compared; name two or more.")
    aligned = align([read_answers(source) for source in sources])
    answers = aligned.probs.argmax(axis=2)  # [M, N]
    differing = np.flatnonzero((answers != answers[0]).any(axis=0))
    results = {
        "names": list(aligned.names),
        "num_examples": len(aligned.ids),
        "accuracies": aligned.correct.mean(axis=1).tolist(),
        "pairs": compare.compare(aligned),
        "differing": [
            {
                "id": aligned.ids[i],
                "label": aligned.class_names[aligned.labels[i]],
                "answers": [
                    aligned.class_names[answers[m, i]] for m in range(len(answers))
                ],
            }
            for i in differing
        ],
        "notes": list(aligned.notes),
    }
    return Comparison(aligned, results)


def write(comparison: Comparison, sources: Sequence[str | Path], out: Run) -> None:
    """Write numbers, the differing pictures and a page.

    Args:
        comparison: What was found.
        sources: The runs, whose pictures are shown where they are to be had.
        out: The folder.
    """
    aligned, results = comparison.aligned, comparison.results
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


def _files(sources: Sequence[str | Path]) -> dict[str, str]:
    """Find the pictures of the first run that still has them, by file name."""
    for source in sources:
        try:
            recipe = Run.open(source).read_recipe()
            dataset = open_dataset(recipe.data, seed=recipe.seed)
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
