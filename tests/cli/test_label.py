"""`label`: what is refused before a page opens, and what is told when it is closed."""

from __future__ import annotations

import csv
import json

import pytest
from click.testing import CliRunner

from pixsent_tf.cli import cli
from pixsent_tf.demo import server
from tests.results import assert_told


def invoke(*arguments: object):
    """Run the command in this process."""
    return CliRunner().invoke(cli, ["label", *(str(one) for one in arguments)])


class StandIn:
    """A server at which somebody labels all pictures, and that ends then."""

    port = 1234

    def __init__(self, app) -> None:
        self.session = app.session

    def serve_forever(self):
        session = self.session
        for number in range(len(session.table.sample.pictures)):
            label = session.choices[number % 3]
            session.table.add(number, label, session.annotator, 1.5)


@pytest.fixture
def opened(monkeypatch):
    """What `open_server` is asked for; nothing listens."""
    asked = {}

    def open_server(app, **more):
        asked.update(more, app=app)
        return StandIn(app)

    monkeypatch.setattr(server, "open_server", open_server)
    return asked


@pytest.fixture
def table(colored_folder, tmp_path):
    paths = sorted(colored_folder.glob("*/*.png"))
    rows = [
        f"{path},negative,{0.5 + i / 60},{0.5 - i / 60}" for i, path in enumerate(paths)
    ]
    head = "path,answer,prob_negative,prob_positive"
    (tmp_path / "t.csv").write_text("\n".join([head, *rows]) + "\n")
    return tmp_path / "t.csv"


def test_json_is_what_is_defined_and_the_table_is_read_by_share(table, opened):
    out = table.parent / "labels.csv"

    result = invoke(table, "--out", out, "-n", 9, "--by", "uncertainty", "--json")

    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert_told("label", told)
    assert (told["num_examples"], told["population"], told["left"]) == (9, 24, 0)
    assert told["annotators"] == [
        {"annotator": "me", "num_labels": 6, "num_skipped": 3, "median_seconds": 1.5}
    ]
    assert (opened["host"], opened["port"]) == ("127.0.0.1", 7861)
    assert opened["app"].session.blind
    shares = CliRunner().invoke(
        cli, ["share", str(table), "--labels", str(out), "--json"]
    )
    cell = json.loads(shares.stdout)["cells"][0]
    assert cell["num_labels"] == 6
    assert "inverse probabilities" in json.loads(shares.stdout)["methods"]


def test_a_folder_needs_no_model_and_a_second_person_sees_the_same(
    colored_folder, tmp_path, opened
):
    out = tmp_path / "labels.csv"
    for who in ("ada", "bob"):
        result = invoke(colored_folder, "--out", out, "-n", 6, "--annotator", who)
        assert result.exit_code == 0, result.output

    with out.open() as file:
        rows = list(csv.DictReader(file))
    assert [row["path"] for row in rows[:6]] == [row["path"] for row in rows[6:]]
    assert "Krippendorff's alpha  1.000" in result.stdout
    assert "ceiling               100.0%" in result.stdout


def test_diverse_pictures_are_chosen_by_what_a_network_sees(
    run, colored_folder, tmp_path, opened
):
    out = tmp_path / "labels.csv"

    result = invoke(
        *(colored_folder, "--out", out, "-n", 4, "--by", "diversity", "--quiet"),
        *("--model", run),
    )

    assert result.exit_code == 0, result.output
    with out.open() as file:
        rows = list(csv.DictReader(file))
    sizes = [1 / float(row["probability"]) for row in rows]
    assert sizes == pytest.approx([round(size) for size in sizes])
    assert sum(sizes) == pytest.approx(24)  # one of each of four clusters


def test_unsure_pictures_of_a_folder_are_found_by_a_model(
    run, colored_folder, tmp_path, opened
):
    arguments = ("--by", "uncertainty", "--model", run, "--quiet", "-n", 5)

    result = invoke(colored_folder, "--out", tmp_path / "labels.csv", *arguments)

    assert result.exit_code == 0, result.output
    sample = opened["app"].session.table.sample
    assert sample.class_names == ("negative", "positive")
    assert all(each.sureness >= 0.5 for each in sample.pictures)


@pytest.mark.parametrize(
    ("arguments", "code", "match"),
    [
        (("t.csv", "--out", "l.xlsx"), 2, "must end in .csv"),
        (("absent", "--out", "l.csv"), 1, "does not exist; name a table, a folder"),
        (("absent.csv", "--out", "l.csv"), 1, "does not exist"),
        (("t.csv", "--out", "l.csv", "--annotator", ""), 2, "is no name"),
        (("t.csv", "--out", "l.csv", "--classes", "a"), 2, "different names"),
        (("t.csv", "--out", "l.csv", "--model", "m"), 2, "--model is not used"),
        (("t.csv", "--out", "l.csv", "--images", "x"), 1, "by --images"),
        ((".", "--out", "l.csv", "--show-answers"), 2, "needs a table of answers"),
        (("t.csv", "--out", "t.csv"), 2, "has no sample beside it"),
    ],
)
def test_what_makes_no_sense_is_told_in_a_line(
    table, opened, monkeypatch, arguments, code, match
):
    monkeypatch.chdir(table.parent)
    table.write_text(table.read_text().replace(str(table.parent.parent), ".."))

    result = invoke(*arguments)

    assert result.exit_code == code, result.output
    assert match in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert not opened


def test_another_sample_is_not_mixed_in(table, opened):
    out = table.parent / "labels.csv"
    assert invoke(table, "--out", out, "-n", 5).exit_code == 0

    result = invoke(table, "--out", out, "-n", 6)

    assert result.exit_code == 2
    assert "holds a sample of num 5, not 6; start label as before" in result.stderr


def test_a_page_that_others_can_reach_comes_with_a_warning(table, opened):
    result = invoke(table, "--out", table.parent / "l.csv", "--host", "0.0.0.0")

    assert opened["app"].hosts is None
    assert (
        "0.0.0.0 is open to the network: whoever reaches it may label" in result.stderr
    )


def test_a_table_that_only_names_pictures_is_labelled_too(
    colored_folder, opened, tmp_path
):
    paths = sorted(colored_folder.glob("*/*.png"))[:6]
    lines = ["Image;user", *(f"{path};ann" for path in paths)]
    (tmp_path / "t.csv").write_bytes("\n".join(lines).encode("utf-16"))

    result = invoke(tmp_path / "t.csv", "--out", tmp_path / "labels.csv", "-n", 4)

    assert result.exit_code == 0, result.output
    shown = opened["app"].session.table.sample.pictures
    assert len(shown) == 4
    assert {one.path for one in shown} <= set(map(str, paths))
