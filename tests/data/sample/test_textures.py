import numpy as np
import pytest

from pixsent_tf.data.sample.textures import PATTERNS, color, draw_texture


@pytest.mark.parametrize(
    ("hsv", "rgb"),
    [
        ((0.0, 1.0, 1.0), (255, 0, 0)),
        ((1 / 3, 1.0, 0.5), (0, 127.5, 0)),
        ((2 / 3, 0.0, 0.4), (102, 102, 102)),
        ((-2 / 3, 1.0, 1.0), (0, 255, 0)),
    ],
)
def test_colors_are_what_their_names_say(hsv, rgb):
    assert color(*hsv) == pytest.approx(np.array(rgb), abs=0.01)


def test_one_seed_gives_one_texture():
    first, again, other = (
        draw_texture(np.random.default_rng(seed), 64) for seed in (0, 0, 1)
    )

    assert np.array_equal(first, again)
    assert np.abs(first - other).mean() > 5


@pytest.mark.parametrize("pattern", PATTERNS)
def test_patterns_mix_from_one_color_to_the_other(pattern):
    place = np.linspace(-0.5, 0.5, 96, dtype=np.float32)

    share = pattern(np.random.default_rng(0), place[:, None], place[None, :])

    assert np.broadcast_to(share, (96, 96)).min() >= 0
    assert share.max() <= 1
    assert share.std() > 0.1
