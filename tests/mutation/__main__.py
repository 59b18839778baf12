"""python -m tests.mutation --module evaluation.compare: which mistakes go unseen?"""

from __future__ import annotations

import argparse
import ast
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from tests.mutation.operators import Mutant, mutants

ROOT = Path(__file__).parents[2]
KNOWN = Path(__file__).with_name("known.json")
HEAVY = (
    "numpy",
    "scipy.stats",
    "sklearn.linear_model",
    "pytest",
    "_pytest",
    "PIL.Image",
)
SLOWEST = 120.0  # seconds; what takes longer hangs, which is noticed


def main() -> None:
    """Break a module, place by place, and print what its tests did not notice."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.mutation", description=__doc__
    )
    parser.add_argument("--module", required=True, help="such as evaluation.compare")
    parser.add_argument("--sample", type=int, default=40, help="how many mutants")
    parser.add_argument("--seed", type=int, default=0, help="of the sample")
    parser.add_argument("--tests", nargs="*", help="by default those that mirror it")
    parser.add_argument("--json", action="store_true", help="print one object")
    asked = parser.parse_args()
    path = ROOT / "pixsent_tf" / (asked.module.replace(".", "/") + ".py")
    tests = asked.tests or [find_tests(asked.module)]
    chosen = sample(mutants(path.read_text("utf-8")), asked.sample, asked.seed)
    known = json.loads(KNOWN.read_text("utf-8")).get(asked.module, {})
    with tempfile.TemporaryDirectory() as folder:
        copied = copy_project(Path(folder))
        preload(copied, tests)
        started = time.monotonic()
        if not passes(copied, tests, 10 * SLOWEST):
            raise SystemExit(f"{tests} fail without any change; mend them first.")
        limit = max(20.0, 5 * (time.monotonic() - started))
        place = copied / path.relative_to(ROOT)
        survivors = run(chosen, place, lambda: passes(copied, tests, limit))
    tell(asked, chosen, survivors, known)


def find_tests(module: str) -> str:
    """Give the file of tests that mirrors a module."""
    *folders, name = module.split(".")
    mirror = Path("tests", *folders, f"test_{name}.py")
    if not (ROOT / mirror).is_file():
        raise SystemExit(f"{mirror} does not exist; name the tests with --tests.")
    return str(mirror)


def sample(found: list[Mutant], size: int, seed: int) -> list[Mutant]:
    """Choose some mutants, the same for a seed, in the order of their places."""
    chosen = random.Random(seed).sample(range(len(found)), min(size, len(found)))
    return [found[i] for i in sorted(chosen)]


def copy_project(folder: Path) -> Path:
    """Copy what the tests read, so that the checkout is never touched."""
    target = folder / "project"
    ignore = shutil.ignore_patterns("__pycache__", "*.pyc")
    for name in ("pixsent_tf", "tests"):
        shutil.copytree(ROOT / name, target / name, ignore=ignore)
    for path in ROOT.iterdir():
        if path.is_file():
            shutil.copy(path, target / path.name)
        elif path.name in ("docs", "notebooks", "export", "benchmarks"):
            (target / path.name).symlink_to(path)
    if (ROOT.parent / "shared").exists():
        (folder / "shared").symlink_to(ROOT.parent / "shared")
    return target


def preload(project: Path, tests: list[str]) -> None:
    """Import what is slow to import and never changed; each child starts from there."""
    sys.dont_write_bytecode = True
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    for name in HEAVY:
        __import__(name)
    if any(_needs_tensorflow(project / test) for test in tests):
        for name in ("tensorflow", "keras"):
            __import__(name)
    for name in [name for name in sys.modules if name.startswith("pixsent_tf")]:
        del sys.modules[name]


def _needs_tensorflow(test: Path) -> bool:
    paths = [test] if test.is_file() else list(test.rglob("*.py"))
    words = ("tensorflow", "keras", "inference", "models", "training", "studies", "cli")
    text = "".join(path.read_text("utf-8") for path in paths)
    return any(
        f"import {word}" in text or f"pixsent_tf.{word}" in text for word in words
    )


def run(chosen: list[Mutant], place: Path, still_passes: object) -> list[Mutant]:
    """Put each mutant in its place; give those that the tests did not notice."""
    original = place.read_text("utf-8")
    survivors = []
    for number, mutant in enumerate(chosen, 1):
        place.write_text(ast.unparse(mutant.tree), "utf-8")
        if still_passes():  # type: ignore[operator]
            survivors.append(mutant)
        print(f"\r{number} of {len(chosen)}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    place.write_text(original, "utf-8")
    return survivors


def passes(project: Path, tests: list[str], limit: float) -> bool:
    """Run tests in a child of this process, which has imported what is heavy."""
    child = os.fork()
    if child == 0:
        os.setsid()
        os.chdir(project)
        silent = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silent, 1)
        os.dup2(silent, 2)
        sys.path[:] = [str(project), *[p for p in sys.path if Path(p or ".") != ROOT]]
        os.environ["PYTHONPATH"] = str(project)
        for name in [name for name in sys.modules if name.split(".")[0] == "tests"]:
            del sys.modules[name]
        import pytest

        options = ("-x", "-q", "-n", "0", "-p", "no:cacheprovider")
        os._exit(int(pytest.main([*options, *tests])))
    return _wait(child, limit) == 0


def _wait(child: int, limit: float) -> int:
    """Wait for a child; one that hangs is killed, and has noticed."""
    end = time.monotonic() + limit
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return status
        time.sleep(0.02)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return 1


def tell(
    asked: argparse.Namespace,
    chosen: list[Mutant],
    survivors: list[Mutant],
    known: dict[str, str],
) -> None:
    """Print the numbers and the survivors, explained ones with their reason."""
    unseen = [m for m in survivors if f"{m.before}  ->  {m.after}" not in known]
    numbers = {
        "module": asked.module,
        "seed": asked.seed,
        "mutants": len(chosen),
        "killed": len(chosen) - len(survivors),
        "explained": len(survivors) - len(unseen),
        "survivors": [str(mutant) for mutant in unseen],
    }
    if asked.json:
        print(json.dumps(numbers))
        return
    print(
        "{module}: {mutants} mutants, {killed} killed, {explained} explained".format(
            **numbers
        )
    )
    for mutant in survivors:
        reason = known.get(f"{mutant.before}  ->  {mutant.after}", "NOT NOTICED")
        print(f"  {mutant}    [{reason}]")


if __name__ == "__main__":
    main()
