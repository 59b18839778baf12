"""Which model of ratings is better? (`pixsent-tf compare`) Loads no TensorFlow."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pixsent_tf.errors import DataError, UsageError
from pixsent_tf.evaluation import ratings
from pixsent_tf.inference.pairing import rows_by_picture, unique_names
from pixsent_tf.inference.rated import RatedTable, is_rated_table
from pixsent_tf.results.ratings import RatingCompareResults


def are_ratings(sources: Sequence[str | Path]) -> bool:
    """Tell whether runs or tables hold ratings.

    Args:
        sources: Run folders or CSV files.

    Returns:
        True if all do.

    Raises:
        PixsentError: If a source cannot be read.
        UsageError: If some do and others answer with classes.
    """
    rated = [is_rated_table(source) for source in sources]
    if any(rated) and not all(rated):
        raise UsageError(
            f"{sources[rated.index(True)]} holds ratings and "
            f"{sources[rated.index(False)]} classes; give the rating from which a "
            f"picture is positive with --threshold."
        )
    return any(rated)


def compare_ratings(sources: Sequence[str | Path]) -> RatingCompareResults:
    """Compare the ratings of runs or tables on the pictures that all of them rated.

    Args:
        sources: Run folders or CSV files, two or more.

    Returns:
        The numbers.

    Raises:
        UsageError: If there is only one source.
        DataError: If they share no picture or target, or no table says what raters
            said.
    """
    if len(sources) < 2:
        raise UsageError(f"{len(sources)} source cannot be compared; name two or more.")
    tables = [RatedTable.read(source) for source in sources]
    names = unique_names([table.name for table in tables])
    targets = [
        target
        for target in tables[0].targets
        if all(target in table.targets for table in tables)
    ]
    rows = rows_by_picture([table.ids for table in tables])
    common = [key for key in rows[0] if all(key in part for part in rows[1:])]
    if not targets or not common:
        what = "target" if not targets else "picture"
        raise DataError(f"{names[0]} and {', '.join(names[1:])} share no {what}.")
    places = [[part[key] for key in common] for part in rows]
    columns = [[table.targets.index(name) for name in targets] for table in tables]
    answers = np.stack(
        [
            table.answers[np.ix_(place, column)]
            for table, place, column in zip(tables, places, columns, strict=True)
        ]
    )
    return {
        "names": list(names),
        "num_examples": len(common),
        "pairs": ratings.compare(
            names=names,
            targets=targets,
            ratings=_labels(tables, places, columns, names),
            answers=answers,
        ),
        "notes": [
            f"{len(part) - len(common)} of the {len(part)} pictures of {name} are not "
            f"in all of the others, and are left out."
            for name, part in zip(names, rows, strict=True)
            if len(part) > len(common)
        ],
        "out": None,
    }


def _labels(
    tables: Sequence[RatedTable],
    places: Sequence[Sequence[int]],
    columns: Sequence[Sequence[int]],
    names: Sequence[str],
) -> np.ndarray:
    """What raters said, float [N, T], which all tables that tell it agree on."""
    found: np.ndarray | None = None
    source = ""
    for table, place, column, name in zip(tables, places, columns, names, strict=True):
        if table.labels is None:
            continue
        labels = table.labels[np.ix_(place, column)]
        if found is None:
            found, source = labels, name
        elif not np.allclose(found, labels, atol=1e-4):
            raise DataError(
                f"{source} and {name} were tested on other ratings of the same "
                f"pictures."
            )
    if found is None:
        raise DataError(
            "None of the tables says what raters said; add columns such as "
            "label_valence to one, such as predictions.csv."
        )
    return found
