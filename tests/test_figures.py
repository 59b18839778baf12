"""Every figure in a text is what a command printed, or the text says it itself."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

from docs.results import (
    FOLDER,
    ROOT,
    SHIPPED,
    TEXTS,
    Record,
    bind,
    find_faults,
    find_figures,
    split_sections,
)
from docs.results import __main__ as command

SOURCES: dict[str, dict[str, list[str]]] = json.loads(
    (FOLDER / TEXTS).read_text("utf-8")
)
RECORDS = sorted(path.stem for path in FOLDER.glob("*.json") if path.name != TEXTS)
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in [
        *(ROOT / name for name in ("README.md", "CHANGELOG.md")),
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "pixsent_tf").rglob("MODEL_CARD.md"),
    ]
)


def read(page: str) -> str:
    return (ROOT / page).read_text("utf-8")


@pytest.mark.parametrize("page", PAGES)
def test_every_figure_is_what_its_command_printed(page):
    assert find_faults(read(page), SOURCES.get(page, {}), page) == []


def test_no_text_is_named_that_is_not_there():
    assert set(SOURCES) - set(PAGES) == set()


def test_every_record_is_quoted_and_every_name_is_a_record():
    named = {
        source.split(":")[0]
        for sections in SOURCES.values()
        for sources in sections.values()
        for source in sources
        if not source.startswith("=")
    }

    assert named == {*RECORDS, *SHIPPED}


@pytest.mark.parametrize("name", RECORDS)
def test_a_record_says_what_ran_where_and_when(name):
    record = Record.load(name)

    if record.command.startswith("campos2016"):
        assert "arXiv" in record.command  # printed by others
    else:
        assert re.fullmatch(r"[0-9a-f]{7,}", record.commit)
        assert re.fullmatch(r"20\d\d-\d\d-\d\d", record.date)
    assert str(ROOT.parent) not in json.dumps(record.values)


def accuracies(values):
    """Give each accuracy with the number of pictures that it is of."""
    if isinstance(values, dict):
        if {"num_examples", "accuracy"} <= set(values):
            yield values["num_examples"], values["accuracy"]
        values = list(values.values())
    if isinstance(values, list):
        for value in values:
            yield from accuracies(value)


@pytest.mark.parametrize("name", [*RECORDS, *SHIPPED])
def test_an_accuracy_of_n_pictures_is_a_number_of_nths(name):
    record = Record.load(name)

    for count, accuracy in accuracies(record.values):
        right = round(accuracy * count)
        if record.read_off:  # to three digits
            assert abs(right / count - accuracy) <= 0.0005 * (1 + 1e-6)
        else:
            assert right / count == pytest.approx(accuracy, abs=1e-9)


def test_the_rate_that_no_880_pictures_give_is_found():
    (found,) = accuracies({"num_examples": 880, "accuracy": 0.896})

    assert abs(round(0.896 * 880) / 880 - found[1]) > 0.0005


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (".891 (.869–.910)", ".892 (.869–.910)", ".892 is not five:accuracy"),
        ("p = .27,", "p = .28,", ".28 is not compare-finetuned-five:mcnemar_p"),
    ],
    ids=["an accuracy", "a p value"],
)
def test_a_stale_figure_is_found(old, new, fault):
    text = read("README.md")
    assert old in text

    (found,) = find_faults(text.replace(old, new), SOURCES["README.md"], "README.md")

    assert found == f"README.md, 'How good is it?': {fault}"


@pytest.mark.parametrize(
    ("added", "fault"),
    [
        ("It reaches .891 too.", "is not"),  # a known one in a place that names none
        ("And .123 at last.", "is not"),
    ],
)
def test_a_figure_that_is_put_in_is_found(added, fault):
    text = read("README.md").replace("The AUC of `best`", f"{added}\nThe AUC of `best`")

    (found,) = find_faults(text, SOURCES["README.md"], "README.md")

    assert fault in found


def test_a_record_that_says_otherwise_makes_the_text_stale(monkeypatch):
    real = Record.load

    def load(name):
        record = real(name)
        if name == "five-best":
            record.values["accuracy"] = 0.9136
        return record

    monkeypatch.setattr(Record, "load", load)
    faults = find_faults(read("README.md"), SOURCES["README.md"], "README.md")

    assert any(".916 is not five-best:accuracy" in fault for fault in faults)


def test_a_figure_below_a_heading_without_records_is_found():
    faults = find_faults("# New\nIt reaches .777 here.\n", {}, "a page")

    assert faults == ["a page, 'New': .777 has no source"]


def test_a_figure_that_is_gone_is_found():
    text = "# One\n.891\n"
    sources = {"One": ["five:accuracy", "five:auc"]}

    assert find_faults(text, sources, "a page") == [
        "a page, 'One': five:auc is not there"
    ]


def test_sources_are_proposed_and_what_none_gives_is_marked():
    proposed = bind("Of 3.13, .891 (.869–.910), and .777.", ["three", "five"], ["3.13"])

    assert proposed == [
        "=3.13",
        "five:accuracy",
        "five:accuracy_interval.0",
        "five:accuracy_interval.1",
        "?.777",
    ]


def test_a_heading_that_is_gone_is_found():
    (fault,) = find_faults("# New\n", {"Old": ["five"]}, "a page")

    assert "has no heading 'Old'" in fault


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("| .891 (.869–.910) |", [".891", ".869", ".910"]),
        ("1.000 (.954–1.000)", ["1.000", ".954", "1.000"]),
        ("+.002 (−.013 to +.018)", [".002", "−.013", ".018"]),
        ("it refused 0.21 %.", ["0.21 %"]),
        ("of .58.", [".58"]),
        ("keras 3.11.3 took 4.5 s", []),
        ("`--lr .001` in [it](http://a.b/1604.03489)", []),
        ("```text\n.123\n```\n", []),
        ("arXiv:1604.03489", []),
    ],
)
def test_figures_are_told_from_versions_code_and_addresses(text, found):
    assert [figure.text for figure in find_figures(text)] == found


@pytest.mark.parametrize(
    ("figure", "value", "fits"),
    [
        (".89", 0.8909, True),
        (".89", 0.8955, False),
        (".891", -0.8909, True),  # a difference may be told by its size
        ("−.013", -0.0126, True),
        ("−.013", 0.0126, False),
        ("0.21 %", 0.002147, True),
        ("0.21 %", 0.21, False),
    ],
)
def test_a_figure_is_a_value_rounded_as_it_is(figure, value, fits):
    (found,) = find_figures(figure)

    assert found.is_rounded(value) == fits


def test_what_stands_in_a_block_of_code_is_no_heading():
    sections = split_sections("# One\n```bash\n# not two\n```\n.12\n## Two\n.34\n")

    assert list(sections) == ["", "One", "Two"]
    assert ".12" in sections["One"]


def ask(monkeypatch, capsys, *arguments: str) -> str:
    monkeypatch.setattr(sys, "argv", ["docs.results", *arguments])
    command.main()
    return capsys.readouterr().out


def test_a_name_prints_command_commit_and_figures(monkeypatch, capsys):
    printed = ask(monkeypatch, capsys, "five")

    assert "pixsent-tf crossval deepsent/ --level five_agrees" in printed
    assert "0.8909090909090909" in printed
    assert "five-best" in ask(monkeypatch, capsys)
    assert "Read off the text" in ask(monkeypatch, capsys, "steps-to-best")


def test_sources_are_proposed_for_a_section(monkeypatch, capsys):
    heading = "Why it works at all"
    page = "docs/explanation/visual-sentiment.md"

    printed = ask(monkeypatch, capsys, "five", "--bind", page, heading)

    assert json.loads(printed) == SOURCES[page][heading]


def test_run_again_the_figures_are_those_of_the_command(monkeypatch, capsys, tmp_path):
    told = {"accuracy": 0.75, "num_examples": 4, "seconds": 2.5, "per_fold": [1.0]}
    asked = []

    def run(words, **settings):
        asked.append((words, settings.get("cwd")))
        out = "abc1234\n" if words[0] == "git" else json.dumps(told)
        return subprocess.CompletedProcess(words, 0, out)

    monkeypatch.setattr(command.subprocess, "run", run)
    saved = {}
    monkeypatch.setattr(Record, "save", lambda self, name: saved.update({name: self}))
    ask(monkeypatch, capsys, "five", "--again", str(tmp_path))

    (words, folder), _ = asked
    assert folder == tmp_path
    assert words[1:6] == ["-m", "pixsent_tf", "crossval", "deepsent/", "--level"]
    assert saved["five"].values == {"accuracy": 0.75, "num_examples": 4}
    assert (saved["five"].commit, saved["five"].read_off) == ("abc1234", False)


def test_what_needs_a_run_of_its_own_is_not_guessed_at(monkeypatch, capsys, tmp_path):
    with pytest.raises(SystemExit, match="Run it yourself, then use --run"):
        ask(monkeypatch, capsys, "compare-best-five", "--again", str(tmp_path))
