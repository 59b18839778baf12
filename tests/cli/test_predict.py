"""`predict`: one row for each file, whatever it is."""

from __future__ import annotations

import csv
import io
import itertools
import json
import subprocess
import sys

import pytest
from click.testing import CliRunner
from PIL import Image

import pixsent_tf
from pixsent_tf.cli import cli
from pixsent_tf.inference import light
from pixsent_tf.inference.model import SentimentModel
from tests.float32 import LITE0_OPERATIONS, assert_close_float32
from tests.results import assert_told


def invoke(*arguments: object, **more: object):
    """Run the command in this process."""
    return CliRunner().invoke(cli, [str(argument) for argument in arguments], **more)


@pytest.fixture
def model(run):
    """The run folder of a model that tells dark from bright."""
    return run


def test_a_folder_is_walked_and_a_bad_file_gets_its_row(
    model, colored_folder, tmp_path
):
    (tmp_path / "deep").mkdir()
    bright = (colored_folder / "positive" / "00.png").read_bytes()
    (tmp_path / "deep" / "bright.png").write_bytes(bright)
    (tmp_path / "empty.jpg").write_bytes(b"")
    result = invoke("predict", tmp_path, "--model", model, "--quiet")

    assert result.exit_code == 1
    assert "1 of 2 files could not be read" in result.stderr
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    by_name = {row["path"].rpartition("/")[2]: row for row in rows}
    assert by_name["bright.png"]["answer"] == "positive"
    assert by_name["bright.png"]["status"] == "ok"
    assert by_name["empty.jpg"]["answer"] == ""
    assert by_name["empty.jpg"]["status"] == "empty"


def test_json_lines_carry_the_contract_in_the_order_given(model, colored_folder):
    paths = [colored_folder / name / "01.png" for name in ("positive", "negative")]
    result = invoke("predict", *paths, "--model", model, "--json", "--quiet")

    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.exit_code == 0
    assert [row["path"] for row in rows] == [str(path) for path in paths]
    assert [row["answer"] for row in rows] == ["positive", "negative"]
    for row in rows:
        assert_told("predict", row)
        assert row["prob_positive"] == row["probs"]["positive"]
        assert row["status"] == "ok"


def test_a_list_on_standard_input_and_a_glob_name_the_same_files(model, colored_folder):
    pattern = str(colored_folder / "negative" / "0[0-2].png")
    listed = "\n".join(
        str(colored_folder / "negative" / f"0{number}.png") for number in range(3)
    )
    by_glob = invoke("predict", pattern, "--model", model, "--quiet")
    by_list = invoke("predict", "-", "--model", model, "--quiet", input=listed)

    assert by_glob.stdout == by_list.stdout
    assert by_glob.stdout.count("\n") == 4


def test_a_missing_file_is_a_row_and_not_the_end(model, colored_folder):
    good = colored_folder / "negative" / "00.png"
    result = invoke("predict", "gone.jpg", good, "--model", model, "--quiet")

    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert [row["status"] for row in rows] == ["missing", "ok"]
    assert result.exit_code == 1

    told = invoke("predict", "gone.jpg", "--model", model, "--json", "--quiet").stdout
    assert_told("predict", json.loads(told))
    assert json.loads(told)["message"].startswith("gone.jpg ")


def test_ten_crops_agree_with_the_center_on_plain_pictures(model, colored_folder):
    picture = colored_folder / "positive" / "03.png"
    probs = []
    for options in ((), ("--ten-crop",)):
        result = invoke(
            *("predict", picture, "--model", model, "--json", "--quiet"), *options
        )
        probs.append(json.loads(result.stdout)["prob_positive"])

    assert probs[0] > 0.9
    assert probs[1] > 0.9
    assert probs[0] != probs[1]


def test_out_writes_a_file_and_prints_nothing(model, colored_folder, tmp_path):
    picture = colored_folder / "positive" / "00.png"
    table = tmp_path / "table.csv"
    result = invoke("predict", picture, "--model", model, "--out", table, "--quiet")

    assert result.stdout == ""
    assert table.read_text().splitlines()[0] == (
        "path,answer,prob_negative,prob_positive,status"
    )


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nothing", "does not exist; give a run folder or a .keras"),
        ("empty", "is no run folder: it holds no recipe.json"),
        ("text.keras", "is no model of this package"),
    ],
)
def test_what_is_no_model_is_refused_in_one_line(
    tmp_path, colored_folder, name, message
):
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.keras").write_text("not a model")
    picture = colored_folder / "positive" / "00.png"
    result = invoke("predict", picture, "--model", tmp_path / name, "--quiet")

    assert result.exit_code == 1
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_an_error_in_the_middle_keeps_the_table_that_was_there(
    model, colored_folder, tmp_path, monkeypatch
):
    from pixsent_tf.inference.model import SentimentModel

    answers = SentimentModel.predict

    def break_off(self, paths, **settings):
        yield from itertools.islice(answers(self, paths, **settings), 3)
        raise KeyboardInterrupt

    monkeypatch.setattr(SentimentModel, "predict", break_off)
    monkeypatch.setenv("PIXSENT_ENGINE", "tensorflow")  # which is not the light way
    table = tmp_path / "table.csv"
    table.write_text("what was there")

    result = invoke("predict", colored_folder, "--model", model, "--out", table)

    assert result.exit_code != 0
    assert table.read_text() == "what was there"
    assert list(tmp_path.iterdir()) == [table]


def test_a_folder_without_pictures_is_refused(model, tmp_path):
    result = invoke("predict", tmp_path, "--model", model)

    assert result.exit_code == 1
    assert "holds no pictures; name files or folders" in result.stderr


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    """Photographs that nobody trained on: scikit-learn's samples."""
    from sklearn.datasets import load_sample_images

    folder = tmp_path_factory.mktemp("photographs")
    samples = load_sample_images()
    for name, pixels in zip(samples.filenames, samples.images, strict=True):
        Image.fromarray(pixels).save(folder / name.rpartition("/")[2])
    return folder


def test_without_a_model_the_one_that_ships_answers(photographs):
    result = invoke("predict", photographs, "--json", "--quiet")
    rows = {
        row["path"].rpartition("/")[2]: row
        for row in map(json.loads, result.stdout.splitlines())
    }

    assert result.exit_code == 0
    # A flower and a palace by a lake: people find both pleasant.
    assert {row["answer"] for row in rows.values()} == {"positive"}
    assert_close_float32(
        pixsent_tf.predict(photographs / "flower.jpg").prob_positive,
        rows["flower.jpg"]["prob_positive"],
        operations=LITE0_OPERATIONS,
    )


def test_answers_that_are_not_sure_enough_are_called_so(model, colored_folder):
    precise = invoke(
        "predict", colored_folder, "--model", model, "--abstain-at", "precision=1"
    )
    model = pixsent_tf.load(model)
    chosen = model.abstain_at(1.0)
    found = list(model.predict([str(p) for p in colored_folder.rglob("*.png")]))
    answered = sum(one.probs.max() >= chosen.threshold for one in found)

    assert precise.exit_code == 0
    assert f"answered {answered} of {len(found)} pictures" in precise.stderr
    answers = [row["answer"] for row in csv.DictReader(io.StringIO(precise.stdout))]
    assert answers.count("unsure") == len(found) - answered


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_columns_of_a_table_are_kept_beside_the_answers(
    run, colored_folder, tmp_path, form
):
    from pixsent_tf.data.lists.tables import read_rows

    listed, out = tmp_path / "posts.csv", tmp_path / f"t.{form}"
    paths = sorted(map(str, colored_folder.glob("negative/*.png")))
    lines = [f"{path},u{i},{i}" for i, path in enumerate(paths)]
    listed.write_text("\n".join(["path,user,id", *lines]) + "\n")
    arguments = [
        "predict",
        str(listed),
        "--keep-columns",
        "--model",
        str(run),
        "--quiet",
    ]

    result = CliRunner().invoke(cli, [*arguments, "--format", form, "--out", str(out)])

    assert result.exit_code == 0, result.output
    rows = list(read_rows(out))
    assert [row["user"] for row in rows] == [f"u{i}" for i in range(12)]
    assert [str(row["id"]) for row in rows] == [str(i) for i in range(12)]
    assert {row["answer"] for row in rows} == {"negative"}


def test_a_stopped_table_leaves_the_old_one_and_goes_on(
    model, colored_folder, tmp_path, monkeypatch
):
    monkeypatch.setenv("PIXSENT_ENGINE", "tensorflow")  # which is not the light way
    monkeypatch.setattr("pixsent_tf.inference.kept_rows.PART", 8)
    whole, out = tmp_path / "whole.csv", tmp_path / "table.csv"
    assert invoke("predict", colored_folder, "--model", model, "--out", whole)
    out.write_text("the table of yesterday")
    predict, asked = SentimentModel.predict, []

    def stopped_in_the_third(self, paths, **options):
        if len(asked) == 2:
            raise KeyboardInterrupt
        asked.append(list(paths))
        return predict(self, paths, **options)

    monkeypatch.setattr(SentimentModel, "predict", stopped_in_the_third)
    result = invoke("predict", colored_folder, "--model", model, "--out", out)

    assert result.exit_code == 130
    assert "what is done is kept. To go on: pixsent-tf" in result.stderr
    assert out.read_text() == "the table of yesterday"
    again = []
    monkeypatch.setattr(
        SentimentModel,
        "predict",
        lambda self, paths, **options: (
            again.append(list(paths)) or predict(self, paths, **options)
        ),
    )
    result = invoke("predict", colored_folder, "--model", model, "--out", out)

    assert result.exit_code == 0
    assert [len(paths) for paths in asked + again] == [8, 8, 8]
    assert out.read_bytes() == whole.read_bytes()
    assert {path.name for path in tmp_path.iterdir()} == {"whole.csv", "table.csv"}


def test_a_person_is_told_what_the_model_that_ships_was_measured_on(
    colored_folder, monkeypatch
):
    photo = str(colored_folder / "positive" / "00.png")
    told = "Measured on tweets and OASIS"

    def said(*options):
        result = CliRunner().invoke(cli, ["predict", photo, *options])
        assert result.exit_code == 0, result.output
        return result.stderr

    assert told not in said()  # a pipe
    monkeypatch.setattr("pixsent_tf.cli.console.is_terminal", lambda: True)
    assert told in said()
    assert told not in said("--quiet")
    assert told not in said("--json")


def test_the_first_photograph_is_answered_without_tensorflow(tmp_path, monkeypatch):
    monkeypatch.setenv("PIXSENT_CACHE", str(tmp_path / "cache"))
    Image.new("RGB", (300, 200), "orange").save(tmp_path / "photo.jpg")
    code = (
        "import sys, time\n"
        "from pixsent_tf.cli import cli\n"
        "cli(['predict', sys.argv[1], '--quiet'], standalone_mode=False)\n"
        "heavy = {'tensorflow', 'keras', 'scipy', 'sklearn', 'matplotlib', 'tqdm'}\n"
        "print(sorted(heavy & sys.modules.keys()), file=sys.stderr)\n"
        "print(time.process_time(), file=sys.stderr)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "photo.jpg")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)

    loaded, seconds = done.stderr.splitlines()[-2:]
    assert loaded == "[]"
    assert float(seconds) < 1.5  # of the processor; 0.6 measured
    assert done.stdout.splitlines()[1].endswith(",ok")


def test_a_model_of_ones_own_needs_tensorflow_once(run, tmp_path, monkeypatch):
    monkeypatch.setenv("PIXSENT_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("PIXSENT_ENGINE", raising=False)
    photo = str(tmp_path / "photo.jpg")
    Image.new("RGB", (300, 200), "orange").save(photo)
    assert light.find(str(run), 1) is None

    done = CliRunner().invoke(cli, ["predict", photo, "--model", str(run), "--quiet"])

    assert done.exit_code == 0, done.output
    (again,) = light.predict(str(run), [photo])
    said = float(done.stdout.splitlines()[1].split(",")[-2])
    assert again.prob_positive == pytest.approx(said, abs=1e-3)
