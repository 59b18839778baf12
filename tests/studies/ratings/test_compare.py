"""Two models' ratings of the same pictures."""

from __future__ import annotations

from pathlib import Path

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


def write_columns(path: Path, columns: dict[str, list[float]], names: list[str]) -> str:
    """A table with these columns, in this order."""
    lines = [",".join(["path", *columns])]
    for i, name in enumerate(names):
        lines.append(",".join([name, *(f"{one[i]:.6f}" for one in columns.values())]))
    path.write_text("\n".join(lines))
    return str(path)


def three_tables(tmp_path: Path) -> tuple[list[str], dict[str, np.ndarray]]:
    """Tables of 12, 9 and 10 pictures, whose middle one alone knows the ratings."""
    generator = np.random.default_rng(4)
    truth = {name: generator.normal(4, 1, 12) for name in ("joy", "fear")}
    said = {
        (number, target): truth[target] + generator.normal(0, 0.3 * number, 12)
        for number in (1, 2, 3)
        for target in truth
    }
    orders = {  # of joy and fear; the first has a third target, too
        1: list(range(12)),
        2: [10, 8, 2, 6, 4, 0, 7, 3, 9],
        3: [3, 7, 11, 9, 0, 2, 1, 4, 8, 6],
    }
    sources = []
    for number, order in orders.items():
        names = ("fear", "joy") if number == 2 else ("joy", "fear")
        columns = {f"answer_{t}": said[number, t][order].tolist() for t in names}
        if number == 1:
            columns = {"answer_calm": [1.5] * 12, **columns}
        if number == 2:
            columns |= {f"label_{t}": truth[t][order].tolist() for t in names}
        names_of = [f"{i:02}.jpg" for i in order]
        sources.append(write_columns(tmp_path / f"m{number}.csv", columns, names_of))
    common = [0, 2, 3, 4, 6, 7, 8, 9]  # of all three, by the first one's order
    off = {
        f"m{number} {target}": said[number, target][common] - truth[target][common]
        for number, target in said
    }
    return sources, off


def test_three_tables_are_compared_pair_by_pair_on_what_all_of_them_rated(
    tmp_path: Path,
) -> None:
    sources, off = three_tables(tmp_path)

    found = compare_ratings(sources)

    assert found["names"] == ["m1", "m2", "m3"]
    assert found["num_examples"] == 8
    assert found["out"] is None
    assert found["notes"] == [
        f"{count} of the {total} pictures of {name} are not in all of the others, and "
        f"are left out."
        for name, count, total in (("m1", 4, 12), ("m2", 1, 9), ("m3", 2, 10))
    ]
    told = {(one["target"], one["first"], one["second"]) for one in found["pairs"]}
    assert told == {
        (target, first, second)
        for target in ("joy", "fear")  # not calm, which one alone rates
        for first, second in (("m1", "m2"), ("m1", "m3"), ("m2", "m3"))
    }
    for one in found["pairs"]:
        names = (one["first"], one["second"])
        errors = [off[f"{name} {one['target']}"] for name in names]
        expected = [float(np.sqrt((error**2).mean())) for error in errors]
        assert one["rmse"] == pytest.approx(expected, abs=1e-5)


def test_tables_that_leave_nothing_out_are_told_without_notes(tmp_path: Path) -> None:
    first = write(tmp_path / "a.csv", TRUTH + np.sin(TRUTH))
    second = write(tmp_path / "b.csv", TRUTH + np.cos(9 * TRUTH), labels=TRUTH + 9e-5)

    found = compare_ratings([first, second])  # ratings that were rounded are the same

    assert found["notes"] == []
    assert found["num_examples"] == 40


def test_other_ratings_are_found_in_a_later_table_and_in_one_picture(
    tmp_path: Path,
) -> None:
    changed = TRUTH.copy()
    changed[17] += 0.01
    sources = [
        write_columns(
            tmp_path / "a.csv",
            {"answer_valence": list(TRUTH)},
            [f"{i:02}.jpg" for i in range(40)],
        ),
        write(tmp_path / "b.csv", TRUTH),
        write(tmp_path / "c.csv", TRUTH, labels=changed),
    ]

    with pytest.raises(DataError, match=r"^b and c were tested on other ratings"):
        compare_ratings(sources)


def test_what_cannot_be_compared_is_named(tmp_path: Path) -> None:
    names = [f"{i:02}.jpg" for i in range(40)]
    columns = {"answer_valence": list(TRUTH)}
    alone = write_columns(tmp_path / "alone.csv", columns, names)
    other = write_columns(tmp_path / "o.csv", {"answer_joy": list(TRUTH)}, names)
    again = write_columns(tmp_path / "again.csv", columns, names)

    with pytest.raises(UsageError, match=r"^1 source cannot be compared"):
        compare_ratings([alone])
    with pytest.raises(DataError, match=r"^alone and again, o share no target"):
        compare_ratings([alone, again, other])
    with pytest.raises(DataError, match="None of the tables says what raters said"):
        compare_ratings([alone, again])


def test_tables_of_one_kind_are_told_from_those_of_the_other(tmp_path: Path) -> None:
    rated = write(tmp_path / "a.csv", TRUTH)
    plain = tmp_path / "b.csv"
    plain.write_text("path,answer,label\n00.jpg,positive,negative")

    assert are_ratings([rated, rated])
    assert not are_ratings([plain, plain])
    with pytest.raises(UsageError, match=r"a\.csv holds ratings and \S*b\.csv classes"):
        are_ratings([plain, rated, plain])
