"""The paper's recipes say what the paper says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pixsent_tf.models import zoo
from pixsent_tf.recipes import (
    backbones,
    finetuning,
    initialization,
    layer_ablation,
    layer_addition,
    linear_probes,
    sentiment_maps,
)

MODULES = (
    *(finetuning, linear_probes, layer_ablation, initialization, layer_addition),
    *(sentiment_maps, backbones),
)
ROWS = [row for module in MODULES for row in module.ROWS]


def test_the_solver_is_the_one_of_section_3():
    training = finetuning.FIVE.training

    assert (training.learning_rate, training.momentum) == (1e-3, 0.9)
    assert (training.batch_size, training.epochs, training.step_epochs) == (256, 65, 6)
    assert (training.head_multiplier, training.weight_decay) == (10, 5e-4)
    assert (training.patience, training.optimizer) == (0, "caffe_sgd")


def test_the_other_reading_differs_in_the_step_alone():
    for printed, slow in zip(finetuning.ROWS[:3], finetuning.SLOW, strict=True):
        again = replace(slow.training, step_epochs=printed.training.step_epochs)
        assert replace(slow, name=printed.name, training=again) == printed


@pytest.mark.parametrize(
    ("module", "center", "ten_crop"),
    [  # as printed, in the order of the rows; None where nothing is
        (finetuning, [817, 782, 739] * 2, [830, 787, 749] * 2),
        (layer_ablation, [784, 651, *[None] * 3], [797, 676, *[None] * 3]),
        (
            initialization,
            [817, 823, 804, 839, 833, 825, 838, 837, 797, None],
            [830, 823, 806, 844, 844, 828, 838, 837, 806, None],
        ),
        (layer_addition, [795, 702], [803, 694]),
    ],
)
def test_published_accuracies(module, center, ten_crop):
    for view, printed in (("center", center), ("ten_crop", ten_crop)):
        found = [dict(row.expected).get(view) for row in module.ROWS]
        assert found == [n and pytest.approx(n / 1000) for n in printed]


def test_the_probes_are_thirteen_layers_from_the_pixels_to_the_head():
    names = tuple(row.name for row in linear_probes.ROWS)

    assert names == (
        *("conv1", "pool1", "norm1", "conv2", "pool2", "norm2"),
        *("conv3", "conv4", "conv5", "pool5", "fc6", "fc7", "fc8"),
    )
    svm = [dict(row.expected)["svm"] for row in linear_probes.ROWS]
    assert sum(svm) == pytest.approx(9.793)  # the printed column, added up
    assert (
        linear_probes.INVERSE_PENALTIES[0],
        linear_probes.INVERSE_PENALTIES[-1],
    ) == (1 / 32, 32768)


def test_fc6_is_cut_at_a_tenth_of_the_rate():
    rates = {row.name: row.training.learning_rate for row in layer_ablation.ROWS}

    assert (rates["fc6-2"], rates["fc7-2"]) == (1e-4, 1e-3)


def test_every_row_names_a_network_that_can_be_built():
    for row in ROWS:
        assert zoo.preprocess_of(row.model).crop_size > 0
        if row.model.surgery:
            assert row.model.change is not None


def test_no_two_rows_of_a_table_share_a_name():
    for module in MODULES:
        names = [row.name for row in module.ROWS]
        assert len(set(names)) == len(names)


def test_a_module_of_recipes_has_at_most_forty_lines():
    for module in MODULES:
        assert len(Path(module.__file__).read_text().splitlines()) <= 40


def test_every_row_starts_from_the_weights_that_it_is_about():
    def starts(module):
        return {row.name: row.model.weights for row in module.ROWS}

    published = (
        *("places", "deepsentibank", "mvso_en", "mvso_es", "mvso_fr", "mvso_it"),
        *("mvso_de", "mvso_zh"),
    )
    assert starts(initialization) == {
        "caffenet-five": "caffenet",
        **{f"start-{name}": name for name in published},
        "start-scratch": None,
    }
    assert starts(layer_addition) == {
        "caffenet-fc9": "caffenet",
        "mvso_en-fc9": "mvso_en",
    }
    assert set(starts(layer_ablation).values()) == {"caffenet"}
    assert set(starts(finetuning).values()) == {"caffenet"}
    assert starts(backbones)["alexnet"] == "alexnet"


def test_surgeries_are_those_of_the_tables():
    cuts = ("fc7-2", "fc6-2", "fc7-4096", "fc6-4096", "fc8-1000")
    assert tuple(row.model.surgery for row in layer_ablation.ROWS) == cuts
    added = ("fc8-1000+fc9", "fc8-4342+fc9")
    assert tuple(row.model.surgery for row in layer_addition.ROWS) == added
    assert {row.model.surgery for row in finetuning.ROWS} == {None}


def test_the_levels_of_agreement_are_those_of_the_names():
    levels = {row.name: row.data.level for row in (*finetuning.ROWS, *backbones.FROZEN)}

    for name, level in levels.items():
        (word,) = [each for each in ("five", "four", "three") if each in name]
        assert level == f"{word}_agrees", name


def test_all_layers_train_and_nothing_is_calibrated_as_in_the_paper():
    for module in (finetuning, layer_ablation, initialization, layer_addition):
        for row in module.ROWS:
            assert row.training.strategy == "all", row.name
            assert row.training.calibration_folds == 0, row.name
            assert row.training.schedule == "step", row.name


def test_nothing_is_expected_of_networks_that_the_paper_has_not():
    assert {row.expected for row in backbones.ROWS} == {()}
    assert initialization.SCRATCH.expected == ()
