"""Which model answers without a label? One that compares pictures with words."""

from __future__ import annotations

from pixsent_tf.config import ModelConfig, Recipe
from pixsent_tf.inference.model import SentimentModel
from pixsent_tf.models import zoo


def model_by_words(backbone: str, words: str) -> SentimentModel:
    """Build a model whose classes are words, which no label has trained.

    Args:
        backbone: A preset that reads texts, as `hub:NAME`.
        words: Prompts by class; see `config.prompts`.

    Returns:
        The model. It holds no tokenizer and no text tower: words have become weights.

    Raises:
        ConfigError: If there is no such preset, it reads no texts, or the words are of
            another form.
        WeightsError: If its weights or its tokenizer cannot be read.
    """
    config = ModelConfig(backbone=backbone, words=words)
    classifier, class_names = zoo.build_by_words(config)
    return SentimentModel.build(
        classifier,
        zoo.preprocess_of(config),
        class_names,
        recipe=Recipe(name="by-words", model=config),
    )
