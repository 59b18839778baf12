"""A test that stays away needs a reason that is written down."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.skips import is_allowed

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(
    ("reason", "allowed"),
    [
        ("Skipped: could not import 'torch': No module named 'torch'", True),
        ("Skipped: could not import 'apache_beam'", False),
        ("Skipped: needs chromium", True),
        ("Skipped: could not import 'tensorflow'", False),
        ("Skipped: later", False),
    ],
)
def test_only_written_reasons_are_allowed(reason, allowed):
    assert is_allowed(reason) == allowed


@pytest.mark.parametrize(
    ("reason", "code", "processes"),
    [("needs chromium", 0, "0"), ("later", 1, "0"), ("later", 1, "1")],
    ids=["known", "unknown", "unknown to a worker"],
)
def test_a_run_with_an_unknown_skip_fails(reason, code, processes, tmp_path):
    (tmp_path / "conftest.py").write_text("from tests.conftest import *\n")
    (tmp_path / "test_away.py").write_text(
        f"import pytest\ndef test_away():\n    pytest.skip({reason!r})\n"
    )
    command = [sys.executable, "-m", "pytest", "-n", processes, "-c", "/dev/null"]

    done = subprocess.run(
        [*command, "--rootdir", str(tmp_path), str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )

    assert done.returncode == code, done.stdout
    assert ("skipped without a known reason" in done.stdout) == bool(code)
