"""Every verb keeps the same promises, and a new one has to say how it is asked."""

from __future__ import annotations

import json
import re

import click
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from pixsent_tf.cli import VERBS, cli
from tests.results import assert_told
from tests.serving.conftest import tiny_model

__all__ = ["tiny_model"]

# Verb -> how it is asked about `{it}`; without an answer it says in one line why not.
ASKED = {
    "fit": "fit {it}",
    "crossval": "crossval {it}",
    "evaluate": "evaluate {it}",
    "compare": "compare {it} {it}",
    "predict": "predict {it}",
    "adapt": "adapt {it}",
    "maps": "maps {it}",
    "features": "features {it} --layers conv",
    "probe": "probe {it} --backbone efficientnet_lite0",
    "reproduce": "reproduce campos2016 {it}",
    "tune": "tune {it}",
    "demo": "demo --model {it}",
    "export": "export {it}",
    "score": "score {it}",
    "label": "label {it}",
    "share": "share {it}",
    "audit": "audit {it}",
    "inspect": "inspect {it}",
    "doctor": "doctor",
}
NEED_OUT = {"features": "out.npz", "score": "out.csv", "label": "out.csv"}
ANSWER_ALONE = {"doctor"}  # asks about nothing
WITH_OUT = [
    verb
    for verb in VERBS
    if any("--out" in param.opts for param in cli.get_command(None, verb).params)
]


def ask(verb: str, it: object, *options: object):
    """Run a verb in this process."""
    words = ASKED[verb].format(it=it).split()
    return CliRunner().invoke(cli, [*words, *map(str, options)])


def told_in_one_line(result, codes) -> str:
    """Hold a refusal to its form: one line, the right exit code, no traceback."""
    assert result.exit_code in codes, result.output
    assert isinstance(result.exception, SystemExit)
    *before, line = result.stderr.splitlines()
    assert line.startswith(("Error: ", "Warning: "))
    # what was begun may be told before; it is no error
    assert not any(re.match("Error|Traceback| {4}", one) for one in before)
    return line


def test_every_verb_is_asked():
    assert set(ASKED) == set(VERBS)


@pytest.mark.parametrize("verb", sorted(set(VERBS) - {"demo"}))
def test_every_verb_tells_programs(verb):
    options = {
        option: param
        for param in cli.get_command(None, verb).params
        for option in param.opts
    }

    assert isinstance(options["--json"], click.Option)
    assert options["--json"].is_flag


@pytest.mark.parametrize("verb", WITH_OUT)
def test_a_place_that_cannot_be_written_is_known_before_anything_is_read(
    verb, tmp_path
):
    (tmp_path / "file").write_text("")

    result = ask(verb, tmp_path / "gone", "--out", tmp_path / "file" / "out")

    assert "is a file, not a folder" in told_in_one_line(result, {2})


@pytest.mark.parametrize("verb", sorted(set(VERBS) - ANSWER_ALONE))
@pytest.mark.parametrize("kind", ["gone", "empty"])
def test_nothing_to_work_on_is_one_line(verb, kind, tmp_path):
    it = tmp_path / "it"
    if kind == "empty":
        it.mkdir()
    out = ["--out", tmp_path / NEED_OUT[verb]] if verb in NEED_OUT else []

    told_in_one_line(ask(verb, it, *out), {1, 2})

    assert not list(tmp_path.glob("out*"))


@pytest.fixture(scope="module")
def model(tiny_model, tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "tiny.keras"
    tiny_model.save(path)
    return path


@pytest.fixture(params=["first", "middle", "last"])
def photos(request, tmp_path):
    """Three pictures, and a broken one among them; its place."""
    place = {"first": 0, "middle": 1, "last": 3}[request.param]
    generator = np.random.default_rng(0)
    for number in range(4):
        path = tmp_path / f"{number}.png"
        if number == place:
            path.write_bytes(b"\x89PNG no more")
        else:
            pixels = generator.integers(0, 256, (24, 24, 3), dtype="uint8")
            Image.fromarray(pixels).save(path)
    return [str(tmp_path / f"{number}.png") for number in range(4)], place


def test_a_broken_picture_moves_no_row_of_predict(photos, model):
    paths, place = photos
    asked = ["predict", *paths, "--model", str(model), "--json"]

    result = CliRunner().invoke(cli, asked)

    assert result.exit_code == 1
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    for row in rows:
        assert_told("predict", row)
    assert [row["path"] for row in rows] == paths
    assert [row["status"] == "ok" for row in rows] == [i != place for i in range(4)]
    for number, path in enumerate(paths):
        if number != place:
            alone = CliRunner().invoke(
                cli, ["predict", path, "--model", str(model), "--json"]
            )
            wanted = json.loads(alone.stdout)["prob_positive"]  # within a gray level
            assert rows[number]["prob_positive"] == pytest.approx(wanted, abs=1e-4)


def test_a_broken_picture_moves_no_row_of_features(photos, model, tmp_path):
    paths, place = photos
    out = tmp_path / "features.npz"
    asked = ["features", *paths, "--model", str(model), "--layers", "conv", "--json"]

    result = CliRunner().invoke(cli, [*asked, "--out", str(out)])

    assert result.exit_code == 1, result.output
    told = json.loads(result.stdout)
    assert_told("features", told)
    (unreadable,) = told["unreadable"]
    assert unreadable["id"].endswith(f"{place}.png")
