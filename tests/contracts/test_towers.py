"""Every kind of tower goes through every verb, as a preset that lies in a folder."""

from __future__ import annotations

import json
import shutil
import sys

import numpy as np
import pytest
from click.testing import CliRunner

from pixsent_tf.analysis.maps import SentimentMapper
from pixsent_tf.cli import cli
from pixsent_tf.errors import ConfigError
from pixsent_tf.inference.model import SentimentModel
from tests.small_presets import KINDS, SIDE, write

READS_PLACES = {"DINOV2", "DINOV3", "ViT", "ResNet", "keras"}
FAST = {"DINOV2"}  # the one with most traps goes through the verbs in every run
APPLICATION = f"keras:MobileNetV2@{SIDE}"


def invoke(*arguments: object) -> dict:
    """Run a verb in this process; give what it told a program."""
    words = [*(str(argument) for argument in arguments), "--json"]
    quiet = [] if words[0] == "export" else ["--quiet"]
    result = CliRunner().invoke(cli, words + quiet)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout.splitlines()[-1])


def refused(*arguments: object) -> str:
    """Run a verb that fails; give its one line."""
    result = CliRunner().invoke(cli, [str(argument) for argument in arguments])
    assert result.exit_code in (1, 2), result.output
    return result.stderr.strip().splitlines()[-1]


@pytest.fixture(scope="module")
def presets(tmp_path_factory):
    """Write a preset of a kind when it is first asked for; give its name."""
    pytest.importorskip("keras_hub")
    folder, known = tmp_path_factory.mktemp("presets"), {"keras": APPLICATION}

    def name_of(kind: str) -> str:
        if kind not in known:
            write(kind, folder / kind)
            known[kind] = f"hub:{folder / kind}"
        return known[kind]

    return name_of


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(kind, marks=[] if kind in FAST else [pytest.mark.slow])
        for kind in (*KINDS, "keras")
    ],
)
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def settings(kind, presets):
    """What asks for the tower, with its own weights where it has any."""
    return ("--backbone", presets(kind), *(["--weights", "None"] * (kind == "keras")))


@pytest.fixture(scope="module")
def run(settings, colored_folder, tmp_path_factory):
    """A head on the frozen tower."""
    out = tmp_path_factory.mktemp("runs") / "head"
    invoke("fit", colored_folder, *settings, "--out", out)
    return out


@pytest.fixture(scope="module")
def photos(colored_folder):
    return sorted((colored_folder / "positive").iterdir())[:3]


def test_a_head_on_it_tells_dark_from_bright(settings, colored_folder, tmp_path):
    told = invoke(
        *("crossval", colored_folder, *settings, "--num-folds", 2),
        *("--out", tmp_path / "run"),
    )

    assert told["accuracy"] > 0.9


@pytest.mark.journey
@pytest.mark.filterwarnings("ignore")
def test_it_is_fine_tuned_and_is_afterwards_what_it_was(
    settings, colored_folder, photos, tmp_path, monkeypatch
):
    saved = {}
    save = SentimentModel.save

    def note(self, path):
        saved["probs"] = self.probs(canvases)
        save(self, path)

    monkeypatch.setattr(SentimentModel, "save", note)
    canvases = np.random.default_rng(0).integers(0, 256, (3, SIDE, SIDE, 3), "uint8")
    invoke(
        *("fit", colored_folder, *settings, "--strategy", "lp-ft", "--epochs", 1),
        *(
            "--batch-size",
            8,
            "--set",
            "training.learning_rate=0.01",
            "--out",
            tmp_path / "run",
        ),
    )

    loaded = SentimentModel.load(tmp_path / "run")
    np.testing.assert_allclose(loaded.probs(canvases), saved["probs"], atol=1e-6)


@pytest.mark.journey
def test_what_it_says_is_evaluated(run, photos, colored_folder):
    told = invoke("evaluate", run, colored_folder)
    answers = invoke("predict", *photos, "--model", run)

    assert told["accuracy"] > 0.9
    assert answers["answer"] == "positive"


def test_maps_say_what_it_says_or_that_there_are_none(kind, run, photos, tmp_path):
    arguments = ("maps", *photos, "--model", run, "--out", tmp_path / "maps")
    if kind not in READS_PLACES:
        assert "says one thing of the whole picture" in refused(*arguments)
        return
    invoke(*arguments)
    model = SentimentModel.load(run)
    crops = np.random.default_rng(0).integers(0, 256, (2, SIDE, SIDE, 3), "uint8")
    cells = SentimentMapper(model).crop_logits(crops)

    assert cells.shape[1] > 1 or kind == "keras"
    logits = model.classifier(crops.astype("float32"), training=False)
    np.testing.assert_allclose(cells.mean((1, 2)), logits, atol=1e-4)
    assert cells.shape[1] == 1 or cells.std((1, 2)).min() > 1e-3


@pytest.mark.journey
@pytest.mark.filterwarnings("ignore")
def test_it_is_served_without_python(run, photos, tmp_path):
    told = invoke("export", run, "--out", tmp_path, "--serve-check")

    assert told["serve_check_difference"] < 1e-4


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "name", ["m.tflite", pytest.param("m.onnx", marks=pytest.mark.slow)]
)
def test_it_goes_to_other_engines(run, name, tmp_path):
    kind = name.removeprefix("m.")
    told = invoke("export", run, "--format", kind, "--out", tmp_path / name)

    ours, theirs = told["scores"]
    assert theirs["accuracy"] == ours["accuracy"]
    assert theirs["flips"] == 0
    assert theirs["max_change"] < 1e-4


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_it_becomes_integers(run, photos, tmp_path):
    told = invoke(
        *("export", run, "--format", "tflite", "--quantize", "int8"),
        *("--out", tmp_path / "m.tflite"),
    )

    assert told["scores"][1]["accuracy"] > 0.5


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_beam_scores_with_it(run, colored_folder, tmp_path):
    told = invoke("score", colored_folder, "--model", run, "--out", tmp_path / "t.csv")

    assert told["num_examples"] == 24


@pytest.mark.slow
def test_it_is_adapted(run, colored_folder, tmp_path):
    told = invoke("adapt", colored_folder, "--model", run, "--out", tmp_path / "new")

    assert told["num_labels"] == 24


@pytest.mark.slow
def test_a_search_tries_it(settings, colored_folder, tmp_path):
    random = ["--set", "model.weights=None"] if "--weights" in settings else []
    told = invoke(
        *("tune", colored_folder, "--backbones", settings[1], *random),
        *("--trials", 1, "--num-folds", 2, "--out", tmp_path / "run"),
    )

    assert told["accuracy"] > 0.5


def test_without_keras_hub_a_run_says_what_it_needs(kind, run, monkeypatch):
    monkeypatch.setitem(sys.modules, "keras_hub", None)
    if kind == "keras":
        assert SentimentModel.load(run).recipe.model.backbone == APPLICATION
        return
    with pytest.raises(ConfigError, match=r"needs KerasHub.*pip install") as caught:
        SentimentModel.load(run)

    assert "\n" not in str(caught.value)


@pytest.mark.slow
def test_a_tower_stands_beside_another_network(
    presets, colored_folder, tmp_path, photos
):
    name = f"{presets('SigLIP')}@40+efficientnet_lite0@64+{presets('DINOV2')}@48"
    told = invoke(
        "fit", colored_folder, "--backbone", name, "--out", tmp_path / "joined"
    )
    shutil.rmtree(presets("SigLIP").removeprefix("hub:"), ignore_errors=False)
    answers = invoke("predict", *photos, "--model", tmp_path / "joined")

    assert told["accuracy"] > 0.9
    assert answers["answer"] == "positive"
