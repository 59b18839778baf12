"""The comparison asks what its contenders can answer, and reads the answers rightly."""

from __future__ import annotations

import ast
import importlib
import re

import pytest

from benchmarks.__main__ import CONTENDERS, OURS, QUESTIONS, Contender, Question, _tell
from benchmarks.environments import PACKAGES

ALL = [each for question in QUESTIONS.values() for each in question.contenders]


@pytest.mark.parametrize("contender", ALL, ids=lambda each: each.question)
def test_every_contender_knows_what_it_is_asked(contender):
    script = (CONTENDERS / f"{contender.script}.py").read_text("utf-8")

    answers = re.findall(
        r'^ +"([a-z0-9-]+)": |\{"([a-z]+)": |, "([a-z]+)": ', script, re.M
    )
    assert contender.question in {name for names in answers for name in names}


@pytest.mark.parametrize(
    "path", sorted(CONTENDERS.parent.rglob("*.py")), ids=lambda path: path.name
)
def test_what_a_benchmark_takes_from_the_package_is_there(path):
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and f"{node.module}.".startswith(
            "pixsent_tf."
        ):
            module = importlib.import_module(node.module)
            for each in node.names:
                if not hasattr(module, each.name):  # else a module below it
                    importlib.import_module(f"{node.module}.{each.name}")


def test_this_package_comes_first_and_rivals_have_environments_of_their_own():
    for name, question in QUESTIONS.items():
        assert question.contenders[0].script == "ours", name
    rivals = {each.script for each in ALL} - {"ours", "plain_keras"}
    assert rivals == PACKAGES.keys()


@pytest.mark.parametrize(
    ("is_time", "ours", "theirs"), [(False, [40, 60], [20, 20]), (True, [2, 3], [4, 9])]
)
def test_ratios_above_one_say_that_this_package_is_ahead(is_time, ours, theirs):
    contenders = (Contender(OURS, "ours", "a"), Contender("other", "other", "a"))
    found = {
        name: [{"value": value, "peak_mb": 100} for value in values]
        for name, values in ((OURS, ours), ("other", theirs))
    }

    told, table = _tell(Question("Title", "unit", contenders, is_time), found)

    assert told[OURS]["ahead"] == 1
    assert told["other"]["ahead"] == 2.5  # of 2 and 3 the median
    assert "| other | " in table
    assert "2.50 (2.00 to 3.00) | 100 |" in table
