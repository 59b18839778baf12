"""What is written of shares: a table, a figure and a paragraph on methods."""

from __future__ import annotations

import contextlib
from typing import Any

from pixsent_tf.analysis import share_figure
from pixsent_tf.results.shares import ShareResults
from pixsent_tf.runs import Run, write_text
from pixsent_tf.whole import whole


def write(results: ShareResults, run: Run) -> ShareResults:
    """Write shares into a run's folder.

    Args:
        results: The shares.
        run: The folder.

    Returns:
        The results, which name the folder. It holds `results.json`, `shares.csv`, with
        pyarrow `shares.parquet`, `shares.png`, `shares.svg` and `methods.txt`.
    """
    results = {**results, "out": str(run.path)}
    columns, rows = _table(results)
    run.write_table("shares.csv", columns, rows)
    with contextlib.suppress(ImportError):
        import pyarrow as pa
        import pyarrow.parquet as pq

        table = pa.Table.from_pylist(
            [dict(zip(columns, row, strict=True)) for row in rows]
        )
        with whole(run.path / "shares.parquet") as path:
            pq.write_table(table, path)
    figure = share_figure.draw(results["cells"])
    for name in ("shares.png", "shares.svg"):
        with whole(run.path / name) as path:
            figure.savefig(path, dpi=200)
    write_text(run.path / "methods.txt", results["methods"] + "\n")
    run.write_json("results.json", results)
    return results


def _table(results: ShareResults) -> tuple[list[str], list[list[Any]]]:
    names = list(results["cells"][0]["by"])
    columns = [
        *names,
        *("class", "num_examples", "num_labels", "num_unreadable", "borrowed"),
        *("plain", "corrected", "low", "high"),
    ]
    rows = []
    for cell in results["cells"]:
        for class_name, share in cell["shares"].items():
            row: list[Any] = [*cell["by"].values(), class_name]
            row += [cell["num_examples"], cell["num_labels"], cell["num_unreadable"]]
            row += [cell["borrowed"], share["plain"], share["corrected"]]
            rows.append([*row, *(share["interval"] or (None, None))])
    return columns, rows
