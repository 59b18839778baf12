"""Is this the study that began here? What differs is named before anything is mixed.

RUN/recipe.json         every setting
RUN/environment.json    the versions
RUN/pictures.csv        each picture: id, label, votes, group, split, weight, sha256
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from pixsent_tf.config import Recipe
from pixsent_tf.data.copies.digests import hash_files
from pixsent_tf.data.table import Dataset
from pixsent_tf.errors import RunError
from pixsent_tf.progress import NO_PROGRESS, Progress
from pixsent_tf.runs import Run
from pixsent_tf.texts import understood

PICTURES = "pictures.csv"
COLUMNS = ("label", "votes", "group", "split", "weight", "sha256")

_Rows: TypeAlias = Mapping[str, Mapping[str, str]]


def begin(
    run: Run,
    dataset: Dataset,
    recipe: Recipe | None = None,
    *,
    progress: Progress = NO_PROGRESS,
) -> None:
    """Write what a study is about, or check that it has not changed since it began.

    Args:
        run: Its folder.
        dataset: The pictures.
        recipe: The settings; None for a study without a recipe.
        progress: Hears how far it is.

    Raises:
        RunError: If the run began with another recipe, or with other pictures, labels,
            votes, groups, splits or weights; the message names what differs.
    """
    if recipe is not None:
        run.begin_recipe(recipe)
    now = _rows(dataset, progress)
    if not (run.path / PICTURES).is_file():
        lines = [[name, *(row[c] for c in COLUMNS)] for name, row in now.items()]
        run.write_table(PICTURES, ["id", *COLUMNS], lines)
        return
    with understood(run.path / PICTURES, RunError):
        before = {row["id"]: row for row in run.read_table(PICTURES)}
        if not before:
            raise ValueError("it names no pictures")
    found = list(_differences(before, now))
    if found:
        raise RunError(
            f"{run.path} began with other pictures: {'; '.join(found)}; name another "
            f"folder with --out."
        )


def _rows(dataset: Dataset, progress: Progress) -> _Rows:
    hashes = hash_files(dataset.paths, progress=progress)
    rows: dict[str, dict[str, str]] = {}
    for i, name in enumerate(dataset.ids):
        votes = [] if dataset.votes is None else dataset.votes[i].tolist()
        groups = dataset.groups
        rows[name] = {
            "label": dataset.said(i),
            "votes": " ".join(map(str, votes)),
            "group": "" if groups is None else dataset.group_names[groups[i]],
            "split": "" if dataset.splits is None else str(dataset.splits[i]),
            "weight": "" if dataset.weights is None else f"{dataset.weights[i]:g}",
            "sha256": hashes[i],
        }
    return rows


def _differences(before: _Rows, now: _Rows) -> Iterator[str]:
    gone = [name for name in before if name not in now]
    new = [name for name in now if name not in before]
    both = [name for name in now if name in before]
    if gone:
        yield f"{_named(gone)} not there any more"
    if new:
        yield f"{_named(new)} there only now"
    other = [n for n in both if before[n].get("sha256") != now[n]["sha256"]]
    if other:
        yield f"the bytes of {_some(other)} are others"
    for column in COLUMNS[:-1]:
        changed = [n for n in both if before[n].get(column) != now[n][column]]
        if changed:
            first = changed[0]
            more = f" and of {len(changed) - 1} more" if changed[1:] else ""
            yield (
                f"the {column} of {first}{more}: {before[first].get(column)!r} there, "
                f"{now[first][column]!r} here"
            )


def _some(names: list[str]) -> str:
    return names[0] + (f" and {len(names) - 1} more" if names[1:] else "")


def _named(names: list[str]) -> str:
    return f"{_some(names)} {'are' if names[1:] else 'is'}"
