"""Words: each way to write them, and what says nothing."""

from __future__ import annotations

import json

import pytest

from pixsent_tf.config import ModelConfig
from pixsent_tf.config.prompts import read_prompts
from pixsent_tf.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "prompts"),
    [
        (
            "a sad one,a happy one",
            {"a sad one": ["a sad one"], "a happy one": ["a happy one"]},
        ),
        ("negative=sad, positive=happy", {"negative": ["sad"], "positive": ["happy"]}),
        ("n=sad|gloomy,p=happy", {"n": ["sad", "gloomy"], "p": ["happy"]}),
    ],
)
def test_words_are_written_in_three_ways(text, prompts):
    assert read_prompts(text) == {name: tuple(said) for name, said in prompts.items()}


def test_a_file_holds_prompts_by_class_in_its_order(tmp_path):
    path = tmp_path / "words.json"
    path.write_text(json.dumps({"positive": ["happy", "cheerful"], "negative": "sad"}))

    found = read_prompts(str(path))

    assert list(found.items()) == [
        ("positive", ("happy", "cheerful")),
        ("negative", ("sad",)),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a picture", "fewer than two classes"),
        ("a,a", "name a class twice"),
        ("a,", "nothing to say of the class"),
        ("n=,p=happy", "nothing to say of the class 'n'"),
        ("gone.json", r"cannot be read from gone\.json"),
    ],
)
def test_what_says_nothing_is_refused(text, message):
    with pytest.raises(ConfigError, match=message):
        read_prompts(text)


@pytest.mark.parametrize(
    "content", ["[1, 2]", '{"a": 1, "b": ["c"]}', "{", '{"a": "b"}']
)
def test_a_file_of_something_else_is_refused(content, tmp_path):
    path = tmp_path / "words.json"
    path.write_text(content)

    with pytest.raises(ConfigError, match="Words"):
        read_prompts(str(path))


def test_a_recipe_refuses_words_that_say_nothing():
    with pytest.raises(ConfigError, match="fewer than two classes"):
        ModelConfig(words="a picture")
