"""How near is a picture to words? For presets that read texts beside pictures.

Each prompt becomes a vector of unit length by the preset's own tokenizer and text
tower; a class is the mean of its prompts, brought to unit length again. The cosine with
a picture's vector, times the scale that the preset has learnt, is the logit of the
class: one dense layer behind the vision tower. So texts are read once, and neither
tokenizer nor text tower is part of what is saved or exported.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from pixsent_tf.config.prompts import Prompts
from pixsent_tf.errors import ConfigError, WeightsError, shown
from pixsent_tf.models.towers.hub import load_hub
from pixsent_tf.models.towers.presets import HUB_PREFIX, load_network, read_preset

UNIT, COLUMNS = "unit", "words"


def word_kernel(name: str, prompts: Prompts) -> np.ndarray:
    """Read prompts as a preset does.

    Args:
        name: Of a preset, as `hub:` takes it.
        prompts: By class.

    Returns:
        float32 [F, K]: a picture's vector of unit length times this gives the logits of
        the classes.

    Raises:
        ConfigError: If the preset reads no texts.
        WeightsError: If its tokenizer or its weights cannot be read.
    """
    preset = read_preset(name)
    if preset.tower.reader is None:
        raise ConfigError(
            f"{HUB_PREFIX}{shown(name)} is a {preset.network}, which reads no words; "
            f"take a CLIP, SigLIP or MetaCLIP 2."
        )
    side = preset.preprocess.crop_size
    whole = load_network(preset, side, load_weights=True)
    told = [prompt for said in prompts.values() for prompt in said]
    vectors = _unit(_embed(preset.name, preset.tower.reader, whole, told, side))
    ends = np.cumsum([len(said) for said in prompts.values()])
    means = [part.mean(axis=0) for part in np.split(vectors, ends[:-1])]
    return (_scale(whole) * _unit(np.stack(means))).T.astype("float32")


def by_words(backbone: keras.Model, kernel: np.ndarray, head: str) -> keras.Model:
    """Let a tower answer by words alone.

    Args:
        backbone: The vision tower of the preset that read the words.
        kernel: What `word_kernel` gave.
        head: What to call the layer.

    Returns:
        Model from crops to logits, float32 [B, K].
    """
    unit = keras.layers.UnitNormalization(name=UNIT)(backbone.output)
    dense = keras.layers.Dense(kernel.shape[1], dtype="float32", name=head)
    logits = dense(unit)
    dense.set_weights([kernel, np.zeros(kernel.shape[1])])
    return keras.Model(backbone.input, logits, name="classifier")


def with_words(backbone: keras.Model, kernel: np.ndarray) -> keras.Model:
    """Put what words say of a picture beside its features.

    Args:
        backbone: The vision tower of the preset that read the words.
        kernel: What `word_kernel` gave.

    Returns:
        Model from crops to features, float32 [B, F + K - 1]: the last are the logits of
        all classes but the first, less that of the first.
    """
    unit = keras.layers.UnitNormalization(name=UNIT)(backbone.output)
    dense = keras.layers.Dense(kernel.shape[1] - 1, use_bias=False, name=COLUMNS)
    columns = dense(unit)
    dense.set_weights([kernel[:, 1:] - kernel[:, :1]])
    joined = keras.layers.Concatenate(name="with_words")([backbone.output, columns])
    return keras.Model(backbone.input, joined, name=backbone.name)


def _embed(
    name: str, reader: str, whole: Any, prompts: list[str], side: int
) -> np.ndarray:
    """Let the text tower read prompts, float32 [N, F]."""
    hub = load_hub(f"Reading words by {HUB_PREFIX}{name}")
    try:
        prepare = getattr(hub.models, reader).from_preset(name)
        blank = np.zeros((len(prompts), side, side, 3), "float32")
        length = whole.text_encoder.max_sequence_length
        read = prepare({"prompts": prompts, "images": blank}, sequence_length=length)
        found = whole.get_text_embeddings(read["token_ids"])
    except Exception as error:  # of a missing tokenizer KerasHub raises nearly any type
        reason = " ".join(str(error).split())[:200]
        raise WeightsError(
            f"{HUB_PREFIX}{shown(name)} cannot read words ({type(error).__name__}: "
            f"{reason}); its folder needs a tokenizer, as save_to_preset writes it."
        ) from error
    return keras.ops.convert_to_numpy(found).astype("float64")


def _scale(whole: Any) -> float:
    """The factor of cosines that a preset has learnt."""
    learnt = [weight for weight in whole.weights if weight.name == "logit_scale"]
    return float(np.exp(keras.ops.convert_to_numpy(learnt[0])))


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
