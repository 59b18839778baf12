"""Crops are crops, mirrors are mirrors, and both ways give the same pictures."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from scipy import stats

from pixsent_tf.data.augment import (
    LEFT,
    MIRROR,
    NUM_DRAWS,
    SHARE,
    SIDE,
    TOP,
    UNIT,
    Augmentation,
    mix,
)
from pixsent_tf.errors import ConfigError

CANVAS, CROP = 12, 8
SETTINGS = {
    "crop and flip": Augmentation(CROP),
    "center": Augmentation(CROP, crop=False, flip=False),
    "resized": Augmentation(CROP, min_area_fraction=0.2),
    "colors": Augmentation(CROP, jitter=0.4),
    "everything": Augmentation(CROP, min_area_fraction=0.2, jitter=0.4),
}


def noise(count: int = 16, side: int = CANVAS) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, side, side, 3), "uint8")


def numbered(count: int = 1) -> np.ndarray:
    """Pixels numbered in reading order, the same in all three colors."""
    pixels = np.arange(CANVAS**2, dtype="uint8").reshape(1, CANVAS, CANVAS, 1)
    return np.tile(pixels, (count, 1, 1, 3))


def draws_of(augmentation, count=16, seed=0, epoch=0, canvas_size=CANVAS):
    return augmentation.draw(
        np.arange(count), canvas_size=canvas_size, seed=seed, epoch=epoch
    )


def row(**values):
    draws = np.full((1, NUM_DRAWS), UNIT, dtype="int32")
    draws[0, [TOP, LEFT, SIDE, MIRROR]] = 0, 0, CROP, 0
    for name, value in values.items():
        draws[0, {"top": TOP, "left": LEFT, "side": SIDE, "mirror": MIRROR}[name]] = (
            value
        )
    return draws


@pytest.mark.parametrize("name", SETTINGS)
def test_a_picture_comes_out_the_same_alone_and_in_a_batch(name):
    augmentation, canvases = SETTINGS[name], noise()
    draws = draws_of(augmentation)

    in_batch = tf.function(augmentation.batch)(canvases, draws).numpy()
    alone = [
        augmentation.image(*pair).numpy() for pair in zip(canvases, draws, strict=True)
    ]

    np.testing.assert_array_equal(in_batch, alone)


@pytest.mark.parametrize("name", ["resized", "everything"])
def test_resized_pictures_are_exact_whatever_the_batch_is(name):
    augmentation = Augmentation(
        224,
        min_area_fraction=SETTINGS[name].min_area_fraction,
        jitter=SETTINGS[name].jitter,
    )
    canvases, draws = noise(5, 256), draws_of(augmentation, 5, canvas_size=256)

    together = augmentation.batch(canvases, draws).numpy()

    for i in range(5):
        part = slice(i, i + 1)
        np.testing.assert_array_equal(
            augmentation.batch(canvases[part], draws[part])[0], together[i]
        )


def test_a_crop_is_the_square_at_its_offset():
    crop = Augmentation(CROP).batch(numbered(), row(top=3, left=1)).numpy()

    np.testing.assert_array_equal(crop, numbered()[:, 3 : 3 + CROP, 1 : 1 + CROP])


def test_a_mirrored_crop_runs_from_right_to_left():
    crop = Augmentation(CROP).batch(numbered(), row(top=3, left=1, mirror=1)).numpy()

    assert crop[0, 0, :, 0].tolist() == [44, 43, 42, 41, 40, 39, 38, 37]


def test_every_offset_occurs_and_none_outside():
    draws = draws_of(Augmentation(CROP), 2000)

    offsets = set(zip(draws[:, TOP].tolist(), draws[:, LEFT].tolist(), strict=True))

    margin = range(CANVAS - CROP + 1)
    assert offsets == {(top, left) for top in margin for left in margin}


def test_offsets_are_uniform():
    tops = np.bincount(draws_of(Augmentation(CROP), 20_000)[:, TOP])

    assert abs(tops / 4000 - 1).max() < 0.06  # four standard deviations of 0.0144


def test_half_of_the_pictures_of_one_batch_are_mirrored():
    mirrors = draws_of(Augmentation(CROP), 10_000)[:, MIRROR]

    assert set(mirrors.tolist()) == {0, 1}
    assert 0.48 < mirrors.mean() < 0.52


def test_draws_of_a_picture_do_not_depend_on_the_others():
    everyone = draws_of(Augmentation(CROP), 100)
    some = Augmentation(CROP).draw(
        np.array([70, 3]), canvas_size=CANVAS, seed=0, epoch=0
    )

    np.testing.assert_array_equal(some, everyone[[70, 3]])


@pytest.mark.parametrize("change", [{"seed": 1}, {"epoch": 1}])
def test_seed_and_epoch_change_the_draws(change):
    first, second = draws_of(Augmentation(CROP)), draws_of(Augmentation(CROP), **change)

    assert (first[:, :2] != second[:, :2]).any(axis=1).mean() > 0.8


def test_without_crop_and_flip_the_center_is_cut():
    augmentation = SETTINGS["center"]

    crops = augmentation.batch(noise(), draws_of(augmentation))

    np.testing.assert_array_equal(crops, noise()[:, 2:10, 2:10])


@pytest.mark.parametrize("side", [100, 224, 250])
def test_resized_crops_are_what_pillow_makes_of_them(side):
    canvas = Image.fromarray(noise(1, 32)[0]).resize((256, 256), Image.BICUBIC)
    draws = row(top=4, left=5, side=side)

    ours = Augmentation(224, min_area_fraction=0.1).batch(
        np.asarray(canvas)[None], draws
    )[0]

    box = (5, 4, 5 + side, 4 + side)
    pillow = np.asarray(canvas.crop(box).resize((224, 224), Image.BILINEAR))
    assert abs(pillow.astype(int) - ours.numpy()).max() <= 1


def test_areas_of_resized_crops_lie_between_the_bounds():
    draws = draws_of(Augmentation(224, min_area_fraction=0.25), 2000, canvas_size=256)

    assert (draws[:, SIDE].min(), draws[:, SIDE].max()) == (128, 256)
    assert (draws[:, TOP] + draws[:, SIDE]).max() <= 256


def test_white_stays_white_when_it_is_resized():
    augmentation = SETTINGS["resized"]
    canvases = np.full((16, CANVAS, CANVAS, 3), 255, dtype="uint8")

    assert augmentation.batch(canvases, draws_of(augmentation)).numpy().min() == 255


def test_factors_of_one_leave_the_colors():
    augmentation = Augmentation(CROP, jitter=0.5)

    crops = augmentation.batch(noise(1), row())

    np.testing.assert_array_equal(crops, noise(1)[:, :CROP, :CROP])


def test_brightness_scales_levels_and_clips_them():
    canvas = np.full((1, CROP, CROP, 3), [100, 200, 10], dtype="uint8")
    draws = row()
    draws[0, 4] = round(1.5 * UNIT)

    crop = Augmentation(CROP, jitter=0.5).batch(canvas, draws).numpy()

    assert crop[0, 0, 0].tolist() == [150, 255, 15]


def test_no_saturation_leaves_gray():
    canvas = np.full((1, CROP, CROP, 3), [100, 200, 10], dtype="uint8")
    draws = row()
    draws[0, 6] = 0

    crop = Augmentation(CROP, jitter=1.0).batch(canvas, draws).numpy()

    assert crop[0, 0, 0].tolist() == [148] * 3  # .299 * 100 + .587 * 200 + .114 * 10


def test_mixing_blends_pictures_and_targets_alike():
    crops = np.stack([np.full((2, 2, 3), level, "uint8") for level in (0, 200)])
    draws = np.zeros((2, NUM_DRAWS), dtype="int32")
    draws[:, SHARE] = [768, UNIT]

    pictures, targets = mix(crops, tf.constant([[1.0, 0.0], [0.0, 1.0]]), draws)

    assert pictures[:, 0, 0, 0].numpy().tolist() == [50, 200]
    assert targets.numpy().tolist() == [[0.75, 0.25], [0.0, 1.0]]


def test_mixed_pictures_keep_at_least_half_of_themselves():
    shares = draws_of(Augmentation(CROP, mixup=0.2), 1000)[:, SHARE]

    assert shares.min() >= UNIT / 2
    assert shares.max() == UNIT
    assert len(set(shares.tolist())) > 100


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"min_area_fraction": 0}, "min_area_fraction=0 is no number above 0"),
        ({"jitter": 2}, "jitter=2 is no number from 0 to 1"),
        ({"mixup": -1}, "mixup=-1 is no number of 0 or more"),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(ConfigError, match=message):
        Augmentation(CROP, **settings)


def test_a_resized_crop_is_mirrored_too():
    augmentation = Augmentation(CROP, min_area_fraction=0.2)
    draws = row(top=1, left=2, side=5)

    plain = augmentation.batch(noise(1), draws).numpy()
    mirrored = augmentation.batch(noise(1), row(top=1, left=2, side=5, mirror=1))

    np.testing.assert_array_equal(mirrored.numpy(), plain[:, :, ::-1])
    assert (plain != plain[:, :, ::-1]).any()


def test_resized_levels_are_rounded_to_the_nearest():
    canvas = np.zeros((1, CANVAS, CANVAS, 3), dtype="uint8")
    canvas[:, :, 1] = 3  # columns 0, 3, 0, 0, enlarged twofold

    crop = Augmentation(CROP, min_area_fraction=0.1).batch(canvas, row(side=4))

    # a quarter of the other pixel: .75, 2.25, 2.25, .75
    assert crop[0, 0, :, 0].numpy().tolist() == [0, 1, 2, 2, 1, 0, 0, 0]
    turned = Augmentation(CROP, min_area_fraction=0.1).batch(
        canvas.transpose(0, 2, 1, 3), row(side=4)
    )
    assert turned[0, :, 0, 0].numpy().tolist() == [0, 1, 2, 2, 1, 0, 0, 0]


COLORS = slice(4, 7)


def test_colors_become_stronger_and_weaker_alike_each_on_its_own():
    factors = draws_of(Augmentation(CROP, jitter=0.4), 20_000)[:, COLORS] / UNIT

    assert factors.min() == pytest.approx(0.6, abs=0.002)
    assert factors.max() == pytest.approx(1.4, abs=0.002)
    assert np.abs(factors.mean(axis=0) - 1).max() < 0.006
    assert np.abs(np.corrcoef(factors.T) - np.eye(3)).max() < 0.03


def test_factors_are_rounded_to_the_nearest_unit():
    factors = draws_of(Augmentation(CROP, jitter=0.0004), 1000)[:, COLORS]

    assert (factors == UNIT).all()  # never off by half a unit


@pytest.mark.parametrize(
    ("factor", "expected"), [(0, [100, 100]), (0.5, [75, 125]), (1.5, [25, 175])]
)
def test_contrast_moves_levels_away_from_the_mean_of_the_picture(factor, expected):
    canvas = np.full((1, CROP, CROP, 3), 50, dtype="uint8")
    canvas[:, :, CROP // 2 :] = 150
    draws = row()
    draws[0, 5] = round(factor * UNIT)

    crop = Augmentation(CROP, jitter=1.0).batch(canvas, draws).numpy()

    assert crop[0, 0, [0, -1], 0].tolist() == expected


def test_saturation_keeps_what_is_gray():
    canvas = np.full((1, CROP, CROP, 3), [100, 200, 10], dtype="uint8")
    canvas[0, 0] = 90
    draws = row()
    draws[0, 6] = 2 * UNIT

    crop = Augmentation(CROP, jitter=1.0).batch(canvas, draws).numpy()

    assert (crop[0, 0] == 90).all()
    assert crop[0, 1, 0].tolist() == [52, 252, 0]  # twice as far from 148


def test_brightened_levels_are_rounded_to_the_nearest():
    canvas = np.arange(1, 4, dtype="uint8")[None, None, None].repeat(CROP, 1)
    draws = row()
    draws[0, 4] = round(1.25 * UNIT)

    crop = Augmentation(CROP, jitter=0.5).batch(canvas.repeat(CROP, 2), draws).numpy()

    assert crop[0, 0, 0].tolist() == [1, 3, 4]  # 1.25, 2.5, 3.75


def test_each_picture_is_mixed_with_the_one_before_it():
    crops = np.stack([np.full((2, 2, 3), level, "uint8") for level in (0, 40, 200, 2)])
    draws = np.full((4, NUM_DRAWS), 768, dtype="int32")

    pictures, targets = mix(crops, tf.eye(4), draws)

    # .75 of itself and .25 of the one before, the first of the last; rounded
    assert pictures[:, 0, 0, 0].numpy().tolist() == [1, 30, 160, 52]
    assert targets.numpy().tolist() == [
        [0.75, 0, 0, 0.25],
        [0.25, 0.75, 0, 0],
        [0, 0.25, 0.75, 0],
        [0, 0, 0.25, 0.75],
    ]


def test_as_many_views_recur_whatever_the_seed_but_not_what_is_mixed():
    augmentation = Augmentation(CROP, mixup=0.5, jitter=0.2, num_views=3)
    first, second, again = (
        draws_of(augmentation, epoch=epoch, seed=seed)
        for epoch, seed in ((1, 0), (2, 0), (4, 9))
    )

    np.testing.assert_array_equal(first[:, :SHARE], again[:, :SHARE])
    assert (first[:, :SHARE] != second[:, :SHARE]).any(axis=1).all()
    assert (first[:, SHARE] != again[:, SHARE]).mean() > 0.8


def test_shares_of_mixed_pictures_are_of_the_beta_distribution_that_is_asked_for():
    draws = draws_of(Augmentation(CROP, mixup=0.4), 20_000)[:, SHARE] / UNIT

    # the larger of a share and its rest: twice the density above a half
    for share in (0.6, 0.8, 0.95):
        expected = 2 * stats.beta.cdf(share, 0.4, 0.4) - 1
        assert (draws < share).mean() == pytest.approx(expected, abs=0.012)


def test_the_areas_of_resized_crops_are_uniform_not_their_sides():
    augmentation = Augmentation(224, min_area_fraction=0.04)

    sides = draws_of(augmentation, 20_000, canvas_size=256)[:, SIDE] / 256

    assert (sides**2).mean() == pytest.approx(0.52, abs=0.007)
    assert np.corrcoef(
        sides, draws_of(augmentation, 20_000, canvas_size=256)[:, MIRROR]
    )[0, 1] == pytest.approx(0, abs=0.03)


def test_brightness_comes_before_contrast_and_contrast_before_saturation():
    canvas = np.full((1, CROP, CROP, 3), [200, 100, 0], dtype="uint8")
    canvas[:, :, CROP // 2 :] = 0
    draws = row()
    draws[0, COLORS] = 2 * UNIT, UNIT // 2, 2 * UNIT

    crop = Augmentation(CROP, jitter=1.0).batch(canvas, draws).numpy()

    # [255, 200, 0] when it is twice as bright, and clipped; gray 193, of half the
    # picture: a mean of 96; halfway to it [176, 148, 48]; gray 144; twice as far off
    assert np.abs(crop[0, 0, 0].astype(int) - [208, 152, 0]).max() <= 2


def test_a_crop_that_is_not_drawn_lies_where_the_center_crop_does():
    canvases = np.arange(2 * 8 * 8 * 3).reshape(2, 8, 8, 3).astype("uint8")
    center = Augmentation(5, crop=False, flip=False)  # a margin of 3: 1 before, 2 after

    draws = center.draw(np.arange(2), canvas_size=8, seed=0, epoch=0)

    assert draws[:, [TOP, LEFT]].tolist() == [[1, 1], [1, 1]]
    assert (center.batch(canvases, draws).numpy() == canvases[:, 1:6, 1:6]).all()


def test_no_seed_draws_in_an_epoch_what_another_did_in_another():
    draws = {
        Augmentation(4)
        .draw(np.arange(20), canvas_size=64, seed=seed, epoch=epoch)
        .tobytes()
        for seed in range(4)
        for epoch in range(5)
    }

    assert len(draws) == 20
