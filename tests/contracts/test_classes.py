"""Two, three and eight classes go through every verb alike."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from pixsent_tf.cli import cli
from pixsent_tf.config import PreprocessConfig
from pixsent_tf.inference.model import SentimentModel
from pixsent_tf.models import zoo
from tests.results import assert_told

NAMES = {
    2: ("negative", "positive"),
    3: ("calm", "glad", "sad"),
    8: (
        *("amusement", "anger", "awe", "contentment"),
        *("disgust", "excitement", "fear", "sadness"),
    ),
}
# The corners of the cube of colors, those first that lie far apart
COLORS = [(30, 30, 30), (220, 220, 220), (220, 30, 30), (30, 220, 30)]
COLORS += [(30, 30, 220), (220, 220, 30), (30, 220, 220), (220, 30, 220)]
OF_EACH = 12
TINY = ("--backbone", "colors", "--weights", "None")


def build_colors(weights, input_size, seed):
    """Mean of what 16 fixed sums of red, green and blue are above zero."""
    crops = keras.Input((16, 16, 3), name="crops")
    scaled = keras.layers.Rescaling(1 / 128, offset=-1)(crops)
    start = keras.initializers.RandomNormal(stddev=1.0, seed=5)
    sums = keras.layers.Conv2D(
        16, 1, activation="relu", kernel_initializer=start, name="sums"
    )(scaled)
    pooled = keras.layers.GlobalAveragePooling2D(name="features")(sums)
    return keras.Model(crops, pooled, name="colors")


def invoke(*arguments: object):
    """Run the command in this process."""
    result = CliRunner().invoke(cli, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    return result


def told(*arguments: object):
    """What a command prints as JSON, held to what is defined."""
    return json.loads(invoke(*arguments, "--json", "--quiet").stdout)


def names_in(results: dict) -> tuple[str, ...]:
    """Names of the classes that numbers were told of, in their order."""
    return tuple(row["name"] for row in results["per_class"])


def read_rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@dataclass(frozen=True)
class Case:
    """Pictures of K kinds, and a run that knows them."""

    names: tuple[str, ...]
    pictures: Path
    run: Path
    fitted: dict

    @property
    def columns(self) -> list[str]:
        """What tables of answers have."""
        return ["path", "answer", *(f"prob_{name}" for name in self.names), "status"]

    @property
    def files(self) -> list[Path]:
        """One picture of each kind, that of the first class first."""
        return [self.pictures / name / "00.png" for name in self.names]

    def assert_sums_to_one(self, rows: list[dict[str, str]]) -> None:
        probs = np.array([[float(row[c]) for c in self.columns[2:-1]] for row in rows])
        np.testing.assert_allclose(probs.sum(axis=1), 1, atol=1e-5)
        best = [self.names[i] for i in probs.argmax(axis=1)]
        assert best == [row["answer"] for row in rows]


@pytest.fixture(scope="module", autouse=True)
def colors():
    """Put the small network into the zoo."""
    entry = zoo.BackboneEntry(build_colors, PreprocessConfig(20, 16))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(zoo.BACKBONES, "colors", entry)
        yield


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(2, marks=pytest.mark.slow),
        3,
        pytest.param(8, marks=pytest.mark.slow),
    ],
)
def case(request, colors, tmp_path_factory) -> Case:
    names = NAMES[request.param]
    folder = tmp_path_factory.mktemp("kinds")
    generator = np.random.default_rng(0)
    for name, color in zip(names, COLORS, strict=False):
        (folder / name).mkdir()
        for number in range(OF_EACH):
            pixels = np.array(color) + generator.integers(-30, 30, (24, 24, 3))
            image = Image.fromarray(pixels.clip(0, 255).astype("uint8"))
            image.save(folder / name / f"{number:02}.png")
    out = tmp_path_factory.mktemp("runs") / "fit"
    return Case(names, folder, out, told("fit", folder, *TINY, "--out", out))


@pytest.fixture(scope="module")
def answers(case, tmp_path_factory) -> Path:
    """The table that `predict` writes of all pictures."""
    out = tmp_path_factory.mktemp("answers") / "answers.csv"
    invoke("predict", case.pictures, "--model", case.run, "--out", out, "--quiet")
    return out


def test_fit_tells_every_class(case):
    assert_told("fit", case.fitted)
    rows = read_rows(case.run / "predictions.csv")

    assert case.fitted["accuracy"] == 1
    assert names_in(case.fitted) == case.names
    assert [c for c in rows[0] if c.startswith("prob_")] == case.columns[2:-1]


def test_crossval_tests_every_picture(case, tmp_path):
    found = told(
        *("crossval", case.pictures, *TINY, "--num-folds", 3, "--discard-models"),
        *("--out", tmp_path / "c"),
    )

    assert_told("crossval", found)
    assert found["num_examples"] == OF_EACH * len(case.names)
    assert names_in(found) == case.names
    assert len(found["confusion"]) == len(case.names)


def test_evaluate_tells_what_fit_told(case, tmp_path):
    own = told("evaluate", case.run, "--out", tmp_path / "own")
    all_of_them = told(
        "evaluate", case.run, case.pictures, "--fast", "--out", tmp_path / "all"
    )

    assert_told("evaluate", own)
    assert own["accuracy"] == case.fitted["accuracy"]
    assert names_in(all_of_them) == case.names
    page = (tmp_path / "own" / "report.html").read_text("utf-8")
    assert all(name in page for name in case.names)
    assert "its sentiment map" in page


def test_predict_gives_a_probability_of_each(case, answers):
    rows = read_rows(answers)

    assert list(rows[0]) == case.columns
    case.assert_sums_to_one(rows)
    assert all(Path(row["path"]).parent.name == row["answer"] for row in rows)


def test_score_gives_the_rows_of_predict(case, answers, tmp_path):
    pytest.importorskip("apache_beam")
    out = tmp_path / "scored.csv"
    told("score", case.pictures, "--model", case.run, "--out", out)
    scored, said = read_rows(out), read_rows(answers)

    assert list(scored[0]) == case.columns
    case.assert_sums_to_one(scored)
    for row, other in zip(scored, said, strict=True):
        assert (row["path"], row["answer"]) == (other["path"], other["answer"])


def test_share_gives_the_share_of_each(case, answers):
    found = told("share", answers)
    shares = found["cells"][0]["shares"]

    assert list(shares) == list(case.names)
    each = [one["plain"] for one in shares.values()]
    np.testing.assert_allclose(each, 1 / len(case.names))


def test_compare_takes_run_and_table(case, answers):
    found = json.loads(invoke("compare", case.run, answers, "--json").stdout)

    assert_told("compare", found)
    assert found["pairs"][0]["accuracy_difference"] == 0


def test_adapt_keeps_the_classes_in_their_order(case, tmp_path):
    out = tmp_path / "adapted"
    found = told("adapt", case.pictures, "--model", case.run, "--out", out)
    said = told("predict", case.files[-1], "--model", out)

    assert_told("adapt", found)
    assert list(said["probs"]) == list(case.names)
    assert said["answer"] == case.names[-1]


def test_maps_are_one_for_each_class(case, tmp_path):
    out = tmp_path / "maps"
    found = told("maps", *case.files, "--model", case.run, "--out", out)

    assert_told("maps", found)
    shown = case.names if len(case.names) > 2 else case.names[1:]
    assert found["maps"] == list(shown)
    with np.load(out / "maps.npz") as stored:
        assert stored["names"].tolist() == list(case.names)
        assert stored["smooth"].shape[-1] == len(case.names)
        np.testing.assert_allclose(stored["cells"].sum(axis=-1), 1, atol=1e-5)
        strongest = stored["cells"].mean(axis=(1, 2)).argmax(axis=1)
        assert strongest.tolist() == list(range(len(case.names)))
        np.testing.assert_array_equal(stored["probs"].argmax(axis=1), strongest)


@pytest.mark.parametrize(
    ("form", "quantize"), [("tflite", "none"), ("tflite", "int8"), ("onnx", "none")]
)
def test_a_file_gives_what_predict_gives(case, tmp_path, form, quantize):
    from pixsent_tf.serving import onnx, tflite

    if form == "onnx":
        pytest.importorskip("tf2onnx")
    out = tmp_path / f"kinds.{form}"
    options = ("--quantize", quantize) if form == "tflite" else ()
    exported = invoke(
        *("export", case.run, "--format", form, "--out", out, *options),
        *("--max-drop", 0.01, "--json"),
    )
    found = json.loads(exported.stdout)
    model = SentimentModel.load(case.run)
    open_runtime = onnx.open_runtime if form == "onnx" else tflite.open_runtime
    runtime = open_runtime(str(out), 1)

    assert_told("export", found, case=1)
    assert found["class_names"] == list(case.names)
    assert found["output"]["shape"][1] == len(case.names)
    for k, file in enumerate(case.files):
        pixels = np.asarray(Image.open(file))
        canvas = model.preprocessor.to_canvas(pixels)
        probs = runtime(model.preprocessor.center_crop(canvas[None]).numpy())
        assert probs.shape == (1, len(case.names))
        assert probs.sum() == pytest.approx(1, abs=1e-2)
        assert int(probs.argmax()) == k


@pytest.mark.journey
def test_the_served_model_names_the_classes(case, tmp_path):
    import tensorflow as tf

    exported = invoke("export", case.run, "--out", tmp_path, "--serve-check", "--json")
    loaded = tf.saved_model.load(json.loads(exported.stdout)["out"])
    contents = [file.read_bytes() for file in case.files]
    served = loaded.signatures["serving_default"](tf.constant(contents))
    names = [name.decode() for name in served["class_names"][0].numpy()]

    assert names == list(case.names)
    answers = [name.decode() for name in served["answer"].numpy()]
    assert answers == list(case.names)
    np.testing.assert_allclose(served["probs"].numpy().sum(axis=1), 1, atol=1e-5)


def test_tune_finds_settings_for_them(case, tmp_path):
    found = told(
        *("tune", case.pictures, "--backbones", "colors", "--no-nested"),
        *("--trials", 2, "--set", "model.weights=None", "--out", tmp_path / "t"),
    )

    assert_told("tune", found)
    assert names_in(found) == case.names
    said = told("predict", case.files[0], "--model", tmp_path / "t")
    assert said["answer"] == case.names[0]


def test_audit_counts_every_class(case):
    found = told("audit", case.pictures)

    assert found["parts"][0]["classes"] == dict.fromkeys(case.names, OF_EACH)


def test_probe_tells_them_apart_by_features(case, tmp_path):
    found = told(
        *("probe", case.pictures, "--model", case.run, "--layers", "sums"),
        *("--out", tmp_path / "p"),
    )

    assert_told("probe", found)
    assert found["layers"][0]["accuracy"] > 0.9


def test_features_do_not_depend_on_the_classes(case, tmp_path):
    out = tmp_path / "f.npz"
    told(
        *("features", *case.files, "--model", case.run, "--layers", "features,logits"),
        *("--out", out),
    )

    with np.load(out) as stored:
        assert stored["features"].shape == (len(case.names), 16)
        assert stored["logits"].shape == (len(case.names), len(case.names))


def test_the_page_answers_and_has_a_map_of_each(case):
    from pixsent_tf.demo.answers import Answerer

    answerer = Answerer(SentimentModel.load(case.run), "kinds")
    known = answerer.describe()
    shown = case.names if len(case.names) > 2 else case.names[1:]

    assert known["class_names"] == case.names
    assert [one["name"] for one in known["maps"]] == list(shown)
    for name, file in zip(case.names, case.files, strict=True):
        reply = answerer.predict(file.name, file.read_bytes())
        assert reply["answer"] == name
        assert tuple(reply["probs"]) == case.names
        assert sum(reply["probs"].values()) == pytest.approx(1, abs=1e-4)
    assert list(answerer.map("a.png", file.read_bytes())["maps"]) == list(shown)
