"""How fast does a GPU train here, and how much of the time does it wait for pictures?

    python benchmarks/gpu.py             on a GPU, such as Colab's T4
    python benchmarks/gpu.py --smoke     anywhere: small, to see that it runs; the same
                                         without a GPU

Each network trains all its layers as `fit --strategy all` does: canvases leave the host
as bytes, the training step cuts its crops on the device, computes in mixed precision
where there is a GPU, and its logits are float32. Measured are whole epochs, and the
same steps with a batch that is there already; what lies between is lost to the input.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

NETWORKS = ("efficientnet_lite0", "keras:EfficientNetV2S", "caffenet")
SMALL = ("efficientnet_lite0@64",)


def draw_pictures(folder: Path, count: int) -> list[str]:
    """Draw JPEG files of 640 x 480 pixels."""
    generator, paths = np.random.default_rng(0), []
    for number in range(count):
        coarse = generator.integers(0, 256, (30, 40, 3)).astype("uint8")
        paths.append(str(folder / f"{number:04}.jpg"))
        Image.fromarray(coarse).resize((640, 480), Image.BICUBIC).save(paths[-1])
    return paths


def measure(network: str, paths: list[str], batch_size: int, steps: int) -> Any:
    """Measure the training of one network.

    Returns:
        Images a second of whole epochs and of the step alone, and the share of the time
        that goes into neither.
    """
    import keras
    import tensorflow as tf

    from pixsent_tf.config import Recipe, override
    from pixsent_tf.data.canvases import Canvases, Examples
    from pixsent_tf.data.preprocess import Preprocessor
    from pixsent_tf.models import zoo
    from pixsent_tf.training.finetune import build_network
    from pixsent_tf.training.rates import build_optimizer, choose_layers
    from pixsent_tf.training.views import WholeViews, augmentation_of

    settings = {"training.strategy": "all", "model.backbone": network}
    recipe = override(Recipe(), {**settings, "model.weights": None})
    has_gpu = bool(tf.config.list_physical_devices("GPU"))
    model = build_network(
        recipe, 2, precision="mixed_float16" if has_gpu else "float32"
    )
    assert model.output.dtype == "float32"
    choose_layers(model, recipe.training)
    canvases = Canvases.read(paths, Preprocessor(zoo.preprocess_of(recipe.model)))
    augmentation = augmentation_of(recipe.training, canvases)
    views = WholeViews.of(model, canvases, augmentation, on_device=True)
    trainee = views.trainee
    trainee.compile(
        build_optimizer(recipe.training, trainee, steps=steps, steps_per_epoch=steps),
        keras.losses.CategoricalCrossentropy(from_logits=True),
        jit_compile=False,
    )
    indices = np.arange(batch_size * steps) % len(paths)
    targets = np.eye(2, dtype="float32")[np.arange(len(paths)) % 2]
    examples = Examples(indices, targets)

    def epochs(count: int) -> tf.data.Dataset:
        return views.of_epochs(examples, batch_size=batch_size, seed=0, epochs=count)

    (batch,) = epochs(1).take(1)
    ready = tf.data.Dataset.from_tensors(batch).repeat().prefetch(2)
    rates = {}
    for name, batches in (("step", ready), ("epoch", epochs(2))):
        course = {"steps_per_epoch": steps, "shuffle": False, "verbose": 0}
        clock = _clock()
        trainee.fit(batches, epochs=2, callbacks=[clock], **course)
        rates[name] = batch_size * steps / clock.seconds  # of the second epoch
    lost = max(0.0, 1 - rates["epoch"] / rates["step"])
    return {"images_per_second": rates, "lost_to_input": lost}


def _clock() -> Any:
    import keras

    class Clock(keras.callbacks.Callback):
        """Takes the time of the last epoch."""

        seconds = 0.0
        begun = 0.0

        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            self.begun = time.perf_counter()

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.seconds = time.perf_counter() - self.begun

    return Clock()


def main() -> None:
    """Measure each network and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--networks", nargs="+", help=", ".join(NETWORKS))
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--steps", type=int, default=40, help="of an epoch")
    parser.add_argument("--smoke", action="store_true", help="small: does it run?")
    parser.add_argument("--json", help="file to write")
    options = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    smoke = options.smoke or not gpus
    where = "no GPU: these numbers are the processor's"
    if gpus:
        details = tf.config.experimental.get_device_details(gpus[0])
        where = details.get("device_name", "GPU")
    size, steps = (4, 2) if smoke else (options.batch_size, options.steps)
    networks = options.networks or (SMALL if smoke else NETWORKS)
    print(f"{where}, batches of {size}, {steps} steps an epoch\n")
    print("| network | step, images/s | epoch, images/s | lost to the input |")
    print("|---|---|---|---|")
    told = {}
    with tempfile.TemporaryDirectory() as folder:
        paths = draw_pictures(Path(folder), 16 if smoke else 512)
        for network in networks:
            told[network] = found = measure(network, paths, size, steps)
            rates = found["images_per_second"]
            print(
                f"| {network} | {rates['step']:.1f} | {rates['epoch']:.1f} | "
                f"{found['lost_to_input']:.0%} |",
                flush=True,
            )
    if options.json:
        Path(options.json).write_text(json.dumps(told, indent=2) + "\n")


if __name__ == "__main__":
    main()
