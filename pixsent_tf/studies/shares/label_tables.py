"""What did people say of some pictures? The reader of labels.csv.

    path,label[,probability][,annotator]

`probability` is that of having been sampled. Several annotators of one picture vote:
its label is the share of them for each class.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

from pixsent_tf.data.class_names import is_nothing, name_classes
from pixsent_tf.data.lists.columns import as_text, find_columns, listed
from pixsent_tf.data.lists.tables import read_header, read_rows
from pixsent_tf.errors import DataError

SKIP = "skip"  # what `label` writes for a picture that nobody can judge


@dataclass(frozen=True)
class LabelTable:
    """Labels of pictures.

    Attributes:
        votes: Labels by picture, each with how many gave it.
        probabilities: Of having been sampled, by picture; empty where all are equal.
        num_skipped: Lines without a label.
        notes: How labels were read, where that is not as they are written.
    """

    votes: dict[str, Counter[str]]
    probabilities: dict[str, float]
    num_skipped: int
    notes: tuple[str, ...] = ()

    @property
    def labels(self) -> list[str]:
        """All labels, as they are written, each as often as it was given."""
        return [label for votes in self.votes.values() for label in votes.elements()]

    @property
    def has_several_votes(self) -> bool:
        """Whether a picture was labelled by more than one."""
        return any(votes.total() > 1 for votes in self.votes.values())


def read_labels(path: Path) -> LabelTable:
    """Read labels.

    Args:
        path: Any table with a column of paths or `id`, and one of labels.

    Returns:
        The labels.

    Raises:
        DataError: If it is missing, lacks columns, or contradicts itself.
    """
    votes: dict[str, Counter[str]] = {}
    probabilities: dict[str, float] = {}
    seen: set[tuple[str, str]] = set()
    skipped = 0
    columns = read_header(path)
    found = find_columns(columns, path)
    for number, row in enumerate(read_rows(path), start=1):
        where = f"{path}, row {number}"
        name = as_text(row.get(found.get("path", ""))) or as_text(row.get("id"))
        if not name or "label" not in found:
            raise DataError(
                f"{where} lacks a path or a label; it has {listed(columns)}."
            )
        label = as_text(row.get(found["label"]))
        if is_nothing(label) or label == SKIP:
            skipped += 1
            continue
        voter = (name, str(row.get("annotator") or ""))
        if voter in seen:
            who = f" by {voter[1]!r}" if voter[1] else ""
            raise DataError(f"{where} labels {name!r}{who} again; label it once.")
        seen.add(voter)
        votes.setdefault(name, Counter())[label] += 1
        if row.get("probability"):
            probability = _probability(str(row["probability"]), where)
            if probabilities.setdefault(name, probability) != probability:
                raise DataError(f"{where} gives {name!r} another probability.")
    if not votes:
        raise DataError(f"{path} holds no labels; label some pictures of the table.")
    if probabilities and len(probabilities) < len(votes):
        lacking = next(name for name in votes if name not in probabilities)
        raise DataError(f"{path} gives {lacking!r} no probability, but others one.")
    table = LabelTable(votes, probabilities, skipped)
    return replace(table, notes=name_classes(table.labels, path.name).notes)


def _probability(text: str, where: str) -> float:
    try:
        probability = float(text)
    except ValueError:
        probability = 0.0
    if not 0 < probability <= 1:
        raise DataError(
            f"{where} has the probability {text!r}; it is above 0, up to 1."
        )
    return probability
