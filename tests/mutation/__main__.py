"""python -m tests.mutation --module evaluation.compare: which mistakes go unseen?"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from pathlib import Path

from tests.mutation.modules import find_tests, path_of
from tests.mutation.operators import Mutant, mutants
from tests.mutation.survey import (
    Row,
    hash_of,
    is_current,
    line_of,
    read,
    survey,
    table,
)
from tests.mutation.trial import Trial, copied_project

KNOWN = Path(__file__).with_name("known.json")


def main() -> None:
    """Break modules, place by place, and print what their tests did not notice."""
    asked = _parser().parse_args()
    if asked.all is not None:
        options = ["--sample", asked.sample, "--seed", asked.seed]
        options += ["--seconds", asked.seconds]
        survey(asked.out, asked.all, [str(each) for each in options])
        print(table(asked.out))
    elif asked.module:
        row = try_module(asked)
        print(json.dumps(row) if asked.json else line_of(row))
        if not asked.json:
            print(*(f"  NOT NOTICED {each}" for each in row["survivors"]), sep="\n")
    else:
        print(table(asked.out))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.mutation",
        description="Break modules on purpose; without --module or --all, print OUT.",
    )
    add = parser.add_argument
    add("--module", help="such as evaluation.compare")
    add("--all", nargs="*", metavar="PART", help="every module, or those of PARTs")
    add("--out", type=Path, default=Path("tests/mutation/survey.json"))
    add("--sample", type=int, default=12, help="mutants of each; twice that if all")
    add("--seed", type=int, default=0, help="of the sample")
    add("--seconds", type=float, default=600, help="no mutant of one begins later")
    add("--tests", nargs="*", help="by default those that mirror it")
    add("--before", type=Path, help="rows of which only the unnoticed are tried again")
    add("--json", action="store_true", help="print one object")
    return parser


def try_module(asked: argparse.Namespace) -> Row:
    """Put each mutant of the sample in its place; tell which the tests notice.

    Of a module that has not changed since `--before` was written, and is tried with
    the same tests, only those that nothing accounted for are tried again.
    """
    tests = asked.tests or [find_tests(asked.module)]
    source = path_of(asked.module).read_text("utf-8")
    row, seconds = _begun(asked, tests), asked.seconds
    chosen = sample(mutants(source), row["sample"], row["seed"])
    if row["survivors"]:
        chosen = [mutant for mutant in chosen if str(mutant) in row["survivors"]]
        row |= {"mutants": row["mutants"] - len(row["survivors"]), "survivors": []}
        seconds = float("inf")
    with copied_project() as project:
        trial, started = Trial(project, asked.module, tests), time.monotonic()
        for number, mutant in enumerate(chosen, 1):
            if time.monotonic() - started > seconds:
                break
            _note(row, mutant, trial, source)
            print(f"\r{number} of {len(chosen)}", end="", file=sys.stderr, flush=True)
    return row


def _begun(asked: argparse.Namespace, tests: list[str]) -> Row:
    """Give the row of a module from before, or an empty one."""
    before = read(asked.before).get(asked.module) if asked.before else None
    if before and is_current(before, tests):
        return before
    return {
        "module": asked.module,
        "tests": " ".join(tests),
        "source": hash_of(asked.module),
        "seed": asked.seed,
        "sample": asked.sample,
        "mutants": 0,
        "killed": 0,
        "explained": {},
        "survivors": [],
    }


def reason_of(module: str, mutant: Mutant, source: str) -> str | None:
    """Tell why a mutant changes nothing, where that is known of its very line."""
    known = json.loads(KNOWN.read_text("utf-8")).get(module, {})
    line = source.splitlines()[mutant.line - 1].strip()
    return known.get(f"{line}  |  {mutant.before}  ->  {mutant.after}")


def _note(row: Row, mutant: Mutant, trial: Trial, source: str) -> None:
    """Try a mutant and write down what came of it."""
    reason = reason_of(row["module"], mutant, source)
    row["mutants"] += 1
    if trial.notices(mutant):
        row["killed"] += 1
    elif reason:
        row["explained"][str(mutant)] = reason
    else:
        row["survivors"].append(str(mutant))


def sample(found: list[Mutant], size: int, seed: int) -> list[Mutant]:
    """Choose some mutants, the same for a seed; all of a small module.

    A larger sample begins with the smaller one.
    """
    order = list(range(len(found)))
    random.Random(seed).shuffle(order)
    return [found[i] for i in order[: len(found) if len(found) <= 2 * size else size]]


if __name__ == "__main__":
    main()
