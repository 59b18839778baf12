"""`adapt`: a model becomes one for one's own pictures, by a few labels."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import keras
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

import pixsent_tf
from pixsent_tf.cli import cli
from pixsent_tf.config import PreprocessConfig
from pixsent_tf.data.copies.duplicates import find_copies
from pixsent_tf.inference.model import SentimentModel
from tests.results import assert_told


def invoke(*arguments: object):
    """Run the command in this process."""
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


@pytest.fixture(scope="session")
def greens(tmp_path_factory) -> Path:
    """Forty pictures: positive is green, of any brightness, in groups of two."""
    folder = tmp_path_factory.mktemp("greens")
    generator = np.random.default_rng(0)
    lines = ["path,label,annotator,group,seconds"]
    for number in range(40):
        is_positive = number // 2 % 2
        blocks = generator.integers(0, 120, (6, 6, 3))
        blocks[..., 1 if is_positive else 0] += 120
        pixels = np.kron(blocks, np.ones((8, 8, 1))).astype("uint8")
        Image.fromarray(pixels).save(folder / f"{number:02}.png")
        label = ("negative", "positive")[is_positive]
        lines.append(f"{number:02}.png,{label},me,{number // 2},1.5")
    lines += ["40.png,skip,me,40,2.0", "00.png,skip,you,0,2.0"]
    Image.fromarray(pixels[::-1]).save(folder / "40.png")
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture(scope="session")
def adapted(greens, tiny_run, tmp_path_factory):
    """What `adapt --json` printed of them, and the run."""
    out = tmp_path_factory.mktemp("runs") / "adapted"
    arguments = ("--model", tiny_run.path, "--out", out, "--json", "--quiet")
    result = invoke("adapt", greens / "labels.csv", *arguments)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout), out


def read_rows(out: Path) -> list[dict[str, str]]:
    with (out / "predictions.csv").open() as file:
        return list(csv.DictReader(file))


def test_json_is_what_is_defined_and_what_is_written(adapted):
    told, out = adapted

    assert_told("adapt", told)
    assert told == json.loads((out / "results.json").read_text())
    assert told["num_labels"] == 40
    assert told["out"] == str(out)


def test_it_becomes_better_and_says_by_how_much(adapted):
    told, _ = adapted
    before, after = told["before"]["accuracy"], told["after"]["accuracy"]
    low, high = told["difference"]["accuracy_difference_interval"]

    assert told["choice"] == "head"
    assert before < 0.8 < after
    assert told["difference"]["accuracy_difference"] == pytest.approx(after - before)
    assert low < after - before < high


def test_before_is_what_the_model_says(adapted, greens, tiny_run):
    told, _ = adapted
    files = [str(greens / f"{number:02}.png") for number in range(40)]
    found = list(SentimentModel.load(tiny_run.path).predict(files))

    right = [one.probs.argmax() == i // 2 % 2 for i, one in enumerate(found)]
    losses = [-np.log(one.probs[i // 2 % 2]) for i, one in enumerate(found)]

    assert told["before"]["accuracy"] == pytest.approx(np.mean(right))
    assert told["before"]["log_loss"] == pytest.approx(np.mean(losses), abs=1e-3)


def test_no_fold_tears_a_group_apart(adapted):
    _, out = adapted
    rows = sorted(read_rows(out), key=lambda row: row["id"])

    folds = [(rows[i]["fold"], rows[i + 1]["fold"]) for i in range(0, 40, 2)]

    assert len(rows) == 40
    assert all(first == second for first, second in folds)
    assert len(set(folds)) == 5


def test_a_picture_is_tested_by_what_others_made(adapted, greens):
    told, out = adapted
    rows = sorted(read_rows(out), key=lambda row: row["id"])
    out_of_fold = np.array([float(row["prob_positive"]) for row in rows])
    files = [str(greens / row["id"]) for row in rows]

    fitted = [one.prob_positive for one in SentimentModel.load(out).predict(files)]

    labels = np.array([row["label"] == "positive" for row in rows])
    assert told["after"]["accuracy"] == np.mean((out_of_fold > 0.5) == labels)
    # of what it was trained on it is surer
    assert np.abs(fitted - labels).mean() < np.abs(out_of_fold - labels).mean()


def test_the_saved_model_is_the_old_network_with_another_last_layer(adapted, tiny_run):
    _, out = adapted
    old, new = SentimentModel.load(tiny_run.path), SentimentModel.load(out)

    names = [[layer.name for layer in one.classifier.layers] for one in (old, new)]
    same = [
        all(map(np.array_equal, first.get_weights(), second.get_weights()))
        for first, second in zip(
            old.classifier.layers, new.classifier.layers, strict=True
        )
    ]

    assert names[0] == names[1]
    assert same == [True] * (len(same) - 1) + [False]
    assert len(new.output.held_out) == 40


def test_the_run_is_taken_by_the_other_verbs(adapted, greens, tmp_path):
    _, out = adapted
    picture = greens / "01.png"

    predicted = invoke("predict", picture, "--model", out, "--json", "--quiet")
    evaluated = invoke("evaluate", out, "--fast", "--json", "--quiet")
    mapped = invoke(
        *("maps", picture, "--model", out, "--out", tmp_path / "maps", "--json"),
        "--quiet",
    )
    exported = invoke(
        *("export", out, "--format", "tflite", "--quantize", "int8"),
        *("--max-drop", "1", "--out", tmp_path / "phone.tflite", "--json"),
    )

    for result in (predicted, evaluated, mapped, exported):
        assert result.exit_code == 0, result.output
    told, _ = adapted
    assert json.loads(evaluated.stdout)["accuracy"] == told["after"]["accuracy"]
    assert json.loads(evaluated.stdout)["settings_tried"] == 3
    assert json.loads(mapped.stdout)["kind"] == "convolutional"


def test_from_python_it_is_the_same(greens, tiny_run, tmp_path, adapted):
    told = pixsent_tf.adapt(
        greens / "labels.csv", model=tiny_run.path, out=tmp_path / "run"
    )

    for name in ("choice", "before", "after", "candidates"):
        assert told[name] == adapted[0][name]


def test_pictures_without_labels_say_how_features_vary(greens, tiny_run, tmp_path):
    result = invoke(
        *("adapt", greens / "labels.csv", "--model", tiny_run.path, "--json"),
        *("--pictures", greens, "--out", tmp_path / "run", "--quiet"),
    )

    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["num_labels"] == 40


def write_labels(folder: Path, negative: int, positive: int, name: str) -> Path:
    lines = [f"{2 * (i - i % 2) + i % 2:02}.png,negative" for i in range(negative)]
    lines += [f"{2 * (i - i % 2) + i % 2 + 2:02}.png,positive" for i in range(positive)]
    path = folder / name
    path.write_text("\n".join(["path,label", *lines]) + "\n")
    return path


@pytest.mark.parametrize(
    ("negative", "positive", "said"),
    [
        (5, 3, "has 8 labels (5 negative, 3 positive); adapting needs 10, and 3 of"),
        (5, 3, "3 of each class: 2 more."),
        (12, 0, "has 12 labels (12 negative, 0 positive)"),
        (12, 0, "3 more, 3 positive among them."),
        (12, 2, "1 more, 1 positive among them."),
        (0, 4, "6 more, 3 negative among them."),
        (0, 0, "10 more, 3 negative, 3 positive among them."),
    ],
)
def test_too_few_labels_are_refused_with_how_many_are_missing(
    greens, tiny_run, tmp_path, negative, positive, said
):
    labels = write_labels(greens, negative, positive, f"{negative}-{positive}.csv")
    out = tmp_path / "run"

    result = invoke("adapt", labels, "--model", tiny_run.path, "--out", out)

    assert result.exit_code == 2
    assert said in result.output
    assert not out.exists()


def test_copies_are_no_labels_of_their_own(tmp_path, tiny_run, greens):
    lines = ["path,label"]
    for number in range(12):
        source = greens / ("02.png" if number % 2 else "00.png")
        (tmp_path / f"{number}.png").write_bytes(source.read_bytes())
        lines.append(f"{number}.png,{('negative', 'positive')[number % 2]}")
    (tmp_path / "labels.csv").write_text("\n".join(lines) + "\n")
    assert len(find_copies([str(greens / "00.png"), str(greens / "02.png")]).pairs) == 0

    result = invoke(
        *("adapt", tmp_path / "labels.csv", "--model", tiny_run.path),
        *("--out", tmp_path / "run", "--quiet"),
    )

    assert result.exit_code == 2
    assert "2 different, readable pictures (1 negative, 1 positive)" in result.output


def test_labels_of_other_classes_are_refused(greens, tiny_run, tmp_path):
    text = (greens / "labels.csv").read_text().replace("positive", "happy")
    (greens / "happy.csv").write_text(text)

    result = invoke(
        *("adapt", greens / "happy.csv", "--model", tiny_run.path),
        *("--out", tmp_path / "run"),
    )

    assert result.exit_code == 1
    assert "has the class 'happy', the model knows negative, positive" in result.output


def test_a_model_that_ends_in_no_linear_layer_is_refused(greens, tmp_path):
    crops = keras.Input((16, 16, 3), name="crops")
    pooled = keras.layers.GlobalAveragePooling2D()(crops)
    heads = [keras.layers.Dense(2, name=f"logits{i}")(pooled) for i in range(2)]
    mean = keras.layers.Average(name="mean_logits")(heads)
    network = keras.Model(crops, mean, name="ensemble")
    model = SentimentModel.build(
        network, PreprocessConfig(20, 16), ("negative", "positive")
    )
    model.save(tmp_path / "model.keras")

    result = invoke(
        *("adapt", greens / "labels.csv", "--model", tmp_path / "model.keras"),
        *("--out", tmp_path / "run"),
    )

    assert result.exit_code == 1
    assert "ends in 'mean_logits' (Average)" in result.output
    assert not (tmp_path / "run").exists()


def test_people_read_what_was_chosen_and_why(greens, tiny_run, tmp_path):
    result = invoke(
        *("adapt", greens / "labels.csv", "--model", tiny_run.path),
        *("--out", tmp_path / "run", "--quiet"),
    )

    lines = {line.split("  ")[0]: line for line in result.stdout.splitlines()}
    assert lines["choice"].endswith("head")
    assert "none of the simpler ones is better" in lines["chosen by"]
    assert "before" in lines["accuracy"]
    assert "95 % interval" in lines["difference"]


def test_a_picture_that_cannot_be_read_is_named_and_left_out(
    greens, tiny_run, tmp_path
):
    (greens / "torn.png").write_bytes((greens / "00.png").read_bytes()[:60])
    text = (greens / "labels.csv").read_text() + "torn.png,negative,me,99,1\n"
    (greens / "torn.csv").write_text(text)

    result = invoke(
        *("adapt", greens / "torn.csv", "--model", tiny_run.path, "--json"),
        *("--out", tmp_path / "run", "--quiet"),
    )

    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["num_labels"] == 40
    assert [row["id"] for row in told["unreadable"]] == ["torn.png"]
    assert read_rows(tmp_path / "run")[-1]["answer"] == ""


def test_python_takes_a_list_of_the_collection(greens, tiny_run, adapted, tmp_path):
    listed = tmp_path / "all.txt"
    listed.write_text("".join(f"{path}\n" for path in sorted(greens.glob("*.png"))))

    found = pixsent_tf.adapt(
        greens / "labels.csv",
        model=tiny_run.path,
        pictures=listed,
        out=tmp_path / "run",
    )

    assert found["num_labels"] == adapted[0]["num_labels"]
    assert found["before"] == adapted[0]["before"]
