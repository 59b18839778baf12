"""Which preset holds the weights of an official name on Hugging Face?

    hf:google/siglip2-base-patch16-256    is hub:siglip2_base_patch16_256

KerasHub reads some kinds from Hugging Face as they are; of others it has presets only.
"""

from __future__ import annotations

from collections.abc import Iterator

from pixsent_tf.config.values import nearest
from pixsent_tf.errors import ConfigError, shown

HF_PREFIX = "hf:"
# Kinds that KerasHub converts itself: `hub:hf://NAME` takes them.
CONVERTED = ("DeiT", "DINOv2", "DINOv3", "MetaCLIP 2", "ViT")


def _with_dashes(owner: str, *presets: str) -> Iterator[tuple[str, str]]:
    """Pair presets with names that differ by dashes only."""
    for preset in presets:
        yield f"{owner}/{preset.replace('_', '-')}", preset


def _imagenet(owner: str, *presets: str) -> Iterator[tuple[str, str]]:
    """Pair presets that say what they were trained on with names that do not."""
    for preset in presets:
        name = preset.replace("_imagenet21k", "_in21k").replace("_imagenet", "")
        yield f"{owner}/{name.replace('_', '-')}", preset


PRESETS: dict[str, str] = {
    **dict(
        _with_dashes(
            "google",
            *(f"siglip_base_patch16_{side}" for side in (224, 256, 384, 512)),
            *(f"siglip_large_patch16_{side}" for side in (256, 384)),
            *(f"siglip_so400m_patch14_{side}" for side in (224, 384)),
            "siglip_so400m_patch16_256_i18n",
            "siglip_base_patch16_256_multilingual",
            *(f"siglip2_base_patch16_{side}" for side in (224, 256, 384)),
            "siglip2_base_patch32_256",
            *(f"siglip2_large_patch16_{side}" for side in (256, 384, 512)),
            *(f"siglip2_giant_opt_patch16_{side}" for side in (256, 384)),
            *(f"siglip2_so400m_patch14_{side}" for side in (224, 384)),
            *(f"siglip2_so400m_patch16_{side}" for side in (256, 384, 512)),
        )
    ),
    **dict(
        _with_dashes(
            "openai",
            "clip_vit_base_patch16",
            "clip_vit_base_patch32",
            "clip_vit_large_patch14",
            "clip_vit_large_patch14_336",
        )
    ),
    "laion/CLIP-ViT-B-32-laion2B-s34B-b79K": "clip_vit_b_32_laion2b_s34b_b79k",
    "laion/CLIP-ViT-H-14-laion2B-s32B-b79K": "clip_vit_h_14_laion2b_s32b_b79k",
    "laion/CLIP-ViT-g-14-laion2B-s12B-b42K": "clip_vit_g_14_laion2b_s12b_b42k",
    "laion/CLIP-ViT-bigG-14-laion2B-39B-b160k": "clip_vit_bigg_14_laion2b_39b_b160k",
    **dict(
        _with_dashes(
            "facebook",
            *(f"dinov2_{size}" for size in ("small", "base", "large", "giant")),
            *(
                f"dinov2_with_registers_{size}"
                for size in ("small", "base", "large", "giant")
            ),
        )
    ),
    **{
        f"facebook/dinov3-{size}-pretrain-{data}": f"dinov3_vit_{ours}_{data}"
        for size, ours, data in (
            ("vits16", "small", "lvd1689m"),
            ("vits16plus", "small_plus", "lvd1689m"),
            ("vitb16", "base", "lvd1689m"),
            ("vitl16", "large", "lvd1689m"),
            ("vith16plus", "huge_plus", "lvd1689m"),
            ("vit7b16", "7b", "lvd1689m"),
            ("vitl16", "large", "sat493m"),
            ("vit7b16", "7b", "sat493m"),
        )
    },
    **dict(
        _imagenet(
            "google",
            *(f"vit_base_patch16_{side}_imagenet" for side in (224, 384)),
            *(f"vit_large_patch16_{side}_imagenet" for side in (224, 384)),
            "vit_base_patch32_384_imagenet",
            "vit_large_patch32_384_imagenet",
            *(
                f"vit_{size}_224_imagenet21k"
                for size in (
                    "base_patch16",
                    "base_patch32",
                    "large_patch16",
                    "large_patch32",
                    "huge_patch14",
                )
            ),
        )
    ),
    **dict(
        _imagenet(
            "facebook",
            "deit_base_distilled_patch16_384_imagenet",
            "deit_base_distilled_patch16_224_imagenet",
            "deit_tiny_distilled_patch16_224_imagenet",
            "deit_small_distilled_patch16_224_imagenet",
        )
    ),
}


def preset_named(name: str) -> str:
    """Look up which preset holds the weights of an official name.

    Args:
        name: On Hugging Face, OWNER/MODEL.

    Returns:
        As `hub:` takes it.

    Raises:
        ConfigError: If no preset is known.
    """
    if name in PRESETS:
        return PRESETS[name]
    by_case = {known.lower(): known for known in PRESETS}
    if name.lower() in by_case:
        return PRESETS[by_case[name.lower()]]
    raise ConfigError(
        f"{HF_PREFIX}{shown(name)} has no preset of KerasHub that is known here"
        f"{nearest(name, PRESETS)}; if it is a {', '.join(CONVERTED)} or of timm, "
        f"KerasHub converts it: write hub:hf://{shown(name)}. A CLIP or SigLIP it "
        f"cannot convert: take a preset, such as hub:siglip2_base_patch16_256."
    )
