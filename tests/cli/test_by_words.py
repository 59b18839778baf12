"""Verbs without a trained model: words stand in its place."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from pixsent_tf.cli import cli
from pixsent_tf.inference.model import SentimentModel
from tests.small_presets import write

WORDS = "negative=a sad picture|a gloomy photo,positive=a happy picture"


def invoke(*arguments: object):
    """Run the command in this process."""
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def backbone(tmp_path_factory):
    folder = tmp_path_factory.mktemp("presets") / "siglip"
    write("SigLIP", folder)
    return f"hub:{folder}"


def test_pictures_are_predicted_by_words(backbone, colored_folder):
    picture = next((colored_folder / "positive").iterdir())
    result = invoke(
        *("predict", picture, "--words", "a sad picture,a happy picture"),
        *("--backbone", backbone, "--json", "--quiet"),
    )

    assert result.exit_code == 0, result.output
    probs = json.loads(result.stdout)["probs"]
    assert list(probs) == ["a sad picture", "a happy picture"]
    assert sum(probs.values()) == pytest.approx(1, abs=1e-5)


def test_a_few_labels_calibrate_words(backbone, colored_folder, tmp_path):
    out = tmp_path / "run"
    result = invoke(
        *("adapt", colored_folder, "--words", WORDS, "--backbone", backbone),
        *("--out", out, "--json", "--quiet"),
    )

    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["model"] == backbone
    assert told["after"]["accuracy"] >= told["before"]["accuracy"]
    loaded = SentimentModel.load(out)
    assert loaded.class_names == ("negative", "positive")
    assert loaded.recipe.model.words == WORDS


def test_words_stand_beside_features(backbone, colored_folder, tmp_path):
    result = invoke(
        *("fit", colored_folder, "--backbone", backbone, "--out", tmp_path / "run"),
        *("--set", f"model.words={WORDS}", "--json", "--quiet"),
    )

    assert result.exit_code == 0, result.output
    classifier = SentimentModel.load(tmp_path / "run").classifier
    assert classifier.get_layer("logits").input.shape[-1] == 16 + 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--words", "a,b"], "--words and --backbone go together"),
        (["--backbone", "hub:x"], "--words and --backbone go together"),
        (["--words", "a", "--backbone", "hub:x"], "fewer than two classes"),
        (
            ["--words", "a,b", "--backbone", "hub:x", "--model", "shipped"],
            "in the place of --model",
        ),
        (["--words", "a,b", "--backbone", "efficientnet_lite0"], "reads no words"),
    ],
)
def test_what_does_not_go_together_is_bad_usage(options, said, colored_folder):
    result = invoke("predict", colored_folder, *options, "--quiet")

    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stderr.count("\n") == 1
