"""What is known of each kind of tower: its vision part, and how a vector is taken.

vector   the network pools by itself (SigLIP's attention)
token    token 0, and what the network puts behind it (CLIP's projection)
tokens   token 0 and the mean of the patches; registers are left out (DINO, ViT)
maps     the mean over the last maps (every network of convolutions)

Which name the input has, if any, is asked of the network itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Reading = Literal["vector", "token", "tokens", "maps"]


@dataclass(frozen=True)
class Tower:
    """What is known of one kind of network.

    Attributes:
        reading: How a vector is taken; see the module's top.
        vision: Attribute that holds the vision part; None where there is no other.
        behind: Attributes of the layers behind token 0, in order.
        first_tokens: Tokens before the patches that all of its kind have.
        reader: What makes tokens of texts, where the network reads these too.
        table_of_positions: Whether its positions are one row a patch, so that pictures
            of another size need other rows.
    """

    reading: Reading
    vision: str | None = None
    behind: tuple[str, ...] = ()
    first_tokens: int = 1
    reader: str | None = None
    table_of_positions: bool = False


MAPS = Tower("maps")
TOWERS = {
    "CLIPBackbone": Tower(
        "token",
        "vision_encoder",
        ("vision_projection",),
        reader="CLIPPreprocessor",
        table_of_positions=True,
    ),
    "MetaCLIP2Backbone": Tower(
        "token",
        "vision_encoder",
        ("vision_post_layer_norm", "vision_projection"),
        reader="MetaCLIP2CausalLMPreprocessor",
        table_of_positions=True,
    ),
    "SigLIPBackbone": Tower(
        "vector",
        "vision_encoder",
        reader="SigLIPPreprocessor",
        table_of_positions=True,
    ),
    "DINOV2Backbone": Tower("tokens"),
    "DINOV3Backbone": Tower("tokens"),
    "ViTBackbone": Tower("tokens", table_of_positions=True),
    "DeiTBackbone": Tower("tokens", first_tokens=2, table_of_positions=True),
    "CSPNetBackbone": MAPS,
    "DenseNetBackbone": MAPS,
    "EfficientNetBackbone": MAPS,
    "HGNetV2Backbone": MAPS,
    "MiTBackbone": MAPS,
    "MobileNetBackbone": MAPS,
    "ResNetBackbone": MAPS,
    "SwinTransformerBackbone": Tower("tokens", first_tokens=0),
    "VGGBackbone": MAPS,
    "XceptionBackbone": MAPS,
}

# Classes that a saved model may hold: those parts of the networks that see.
SEEING = frozenset(name for name in TOWERS if TOWERS[name].vision is None) | {
    "CLIPVisionEncoder",
    "MetaCLIP2VisionEncoder",
    "SigLIPVisionEncoder",
}


def num_prefix_tokens(network: Any, tower: Tower) -> int:
    """Count the tokens that stand before the patches.

    Args:
        network: Of a kind whose reading is "tokens".
        tower: What is known of it.

    Returns:
        Token 0, others of its kind, and registers.
    """
    has_first = bool(getattr(network, "use_class_token", True))
    registers = int(getattr(network, "num_register_tokens", 0))
    return tower.first_tokens * has_first + registers
