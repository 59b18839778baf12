"""Every kind of file through `fit`, `predict` and `audit`: one row each, right."""

from __future__ import annotations

import csv
import io
import json
import shutil

import pytest
from click.testing import CliRunner
from torture import write_torture

from pixsent_tf.cli import cli
from pixsent_tf.data.pictures import SUFFIXES


def invoke(*arguments: object):
    """Run the command in this process."""
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def torture(tmp_path_factory):
    """A folder with one of each kind, and what should become of each."""
    folder = tmp_path_factory.mktemp("torture")
    return folder, {file.name: file.status for file in write_torture(folder)}


@pytest.fixture(scope="module")
def fitted(torture, colored_folder, tmp_path_factory):
    """A fit over good pictures and all the others: its folder and its answer."""
    folder, statuses = torture
    data = tmp_path_factory.mktemp("data")
    shutil.copytree(colored_folder, data, dirs_exist_ok=True)
    for number, name in enumerate(statuses):
        into = data / ("negative", "positive")[number % 2] / name
        source = folder / name
        if source.is_dir():
            shutil.copytree(source, into, dirs_exist_ok=True)
        else:
            shutil.copy(source, into, follow_symlinks=False)
    out = tmp_path_factory.mktemp("runs") / "fit"
    result = invoke("fit", data, "--out", out, "--json", "--quiet")
    assert result.exit_code == 0, result.output
    return data, out, json.loads(result.stdout)


def listed(statuses: dict[str, str], folder) -> dict[str, str]:
    """Leave out what a folder's walk passes over: folders and other suffixes."""
    return {
        name: status
        for name, status in statuses.items()
        if name.lower().endswith(SUFFIXES) and not (folder / name).is_dir()
    }


def test_there_are_many_kinds(torture):
    assert len(torture[1]) >= 20
    assert len(set(torture[1].values())) >= 5


def test_fit_counts_each_bad_file_with_its_reason_and_goes_on(torture, fitted):
    folder, statuses = torture
    bad = {n: s for n, s in listed(statuses, folder).items() if s != "ok"}

    unreadable = fitted[2]["unreadable"]
    assert {r["id"].split("/", 1)[1]: r["reason"] for r in unreadable} == bad


def test_predict_has_a_row_for_every_file_with_its_status(torture, fitted):
    folder, statuses = torture
    paths = [folder / name for name in statuses if not (folder / name).is_dir()]
    result = invoke("predict", *paths, "--model", fitted[1], "--quiet")
    rows = list(csv.DictReader(io.StringIO(result.stdout)))

    repaired = {path.name for path in paths if "unended." in path.name}
    expected = [
        "ok (repaired)" if path.name in repaired else statuses[path.name]
        for path in paths
    ]
    assert [row["status"] for row in rows] == expected
    assert all((row["answer"] != "") == row["status"].startswith("ok") for row in rows)
    assert len(repaired) == 2
    assert result.exit_code == 1


def test_strict_refuses_what_would_be_repaired(torture, fitted):
    paths = [torture[0] / "unended.jpg", torture[0] / "baseline.jpg"]
    result = invoke("predict", *paths, "--model", fitted[1], "--quiet", "--strict")

    statuses = [row["status"] for row in csv.DictReader(io.StringIO(result.stdout))]
    assert statuses == ["truncated", "ok"]
    assert result.exit_code == 1


def test_audit_counts_the_same_files_by_the_same_reasons(torture, fitted):
    folder, statuses = torture
    result = invoke("audit", fitted[0], "--json", "--quiet")

    bad = [s for s in listed(statuses, folder).values() if s != "ok"]
    report = json.loads(result.stdout)
    assert result.exit_code == 0
    names = {name.split("/")[1] for name in report["parts"][0]["repaired"]}
    assert names == {"unended.jpg", "unended.turned.jpg"}
    assert sum(json.dumps(report).count(f'"{reason}"') > 0 for reason in set(bad)) == (
        len(set(bad))
    )
