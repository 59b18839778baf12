"""How many mistakes do the tests of many modules notice? A row for each, kept."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.mutation.modules import find_tests, path_of, surveyed

Row = dict[str, Any]


def survey(out: Path, only: list[str], options: list[str]) -> None:
    """Try the modules one after the other, each in a process of its own.

    Args:
        out: The JSON file of rows; modules that have not changed since their row was
            written are tried again only with the mutants that were not noticed.
        only: Names of modules or of their packages; all of them if there is none.
        options: What each is tried with.
    """
    for module in surveyed():
        if only and not any(f"{module}.".startswith(f"{name}.") for name in only):
            continue
        before = read(out).get(module)
        if before and is_current(before, [find_tests(module)]) and _is_done(before):
            continue
        command = [sys.executable, "-m", "tests.mutation", "--module", module]
        command += ["--json", *options, "--before", str(out)]
        ended = subprocess.run(command, stdout=subprocess.PIPE, text=True)
        if ended.returncode == 0:
            row = json.loads(ended.stdout)
            write(out, {**read(out), module: row})
            print(line_of(row), *row["survivors"], sep="\n    ", flush=True)


def is_current(row: Row, tests: list[str]) -> bool:
    """Whether the module is as it was, and was tried with these tests."""
    return row["source"] == hash_of(row["module"]) and row["tests"] == " ".join(tests)


def _is_done(row: Row) -> bool:
    """Whether something was tried, and nothing went unseen."""
    return row["mutants"] > 0 and not row["survivors"]


def read(out: Path) -> dict[str, Row]:
    """Read the rows that are there, by module."""
    if not out.is_file():
        return {}
    return {row["module"]: row for row in json.loads(out.read_text("utf-8"))["rows"]}


def write(out: Path, rows: dict[str, Row]) -> None:
    """Write rows with their sum, whole."""
    ordered = [rows[module] for module in surveyed() if module in rows]
    command = "python -m tests.mutation --all"
    kept = {"command": command, "sum": total(ordered), "rows": ordered}
    part = out.with_suffix(".part")
    part.write_text(json.dumps(kept, indent=1) + "\n", "utf-8")
    os.replace(part, out)


def total(rows: list[Row]) -> Row:
    """Add up rows."""
    return {
        "modules": len(rows),
        "mutants": sum(row["mutants"] for row in rows),
        "killed": sum(row["killed"] for row in rows),
        "explained": sum(len(row["explained"]) for row in rows),
        "unseen": sum(len(row["survivors"]) for row in rows),
    }


def line_of(row: Row) -> str:
    """Say a row in a line."""
    numbers = f"{row['mutants']} mutants, {row['killed']} killed"
    return f"{row['module']}: {numbers}, {len(row['explained'])} explained"


def table(out: Path) -> str:
    """Write the rows as a table of Markdown."""
    lines = ["| module | mutants | killed | explained | unseen |"]
    lines.append("|---|---:|---:|---:|---:|")
    rows = list(read(out).values())
    for row in rows:
        lines.append(_cells(f"`{row['module']}`", {**row, **total([row])}))
    return "\n".join([*lines, _cells(f"**{len(rows)} modules**", total(rows))])


def _cells(name: str, row: Row) -> str:
    numbers = [row[key] for key in ("mutants", "killed", "explained", "unseen")]
    return f"| {name} | {' | '.join(map(str, numbers))} |"


def hash_of(module: str) -> str:
    """Give a short hash of a module's text."""
    return hashlib.sha256(path_of(module).read_bytes()).hexdigest()[:12]
