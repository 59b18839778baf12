"""Branches stand side by side, each of them as it is alone."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from pixsent_tf.errors import ConfigError
from pixsent_tf.models.joined import (
    FeatureBlock,
    Mirror,
    Reduce,
    Texture,
    feature_blocks,
    join,
)

GENERATOR = np.random.default_rng(0)
CROPS = GENERATOR.integers(0, 256, (3, 12, 12, 3)).astype("uint8")


def branch(side: int, filters: int, seed: int) -> keras.Model:
    """Maps of a named layer, which are not alike left and right, and their mean."""
    crops = keras.Input((side, side, 3), name="crops")
    drawn = keras.initializers.RandomNormal(stddev=0.02, seed=seed)
    maps = keras.layers.Conv2D(filters, 3, kernel_initializer=drawn, name="maps")(crops)
    pooled = keras.layers.GlobalMaxPooling2D(name="pooled")(maps)
    return keras.Model(crops, pooled, name="branch")


def reduced(side: int) -> np.ndarray:
    return tf.image.resize(CROPS, [side, side], antialias=True).numpy()


def run(model: keras.Model, pixels: np.ndarray) -> np.ndarray:
    return model(pixels, training=False).numpy()


def test_branches_see_their_own_size_and_stand_in_their_order():
    small, large = branch(8, 2, seed=1), branch(12, 3, seed=2)

    joined = join({"small@8": small, "large@12": large})

    expected = [run(small, reduced(8)), run(large, CROPS.astype("float32"))]
    assert joined.input.shape == (None, 12, 12, 3)
    np.testing.assert_allclose(
        run(joined, CROPS), np.concatenate(expected, axis=1), rtol=1e-4, atol=1e-4
    )


def test_a_mirrored_branch_is_the_mean_over_both_views():
    one = branch(12, 4, seed=3)

    found = run(join({"one": one}, mirror=True), CROPS)

    plain = CROPS.astype("float32")
    views = [run(one, plain), run(one, plain[:, :, ::-1])]
    assert np.abs(views[0] - views[1]).max() > 0.1
    np.testing.assert_allclose(found, np.mean(views, axis=0), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("mirror", [False, True])
def test_texture_stands_behind_pooled_features_of_unit_length(mirror):
    small, large = branch(8, 2, seed=1), branch(12, 3, seed=2)

    joined = join(
        {"one": small, "two": large}, mirror=mirror, texture_layers=["maps", "maps"]
    )

    expected = []
    for each, seen in ((small, reduced(8)), (large, CROPS.astype("float32"))):
        whole = keras.Model(each.input, [each.output, each.get_layer("maps").output])
        views = [seen, seen[:, :, ::-1]] if mirror else [seen]
        outputs = [whole(view, training=False) for view in views]
        pooled = np.mean([pooled.numpy() for pooled, _ in outputs], axis=0)
        statistics = [
            np.concatenate([maps.mean((1, 2)), maps.std((1, 2))], axis=1)
            for maps in (maps.numpy() for _, maps in outputs)
        ]
        expected += [
            pooled / np.sqrt((pooled**2).sum(axis=1, keepdims=True)),
            np.mean(statistics, axis=0),
        ]
    np.testing.assert_allclose(
        run(joined, CROPS), np.concatenate(expected, axis=1), rtol=1e-3, atol=1e-3
    )


def test_each_branch_gives_a_quarter_of_its_share_to_texture():
    joined = join(
        {"one": branch(8, 2, seed=1), "two": branch(12, 3, seed=2)},
        texture_layers=["maps", "maps"],
    )

    assert feature_blocks(joined) == (
        FeatureBlock(2, share=0.375),
        FeatureBlock(4, share=0.125, standardize=True),
        FeatureBlock(3, share=0.375),
        FeatureBlock(6, share=0.125, standardize=True),
    )


def test_features_without_texture_are_one_block():
    joined = join({"one": branch(8, 2, seed=1), "two": branch(12, 3, seed=2)})

    assert feature_blocks(joined) == (FeatureBlock(5),)


def test_a_branch_without_a_known_stage_is_refused_by_its_name():
    branches = {"one": branch(8, 2, seed=1), "two": branch(8, 3, seed=2)}

    with pytest.raises(ConfigError, match="two has no stage whose texture is known"):
        join(branches, texture_layers=["maps", None])


@pytest.mark.parametrize("side", [12, 8, 5])
def test_reducing_is_the_antialiased_resizing_of_tensorflow(side):
    found = keras.ops.convert_to_numpy(Reduce(side)(CROPS))

    np.testing.assert_allclose(found, reduced(side), atol=1e-2)


def test_texture_is_mean_and_deviation_of_each_channel():
    maps = GENERATOR.normal(size=(2, 3, 5, 4)).astype("float32")
    maps[..., 1] = 7  # the same everywhere

    found = keras.ops.convert_to_numpy(Texture()(maps))

    by_hand = np.concatenate([maps.mean((1, 2)), maps.std((1, 2))], axis=1)
    np.testing.assert_allclose(found, by_hand, atol=1e-5)
    assert found[:, 5].tolist() == [0, 0]


def test_a_mirror_turns_left_to_right_whether_it_trains_or_not():
    for training in (False, True):
        found = keras.ops.convert_to_numpy(Mirror()(CROPS, training=training))
        np.testing.assert_array_equal(found, CROPS[:, :, ::-1])


def test_branches_whose_names_become_one_stay_apart():
    joined = join({"a@8": branch(8, 2, seed=1), "a+8": branch(8, 3, seed=2)})

    assert joined.output.shape == (None, 5)
    assert [
        layer.name for layer in joined.layers if isinstance(layer, keras.Model)
    ] == [
        "a_8",
        "a_8_1",
    ]
