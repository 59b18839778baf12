"""Curves of a model whose reason is known."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from pixsent_tf.analysis.faithfulness import (
    area,
    areas,
    blurred,
    correlation,
    curve,
    is_inside,
    orders,
    peak,
    with_random_weights,
)

# A crop of noise on gray. The model sees how much detail the top left quarter has.
CROP = np.full((64, 64, 3), 100.0, dtype="float32")
CROP[::2] += 100
GRID = (4, 4)


def _score(crops: np.ndarray) -> np.ndarray:
    quarter = crops[:, :32, :32]
    detail = quarter.std(axis=(1, 2, 3)) / CROP[:32, :32].std()
    return np.stack([1 - detail, detail], axis=1)


IMPORTANCE = np.zeros(GRID)
IMPORTANCE[:2, :2] = 1


def test_blur_keeps_the_mean_and_loses_the_detail():
    assert blurred(CROP).mean() == pytest.approx(150, abs=0.1)
    assert blurred(CROP).std() < 1


def test_deleting_what_matters_first_leaves_nothing_after_a_quarter():
    order = orders(IMPORTANCE)["map"]

    values = curve(_score, CROP, order, label=1, grid=GRID)

    assert values[0] == pytest.approx(1)
    assert values[1] == pytest.approx(0.5**0.5, abs=0.02)  # 2 of 4 cells lost
    assert values[2:] == pytest.approx(0, abs=0.02)


def test_inserting_what_matters_first_brings_everything_after_a_quarter():
    order = orders(IMPORTANCE)["map"]

    values = curve(_score, CROP, order, label=1, grid=GRID, inserting=True)

    assert values[0] == pytest.approx(0, abs=0.02)
    assert values[2:] == pytest.approx(1, abs=0.02)


def test_a_true_map_beats_both_baselines():
    found = areas(_score, CROP, IMPORTANCE, label=1)

    deletion, insertion = found["deletion"], found["insertion"]
    assert deletion["map"] < min(deletion["random"], deletion["center"])
    assert insertion["map"] > max(insertion["random"], insertion["center"])


def test_area_of_a_line_by_hand():
    assert area(np.array([1.0, 0.5, 0.0])) == pytest.approx(0.5)
    assert area(np.array([1.0, 1.0, 0.0])) == pytest.approx(0.75)


def test_the_center_order_goes_from_the_middle_outward():
    order = orders(np.zeros((3, 3)))["center"]

    assert order[0] == 4
    assert set(order[-4:]) == {0, 2, 6, 8}


def test_every_order_names_every_cell_once():
    for order in orders(np.random.default_rng(0).normal(size=(5, 7))).values():
        assert sorted(order) == list(range(35))


def test_the_peak_is_the_middle_of_its_cell():
    importance = np.zeros((2, 4))
    importance[1, 2] = 1

    assert peak(importance, height=100, width=200) == (125.0, 75.0)


def test_a_box_ends_before_its_last_sides():
    assert is_inside((10, 20), (10, 20, 30, 40))
    assert not is_inside((30, 20), (10, 20, 30, 40))


def test_correlation_of_a_flat_map_is_zero():
    ramp = np.arange(6.0).reshape(2, 3)

    assert correlation(ramp, 5 - 2 * ramp) == pytest.approx(-1)
    assert correlation(ramp, np.ones((2, 3))) == 0


def test_random_weights_are_new_and_leave_the_old_ones():
    inputs = keras.Input((8,))
    model = keras.Model(inputs, layers.Dense(4, name="d")(inputs))
    before = model.get_layer("d").get_weights()[0].copy()

    untrained = with_random_weights(model)

    assert np.abs(untrained.get_layer("d").get_weights()[0] - before).max() > 0.1
    assert np.array_equal(model.get_layer("d").get_weights()[0], before)


def test_a_curve_is_of_the_class_it_is_asked_for():
    order = orders(IMPORTANCE)["map"]

    other, own = (
        curve(_score, CROP, order, label=label, grid=GRID) for label in (0, 1)
    )

    np.testing.assert_allclose(other, 1 - own, atol=1e-6)


def test_cells_of_an_oblong_map_lie_where_they_are_drawn():
    importance = np.zeros((4, 2))
    importance[:2, 0] = 2, 1  # the upper and the lower half of the quarter

    values = curve(_score, CROP, orders(importance)["map"], label=1, grid=(4, 2))

    assert values[:3] == pytest.approx([1, 0.5**0.5, 0], abs=0.05)


def test_a_seed_decides_the_order_at_random():
    one, again, other = (orders(IMPORTANCE, seed=s)["random"] for s in (0, 0, 1))

    assert (one == again).all()
    assert (one != other).any()
    first, second = (
        areas(_score, CROP, IMPORTANCE, label=1, seed=seed)["deletion"]
        for seed in (0, 1)
    )
    assert first["random"] != second["random"]
    assert first["map"] == second["map"]


def test_the_center_of_an_even_grid_lies_between_its_cells():
    order = orders(np.zeros((4, 4)))["center"]

    assert set(order[:4]) == {5, 6, 9, 10}


def test_blur_leaves_a_pixel_for_every_sixteen():
    quarters = np.zeros((32, 32, 3), "float32")
    quarters[:16, 16:] = 80
    quarters[16:, :16] = 160

    found = blurred(quarters)

    corners = found[[0, 0, -1, -1], [0, -1, 0, -1], 0]
    np.testing.assert_allclose(corners, [0, 80, 160, 0], atol=45)  # it overshoots
    assert blurred(np.full((8, 8, 3), 7.0, "float32")) == pytest.approx(7)
