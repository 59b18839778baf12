"""What does each group of raters say? A table with one row a picture and group.

    path,rater_group,valence,valence_sd,valence_n
    a.jpg,women,5.1,1.0,40
    a.jpg,men,4.2,1.2,38

becomes a table with one row a picture, in which each group has ratings of its own:
valence_men and valence_women.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pixsent_tf.errors import DataError

COLUMN = "rater_group"
ENDS = ("", "_sd", "_n")

Row = Mapping[str, str]


def name_target(target: str, group: str) -> str:
    """Name the rating of one group.

    Args:
        target: What was rated.
        group: Who rated it.

    Returns:
        The name of its column.
    """
    return f"{target}_{group}"


def spread_groups(
    path: Path, rows: Sequence[Row], targets: Sequence[str]
) -> tuple[list[Row], tuple[str, ...], tuple[str, ...]]:
    """Give each group of raters columns of its own.

    Args:
        path: The table, for messages.
        rows: Its rows.
        targets: What is asked for: a column, which stands for all groups, or the rating
            of one group as `name_target` names it.

    Returns:
        One row a picture that all groups rated, in the order of the table; the targets,
        of each rating all groups in alphabetical order; and the groups. All as it is
        where the table knows no groups.

    Raises:
        DataError: If a picture has two rows of one group, a row has no group, or no
            picture was rated by all groups.
    """
    if not rows or COLUMN not in rows[0]:
        return list(rows), tuple(targets), ()
    by_picture: dict[str, dict[str, Row]] = {}
    for row in rows:
        group = row[COLUMN].strip()
        each = by_picture.setdefault(row["path"].strip(), {})
        if not group or group in each:
            what = f"two rows of {group!r}" if group else f"a row without {COLUMN}"
            raise DataError(f"{path} has {what} for {row['path']!r}.")
        each[group] = row
    groups = sorted({group for each in by_picture.values() for group in each})
    whole = [each for each in by_picture.values() if len(each) == len(groups)]
    if not whole:
        raise DataError(
            f"{path} has no picture that all of {', '.join(groups)} rated; leave out "
            f"the groups that rated few."
        )
    columns = {
        name_target(base, group): (base, group)
        for base in rows[0]
        for group in groups
        if base in targets or name_target(base, group) in targets
    }
    merged: list[Row] = []
    for rated in whole:
        cells = dict(rated[groups[0]])
        for name, (base, group) in columns.items():
            for end in ENDS:
                cells[name + end] = rated[group].get(base + end, "")
        merged.append(cells)
    rest = [target for target in targets if target not in rows[0]]
    wanted = [name for name, (base, _) in columns.items() if base in targets]
    return merged, (*wanted, *(t for t in rest if t not in wanted)), tuple(groups)
