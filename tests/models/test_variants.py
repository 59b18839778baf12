"""Surgery by name: what is cut is gone, what is kept keeps its numbers."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from caffe_files import write_npz

from pixsent_tf.config import ModelConfig, Recipe, TrainingConfig
from pixsent_tf.errors import ConfigError
from pixsent_tf.models import variants, zoo
from pixsent_tf.training.finetune import FineTuneLearner, build_network
from tests.float32 import assert_close_float32, operations_of

SIDE = 67  # the smallest crop, for speed; the published counts are of 227 pixels


def config(surgery, **settings):
    return ModelConfig(
        backbone=f"caffenet@{SIDE}", weights=None, surgery=surgery, **settings
    )


def network_of(surgery, **settings):
    return build_network(recipe_of(config(surgery), **settings), 2)


def recipe_of(model, **settings):
    return Recipe(model=model, training=TrainingConfig(strategy="all", **settings))


def dense_counts(network):
    return {
        layer.name: layer.count_params()
        for layer in network.layers
        if isinstance(layer, keras.layers.Dense)
    }


# pool5 leaves one cell of 256 channels at 67 pixels
FC6 = 256 * 4096 + 4096
FC7 = 4096 * 4096 + 4096


@pytest.mark.parametrize(
    ("surgery", "expected"),
    [
        (None, {"fc6": FC6, "fc7": FC7, "logits": 4096 * 2 + 2}),
        ("fc7-2", {"fc6": FC6, "logits": 4096 * 2 + 2}),
        ("fc6-2", {"logits": 256 * 2 + 2}),
        ("fc7-4096", {"fc6": FC6, "fc7": FC7}),
        ("fc6-4096", {"fc6": FC6}),
        ("fc8-1000", {"fc6": FC6, "fc7": FC7, "fc8": 4096 * 1000 + 1000}),
        (
            "fc8-1000+fc9",
            {"fc6": FC6, "fc7": FC7, "fc8": 4097 * 1000, "logits": 2002},
        ),
    ],
)
def test_the_dense_layers_are_those_of_the_paper(surgery, expected):
    assert dense_counts(network_of(surgery)) == expected


def test_the_published_parameters_are_saved_by_cutting_fc7_and_fc6():
    # 56,876,418 less 16,781,312 and less 54,523,904; by the input size of the paper
    for surgery, count in (("fc7-2", 40_095_106), ("fc6-2", 2_352_514)):
        model = ModelConfig(backbone="caffenet", weights=None, surgery=surgery)
        assert build_network(recipe_of(model), 2).count_params() == count


@pytest.mark.parametrize(
    ("order", "first"), [("caffenet", "pool1"), ("alexnet", "norm1")]
)
def test_a_network_with_its_first_classifier_pools_in_its_own_order(order, first):
    model = ModelConfig(f"{order}@{SIDE}", weights=None, surgery="fc8-7+fc9")

    names = [layer.name for layer in variants.build_trunk(model, 2).layers]

    assert min(("pool1", "norm1"), key=names.index) == first
    assert "fc8" in names


def test_the_first_classifier_is_read_from_the_file(tmp_path):
    source = variants.build_trunk(config("fc8-7"), 2, seed=5)
    write_npz(source, tmp_path / "source.npz")
    model = ModelConfig(
        backbone=f"caffenet@{SIDE}",
        weights=str(tmp_path / "source.npz"),
        surgery="fc8-7+fc9",
    )

    trunk = variants.build_trunk(model, 2, seed=0)

    kept = source.get_layer("fc8").get_weights()[0]
    np.testing.assert_array_equal(trunk.get_layer("fc8").get_weights()[0], kept)


def test_a_raw_ablation_answers_by_its_first_units():
    network = network_of("fc6-4096")
    crops = np.random.default_rng(0).integers(0, 255, (2, SIDE, SIDE, 3))
    crops = crops.astype("uint8")

    kept = variants.keep_classes(network, 2)

    assert kept.layers[-1].name == zoo.HEAD
    assert_close_float32(
        kept(crops, training=False),
        network(crops, training=False)[:, :2],
        operations=operations_of(network),
    )


def test_a_raw_ablation_has_no_relu_at_its_end():
    network = network_of("fc6-4096")

    assert network.get_layer("fc6").activation is keras.activations.linear


def test_a_raw_ablation_learns_the_classes(colored_folder):
    paths = [str(path) for path in sorted(colored_folder.rglob("*.png"))]
    targets = np.repeat(np.eye(2, dtype="float32"), 12, axis=0)
    recipe = Recipe(
        model=config("fc6-4096"),
        training=TrainingConfig(
            strategy="all", epochs=1, batch_size=24, optimizer="caffe_sgd"
        ),
    )
    learner = FineTuneLearner(recipe, 2)
    learner.read(paths)

    fitted = learner.fit(np.arange(24), targets)

    probs = fitted.probs(np.arange(24))
    logits = fitted.classifier()(
        learner.canvases.preprocessor.center_crop(learner.canvases.stored),
        training=False,
    )
    assert probs.shape == (24, 2)
    assert_close_float32(
        probs,
        keras.ops.softmax(logits),
        operations=operations_of(fitted.classifier()),
        scale=max(1.0, float(np.abs(logits).max())),
    )


@pytest.mark.parametrize(
    ("surgery", "message"),
    [
        ("fc7", "No surgery 'fc7'"),
        ("fc7-2+fc9", "No surgery 'fc7-2\\+fc9'"),
        ("fc7-5", "fits neither the 2 classes nor the 4096 units"),
        ("conv5-2", "conv5 is not dense"),
        ("fc5-2", "has no layer 'fc5'"),
    ],
)
def test_a_surgery_that_cannot_be_done_is_refused(surgery, message):
    with pytest.raises(ConfigError, match=message):
        network_of(surgery)


def test_a_raw_ablation_has_no_head_to_train_first():
    recipe = Recipe(model=config("fc6-4096"), training=TrainingConfig(strategy="lp-ft"))

    with pytest.raises(ConfigError, match="has no new head for lp-ft"):
        build_network(recipe, 2)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("training.head_multiplier", {"head_multiplier": 2}),
        ("model.dropout", {}),
    ],
)
def test_what_is_said_of_a_new_head_is_refused_where_there_is_none(name, settings):
    dropout = 0.0 if settings else 0.5
    recipe = recipe_of(config("fc6-4096", dropout=dropout), **settings)

    with pytest.raises(ConfigError, match=f"{name} does nothing with surgery fc6-4096"):
        build_network(recipe, 2)


def test_a_network_without_fc8_is_told():
    model = ModelConfig(surgery="fc8-1000", weights=None)

    with pytest.raises(ConfigError, match="efficientnet_lite0 has no fc8"):
        build_network(recipe_of(model), 2)


def test_a_layer_with_fewer_units_than_there_are_classes_cannot_be_their_head():
    with pytest.raises(ConfigError, match="neither the 4097 classes nor the 4096 uni"):
        variants.build_trunk(config("fc7-4096"), 4097)
