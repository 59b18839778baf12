"""Fixtures that many tests share."""

from __future__ import annotations

import gc
import os
import random
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.skips import is_allowed

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# It is read at the first step, and loading a tower sets it: a process of tests has run
# other networks before, and what it starts then would compute with other kernels.
os.environ.setdefault("ONEDNN_MAX_CPU_ISA", "AVX2")

# TensorFlow leaves millions of objects that live as long as the process.
gc.set_threshold(50_000, 20, 20)

ROOT = Path(__file__).parents[1]
# Files that take long begin first: the last ones keep no process waiting for another.
FIRST = (
    "tests/test_docs.py",
    "tests/contracts",
    "tests/studies",
    "tests/cli",
    "tests/training",
    "tests/faults",
    "tests/serving",
)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what takes long first, in the order of `FIRST`."""

    def rank(item: pytest.Item) -> int:
        name = item.nodeid
        return next((i for i, one in enumerate(FIRST) if name.startswith(one)), 99)

    items.sort(key=rank)


def _seed(name: str) -> None:
    """Draw the same numbers under a name, whatever ran before in this process.

    Keras asks Python's generator for the seed of each layer. Seeding TensorFlow too
    would throw away every function that it has compiled, a second for each test.
    """
    seed = zlib.crc32(name.encode())
    random.seed(seed)
    np.random.seed(seed)


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup(fixturedef: pytest.FixtureDef) -> None:
    """Let a fixture's weights be the same, whichever test asks for it first."""
    _seed(f"{fixturedef.baseid}::{fixturedef.argname}")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> None:
    """Let a test's weights be the same, whichever tests ran before it."""
    _seed(item.nodeid)


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory):
    """Keep the tests' cache out of the user's."""
    os.environ["PIXSENT_CACHE"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The photographs and Caffe files that lie beside the project, where they do."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"needs {folder}, which is not here")
    return folder


@pytest.fixture(scope="session")
def colored_folder(tmp_path_factory) -> Path:
    """Twelve small pictures in two classes that any network can tell apart."""
    folder = tmp_path_factory.mktemp("colored")
    generator = np.random.default_rng(0)
    for label, level in (("negative", 40), ("positive", 215)):
        (folder / label).mkdir()
        for number in range(12):
            pixels = generator.integers(level - 40, level + 40, (48, 64, 3))
            image = Image.fromarray(pixels.astype("uint8"))
            image.save(folder / label / f"{number:02}.png")
    return folder


def _unexplained(config: pytest.Config) -> list[str]:
    """Name the tests that were skipped for a reason that is not allowed."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter else []
    return [
        f"{report.nodeid}: {report.longrepr[2]}"
        for report in skipped
        if isinstance(report.longrepr, tuple) and not is_allowed(report.longrepr[2])
    ]


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run in which a test stayed away without a reason that `skips` knows."""
    if session.exitstatus == 0 and _unexplained(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter, config: pytest.Config) -> None:
    """Name them."""
    for line in _unexplained(config):
        terminalreporter.write_line(f"skipped without a known reason: {line}", red=True)
