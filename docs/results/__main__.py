"""Show what a command printed, or let it print again.

python -m docs.results                         every name, and its command
python -m docs.results five                    the figures, the commit and the date
python -m docs.results five --again DATA/      runs it in DATA/, and keeps what it says
python -m docs.results five --run RUN/         takes the figures of a finished run
"""

from __future__ import annotations

import argparse
import json
import shlex
import subprocess
import sys
import tempfile
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from docs.results import FOLDER, ROOT, TEXTS, Record, bind, split_sections

# What results.json holds beside figures, or in more detail than a text quotes.
DROPPED = {
    *("bootstrap_intervals", "per_class", "confusion", "per_fold", "per_source"),
    *("unreadable", "notes", "seconds", "out", "folds_tested", "temperature"),
}


def choose_figures(results: dict[str, Any]) -> dict[str, Any]:
    """Leave out what no text quotes.

    Args:
        results: What `--json` printed.
    """
    if "targets" in results:  # of ratings the intervals are quoted
        return {key: results[key] for key in ("num_examples", "targets")}
    return {key: value for key, value in results.items() if key not in DROPPED}


def run_again(command: str, data: Path) -> dict[str, Any]:
    """Run a command of `pixsent-tf` once more.

    Args:
        command: As a record has it.
        data: The folder that its paths are of.

    Raises:
        SystemExit: If it is another program's, or fails.
    """
    words = shlex.split(command)
    if words[0] != "pixsent-tf" or "..." in command or "RUN-" in command:
        raise SystemExit(f"{command}\nRun it yourself, then use --run.")
    with tempfile.TemporaryDirectory() as folder:
        more = ["--json", "--out", str(Path(folder) / "run")]
        done = subprocess.run(
            [sys.executable, "-m", "pixsent_tf", *words[1:], *more],
            cwd=data,
            stdout=subprocess.PIPE,
            text=True,
        )
    if done.returncode:
        raise SystemExit(done.returncode)
    return json.loads(done.stdout)


def propose(page: str, heading: str, names: list[str]) -> list[str]:
    """Propose where the figures below a heading come from.

    Args:
        page: Path within the project.
        heading: In it.
        names: Of records, and `=` with each number that no command prints.
    """
    stated = [name[1:] for name in names if name.startswith("=")]
    records = [name for name in names if not name.startswith("=")]
    return bind(
        split_sections((ROOT / page).read_text("utf-8"))[heading], records, stated
    )


def _commit() -> str:
    command = ["git", "rev-parse", "--short", "HEAD"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def main() -> None:
    """Read the arguments, and do what they ask for."""
    parser = argparse.ArgumentParser(
        prog="python -m docs.results",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--again", type=Path, metavar="DATA")
    parser.add_argument("--run", type=Path, metavar="RUN")
    parser.add_argument("--bind", nargs=2, metavar=("PAGE", "HEADING"))
    chosen = parser.parse_args()
    names = sorted(p.stem for p in FOLDER.glob("*.json") if p.name != TEXTS)
    if not chosen.names:
        for name in names:
            print(f"{name:30} {Record.load(name).command}")
        return
    if chosen.bind:
        print(json.dumps(propose(*chosen.bind, chosen.names), indent=1))
        return
    name = chosen.names[0]
    if name not in names:
        parser.error(f"no {name!r}; there are {', '.join(names)}")
    record = Record.load(name)
    if chosen.again or chosen.run:
        results = (
            run_again(record.command, chosen.again)
            if chosen.again
            else json.loads((chosen.run / "results.json").read_text("utf-8"))
        )
        record = replace(
            record,
            commit=_commit(),
            date=f"{datetime.now(timezone.utc):%Y-%m-%d}",
            read_off=False,
            values=choose_figures(results),
        )
        record.save(name)
    print(f"{record.command}\ncommit {record.commit}, {record.date}")
    if record.read_off:
        print("Read off the text; the command has not been run again since.")
    print(json.dumps(record.values, indent=1))


if __name__ == "__main__":
    main()
