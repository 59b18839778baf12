"""Options of the verbs that can do without a trained model: words will do."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from pixsent_tf.errors import UsageError

if TYPE_CHECKING:
    from pixsent_tf.inference.model import SentimentModel

EXAMPLE = "hub:siglip2_base_patch16_256"


def words_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that make a model of words.

    Args:
        function: A click command's function, with `--model`.

    Returns:
        The function with `--words` and `--backbone`.
    """
    words = click.option(
        "--words",
        help="Instead of a model: prompts, a class each, as 'a sad picture,a happy "
        "picture', or a .json file of prompts by class.",
    )
    backbone = click.option(
        "--backbone", help=f"What reads the words, such as {EXAMPLE}."
    )
    return words(backbone(function))


def check_words(model: str | None, backbone: str | None, words: str | None) -> bool:
    """Say whether words stand for a model, before anything is loaded.

    Args:
        model: What `--model` says.
        backbone: What `--backbone` says.
        words: What `--words` says.

    Returns:
        Whether there are words.

    Raises:
        UsageError: If the options do not go together, or the words say nothing.
    """
    if words is None and backbone is None:
        return False
    if words is None or backbone is None:
        raise UsageError(
            f"--words and --backbone go together, as in --words 'a sad picture,a happy "
            f"picture' --backbone {EXAMPLE}."
        )
    if model is not None:
        raise UsageError("--words stand in the place of --model; leave one out.")
    from pixsent_tf.config.prompts import read_prompts

    read_prompts(words)
    return True


def load_words(backbone: str | None, words: str | None) -> SentimentModel:
    """Build the model that words are.

    Args:
        backbone: What `--backbone` says.
        words: What `--words` says.

    Returns:
        The model.
    """
    from pixsent_tf.inference.by_words import model_by_words

    return model_by_words(backbone or "", words or "")
