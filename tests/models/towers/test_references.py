"""Towers against an engine that nobody here wrote: PyTorch, with the same weights.

Networks of `transformers` start at random and are written by it. KerasHub converts some
of them itself; the weights of CLIP and SigLIP, which it does not, are moved by name.
"""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from pixsent_tf.config import ModelConfig
from pixsent_tf.models import zoo

pytestmark = [pytest.mark.slow, pytest.mark.dev]
torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

SIDE, PATCH, TOLERANCE = 32, 8, 1e-4
SIGHT = {
    "image_size": SIDE,
    "patch_size": PATCH,
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
}
WORDS = {
    "vocab_size": 64,
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "max_position_embeddings": 8,
}
MEAN, DEVIATION = [0.48, 0.46, 0.41], [0.27, 0.26, 0.28]
CROPS, LARGE, SMALL = (
    np.random.default_rng(0).integers(0, 256, (4, side, side, 3), "uint8")
    for side in (SIDE, 56, 24)
)


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def enliven(model):
    """Draw weights that keep the signal."""
    for name, weight in model.named_parameters():
        spread = weight[0].numel() ** -0.5 if weight.ndim > 1 else 0.2
        torch.nn.init.normal_(weight, std=min(spread, 1.0))
        if re.search(r"norm.*weight|lambda1", name):
            weight.data += 1
    return model.eval()


def pixels(crops=CROPS):
    normal = (crops / 255 - MEAN) / DEVIATION
    return torch.tensor(normal.transpose(0, 3, 1, 2), dtype=torch.float32)


def ours(folder, crops=CROPS):
    backbone = zoo.build_backbone(ModelConfig(f"hub:{folder}@{crops.shape[1]}"))
    return backbone(crops.astype("float32")).numpy()


def vector(found):
    """The pooled vector, whichever way this version of `transformers` gives it."""
    return getattr(found, "pooler_output", found).numpy()


def features_of(model, crops):
    """What it says of pictures of any size, its positions interpolated."""
    with torch.no_grad():
        found = model.get_image_features(
            pixel_values=pixels(crops), interpolate_pos_encoding=True
        )
    return vector(found)


def same(found, expected):
    np.testing.assert_allclose(found, expected, atol=TOLERANCE)
    assert expected.std(axis=0).mean() > 0.01


def write_checkpoint(model, folder):
    model.save_pretrained(folder)
    told = {
        "size": {"height": SIDE, "width": SIDE},
        "image_mean": MEAN,
        "image_std": DEVIATION,
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(told))


def token_and_patches(tokens, num_prefix):
    found = tokens.numpy()
    return np.concatenate([found[:, 0], found[:, num_prefix:].mean(1)], axis=1)


def put(keras_layer, state, name):
    """Fill a dense, normalizing or attending layer of Keras."""
    if hasattr(keras_layer, "gamma"):
        keras_layer.gamma.assign(state[f"{name}.weight"])
        keras_layer.beta.assign(state[f"{name}.bias"])
        return
    kernel = keras_layer.kernel
    kernel.assign(state[f"{name}.weight"].T.reshape(kernel.shape))
    if f"{name}.bias" in state:
        keras_layer.bias.assign(state[f"{name}.bias"].reshape(keras_layer.bias.shape))


def put_attention(keras_layer, state, name):
    parts = {"query": "q", "key": "k", "value": "v", "output": "out"}
    for ours_, theirs in parts.items():
        dense = getattr(keras_layer, f"_{ours_}_dense", None)
        dense = dense or getattr(keras_layer, f"{ours_}_dense")
        put(dense, state, f"{name}.{theirs}_proj")


def put_embedding(layer, state, name):
    kernel = state[f"{name}.patch_embedding.weight"].transpose(2, 3, 1, 0)
    layer.patch_embedding.kernel.assign(kernel)
    if f"{name}.patch_embedding.bias" in state:
        layer.patch_embedding.bias.assign(state[f"{name}.patch_embedding.bias"])
    positions = state[f"{name}.position_embedding.weight"]
    layer.position_embedding.embeddings.assign(positions)
    if hasattr(layer, "class_embedding"):
        layer.class_embedding.assign(state[f"{name}.class_embedding"])
        layer.position_ids.assign(np.arange(len(positions))[None])


def save(network, kind, folder):
    import keras_hub

    network.save_to_preset(str(folder))
    scale = [1 / 255 / one for one in DEVIATION]
    offset = [-one / other for one, other in zip(MEAN, DEVIATION, strict=True)]
    getattr(keras_hub.layers, f"{kind}ImageConverter")(
        image_size=(SIDE, SIDE), scale=scale, offset=offset
    ).save_to_preset(str(folder))


def clip_of(state):
    from keras_hub import models

    sight = {"image_shape": (SIDE, SIDE, 3), "patch_size": PATCH}
    size = {"hidden_dim": 16, "num_layers": 2, "num_heads": 2, "intermediate_dim": 32}
    words = {"vocabulary_size": 64, "embedding_dim": 16, "max_sequence_length": 8}
    network = models.CLIPBackbone(
        models.CLIPVisionEncoder(**sight, **size),
        models.CLIPTextEncoder(**words, **size),
        projection_dim=12,
    )
    see, root = network.vision_encoder, "vision_model"
    put_embedding(see.embedding, state, f"{root}.embeddings")
    put(see.pre_layer_norm, state, f"{root}.pre_layrnorm")
    put(see.layer_norm, state, f"{root}.post_layernorm")
    for number, block in enumerate(see.encoder_layers):
        name = f"{root}.encoder.layers.{number}"
        put(block.layer_norm_1, state, f"{name}.layer_norm1")
        put(block.layer_norm_2, state, f"{name}.layer_norm2")
        put_attention(block.attention, state, f"{name}.self_attn")
        put(block.dense_1, state, f"{name}.mlp.fc1")
        put(block.dense_2, state, f"{name}.mlp.fc2")
    put(network.vision_projection, state, "visual_projection")
    return network


def siglip_of(state):
    from keras_hub import models

    sight = {"image_shape": (SIDE, SIDE, 3), "patch_size": PATCH}
    size = {"hidden_dim": 16, "num_layers": 2, "num_heads": 2, "intermediate_dim": 32}
    words = {"vocabulary_size": 64, "embedding_dim": 16, "max_sequence_length": 8}
    network = models.SigLIPBackbone(
        models.SigLIPVisionEncoder(**sight, **size),
        models.SigLIPTextEncoder(**words, **size),
    )
    see, root = network.vision_encoder, "vision_model"
    put_embedding(see.embedding, state, f"{root}.embeddings")
    put(see.post_layer_norm, state, f"{root}.post_layernorm")
    for number, block in enumerate(see.encoder_layers):
        name = f"{root}.encoder.layers.{number}"
        put(block.layer_norm1, state, f"{name}.layer_norm1")
        put(block.layer_norm2, state, f"{name}.layer_norm2")
        put_attention(block.self_attn, state, f"{name}.self_attn")
        put(block.mlp.fc1, state, f"{name}.mlp.fc1")
        put(block.mlp.fc2, state, f"{name}.mlp.fc2")
    put_pooling(see.head, state, f"{root}.head")
    return network


def put_pooling(head, state, root):
    """SigLIP's attention by one learnt question; PyTorch keeps three in one matrix."""
    head.probe.assign(state[f"{root}.probe"])
    weights = np.split(state[f"{root}.attention.in_proj_weight"], 3)
    biases = np.split(state[f"{root}.attention.in_proj_bias"], 3)
    parts = {}
    for name, weight, bias in zip("qkv", weights, biases, strict=True):
        parts |= {f"a.{name}_proj.weight": weight, f"a.{name}_proj.bias": bias}
    for end in ("weight", "bias"):
        parts[f"a.out_proj.{end}"] = state[f"{root}.attention.out_proj.{end}"]
    put_attention(head.attention, parts, "a")
    put(head.layer_norm, state, f"{root}.layernorm")
    put(head.mlp.fc1, state, f"{root}.mlp.fc1")
    put(head.mlp.fc2, state, f"{root}.mlp.fc2")


def test_clip(tmp_path):
    model = enliven(
        transformers.CLIPModel(
            transformers.CLIPConfig(
                vision_config=SIGHT, text_config=WORDS, projection_dim=12
            )
        )
    )
    state = {key: value.numpy() for key, value in model.state_dict().items()}
    save(clip_of(state), "CLIP", tmp_path)

    for crops in (CROPS, LARGE, SMALL):
        same(ours(tmp_path, crops), features_of(model, crops))


def test_siglip(tmp_path):
    model = enliven(
        transformers.SiglipModel(
            transformers.SiglipConfig(vision_config=SIGHT, text_config=WORDS)
        )
    )
    state = {key: value.numpy() for key, value in model.state_dict().items()}
    save(siglip_of(state), "SigLIP", tmp_path)

    for crops in (CROPS, LARGE, SMALL):
        same(ours(tmp_path, crops), features_of(model, crops))


@pytest.mark.parametrize(
    ("config", "model", "settings", "num_prefix"),
    [
        ("ViTConfig", "ViTForImageClassification", {}, 1),
        ("Dinov2Config", "Dinov2Model", {"mlp_ratio": 2}, 1),
        (
            "Dinov2WithRegistersConfig",
            "Dinov2WithRegistersModel",
            {"mlp_ratio": 2, "num_register_tokens": 2},
            3,
        ),
        ("DINOv3ViTConfig", "DINOv3ViTModel", {"num_register_tokens": 4}, 5),
    ],
)
def test_networks_that_keras_hub_converts(
    config, model, settings, num_prefix, tmp_path
):
    sight = {key: value for key, value in SIGHT.items()}
    if "mlp_ratio" in settings:
        sight.pop("intermediate_size")
    made = getattr(transformers, config)(**sight, **settings)
    network = enliven(getattr(transformers, model)(made))
    write_checkpoint(network, tmp_path)
    network = getattr(network, "vit", network)  # KerasHub wants the classifier's file

    for crops in (CROPS, LARGE, SMALL):
        more = {"interpolate_pos_encoding": True} if model.startswith("ViT") else {}
        with torch.no_grad():
            tokens = network(pixel_values=pixels(crops), **more).last_hidden_state
        same(ours(tmp_path, crops), token_and_patches(tokens, num_prefix))


def test_metaclip_2(tmp_path):
    made = transformers.MetaClip2Config(
        vision_config=SIGHT,
        text_config={**WORDS, "eos_token_id": 2},
        projection_dim=12,
    )
    network = enliven(transformers.MetaClip2Model(made))
    write_checkpoint(network, tmp_path)

    for crops in (CROPS, LARGE, SMALL):
        same(ours(tmp_path, crops), features_of(network, crops))
