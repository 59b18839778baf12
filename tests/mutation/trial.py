"""Do the tests of a module notice a change? In a copy, in children of one process."""

from __future__ import annotations

import ast
import json
import os
import resource
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.mutation.modules import ROOT, path_of
from tests.mutation.operators import Mutant
from tests.mutation.order import Order

SLOWEST = 1200  # seconds of a processor; tests that take more unchanged hang
WAITING = 6  # how much longer than it computes a test may take on a busy machine
OWN = ("pixsent_tf", "tests", "conftest")


class Trial:
    """One module and the tests that are to notice what is wrong with it.

    Attributes:
        place: The module's file in the copy.
        limit: Seconds of a processor after which tests of a changed module hang, which
            is noticed; however busy the machine is, they have as many.
    """

    def __init__(self, project: Path, module: str, tests: list[str]) -> None:
        self.project, self.tests = project, tests
        self.place = project / path_of(module).relative_to(ROOT)
        self.original = self.place.read_text("utf-8")
        self._learnt = project / "learnt.json"
        self.limit, self.called, self.seconds = SLOWEST, {}, {}
        self._check(learn=True)
        learnt = json.loads(self._learnt.read_text("utf-8"))
        self.called, self.seconds = learnt["called"], learnt["seconds"]
        _preload(learnt["modules"])
        for kept in self.place.parent.glob(f"__pycache__/{self.place.stem}.*.pyc"):
            kept.unlink()
        started = _used()
        self._check()  # in children as those of the mutants
        self.limit = max(30, round(8 * (_used() - started)))

    def _check(self, *, learn: bool = False) -> None:
        if not self._passes(learn=learn):
            tests = " ".join(self.tests)
            raise SystemExit(f"{tests}: fail without any change; mend them first.")

    def notices(self, mutant: Mutant) -> bool:
        """Whether a test fails once a place is changed."""
        self.place.write_text(ast.unparse(mutant.tree), "utf-8")
        try:
            return not self._passes(line=mutant.line)
        finally:
            self.place.write_text(self.original, "utf-8")

    def _passes(self, *, learn: bool = False, line: int = 0) -> bool:
        child = os.fork()
        if child == 0:
            try:
                os._exit(self._run(learn, line))
            finally:  # nothing of the parent is this child's to end
                os._exit(1)
        return _wait(child, self.limit) == 0

    def _run(self, learn: bool, line: int) -> int:
        """Run the tests in this child; give their code."""
        os.setsid()
        resource.setrlimit(resource.RLIMIT_CPU, (self.limit, self.limit))
        os.chdir(self.project)
        silent = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silent, 1)
        os.dup2(silent, 2)
        here = str(self.project)
        sys.path[:] = [here, *[p for p in sys.path if Path(p or ".") != ROOT]]
        os.environ |= {"PYTHONPATH": here, "TF_CPP_MIN_LOG_LEVEL": "3"}
        for name in [name for name in sys.modules if name.split(".")[0] in OWN]:
            del sys.modules[name]
        if not learn:
            sys.dont_write_bytecode = True
            os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
        import pytest

        order = Order(str(self.place))
        if not learn:
            order.prefer(_function_at(self.original, line), self.called, self.seconds)
        options = ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
        options += ["-x", "-q", "-n", "0", "-p", "no:cacheprovider", *self.tests]
        code = int(pytest.main(options, plugins=[order]))
        if learn:
            others = [name for name in sys.modules if name.split(".")[0] not in OWN]
            learnt = {**order.learnt(), "modules": others}
            self._learnt.write_text(json.dumps(learnt), "utf-8")
        return code


@contextmanager
def copied_project() -> Iterator[Path]:
    """Copy what the tests read, so that the checkout is never touched."""
    with TemporaryDirectory() as folder:
        target = Path(folder) / "project"
        ignore = shutil.ignore_patterns("__pycache__", "*.pyc")
        for name in ("pixsent_tf", "tests"):
            shutil.copytree(ROOT / name, target / name, ignore=ignore)
        for path in ROOT.iterdir():
            if path.is_file():
                shutil.copy(path, target / path.name)
            elif path.name in ("docs", "notebooks", "export", "benchmarks"):
                (target / path.name).symlink_to(path)
        if (ROOT.parent / "shared").exists():
            (Path(folder) / "shared").symlink_to(ROOT.parent / "shared")
        yield target


def _preload(names: list[str]) -> None:
    """Import what the tests import and is never changed; children start from there."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    for name in names:
        try:
            __import__(name)
        except Exception:  # made at run time; the child makes its own
            continue


def _function_at(source: str, line: int) -> int:
    """Give the first line of the innermost function around a line; 0 outside any."""
    starts = [0]
    for node in ast.walk(ast.parse(source)):
        within: Any = isinstance(node, ast.FunctionDef)
        if within and _first(node) <= line <= (node.end_lineno or 0):
            starts.append(_first(node))
    return max(starts)


def _first(node: ast.FunctionDef) -> int:
    return min([node.lineno, *(each.lineno for each in node.decorator_list)])


def _used() -> float:
    """Seconds of a processor that children have used until now."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _wait(child: int, limit: int) -> int:
    """Wait for a child; one that hangs is killed, and has noticed.

    One that computes for too long is ended by the limit that it set itself.
    """
    end = time.monotonic() + WAITING * limit
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return status
        time.sleep(0.02)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return 1
