"""How does a table look in a terminal?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import click

GAP = "  "


def print_table(
    rows: Sequence[Sequence[str]], *, align: Literal["left", "right"] = "left"
) -> None:
    """Print rows in columns that are as wide as they need to be.

    Args:
        rows: Cells, the same number in each row; a header is a row like others.
        align: Of all columns but the first, which is aligned to the left.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for first, *others in rows:
        cells = [
            cell.ljust(width) if align == "left" else cell.rjust(width)
            for cell, width in zip(others, widths[1:], strict=True)
        ]
        click.echo(GAP.join([first.ljust(widths[0]), *cells]).rstrip())
