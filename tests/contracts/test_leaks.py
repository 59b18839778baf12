"""Each leak is named where it could be, and found by a test where it is planted."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contracts.leaks import LEAKS
from tests.mutation.trial import copied_project

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("leak", LEAKS, ids=lambda leak: leak.choice)
def test_a_leak_is_a_change_of_what_stands_there_and_its_test_is_there(leak):
    file, _, name = leak.test.partition("::")

    assert (ROOT / "pixsent_tf" / leak.module).read_text("utf-8").count(leak.line) == 1
    assert re.search(
        rf"^def {name}\(", (ROOT / "tests" / file).read_text("utf-8"), re.M
    )


@pytest.mark.slow
@pytest.mark.parametrize("leak", LEAKS, ids=lambda leak: leak.choice)
def test_a_planted_leak_is_found(leak):
    with copied_project() as project:
        place = project / "pixsent_tf" / leak.module
        honest = place.read_text("utf-8")
        place.write_text(honest.replace(leak.line, leak.leak), "utf-8")
        ended = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-n", "0", f"tests/{leak.test}"],
            cwd=project,
            env={**os.environ, "PYTHONPATH": str(project)},
            capture_output=True,
            text=True,
        )

    assert ended.returncode == pytest.ExitCode.TESTS_FAILED, ended.stdout
    assert "1 failed" in ended.stdout
