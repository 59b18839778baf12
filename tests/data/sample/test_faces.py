import numpy as np
import pytest

from pixsent_tf.data.sample.faces import draw_face


def drawn(seed, mood=1.0, size=160):
    return draw_face(np.random.default_rng(seed), mood=mood, size=size)


@pytest.mark.parametrize("seed", range(8))
def test_faces_are_large_and_whole(seed):
    image, (left, top, right, bottom), _ = drawn(seed)

    assert image.shape == (160, 160, 3)
    assert 0 < left < right < 160
    assert 0 < top < bottom < 160
    assert 0.55 * 160 < bottom - top < 0.85 * 160


@pytest.mark.parametrize("seed", range(8))
def test_a_mouth_stands_out_from_the_skin_around_it(seed):
    image, _, (left, top, right, bottom) = drawn(seed)
    gray = image.mean(axis=-1)[top:bottom, left:right]

    assert np.percentile(gray, 95) - np.percentile(gray, 5) > 40


def test_faces_differ_in_place_size_and_color():
    faces = [drawn(seed) for seed in range(20)]
    lefts = {box[0] for _, box, _ in faces}
    heights = {box[3] - box[1] for _, box, _ in faces}
    skins = [
        image[(box[1] + box[3]) // 2, (box[0] + box[2]) // 2] for image, box, _ in faces
    ]

    assert len(lefts) > 10
    assert len(heights) > 8
    assert np.std(skins, axis=0).min() > 20


def test_the_mood_is_how_far_the_corners_are_up():
    boxes = [drawn(3, mood)[2] for mood in (-1.0, -0.5, 0.0, 0.5, 1.0)]
    heights = [bottom - top for _, top, _, bottom in boxes]

    assert heights == pytest.approx(heights[::-1], abs=8)  # a tilted face's are not
    assert heights[0] > heights[1] > heights[2]
    pictures = [drawn(3, mood)[0].astype(int) for mood in (0.0, 0.5, 1.0)]
    assert np.abs(pictures[0] - pictures[2]).mean() > (
        np.abs(pictures[1] - pictures[2]).mean()
    )
