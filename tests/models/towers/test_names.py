"""Official names: each leads to a preset that KerasHub has."""

from __future__ import annotations

import pytest

from pixsent_tf.errors import ConfigError
from pixsent_tf.models.towers.names import PRESETS, preset_named
from pixsent_tf.models.towers.table import TOWERS


@pytest.mark.parametrize(
    ("name", "preset"),
    [
        ("google/siglip2-base-patch16-256", "siglip2_base_patch16_256"),
        ("openai/clip-vit-base-patch16", "clip_vit_base_patch16"),
        ("facebook/dinov3-vits16-pretrain-lvd1689m", "dinov3_vit_small_lvd1689m"),
        ("google/vit-base-patch16-224", "vit_base_patch16_224_imagenet"),
        ("google/vit-base-patch16-224-in21k", "vit_base_patch16_224_imagenet21k"),
        ("laion/clip-vit-h-14-laion2b-s32b-b79k", "clip_vit_h_14_laion2b_s32b_b79k"),
    ],
)
def test_an_official_name_leads_to_its_preset(name, preset):
    assert preset_named(name) == preset


def test_every_preset_of_the_table_is_one_that_keras_hub_has():
    import keras_hub

    known = {
        preset for kind in TOWERS for preset in getattr(keras_hub.models, kind).presets
    }

    assert set(PRESETS.values()) <= known
    assert len(set(PRESETS.values())) == len(PRESETS)


def test_a_name_without_a_preset_is_told_what_to_write_instead():
    with pytest.raises(ConfigError, match="write hub:hf://me/my-vit") as caught:
        preset_named("me/my-vit")
    assert "hub:siglip2_base_patch16_256" in str(caught.value)
