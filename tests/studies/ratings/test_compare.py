"""Two models' ratings of the same pictures."""

from __future__ import annotations

import numpy as np
import pytest

from pixsent_tf.errors import DataError, UsageError
from pixsent_tf.studies.ratings.compare import are_ratings, compare_ratings

GENERATOR = np.random.default_rng(0)
TRUTH = GENERATOR.normal(4, 1, 40)


def write(path, answers, *, names=None, labels=TRUTH):
    """A table of another program."""
    names = names or [f"{i:02}.jpg" for i in range(len(answers))]
    lines = ["path,answer_valence,label_valence"]
    for name, answer, label in zip(names, answers, labels, strict=True):
        lines.append(f"{name},{answer:.6f},{label:.6f}")
    path.write_text("\n".join(lines))
    return path


def test_pictures_are_matched_by_their_names(tmp_path):
    close, far = (TRUTH + GENERATOR.normal(0, s, 40) for s in (0.1, 2.0))
    order = GENERATOR.permutation(40)
    first = write(tmp_path / "close.csv", close)
    names = [f"elsewhere/{i:02}.jpg" for i in order]
    second = write(tmp_path / "far.csv", far[order], names=names, labels=TRUTH[order])

    (pair,) = compare_ratings([first, second])["pairs"]
    assert pair["rmse"] == pytest.approx(
        [np.sqrt(((one - TRUTH) ** 2).mean()) for one in (close, far)], abs=1e-4
    )
    assert pair["williams_p"] < 0.001


def test_other_ratings_of_the_same_pictures_are_refused(tmp_path):
    first = write(tmp_path / "a.csv", TRUTH)
    second = write(tmp_path / "b.csv", TRUTH, labels=TRUTH + 1)

    with pytest.raises(DataError, match="were tested on other ratings"):
        compare_ratings([first, second])


def test_ratings_and_classes_are_compared_by_a_threshold_only(tmp_path):
    first = write(tmp_path / "a.csv", TRUTH)
    (tmp_path / "b.csv").write_text("path,answer,label\n00.jpg,positive,negative")

    with pytest.raises(UsageError, match="with --threshold"):
        are_ratings([first, tmp_path / "b.csv"])


def test_tables_without_a_common_picture_are_refused(tmp_path):
    first = write(tmp_path / "a.csv", TRUTH)
    names = [f"other-{i}.jpg" for i in range(40)]
    second = write(tmp_path / "b.csv", TRUTH, names=names)

    with pytest.raises(DataError, match="share no picture"):
        compare_ratings([first, second])
