"""What does an evaluation of ratings leave behind? Numbers, a table, a page, a card."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

import numpy as np

from pixsent_tf.analysis import drawing, rating_figures
from pixsent_tf.config import to_json
from pixsent_tf.data.decode.files import read_image
from pixsent_tf.errors import ImageError
from pixsent_tf.inference.rated import RatedTable
from pixsent_tf.progress import NO_PROGRESS, Progress
from pixsent_tf.results.ratings import MEASURES, RatingEvaluateResults, RatingEvaluation
from pixsent_tf.runs import Run, environment, write_text
from pixsent_tf.studies.ratings.evaluate import RatedSubject
from pixsent_tf.studies.report import page
from pixsent_tf.studies.report.report import audit_of

NUM_PICTURES = 8  # in each gallery


def write(
    subject: RatedSubject,
    numbers: RatingEvaluation,
    out: Run,
    *,
    with_pictures: bool = True,
    progress: Progress = NO_PROGRESS,
) -> RatingEvaluateResults:
    """Write everything into a folder.

    Args:
        subject: What was evaluated.
        numbers: What was measured.
        out: The folder; files of the same names are replaced.
        with_pictures: Examine the data, and show pictures.
        progress: Shows how far it is.

    Returns:
        The results, as `results.json` holds them.
    """
    dataset = subject.dataset if with_pictures else None
    audit = None if dataset is None else audit_of(dataset, subject.table, progress)
    results: RatingEvaluateResults = {
        **numbers,
        "audit": audit,
        "report": str(out.path / "report.html"),
        "out": str(out.path),
    }
    here = environment()
    out.write_json("results.json", results)
    out.write_json("environment.json", here)
    subject.table.write(out)
    data = subject.dataset.name if subject.dataset else "its test pictures"
    recipe = subject.recipe
    shared = {"results": results, "measures": MEASURES, "how": _how(subject)}
    text = page.render(
        "ratings.html",
        title=subject.name,
        subtitle=f"{results['num_examples']} pictures of {data}, {_how(subject)}",
        figures=draw(subject),
        galleries=[] if dataset is None else _galleries(subject, progress),
        audit_rows=page.audit_rows(audit),
        commands=_commands(subject, here["command"]),
        environment=list(page.flat(here)),
        recipe=to_json(recipe) if recipe else None,
        notes=results["notes"],
        **shared,
    )
    write_text(out.path / "report.html", text)
    text = page.render(
        "rating_card.md",
        name=subject.name.split(" on ")[0],
        dataset=data,
        backbone=recipe.model.backbone if recipe else None,
        **shared,
    )
    write_text(out.path / "MODEL_CARD.md", text)
    return results


def draw(subject: RatedSubject) -> list[tuple[str, str]]:
    """Draw what the page shows.

    Args:
        subject: What was evaluated.

    Returns:
        Captions and SVG text, two for each target.
    """
    said = subject.table
    assert said.labels is not None
    drawn = []
    for k, target in enumerate(said.targets):
        ratings, answers = said.labels[:, k], said.answers[:, k]
        half_width = None
        if said.low is not None and said.high is not None:
            half_width = float((said.high - said.low)[:, k].max()) / 2
        scatter = rating_figures.rating_scatter(
            ratings, answers, scale=subject.scale, target=target, half_width=half_width
        )
        off = rating_figures.residuals(ratings, answers, target=target)
        drawn += [
            (f"{target.capitalize()}: answers over ratings", scatter),
            (f"{target.capitalize()}: how far off, and the mean of each fifth", off),
        ]
    return drawn


def _how(subject: RatedSubject) -> str:
    """How test and training pictures were kept apart, in words without numbers."""
    if subject.table.folds is None:
        return "which chose nothing in the model, as far as no note says otherwise"
    if len(subject.table.fold_numbers) == 1:
        return "held out from training"
    return "each rated by a model that had not seen it (cross-validation)"


def _commands(subject: RatedSubject, here: Sequence[str]) -> list[str]:
    commands = [shlex.join(here)]
    if subject.run is not None:
        commands.insert(0, subject.run.read_command())
    return commands


def _galleries(subject: RatedSubject, progress: Progress) -> list[page.Gallery]:
    """The pictures that the model rates too high, and too low, for each target."""
    said, dataset = subject.table, subject.dataset
    assert said.labels is not None
    assert dataset is not None
    files = dict(zip(dataset.ids, dataset.paths, strict=True))
    galleries = []
    for k, target in enumerate(said.targets):
        off = said.answers[:, k] - said.labels[:, k]
        order = np.argsort(-off, kind="stable")
        high, low = order[off[order] > 0], order[off[order] < 0][::-1]
        for title, chosen in (
            (f"{target.capitalize()} rated too high", high[:NUM_PICTURES]),
            (f"{target.capitalize()} rated too low", low[:NUM_PICTURES]),
        ):
            with progress.step(len(chosen), "drawing"):
                shown = [_picture(said.ids[i], files, said, i, k) for i in chosen]
            pictures = [picture for picture in shown if picture is not None]
            text = "Farthest from what raters said, the farthest first."
            galleries.append(page.Gallery(title, text, pictures))
    return galleries


def _picture(
    name: str, files: dict[str, str], said: RatedTable, i: int, k: int
) -> page.Picture | None:
    assert said.labels is not None
    if name not in files:
        return None
    try:
        image = read_image(files[name])
    except ImageError:
        return None
    rating, answer = said.labels[i, k], said.answers[i, k]
    return page.Picture(
        id=name,
        label=f"{rating:.2f}",
        answer=f"{answer:.2f}",
        prob=0.0,
        image=page.data_uri(drawing.thumbnail(image)),
        caption=f"answer {answer:.2f}, raters {rating:.2f}",
    )
