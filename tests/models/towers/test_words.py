"""Zero-shot: what a preset itself says of pictures and texts, as one dense layer."""

from __future__ import annotations

import numpy as np
import pytest

from pixsent_tf.config import ModelConfig
from pixsent_tf.errors import ConfigError, WeightsError
from pixsent_tf.models import zoo
from tests.small_presets import SIDE, build

CROPS = np.random.default_rng(0).integers(0, 256, (3, SIDE, SIDE, 3), "uint8")
PIXELS = CROPS.astype("float32")
PROMPTS = ["a sad picture", "a happy picture"]
READERS = {
    "CLIP": "CLIPPreprocessor",
    "SigLIP": "SigLIPPreprocessor",
    "MetaCLIP2": "MetaCLIP2CausalLMPreprocessor",
}


def own_logits(kind, folder, network):
    """What the whole preset says: vision tower, text tower and head of KerasHub."""
    import keras_hub

    prepare = getattr(keras_hub.models, READERS[kind]).from_preset(str(folder))
    given = prepare({"prompts": PROMPTS, "images": PIXELS[:2]}, sequence_length=8)
    pixels = prepare.image_converter(PIXELS)
    said = network({"images": pixels, "token_ids": given["token_ids"]})
    return said["vision_logits"].numpy()


@pytest.mark.parametrize("kind", READERS)
def test_logits_are_those_of_the_preset_but_for_what_all_share(kind, preset_of):
    folder, network = preset_of(kind)
    model = ModelConfig(f"hub:{folder}", words=",".join(PROMPTS))

    classifier, class_names = zoo.build_by_words(model)
    logits = classifier(PIXELS).numpy()

    expected = own_logits(kind, folder, network)
    assert class_names == tuple(PROMPTS)
    found, wanted = (x - x.mean(1, keepdims=True) for x in (logits, expected))
    np.testing.assert_allclose(found, wanted, atol=1e-4)
    assert np.ptp(found[:, 0]) > 1e-3


@pytest.mark.parametrize("kind", READERS)
def test_one_column_more_is_the_difference_of_the_logits(kind, preset_of):
    folder, network = preset_of(kind)
    name = f"hub:{folder}"
    plain = zoo.build_backbone(ModelConfig(name))
    model = ModelConfig(name, words="negative=a sad picture,positive=a happy picture")

    features = zoo.build_backbone(model)(PIXELS).numpy()

    logits = own_logits(kind, folder, network)
    np.testing.assert_allclose(features[:, :-1], plain(PIXELS), atol=1e-5)
    np.testing.assert_allclose(features[:, -1], logits @ [-1, 1], atol=1e-4)


def test_several_prompts_of_a_class_are_one_direction(preset_of):
    name = f"hub:{preset_of('SigLIP')[0]}"

    def kernel(words):
        head = zoo.build_by_words(ModelConfig(name, words=words))[0].layers[-1]
        return head.get_weights()[0]

    sad, gloomy = kernel("a sad photo,a gloomy photo").T
    both, happy = kernel("low=a sad photo|a gloomy photo,high=a happy photo").T
    lengths = [np.linalg.norm(x) for x in (sad, gloomy, both, happy)]

    mean = sad / lengths[0] + gloomy / lengths[1]
    np.testing.assert_allclose(lengths, lengths[0], rtol=1e-5)
    np.testing.assert_allclose(
        both / lengths[2], mean / np.linalg.norm(mean), atol=1e-5
    )


@pytest.mark.parametrize("kind", ["ViT", "DINOV2"])
def test_a_tower_that_reads_no_words_is_refused(kind, preset_of):
    model = ModelConfig(f"hub:{preset_of(kind)[0]}", words="a,b")

    with pytest.raises(ConfigError, match="reads no words"):
        zoo.build_by_words(model)
    with pytest.raises(ConfigError, match="reads no words"):
        zoo.build_backbone(model)


def test_networks_of_other_kinds_read_no_words():
    with pytest.raises(ConfigError, match="reads no words; name one preset"):
        zoo.build_by_words(ModelConfig("efficientnet_lite0", words="a,b"))


def test_a_preset_without_a_tokenizer_says_what_is_missing(tmp_path):
    import keras_hub

    build("CLIP").save_to_preset(str(tmp_path))
    converter = keras_hub.layers.CLIPImageConverter(image_size=(SIDE, SIDE))
    converter.save_to_preset(str(tmp_path))

    with pytest.raises(WeightsError, match="needs a tokenizer"):
        zoo.build_by_words(ModelConfig(f"hub:{tmp_path}", words="a,b"))
