"""What is known of many modules is kept, and told in a table."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from tests.contracts.leaks import LEAKS
from tests.mutation import __main__ as driver
from tests.mutation.__main__ import sample
from tests.mutation.modules import ROOT, find_tests, path_of, surveyed
from tests.mutation.operators import mutants
from tests.mutation.survey import hash_of, read, survey, table, total, write

ROW = {
    "module": "evaluation.compare",
    "tests": "tests/evaluation/test_compare.py",
    "mutants": 9,
    "killed": 6,
    "explained": {"1: a  ->  b": "it is the same"},
    "survivors": ["2: a  ->  b", "3: a  ->  b"],
}


def test_rows_are_kept_in_the_order_of_the_modules(tmp_path):
    out = tmp_path / "mutation.json"
    first = {**ROW, "module": "evaluation.annotators"}

    write(out, {"evaluation.compare": ROW, "evaluation.annotators": first})

    assert list(read(out).values()) == [first, ROW]


def test_the_table_ends_with_the_sum(tmp_path):
    write(tmp_path / "mutation.json", {"evaluation.compare": ROW})

    *_, row, total = table(tmp_path / "mutation.json").splitlines()

    assert row == "| `evaluation.compare` | 9 | 6 | 1 | 2 |"
    assert total == "| **1 modules** | 9 | 6 | 1 | 2 |"


def test_what_is_done_is_left_and_all_else_is_tried(tmp_path, monkeypatch):
    modules, tried = surveyed()[:4], []
    rows = {
        name: {
            **{**ROW, "module": name, "source": hash_of(name), "survivors": []},
            "tests": find_tests(name),
        }
        for name in modules
    }
    rows[modules[3]]["tests"] = "tests/others.py"
    rows[modules[1]]["mutants"] = 0  # its time was over before the first
    rows[modules[2]]["survivors"] = ["2: a  ->  b"]
    write(tmp_path / "mutation.json", rows)

    def note(command, **_):
        tried.append(command[command.index("--module") + 1])
        return SimpleNamespace(returncode=1)

    monkeypatch.setattr("tests.mutation.survey.subprocess.run", note)
    survey(tmp_path / "mutation.json", modules, [])

    assert tried == modules[1:]


def test_a_reason_holds_for_the_line_that_it_was_written_for(tmp_path, monkeypatch):
    source = "def f(x):\n    a = x.sum(axis=1)\n    return a.mean(axis=1)\n"
    known = {"some.module": {"a = x.sum(axis=1)  |  1  ->  0": "it is square"}}
    (tmp_path / "known.json").write_text(json.dumps(known))
    monkeypatch.setattr(driver, "KNOWN", tmp_path / "known.json")

    found = {
        mutant.line: driver.reason_of("some.module", mutant, source)
        for mutant in mutants(source)
        if (mutant.before, mutant.after) == ("1", "0")
    }

    assert found == {2: "it is square", 3: None}


def test_every_reason_is_of_a_line_that_is_there():
    for module, reasons in json.loads(driver.KNOWN.read_text("utf-8")).items():
        source = path_of(module).read_text("utf-8")
        lines = source.splitlines()
        there = {
            f"{lines[one.line - 1].strip()}  |  {one.before}  ->  {one.after}"
            for one in mutants(source)
        }
        assert set(reasons) <= there, module


def test_a_larger_sample_begins_with_the_smaller_one():
    numbers = list(range(100))

    assert sample(numbers, 20, 3)[:10] == sample(numbers, 10, 3)
    assert sample(numbers, 10, 3) != sample(numbers, 10, 4)


def test_a_small_module_is_tried_whole():
    assert sorted(sample(list(range(20)), 10, 0)) == list(range(20))


def test_the_page_shows_what_was_found_and_how_leaks_are_noticed():
    page = (ROOT / "docs/explanation/mistakes.md").read_text("utf-8")

    assert table(ROOT / "tests/mutation/survey.json") in page
    for row in read(ROOT / "tests/mutation/survey.json").values():
        for mistake, reason in row["explained"].items():
            what = mistake.partition(": ")[2]
            assert f"| `{row['module']}` | `{what}` | {reason} |" in page
    for leak in LEAKS:
        kind, _, what = leak.choice.partition(": ")
        assert f"| {kind} | {what} | `tests/{leak.test}` |" in page


def test_mistakes_are_noticed_or_change_nothing():
    found = total([*read(ROOT / "tests/mutation/survey.json").values()])

    assert found["killed"] >= 0.92 * found["mutants"]
    assert found["killed"] + found["explained"] >= 0.98 * found["mutants"]


@pytest.mark.parametrize("module", surveyed())
def test_every_module_that_is_surveyed_has_tests(module):
    assert path_of(module).is_file()
    assert find_tests(module)
