"""The cards have each measured number in its own row, its bounds in order."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pixsent_tf.config import ModelConfig, Recipe, TrainingConfig
from pixsent_tf.studies.report.card import data_card, model_card, shipped_card

RECIPE = Recipe(
    model=ModelConfig(backbone="caffenet"), training=TrainingConfig(strategy="head")
)


def results(**changes: Any) -> Any:
    """No two numbers of it are alike; its classes go backwards in the alphabet."""

    def row(name: str, *numbers: float) -> Any:
        keys = ("num_examples", "precision", "recall", "f1")
        return {"name": name, **dict(zip(keys, numbers, strict=True))}

    return {
        **{"accuracy": 0.711, "accuracy_interval": [0.622, 0.833]},
        **{"balanced_accuracy": 0.644, "auc": 0.755, "auc_interval": [0.666, 0.877]},
        **{"log_loss": 0.511, "brier": 0.222, "ece": 0.055, "majority_rate": 0.577},
        "ece_null_band": [0.011, 0.044],
        "bootstrap_intervals": {
            "balanced_accuracy": [0.601, 0.688],
            "log_loss": [0.433, 0.599],
            "brier": [0.199, 0.244],
            "ece": [0.033, 0.077],
        },
        "per_class": [
            row("sad", 70, 0.701, 0.702, 0.703),
            row("odd", 20, 0.201, 0.202, 0.203),
            row("glad", 30, 0.301, 0.302, 0.303),
        ],
        **{"num_examples": 120, "confidence": 0.95, "label_ceiling": 0.912},
        "ten_crop": {"accuracy": 0.722, "accuracy_interval": [0.633, 0.844]},
        "abstention": [
            {"target": 0.9, "precision": 0.888, "coverage": 0.456},
            {"target": 0.8, "precision": 0.811, "coverage": 0.789},
        ],
        "unreadable": [{"id": f"{i}"} for i in range(7)],
        "audit": {
            **{"num_examples": 127, "classes": {"sad": 75, "odd": 22, "glad": 30}},
            **{"unreadable": [{}] * 5, "exact_pairs": 8, "near_pairs": 9},
            **{"crossing": 3, "conflicting": 2},
        },
        **changes,
    }


def card(recipe: Recipe | None = RECIPE, **changes: Any) -> str:
    return model_card(
        name="mine",
        dataset="photos",
        how="held out from training",
        results=results(**changes),
        recipe=recipe,
    )


def test_each_measure_stands_with_its_own_interval() -> None:
    lines = card().splitlines()

    at = lines.index("| measure | value | 95 % interval |")
    assert lines[at + 2 : at + 9] == [
        "| accuracy | 0.711 | 0.622 to 0.833 |",
        "| balanced accuracy | 0.644 | 0.601 to 0.688 |",
        "| AUC | 0.755 | 0.666 to 0.877 |",
        "| log loss | 0.511 | 0.433 to 0.599 |",
        "| Brier score | 0.222 | 0.199 to 0.244 |",
        "| calibration error | 0.055 | 0.033 to 0.077 |",
        "| accuracy, ten crops | 0.722 | 0.633 to 0.844 |",
    ]


def test_each_class_has_its_own_row_in_the_order_of_the_model() -> None:
    text = card()

    assert "feels sad or odd or glad to people" in text
    assert text[text.index("| class |") :].splitlines()[2:5] == [
        "| sad | 70 | 0.701 | 0.702 | 0.703 |",
        "| odd | 20 | 0.201 | 0.202 | 0.203 |",
        "| glad | 30 | 0.301 | 0.302 | 0.303 |",
    ]


def test_sentences_hold_the_numbers_that_they_are_about() -> None:
    text = " ".join(card().split())

    assert "Measured on 120 pictures of `photos`, held out from training." in text
    assert "the most frequent class is right 0.577 of the time." in text
    assert "Another person agrees with the label 0.912 of the time" in text
    assert "error of 0.011 to 0.044 on as many pictures." in text
    assert (
        "Asked for a precision of 0.900, it answers 0.456 of the pictures and is right "
        "on 0.888 of these" in text
    )
    assert text.index("precision of 0.900") < text.index("precision of 0.800")
    assert "- 7 of the pictures could not be read and are not counted." in text


def test_the_network_is_named_where_it_is_known() -> None:
    assert "is `caffenet`, trained with the strategy `head`." in card()
    assert "The network is" not in card(recipe=None)


def test_the_front_matter_has_the_license_and_the_measures_of_the_hub() -> None:
    front = card().split("---\n")[1]

    assert front.startswith("license: apache-2.0\n")
    assert [
        line.split(": ")[1] for line in front.splitlines() if " value: " in line
    ] == [*("0.711", "0.755", "0.055")]
    other = model_card(
        name="m", dataset="d", how="h", results=results(), license_name="mit"
    )
    assert other.startswith("---\nlicense: mit\n")


def test_what_was_not_measured_is_left_out() -> None:
    text = card(auc=None, ten_crop=None, label_ceiling=None, unreadable=[])

    for absent in ("AUC", "roc_auc", "ten crops", "Another person", "be read"):
        assert absent not in text


def test_the_data_card_tells_what_the_audit_found() -> None:
    text = data_card(dataset="photos", results=results())

    assert text.startswith("# photos\n")
    for line in (
        "| pictures | 127 (sad 75, odd 22, glad 30) |",
        "| unreadable | 5 |",
        "| pairs of copies | 8 exact, 9 nearly |",
        "| copies across folds | 3 |",
        "| copies labelled differently | 2 |",
        "| always the most frequent class | 0.577 |",
        "| another person agrees with the label | 0.912 |",
    ):
        assert f"{line}\n" in text
    assert "Copies across folds flatter every model" in text


def source(name: str, base: float, **changes: Any) -> Any:
    """Numbers that end alike for one measure, and begin alike for one source."""
    return {
        **{"source": name, "num_examples": round(1000 * base)},
        **{"accuracy": base + 0.01, "accuracy_interval": [base, base + 0.09]},
        **{"majority_rate": base + 0.02, "balanced_accuracy": base + 0.03},
        "recalls": {"positive": base + 0.04, "negative": base + 0.05},
        **{"auc": base + 0.06, "ece": base + 0.07},
        "answering": {"coverage": base + 0.08, "precision": base + 0.081},
        **changes,
    }


def test_the_shipped_card_has_a_column_for_each_source_and_a_row_for_each_number() -> (
    None
):
    rows = [source("tweets", 0.6), source("scenes", 0.3, answering=None)]
    text = shipped_card(
        name="small",
        recipe=replace(RECIPE, name="x"),
        results={
            **{"across": rows, "within": rows[::-1], "ratings": None},
            **{"megabytes": 13, "drawn": 400, "gated": 0.0123},
        },
    )

    across, within = text.split("## On more of the same")
    table = across[across.index("|  | tweets") :].splitlines()
    assert table[:11] == [
        "|  | tweets | scenes |",
        "| ---|---|--- |",
        "| pictures | 600 | 300 |",
        "| accuracy | 0.610 (0.600 to 0.690) | 0.310 (0.300 to 0.390) |",
        "| always the larger class | 0.620 | 0.320 |",
        "| balanced accuracy | 0.630 | 0.330 |",
        "| recall of positive | 0.640 | 0.340 |",
        "| recall of negative | 0.650 | 0.350 |",
        "| AUC | 0.660 | 0.360 |",
        "| calibration error | 0.670 | 0.370 |",
        "| answered, right | 0.680, 0.681 |  |",
    ]
    assert "|  | scenes | tweets |" in within
    assert "is `caffenet`\n(13 MB" in text
    assert "it refused 1.23 %." in text


@pytest.mark.parametrize("auc", [None, 0.5])
def test_the_shipped_card_leaves_an_area_blank_that_is_not_known(auc: Any) -> None:
    rows = [source("a", 0.6), source("b", 0.3, auc=auc)]
    text = shipped_card(
        name="small",
        recipe=RECIPE,
        results={
            **{"across": rows, "within": rows, "ratings": None},
            **{"megabytes": 13, "drawn": 400, "gated": 0.0123},
        },
    )

    assert f"| AUC | 0.660 | {'' if auc is None else '0.500'} |" in text
    assert text.count("type: roc_auc\n") == (2 if auc is None else 4)
