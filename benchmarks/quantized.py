"""What does the quick model lose in eight bits? Answers that flip, by source.

    python benchmarks/quantized.py deepsent/images oasis/

Its network is quantized after training and its head stays in floats: weights alone
(`dynamic`), weights by channel and activations (`int8`), and activations in sixteen
bits (`16x8`), with ranges from pictures of the same folders. Told are the answers that
are others than in floats, the largest and the mean change of a probability, and the
speed on all cores.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from pixsent_tf.data.pictures import walk_pictures
from pixsent_tf.inference import shipped
from pixsent_tf.inference.litert import SIGNATURE, LiteNetwork, muted
from pixsent_tf.inference.sweep import Sweep
from pixsent_tf.machine import num_cores

BATCH = 32
SLOW = 100  # pictures of a folder that an engine without fast kernels is asked for
OPS = tf.lite.OpsSet
MODES = {
    "float": [],
    "dynamic": [OPS.TFLITE_BUILTINS],
    "int8": [OPS.TFLITE_BUILTINS_INT8, OPS.TFLITE_BUILTINS],
    "16x8": [
        OPS.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8,
        OPS.TFLITE_BUILTINS,
    ],
}


def main() -> None:
    """Read the pictures, quantize, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sources", nargs="+", help="folders of pictures")
    parser.add_argument("--ranges", type=int, default=100, help="pictures of a source")
    options = parser.parse_args()
    model = shipped.load_model()
    frozen, answer = model._halves
    pictures = {source: _crops(source, model) for source in options.sources}
    generator = np.random.default_rng(0)
    chosen = {
        source: np.sort(generator.choice(len(crops), options.ranges, replace=False))
        for source, crops in pictures.items()
    }
    seen = np.concatenate([pictures[source][chosen[source]] for source in pictures])
    known = _features("float", frozen.network, pictures, seen)
    for mode in list(MODES)[1:]:
        found = _features(mode, frozen.network, pictures, seen)
        wanted = {name: x[:: _step(mode, x)] for name, x in known.items()}
        _tell(mode, answer, wanted, found)


def _crops(source: str, model: Any) -> np.ndarray:
    paths = [str(path) for path in walk_pictures(Path(source))]
    cut = model.preprocessor.center_crop
    return Sweep(paths, model.preprocessor, lambda x: np.asarray(cut(x))).collect()[1]


def _features(
    mode: str, network: Any, pictures: dict[str, np.ndarray], seen: np.ndarray
) -> dict[str, np.ndarray]:
    """Compute the features of pictures by a network in some form."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "network.tflite")
        path.write_bytes(_convert(mode, network, seen))
        lite, started, found = LiteNetwork(path, num_cores()), time.perf_counter(), {}
        for source, crops in pictures.items():
            asked = crops[:: _step(mode, crops)]
            parts = np.split(asked, range(BATCH, len(asked), BATCH))
            found[source] = np.concatenate([lite(x.astype("f4"))[0] for x in parts])
        seconds = time.perf_counter() - started
        speed = sum(map(len, found.values())) / seconds
        print(f"{mode}: {path.stat().st_size / 1e6:.1f} MB, {speed:.1f} images/s")
    return found


def _step(mode: str, crops: np.ndarray) -> int:
    return max(1, round(len(crops) / SLOW)) if mode == "16x8" else 1


def _convert(mode: str, network: Any, seen: np.ndarray) -> bytes:
    shape = [None, *network.input_shape[1:]]

    @tf.function(input_signature=[tf.TensorSpec(shape, tf.float32, "crops")])
    def look(crops: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"output_0": network(crops, training=False)}

    def ranges() -> Iterator[dict[str, np.ndarray]]:
        for crop in (*seen, np.zeros_like(seen[0]), np.full_like(seen[0], 255)):
            yield {"crops": crop[None].astype("float32")}

    module = tf.Module()
    module.weights = [variable.value for variable in network.variables]
    with tempfile.TemporaryDirectory() as folder, muted():
        signatures = {SIGNATURE: look.get_concrete_function()}
        tf.saved_model.save(module, folder, signatures=signatures)
        converter = tf.lite.TFLiteConverter.from_saved_model(
            folder, signature_keys=[SIGNATURE]
        )
        if mode != "float":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.target_spec.supported_ops = MODES[mode]
        if mode not in ("float", "dynamic"):
            converter.representative_dataset = ranges
        return converter.convert()


def _tell(
    mode: str,
    answer: Any,
    known: dict[str, np.ndarray],
    found: dict[str, np.ndarray],
) -> None:
    for source, features in found.items():
        probs = answer(features.astype("float32")).numpy()
        wanted = answer(known[source]).numpy()
        flips = (probs.argmax(axis=1) != wanted.argmax(axis=1)).mean()
        change = np.abs(probs - wanted)
        print(
            f"  {mode}, {source}: {len(probs)} pictures, {flips:.2%} flip, largest "
            f"change {change.max():.3f}, mean {change.mean():.3f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
