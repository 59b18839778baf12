"""Several models on the same pictures: who is right, who differs, and by chance?"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from pixsent_tf.config import Recipe
from pixsent_tf.errors import DataError, UsageError
from pixsent_tf.inference.predictions import Predictions
from pixsent_tf.runs import Run
from pixsent_tf.studies.compare import Comparison, compare_models
from tests.results import assert_told

NAMES = "abcdefg"
IS_POSITIVE = (1, 0, 1, 0, 1, 0, 1)
# Probability of positive. NEAR is wrong about g, MID about b and g, FAR about all
# but c and d.
NEAR = (0.9, 0.2, 0.8, 0.1, 0.7, 0.3, 0.4)
MID = (0.8, 0.6, 0.7, 0.3, 0.6, 0.2, 0.3)
FAR = (0.1, 0.7, 0.6, 0.2, 0.4, 0.9, 0.45)


def label_of(name: str) -> str:
    return "positive" if IS_POSITIVE[NAMES.index(name)] else "negative"


def write(path: Path, probs: tuple[float, ...], *, order: str = NAMES) -> Path:
    """A table whose classes are in the order against the alphabet."""
    lines = ["path,label,prob_positive,prob_negative"]
    for name in order:
        prob = probs[NAMES.index(name)]
        lines.append(f"{name}.jpg,{label_of(name)},{prob},{1 - prob:.6f}")
    path.write_text("\n".join(lines))
    return path


def write_answers(path: Path, probs: tuple[float, ...]) -> Path:
    """The same answers without probabilities, and without labels."""
    lines = ["path,answer"]
    for name, prob in zip(NAMES, probs, strict=True):
        lines.append(f"{name}.jpg,{'positive' if prob > 0.5 else 'negative'}")
    path.write_text("\n".join(lines))
    return path


@pytest.fixture
def three(tmp_path: Path) -> Comparison:
    """NEAR, MID in another order of rows, FAR."""
    return compare_models(
        [
            write(tmp_path / "near.csv", NEAR),
            write(tmp_path / "mid.csv", MID, order="gcaebfd"),
            write(tmp_path / "far.csv", FAR),
        ]
    )


def test_each_model_has_the_share_of_pictures_that_it_gets_right(
    three: Comparison,
) -> None:
    results = three.results

    assert results["names"] == ["near", "mid", "far"]
    assert results["num_examples"] == 7
    assert results["accuracies"] == pytest.approx([6 / 7, 5 / 7, 2 / 7])
    assert three.aligned.class_names == ("positive", "negative")
    assert three.aligned.names == ("near", "mid", "far")
    np.testing.assert_allclose(three.aligned.probs[:, :, 0], [NEAR, MID, FAR])


def test_a_picture_is_named_where_any_model_differs_from_any_other(
    three: Comparison,
) -> None:
    # g is answered wrong by all alike, c and d right; b differs in the first, the
    # others in the third
    one, other = "positive", "negative"
    assert three.results["differing"] == [
        {"id": "a.jpg", "label": one, "answers": [one, one, other]},
        {"id": "b.jpg", "label": other, "answers": [other, one, one]},
        {"id": "e.jpg", "label": one, "answers": [one, one, other]},
        {"id": "f.jpg", "label": other, "answers": [other, other, one]},
    ]


def test_a_second_model_that_differs_alone_is_named_too(tmp_path: Path) -> None:
    second = (0.9, 0.2, 0.8, 0.9, 0.7, 0.3, 0.4)  # d
    sources = [
        write(tmp_path / "one.csv", NEAR),
        write(tmp_path / "two.csv", second),
        write(tmp_path / "three.csv", NEAR),
    ]

    (found,) = compare_models(sources).results["differing"]

    assert found == {
        "id": "d.jpg",
        "label": "negative",
        "answers": ["negative", "positive", "negative"],
    }


def test_models_that_agree_differ_nowhere(tmp_path: Path) -> None:
    sources = [write(tmp_path / f"{name}.csv", MID) for name in ("a", "b", "c")]

    results = compare_models(sources).results

    assert results["differing"] == []
    assert [pair["mcnemar_p"] for pair in results["pairs"]] == [1, 1, 1]


def test_every_two_models_are_tested_and_their_number_is_corrected_for(
    three: Comparison,
) -> None:
    pairs = three.results["pairs"]

    assert [(pair["first"], pair["second"]) for pair in pairs] == [
        ("near", "mid"),
        ("near", "far"),
        ("mid", "far"),
    ]
    assert [(p["only_first_right"], p["only_second_right"]) for p in pairs] == [
        (1, 0),  # b
        (4, 0),  # a, b, e, f
        (3, 0),  # a, e, f
    ]
    # of n that differ all on one side: 2 / 2^n; by Holm times 3, 2 and 1
    assert [pair["mcnemar_p"] for pair in pairs] == pytest.approx([1, 1 / 8, 1 / 4])
    assert [pair["mcnemar_p_holm"] for pair in pairs] == pytest.approx(
        [1, 3 / 8, 2 / 4]
    )
    assert [pair["accuracy_difference"] for pair in pairs] == pytest.approx(
        [1 / 7, 4 / 7, 3 / 7]
    )


def test_areas_rank_by_the_class_that_is_second_in_the_tables(
    three: Comparison,
) -> None:
    # Of 4 x 3 pairs, ties half: NEAR orders 12, MID 3 + 3 + 2.5 + 1.5, FAR 3
    near, mid, far = 1, 10 / 12, 3 / 12
    found = [pair["aucs"] for pair in three.results["pairs"]]

    assert found[0] == pytest.approx([near, mid])
    assert found[1] == pytest.approx([near, far])
    assert found[2] == pytest.approx([mid, far])


def test_only_those_of_answers_have_no_area(tmp_path: Path) -> None:
    sources = [
        write_answers(tmp_path / "near.csv", NEAR),
        write(tmp_path / "mid.csv", MID),
        write(tmp_path / "far.csv", FAR),
    ]

    results = compare_models(sources).results

    assert [pair["aucs"] is None for pair in results["pairs"]] == [True, True, False]
    # one area test alone, so nothing to correct
    assert results["pairs"][2]["delong_p_holm"] == results["pairs"][2]["delong_p"]
    assert results["accuracies"] == pytest.approx([6 / 7, 5 / 7, 2 / 7])


def test_only_pictures_that_all_answered_count_and_the_others_are_told(
    tmp_path: Path,
) -> None:
    sources = [
        write(tmp_path / "near.csv", NEAR, order="gabcdef"),
        write(tmp_path / "mid.csv", MID, order="ecbdfg"),  # without a
        write(tmp_path / "far.csv", FAR, order="bcafge"),  # without d
    ]

    results = compare_models(sources).results

    assert results["num_examples"] == 5  # g, b, c, e, f
    assert results["accuracies"] == pytest.approx([4 / 5, 3 / 5, 1 / 5])
    assert [found["id"] for found in results["differing"]] == [
        "b.jpg",
        "e.jpg",
        "f.jpg",
    ]
    assert [note.split(" are not")[0] for note in results["notes"]] == [
        "2 of the 7 pictures of near",
        "1 of the 6 pictures of mid",
        "1 of the 6 pictures of far",
    ]


def test_three_classes_are_named_by_the_first_table(tmp_path: Path) -> None:
    """The second table has its classes in another order, and as answers."""
    (tmp_path / "one.csv").write_text(
        "path,label,prob_sky,prob_hay,prob_fog\n"
        "1.png,fog,.1,.2,.7\n2.png,sky,.2,.5,.3\n3.png,hay,.1,.6,.3\n4.png,sky,.8,.1,.1"
    )
    (tmp_path / "two.csv").write_text(
        "path,label,answer\n1.png,fog,hay\n2.png,sky,sky\n3.png,hay,hay\n4.png,sky,fog"
    )

    results = compare_models([tmp_path / "one.csv", tmp_path / "two.csv"]).results

    assert results["accuracies"] == [0.75, 0.5]
    assert results["differing"] == [
        {"id": "1.png", "label": "fog", "answers": ["fog", "hay"]},
        {"id": "2.png", "label": "sky", "answers": ["hay", "sky"]},
        {"id": "4.png", "label": "sky", "answers": ["sky", "fog"]},
    ]


def test_a_run_is_compared_with_tables_of_the_same_name(tmp_path: Path) -> None:
    run = Run.create(tmp_path / "same")
    run.write_recipe(Recipe())
    Predictions(
        name="any",
        ids=tuple(f"{name}.jpg" for name in NAMES),
        probs=np.stack([1 - np.array(FAR), np.array(FAR)], axis=1),
        class_names=("negative", "positive"),
        labels=np.array(IS_POSITIVE),
    ).write(run)
    table = write(tmp_path / "same.csv", NEAR)

    results = compare_models([run.path, str(table)]).results

    assert results["names"] == ["same (1)", "same (2)"]
    assert results["accuracies"] == pytest.approx([2 / 7, 6 / 7])
    assert results["pairs"][0]["accuracy_difference"] == pytest.approx(-4 / 7)


def test_what_is_told_is_what_the_verb_prints(three: Comparison) -> None:
    told = json.loads(json.dumps(three.results, allow_nan=False))

    assert_told("compare", told)
    assert told == three.results
    assert told["out"] is None


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two_sources_are_bad_usage(tmp_path: Path, count: int) -> None:
    sources = [write(tmp_path / "near.csv", NEAR)][:count]

    with pytest.raises(UsageError, match=f"^{count} source .* name two or more"):
        compare_models(sources)


@pytest.fixture
def rated(tmp_path: Path) -> Path:
    """Ratings of the same pictures, two of them on the threshold of 4."""
    answers = (4.0, 3.9, 5.1, 4.2, 2.0, 1.5, 4.1)
    labels = (5.0, 3.0, 4.0, 3.9, 6.0, 2.0, 4.4)
    lines = ["path,label_valence,answer_valence"]
    for row in zip(NAMES, labels, answers, strict=True):
        lines.append("{}.jpg,{},{}".format(*row))
    (tmp_path / "rated.csv").write_text("\n".join(lines))
    return tmp_path / "rated.csv"


@pytest.mark.parametrize("place", [0, 1])
def test_a_threshold_lets_ratings_answer_beside_classes(
    tmp_path: Path, rated: Path, place: int
) -> None:
    table = write(tmp_path / "near.csv", NEAR)
    sources = [table, rated] if place else [rated, table]

    results = compare_models(sources, threshold=4.0).results

    # rated answers p n p p n n p: wrong about d and e
    assert results["accuracies"][place] == pytest.approx(5 / 7)
    assert results["accuracies"][1 - place] == pytest.approx(6 / 7)
    found = {one["id"]: one["answers"][place] for one in results["differing"]}
    assert found == {"d.jpg": "positive", "e.jpg": "negative", "g.jpg": "positive"}


def test_another_threshold_gives_other_answers(tmp_path: Path, rated: Path) -> None:
    # at 4.3 only c is answered positive, and only a, e and g are
    answers = write_answers(tmp_path / "far.csv", FAR)

    results = compare_models([rated, answers], threshold=4.3).results

    assert results["accuracies"][0] == pytest.approx(3 / 7)  # b, d, f


def test_nought_is_a_threshold_too(tmp_path: Path) -> None:
    (tmp_path / "rated.csv").write_text(
        "path,label_valence,answer_valence\na.jpg,2,-1\nb.jpg,-2,-.5\nc.jpg,1,0"
    )
    sources = [tmp_path / "rated.csv", write(tmp_path / "near.csv", NEAR)]

    results = compare_models(sources, threshold=0.0).results

    assert results["accuracies"] == pytest.approx([2 / 3, 1])  # n n p, and p n p


def test_a_threshold_leaves_tables_of_classes_alone(tmp_path: Path) -> None:
    sources = [write(tmp_path / "n.csv", NEAR), write(tmp_path / "f.csv", FAR)]

    with_threshold = compare_models(sources, threshold=0.95).results

    assert with_threshold == compare_models(sources).results


def test_ratings_are_no_classes_without_a_threshold(
    tmp_path: Path, rated: Path
) -> None:
    with pytest.raises(DataError, match=r"rated\.csv has the columns"):
        compare_models([write(tmp_path / "near.csv", NEAR), rated])
