"""Arrays are numbered, so that each place in a variable tells where it came from."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from pixsent_tf.errors import WeightsError
from pixsent_tf.models.placement import Rule, place

KERNEL = Rule(r"(.+)/w", r"\1/kernel", (2, 3, 1, 0))
BIAS = Rule(r"(.+)/b", r"\1/bias", (0,))


def numbered(*shape):
    return np.arange(np.prod(shape), dtype="float32").reshape(shape)


@pytest.fixture
def model():
    """A map [2, 3, 2] through a convolution inside a network inside, and dense."""
    inner_maps = keras.Input((3, 4, 2))
    conv = keras.layers.Conv2D(2, 2, name="conv")(inner_maps)
    inner = keras.Model(inner_maps, conv, name="inner")
    maps = keras.Input((3, 4, 2))
    vectors = keras.layers.Flatten()(inner(maps))
    return keras.Model(maps, keras.layers.Dense(2, name="fc")(vectors))


def arrays(**changes):
    every = {
        "conv/w": numbered(2, 2, 2, 2),
        "conv/b": numbered(2),
        "fc/w": numbered(2, 2, 2, 3),
        "fc/b": numbered(2),
    }
    return {**every, **{name.replace("_", "/"): a for name, a in changes.items()}}


@pytest.mark.parametrize(
    "fc", [(2, 2, 2, 3), (2, 12), (1, 1, 2, 12)], ids=["map", "flat", "four sides"]
)
def test_axes_are_turned_however_flat_the_file_writes_them(model, fc):
    place(model, arrays(fc_w=numbered(*fc)).items(), [KERNEL, BIAS], origin="file")

    conv, fc_kernel = (
        model.get_layer("inner").get_layer("conv").kernel,
        model.weights[2],
    )
    assert conv[1, 0, 1, 0] == 0 * 8 + 1 * 4 + 1 * 2 + 0  # of [out, in, h, w]
    row = 1 * 6 + 2 * 2 + 1  # h = 1, w = 2, in = 1, as Keras flattens
    assert fc_kernel[row, 1] == 1 * 12 + 1 * 6 + 1 * 3 + 2


def test_first_rule_that_fits_counts(model):
    rules = [Rule("conv/b", "conv/bias"), Rule("(.+)/b", r"\1/nothing"), KERNEL]

    with pytest.raises(WeightsError, match=r"got nothing; fc/b expects nothing, got"):
        place(model, arrays().items(), rules, origin="file")


def test_array_called_like_a_variable_needs_a_rule_too(model):
    late = {"conv/kernel": numbered(2, 2, 2, 2)}

    with pytest.raises(WeightsError, match="network: conv/kernel expects nothing"):
        place(model, {**arrays(), **late}.items(), [KERNEL, BIAS], origin="file")


def test_place_is_filled_once(model):
    twice = [*arrays().items(), ("fc/b", numbered(2))]

    with pytest.raises(WeightsError, match="file holds two arrays for fc/bias"):
        place(model, twice, [KERNEL, BIAS], origin="file")


@pytest.mark.parametrize("shape", [(2, 3, 2, 2), (12, 2), (1, 2, 2, 2, 3, 1)])
def test_array_that_only_has_as_many_numbers_does_not_fit(model, shape):
    before = model.get_weights()

    with pytest.raises(WeightsError, match=r"fc/kernel expects \(12, 2\), got"):
        place(
            model,
            arrays(fc_w=np.zeros(shape)).items(),
            [KERNEL, BIAS],
            origin="file",
        )
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_skipped_layer_keeps_its_weights_and_needs_none(model):
    left = [(name, array) for name, array in arrays().items() if name != "fc/b"]
    before = model.get_layer("fc").get_weights()

    place(model, left, [KERNEL, BIAS], origin="file", skip=("fc",))

    for old, new in zip(before, model.get_layer("fc").get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", ["conv/b", "fc/w"])
def test_one_number_that_is_none_is_enough_and_nothing_moves(model, name, number):
    before, broken = model.get_weights(), arrays()
    broken[name] = broken[name].copy()
    broken[name].flat[1] = number

    with pytest.raises(WeightsError, match=r"file: \w+/\w+ holds values that are no"):
        place(model, broken.items(), [KERNEL, BIAS], origin="file")
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_a_place_is_asked_for_once_even_by_what_does_not_fit(model):
    twice = [("fc/b", numbered(7)), *arrays().items()]

    with pytest.raises(WeightsError, match="file holds two arrays for fc/bias"):
        place(model, twice, [KERNEL, BIAS], origin="file")


def test_five_misfits_are_listed_and_the_others_counted(model):
    more = [(f"layer{i}/w", numbered(i + 1)) for i in range(8)]

    with pytest.raises(WeightsError) as caught:
        place(model, [*arrays().items(), *more], [KERNEL, BIAS], origin="file")

    assert str(caught.value).count("expects nothing") == 5
    assert "; and 3 more. " in str(caught.value)
