"""Are pictures lined up by the change that was made to them?"""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from torture import picture

from pixsent_tf.data.copies.alignment import (
    align,
    correlate,
    correlate_details,
    identity,
)


def cut(image: Image.Image, left: float, top: float, right: float, bottom: float):
    box = (left * 400, top * 400, (1 - right) * 400, (1 - bottom) * 400)
    return gray(image.resize((64, 64), Image.Resampling.BOX, box=box))


def gray(image: Image.Image) -> np.ndarray:
    small = image.convert("L").resize((64, 64), Image.Resampling.BOX)
    return np.asarray(small, dtype="float32")[None]


LARGE = picture(400, 400)


@pytest.mark.parametrize(
    ("sides", "change"),
    [  # what is left spans `stretch`, and its middle lies at `shift`
        ((0.05, 0, 0, 0), (0.95, 0.05, 1, 0)),
        ((0, 0.04, 0, 0.02), (1, 0, 0.94, 0.02)),
        ((0.05, 0.05, 0.05, 0.05), (0.9, 0, 0.9, 0)),
    ],
)
def test_cut_is_found(sides, change):
    found = align(gray(LARGE), cut(LARGE, *sides), identity(1), num_steps=10)

    np.testing.assert_allclose(found[0], change, atol=0.01)


def test_larger_partner_is_found_too():
    found = align(cut(LARGE, 0.05, 0, 0, 0), gray(LARGE), identity(1), num_steps=10)

    np.testing.assert_allclose(found[0], (1 / 0.95, -0.05 / 0.95, 1, 0), atol=0.01)


def test_one_step_meets_a_small_shift_of_a_smooth_picture():
    places = (2 * np.arange(64, dtype="float32") + 1) / 64 - 1
    waves = np.sin(3 * places)[:, None] + np.cos(4 * places)
    moved = np.sin(3 * (places - 0.01))[:, None] + np.cos(4 * (places + 0.02))

    found = align(waves[None], moved[None], identity(1), num_steps=1)

    np.testing.assert_allclose(found[0, 1::2], (0.02, -0.01), atol=0.002)


def test_light_and_contrast_play_no_part():
    others = 0.5 * gray(LARGE) + 60

    assert correlate(gray(LARGE), others, identity(1)) == pytest.approx(1, abs=1e-5)
    assert correlate_details(gray(LARGE), others, identity(1)) == pytest.approx(
        1, abs=1e-5
    )


def test_two_landscapes_agree_in_light_but_not_in_details():
    rng = np.random.default_rng(0)
    light = np.linspace(200, 40, 64, dtype="float32")[:, None]
    first, second = (
        (light + rng.normal(0, 8, (64, 64)).astype("float32"))[None] for _ in range(2)
    )

    assert correlate(first, second, identity(1))[0] > 0.9
    assert abs(correlate_details(first, second, identity(1))[0]) < 0.1


def test_blank_pictures_agree_with_nothing():
    blank = np.full((1, 64, 64), 7, dtype="float32")

    assert correlate(blank, gray(LARGE), identity(1)) == 0
    assert np.isfinite(align(blank, blank, identity(1), num_steps=3)).all()


def test_no_pairs_give_no_changes():
    none = np.zeros((0, 64, 64), dtype="float32")

    assert align(none, none, identity(0), num_steps=2).shape == (0, 4)
    assert correlate_details(none, none, identity(0)).shape == (0,)


PLACES = (2 * np.arange(64, dtype="float32") + 1) / 64 - 1


def test_a_search_leaves_the_change_that_it_starts_from():
    start = identity(1)

    align(gray(LARGE), cut(LARGE, 0.05, 0, 0, 0), start, num_steps=2)

    assert start.tolist() == identity(1).tolist()


@pytest.mark.parametrize("axis", [0, 1])
def test_a_step_along_one_axis_does_not_depend_on_the_stretch_of_the_other(axis):
    waves, moved = np.sin(3 * PLACES), np.sin(3 * (PLACES - 0.01))
    # along the other axis nothing changes, and nothing can be found out
    images, others = (
        np.repeat(np.expand_dims(one, 1 - axis), 64, axis=1 - axis)[None]
        for one in (waves, moved)
    )
    start = np.array([[1.2, 0, 1, 0] if axis == 0 else [1, 0, 1.2, 0]], "float32")

    found = align(images, others, start, num_steps=1)

    assert found[0, 3 - 2 * axis] == pytest.approx(-0.01, abs=0.001)


def test_what_lies_beyond_the_picture_is_not_compared():
    picture = np.sin(3 * PLACES)[:, None] + np.cos(4 * PLACES)
    shifted = np.sin(3 * PLACES)[:, None] + np.cos(4 * (PLACES + 0.2))
    shifted[:, PLACES + 0.2 > 1] = np.random.default_rng(0).normal(0, 5, (64, 6))
    change = np.array([[1, 0.2, 1, 0]], dtype="float32")

    assert correlate(picture[None], shifted[None], change)[0] > 0.99


def test_no_pair_knows_what_stands_beside_it():
    generator = np.random.default_rng(0)
    images = generator.normal(100, 30, (3, 64, 64)).astype("float32")
    images[1] += 4 * np.arange(64, dtype="float32")  # unlike its neighbors
    others = images + generator.normal(0, 20, images.shape).astype("float32")
    starts = identity(3)

    changes = align(images, others, starts, num_steps=3)

    assert (starts == identity(3)).all()  # what is given stays as it is
    for compare in (correlate, correlate_details):
        together = compare(images, others, changes)
        alone = [compare(images[[i]], others[[i]], changes[[i]])[0] for i in range(3)]
        np.testing.assert_allclose(together, alone, atol=1e-4)
    alone = [
        align(images[[i]], others[[i]], identity(1), num_steps=3)[0] for i in range(3)
    ]
    np.testing.assert_allclose(changes, alone, atol=1e-3)
