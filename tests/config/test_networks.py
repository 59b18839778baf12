"""Names of backbones and surgeries are read once, into values."""

from __future__ import annotations

import pytest

from pixsent_tf.config import ModelConfig
from pixsent_tf.config.networks import (
    SURGERIES,
    Branch,
    Surgery,
    read_backbone,
    read_surgery,
)
from pixsent_tf.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "branches"),
    [
        ("efficientnet_lite0", [("efficientnet_lite0", None)]),
        ("efficientnet_lite0@320", [("efficientnet_lite0", 320)]),
        ("keras:MobileNetV2@96", [("keras:MobileNetV2", 96)]),
        ("a@320+b+a@64", [("a", 320), ("b", None), ("a", 64)]),
    ],
)
def test_a_backbone_is_its_branches_in_order(text, branches):
    found = read_backbone(text)

    assert [(branch.name, branch.size) for branch in found] == branches
    assert "+".join(map(str, found)) == text
    assert ModelConfig(backbone=text).branches == found


@pytest.mark.parametrize(
    "text",
    ["", "@320", "a@", "a@0", "a@-3", "a@3.5", "a@big", "a@1@2", "a+", "a b", "a@٣"],
)
def test_a_backbone_of_another_form_is_refused(text):
    with pytest.raises(ConfigError, match="is not of the form NAME, NAME@PIXELS or"):
        ModelConfig(backbone=text)


def test_a_branch_named_twice_is_refused():
    with pytest.raises(ConfigError, match=r"'a@32\+b\+a@32' names a branch twice"):
        ModelConfig(backbone="a@32+b+a@32")


@pytest.mark.parametrize(
    ("text", "surgery"),
    [
        ("fc7-2", Surgery("fc7", 2)),
        ("my-layer-10", Surgery("my-layer", 10)),
        ("fc8-1000+fc9", Surgery("fc8", 1000, is_added=True)),
    ],
)
def test_a_surgery_is_a_layer_and_its_units(text, surgery):
    assert read_surgery(text) == surgery
    assert str(surgery) == text
    assert ModelConfig(surgery=text).change == surgery


@pytest.mark.parametrize(
    "text", ["", "fc7", "fc7-", "-2", "fc7-0", "fc7-x", "fc7-2+fc9", "fc8-2+fc8"]
)
def test_a_surgery_of_another_form_is_refused(text):
    with pytest.raises(
        ConfigError, match=r"^No surgery .*there are fc7-2, fc6-2, fc7-"
    ):
        ModelConfig(surgery=text)


def test_a_misspelt_surgery_is_told_the_nearest():
    with pytest.raises(ConfigError, match="No surgery 'fc7_2'; the nearest is 'fc7-2'"):
        read_surgery("fc7_2")


def test_every_surgery_of_the_paper_is_one():
    assert [str(read_surgery(name)) for name in SURGERIES] == list(SURGERIES)


def test_surgery_is_for_one_network():
    with pytest.raises(ConfigError, match=r"changes one network; .* joins 2\.$"):
        ModelConfig(backbone="caffenet+alexnet", surgery="fc8-2")


def test_a_raw_surgery_leaves_other_units_than_the_classes():
    assert Surgery("fc7", 4096).is_raw(2)
    assert not Surgery("fc7", 2).is_raw(2)
    assert not Surgery("fc8", 1000, is_added=True).is_raw(2)


def test_branches_are_values():
    assert len({Branch("a", 3), Branch("a", 3), Branch("a")}) == 2
