"""Presets of small random towers, written by KerasHub to folders."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import keras
import numpy as np

SIDE, PATCH = 32, 8
WIDTH = {"num_layers": 2, "num_heads": 2, "hidden_dim": 16}
SCALE = {"scale": [1 / 58, 1 / 57, 1 / 57.5], "offset": [-2.1, -2.0, -1.8]}


def _words(vocabulary: int) -> dict[str, int]:
    return {
        "vocabulary_size": vocabulary,
        "embedding_dim": 16,
        "intermediate_dim": 32,
        "max_sequence_length": 8,
        **WIDTH,
    }


def _sight(side: int) -> dict[str, Any]:
    shape = {"image_shape": (side, side, 3), "patch_size": PATCH}
    return {"intermediate_dim": 32, **shape, **WIDTH}


def build(kind: str, side: int = SIDE) -> Any:
    """Build a network of a kind, of random weights that keep the signal."""
    from keras_hub import models

    shape = (side, side, 3)
    if kind in ("CLIP", "MetaCLIP2", "SigLIP"):
        see = getattr(models, f"{kind}VisionEncoder")(**_sight(side))
        read = getattr(models, f"{kind}TextEncoder")(**_words(64))
        size = {} if kind == "SigLIP" else {"projection_dim": 12}
        network = getattr(models, f"{kind}Backbone")(
            vision_encoder=see, text_encoder=read, **size
        )
    elif kind == "DINOV2":
        network = models.DINOV2Backbone(
            **_sight(side), num_register_tokens=2, position_embedding_shape=shape
        )
    elif kind == "DINOV3":
        network = models.DINOV3Backbone(**_sight(side))
    elif kind == "ViT":
        sight = _sight(side)
        network = models.ViTBackbone(mlp_dim=sight.pop("intermediate_dim"), **sight)
    else:
        network = models.ResNetBackbone(
            input_conv_filters=[64],
            input_conv_kernel_sizes=[3],
            stackwise_num_filters=[64, 64],
            stackwise_num_blocks=[1, 1],
            stackwise_num_strides=[1, 2],
            block_type="basic_block",
            image_shape=shape,
        )
    enliven(network)
    return network


def enliven(network: keras.Model, seed: int = 0) -> None:
    """Draw weights that keep the signal: from the usual start it fades."""
    generator = np.random.default_rng(seed)
    for weight in network.weights:
        if not weight.dtype.startswith("float") or "variance" in weight.path:
            continue
        spread = np.sqrt(1 / np.prod(weight.shape[:-1])) if weight.ndim > 2 else 0.2
        drawn = generator.normal(0, spread, weight.shape)
        weight.assign(drawn + (weight.name in ("gamma", "lambda1")))


def write(kind: str, folder: Path, side: int = SIDE, **settings: Any) -> Any:
    """Write a preset, its ImageConverter beside it.

    Args:
        kind: As in the name of KerasHub's class, before "Backbone".
        folder: Where to write to; made.
        side: Of the crops, in pixels.
        settings: Of the ImageConverter.

    Returns:
        The network, as it is when it is read again.
    """
    import keras_hub

    network = build(kind, side)
    network.save_to_preset(str(folder))
    converter = getattr(keras_hub.layers, f"{kind}ImageConverter")(
        **{"image_size": (side, side), **SCALE, **settings}
    )
    converter.save_to_preset(str(folder))
    if kind in TOKENIZERS:
        TOKENIZERS[kind]().save_to_preset(str(folder))
    return keras_hub.models.Backbone.from_preset(str(folder))


def _clip_tokenizer() -> Any:
    """A tokenizer that reads letter by letter."""
    from keras_hub.tokenizers import CLIPTokenizer

    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)]
    tokens = [*letters, *(f"{one}</w>" for one in letters)]
    tokens += ["sa", "<|startoftext|>", "<|endoftext|>"]  # the end has the last number
    numbers = {one: number for number, one in enumerate(tokens)}
    return CLIPTokenizer(numbers, ["s a"])


def _few_words(**numbers: Any) -> bytes:
    """A model of SentencePiece that knows a few words."""
    import sentencepiece

    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["a sad happy gloomy cheerful picture photo of"] * 9),
        model_writer=model,
        vocab_size=11,
        model_type="WORD",
        minloglevel=2,
        **numbers,
    )
    return model.getvalue()


def _siglip_tokenizer() -> Any:
    from keras_hub.tokenizers import SigLIPTokenizer

    special = {"pad_id": 3, "bos_id": -1, "eos_id": 1, "unk_id": 2}
    return SigLIPTokenizer(_few_words(**special, pad_piece="<pad>"))


def _metaclip_tokenizer() -> Any:
    from keras_hub.tokenizers import MetaCLIP2Tokenizer

    return MetaCLIP2Tokenizer(_few_words(unk_id=0, bos_id=1, eos_id=2))


TOKENIZERS = {
    "CLIP": _clip_tokenizer,
    "SigLIP": _siglip_tokenizer,
    "MetaCLIP2": _metaclip_tokenizer,
}
KINDS = ("CLIP", "SigLIP", "MetaCLIP2", "DINOV2", "DINOV3", "ViT", "ResNet")
