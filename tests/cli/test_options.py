"""What an option may hold is checked before anything is opened."""

from __future__ import annotations

import logging
import os

import click
import pytest
from click.testing import CliRunner

from pixsent_tf.cli import VERBS, cli
from pixsent_tf.cli.options import engine_options, read_recipe, sources
from pixsent_tf.config import Recipe
from pixsent_tf.errors import ConfigError
from pixsent_tf.machine import max_feature_bytes

GONE = "no/such/folder"  # opening it would fail with another message and exit code


def invoke(*arguments: object):
    """Run the command in this process."""
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("fit --epochs 0", "--epochs=0 is no whole number of 1 or more."),
        ("fit --epochs 3.7", "--epochs=3.7 is no whole number of 1 or more."),
        ("fit --seed -1", "--seed=-1 is no whole number from 0 to 2147483647."),
        (
            "fit --test-fraction 5",
            "--test-fraction=5 is no number above 0, at most 0.5.",
        ),
        (
            "fit --strategy magic",
            "--strategy='magic' is none of head, last-blocks, all,",
        ),
        ("fit --ensemble-size 0", "--ensemble-size=0 is no whole number of 1 or more."),
        ("fit --level five", "--level='five' is none of five_agrees, four_agrees, th"),
        ("fit --labels soft", "--labels='soft' is none of hard, votes."),
        ("fit --join-weight nan", "--join-weight=nan is no number from 0 to 1."),
        ("fit --backbone a@b", "Backbone 'a@b' is not of the form NAME, NAME@PIXELS"),
        (
            "fit --epochs 3",
            "training.epochs (--epochs) does nothing with strategy head",
        ),
        ("fit --set training.epochs=3.7", "training.epochs=3.7 is no whole number of"),
        ("fit --set training.min_area_fraction=-2", "min_area_fraction=-2 is no numb"),
        ("fit --set training.ema=3", "training.ema=3 is no number of 0 or more, below"),
        ("fit --set training.label_smoothing=7", "label_smoothing=7 is no number from"),
        ("fit --set training.batch_size=0", "training.batch_size=0 is no whole numbe"),
        ("fit --set training.optimizer=sgdd", "'sgdd' is none of caffe_sgd, adamw."),
        ("fit --set model.texture=3.5", "model.texture='3.5' is neither true nor fals"),
        ("fit --set model.dropout=2", "model.dropout=2 is no number of 0 or more, bel"),
        ("fit --set data=x", "data='x' is no DataConfig."),
        (
            "fit --set epochs=3",
            "No setting 'epochs'; the nearest is 'training.epochs'.",
        ),
        ("fit --set epochs", "--set 'epochs' is not of the form NAME=VALUE."),
        ("fit --epoch 3", "No such option '--epoch'"),
        ("crossval --num-folds 1", "--num-folds=1 is no whole number of 2 or more."),
        ("crossval --folds 1,x", "--folds[1]='x' is no whole number of 1 or more."),
        ("crossval --folds 0", "--folds[0]=0 is no whole number of 1 or more."),
        ("tune --trials 0", "--trials=0 is no whole number of 1 or more."),
        ("tune --workers -1", "--workers=-1 is no whole number of 0 or more."),
        ("tune --num-inner-folds 6", "--num-inner-folds=6 is no whole number from 1"),
        ("tune --tuner grid", "--tuner='grid' is none of random, hyperband, bayesian."),
        ("tune --strategies head,magic", "--strategies[1]='magic' is none of head, la"),
        ("tune --epochs 3", "does nothing with strategy head; add to --strategies: la"),
        ("tune --no-nested --num-folds 3", "--num-folds does nothing with --no-nested"),
        ("tune --tuner hyperband --trials 3", "Hyperband counts its own trials"),
        ("predict --abstain-at recall=0.9", "--abstain-at='recall=0.9' is no number"),
        ("predict --abstain-at precision=95", "--abstain-at=95 is no number above 0, "),
        ("maps --limit 0", "--limit=0 is no whole number of 1 or more."),
        ("maps --check --out x", "--out does nothing with --check"),
        ("probe --seed 1.5 --backbone a", "--seed=1.5 is no whole number from 0 to"),
        ("probe --units 0,-1 --backbone a", "--units[1]=-1 is no whole number of 0 or"),
        ("probe --model r --weights None", "--weights does nothing with --model"),
        ("evaluate --level five_agrees", "--level does nothing without DATA"),
        ("score --out t.csv --shard-size 0", "--shard-size=0 is no whole number of 1"),
        ("export --max-drop nan", "--max-drop=nan is no number from 0 to 1."),
        ("export --version 0", "--version=0 is no whole number of 1 or more."),
        ("export --quantize int8", "--quantize does nothing with --format savedmodel"),
        ("export --format onnx --version 3", "--version does nothing with --format on"),
        ("audit --level six_agree", "--level='six_agree' is none of five_agrees, four"),
    ],
)
def test_bad_usage_is_one_line_before_anything_is_opened(arguments, message):
    verb, *options = arguments.split(" ")

    result = invoke(verb, GONE, *options)

    assert result.exit_code == 2, result.output
    (line,) = result.stderr.splitlines()
    assert line.startswith("Error: ")
    assert message in line


@pytest.mark.parametrize(
    "given", ["a b", "--data a --data b", "a --data b"], ids=["place", "name", "both"]
)
def test_sources_are_given_by_place_or_by_name(given):
    @click.command()
    @sources(required=True)
    def command(data):
        click.echo(" ".join(data))

    assert CliRunner().invoke(command, given.split()).output == "a b\n"
    assert CliRunner().invoke(command, []).exit_code == 2


def test_sources_by_name_are_opened():
    result = invoke("fit", "--data", "smileys", "--data", GONE)

    assert result.exit_code == 1
    assert f"{GONE} does not exist" in result.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--tables 2,7", "--tables[1]='7' is none of 2, 3, 4, 5, 6, maps, backbones."),
        ("--folds 6", "--folds[0]=6 is no whole number from 1 to 5."),
        ("--max-steps -1", "--max-steps=-1 is no whole number of 0 or more."),
        ("--num-repeats 0", "--num-repeats=0 is no whole number of 1 or more."),
        ("--example-fraction 2", "--example-fraction=2 is no number above 0, at most"),
        ("--quick --folds 1", "--folds does nothing with --quick; leave it out."),
        ("--backbones a", "--backbones does nothing without --tables backbones"),
    ],
)
def test_a_study_of_the_paper_is_checked_alike(options, message):
    result = invoke("reproduce", "campos2016", GONE, *options.split(" "))

    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert message in line


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--port 65536", "--port=65536 is no whole number from 0 to 65535."),
        ("--max-mb 0", "--max-mb=0 is no whole number from 1 to 1000."),
    ],
)
def test_a_page_is_checked_alike(options, message):
    result = invoke("demo", "--model", GONE, *options.split(" "))

    assert result.exit_code == 2
    assert message in result.stderr


def test_none_is_a_value_and_not_a_missing_option():
    recipe = read_recipe(Recipe(), (), weights="None", epochs=None)

    assert recipe.model.weights is None
    assert recipe.training.epochs == Recipe().training.epochs


def test_set_wins_over_an_option():
    assert read_recipe(Recipe(), ("seed=3",), seed="2").seed == 3


def test_a_recipe_is_read_whole_before_it_is_judged():
    recipe = read_recipe(Recipe(), ("training.strategy=all",), epochs="3")

    assert (recipe.training.strategy, recipe.training.epochs) == ("all", 3)
    with pytest.raises(ConfigError, match="does nothing with strategy head"):
        read_recipe(Recipe(), (), epochs="3")


@pytest.mark.parametrize("verb", VERBS)
def test_no_option_has_a_number_without_a_range(verb):
    command = cli.get_command(click.Context(cli), verb)

    loose = (click.types.IntParamType, click.types.FloatParamType)
    assert [p.name for p in command.params if isinstance(p.type, loose)] == []


def test_an_engine_holds_while_the_command_runs(monkeypatch):
    monkeypatch.setenv("PIXSENT_ENGINE", "litert")
    seen = []

    @click.command()
    @engine_options
    def command():
        level = logging.getLogger("pixsent_tf").level
        seen.append((os.environ["PIXSENT_ENGINE"], level, max_feature_bytes()))

    CliRunner().invoke(command, ["--engine", "tensorflow", "--verbose", "--no-cache"])

    assert seen == [("tensorflow", logging.INFO, 0)]
    assert max_feature_bytes() > 0
    assert os.environ["PIXSENT_ENGINE"] == "litert"
    assert logging.getLogger("pixsent_tf").handlers == []


def test_an_engine_that_is_not_there_is_bad_usage():
    result = invoke("predict", GONE, "--engine", "steam")

    assert result.exit_code == 2
    assert "'steam' is not one of 'auto', 'tensorflow', 'litert'" in result.stderr
