"""How long does a tower take: to import, to build, and for one picture?

    python benchmarks/towers.py                 all towers
    python benchmarks/towers.py --only dinov2   those whose names hold a word

Each is a preset of the published sizes with random weights, written here to a folder (a
text tower beside it is left small: a picture does not pass it). Each is measured in a
process of its own: the import of KerasHub on top of Keras, the backbone from the
folder, its first picture, which compiles, and the median of ten more.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

SMALL = {"num_layers": 1, "num_heads": 1, "hidden_dim": 8, "intermediate_dim": 8}
BASE = {"num_layers": 12, "num_heads": 12, "hidden_dim": 768}
CHILD = """
import json, statistics, sys, time
import keras, numpy as np
marks = [time.perf_counter()]
import keras_hub
marks.append(time.perf_counter())
from pixsent_tf.config import ModelConfig
from pixsent_tf.inference.sweep import compile_look
from pixsent_tf.models import zoo
marks.append(time.perf_counter())
model = ModelConfig(sys.argv[1])
backbone = zoo.build_backbone(model)
marks.append(time.perf_counter())
side = zoo.preprocess_of(model).crop_size
look = compile_look(backbone, side)
crop = np.zeros((1, side, side, 3), "uint8")
for _ in range(11):
    look(crop).numpy()
    marks.append(time.perf_counter())
steps = [b - a for a, b in zip(marks, marks[1:])]
told = [steps[0], steps[2], steps[3], statistics.median(steps[4:])]
print(json.dumps([backbone.count_params() / 1e6, side, *told]))
"""


def _pair(kind: str, side: int, **more: Any) -> Any:
    from keras_hub import models

    shape = {"image_shape": (side, side, 3), "patch_size": 16}
    see = getattr(models, f"{kind}VisionEncoder")(
        intermediate_dim=3072, **shape, **BASE
    )
    read = getattr(models, f"{kind}TextEncoder")(
        vocabulary_size=8, embedding_dim=8, **SMALL
    )
    return getattr(models, f"{kind}Backbone")(
        vision_encoder=see, text_encoder=read, **more
    )


def _dinov2() -> Any:
    from keras_hub import models

    size = {"num_layers": 12, "num_heads": 6, "hidden_dim": 384}
    return models.DINOV2Backbone(
        patch_size=14,
        intermediate_dim=1536,
        image_shape=(224, 224, 3),
        position_embedding_shape=(224, 224, 3),
        **size,
    )


def _dinov3() -> Any:
    from keras_hub import models

    size = {"num_layers": 12, "num_heads": 6, "hidden_dim": 384}
    return models.DINOV3Backbone(
        patch_size=16, intermediate_dim=1536, image_shape=(224, 224, 3), **size
    )


def _vit() -> Any:
    from keras_hub import models

    return models.ViTBackbone(
        image_shape=(224, 224, 3), patch_size=16, mlp_dim=3072, **BASE
    )


TOWERS: dict[str, tuple[str, int, Callable[[], Any]]] = {
    "siglip2_base_patch16_256": ("SigLIP", 256, lambda: _pair("SigLIP", 256)),
    "clip_vit_base_patch16": (
        "CLIP",
        224,
        lambda: _pair("CLIP", 224, projection_dim=512),
    ),
    "dinov2_small@224": ("DINOV2", 224, _dinov2),
    "dinov3_vit_small": ("DINOV3", 224, _dinov3),
    "vit_base_patch16_224": ("ViT", 224, _vit),
}


def _write(name: str, folder: Path) -> None:
    import keras_hub

    kind, side, build = TOWERS[name]
    build().save_to_preset(str(folder))
    converter = getattr(keras_hub.layers, f"{kind}ImageConverter")
    converter(image_size=(side, side), scale=1 / 127.5, offset=-1.0).save_to_preset(
        str(folder)
    )


def _measure(folder: Path) -> list[float]:
    """Let a process of its own tell what a tower takes."""
    done = subprocess.run(
        [sys.executable, "-c", CHILD, f"hub:{folder}"],
        capture_output=True,
        text=True,
        check=True,
    )
    return list(json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    """Print a row for each tower."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", default=[""])
    chosen = parser.parse_args().only
    print("| tower | million numbers | pixels | import | build | first | one picture |")
    print("|---|---|---|---|---|---|---|")
    for name in TOWERS:
        if not any(word in name for word in chosen):
            continue
        with tempfile.TemporaryDirectory() as folder:
            _write(name, Path(folder))
            size, side, *seconds = _measure(Path(folder))
        times = " | ".join(f"{one:.2f} s" for one in seconds[:3])
        last = f"{1000 * seconds[3]:.0f} ms"
        print(f"| `{name}` | {size:.0f} | {side:.0f} | {times} | {last} |", flush=True)


if __name__ == "__main__":
    main()
