"""How fast does CaffeNet train here, and in PyTorch?

    python benchmarks/train.py [--batch-size 32] [--rounds 5] [--threads 2]

Both train the same network with the same batch, loss, momentum and decay, in turns, so
that whatever else the machine does hits both. Without PyTorch only ours is measured.
Each number is the median of the rounds; peak memory is that of a process of its own.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np

Step = Callable[[], object]
CONTESTANTS = ("pixsent_tf", "torch")


def draw_batch(batch_size: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw pixels [B, 227, 227, 3] and labels [B]."""
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (batch_size, 227, 227, 3)).astype("float32")
    return images, generator.integers(0, 2, batch_size)


def build_ours(batch_size: int, threads: int) -> Step:
    """Return one step of training, as `fit` takes it."""
    import keras
    import tensorflow as tf

    from pixsent_tf.models.caffenet import build_caffenet
    from pixsent_tf.training.optimizers import CaffeSGD, caffe_multipliers

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    model = build_caffenet(num_classes=2)
    model.compile(
        CaffeSGD(1e-3, multipliers=caffe_multipliers()),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=False,
    )
    images, labels = (tf.constant(part) for part in draw_batch(batch_size))
    return lambda: model.train_on_batch(images, labels)


def build_torch(batch_size: int, threads: int) -> Step:
    """Return one eager step of the same network in PyTorch."""
    import torch
    from torch import nn

    torch.set_num_threads(threads)

    def norm() -> nn.Module:
        return nn.LocalResponseNorm(5, alpha=1e-4, beta=0.75)

    def pool() -> nn.Module:
        return nn.MaxPool2d(3, 2, ceil_mode=True)

    net = nn.Sequential(
        *(nn.Conv2d(3, 96, 11, 4), nn.ReLU(inplace=True), pool(), norm()),
        *(nn.Conv2d(96, 256, 5, padding=2, groups=2), nn.ReLU(inplace=True)),
        *(pool(), norm()),
        *(nn.Conv2d(256, 384, 3, padding=1), nn.ReLU(inplace=True)),
        *(nn.Conv2d(384, 384, 3, padding=1, groups=2), nn.ReLU(inplace=True)),
        *(nn.Conv2d(384, 256, 3, padding=1, groups=2), nn.ReLU(inplace=True)),
        *(pool(), nn.Flatten()),
        *(nn.Linear(9216, 4096), nn.ReLU(inplace=True), nn.Dropout()),
        *(nn.Linear(4096, 4096), nn.ReLU(inplace=True), nn.Dropout()),
        nn.Linear(4096, 2),
    )
    layers = [layer for layer in net if hasattr(layer, "weight")]
    head = layers.pop()
    optimizer = torch.optim.SGD(
        [
            {"params": [layer.weight for layer in layers]},
            {"params": [layer.bias for layer in layers], "lr": 2e-3, "weight_decay": 0},
            {"params": [head.weight], "lr": 1e-2},
            {"params": [head.bias], "lr": 2e-2, "weight_decay": 0},
        ],
        lr=1e-3,
        momentum=0.9,
        weight_decay=5e-4,
    )
    images, labels = (torch.from_numpy(part) for part in draw_batch(batch_size))
    images = images.permute(0, 3, 1, 2).contiguous()
    mean = torch.tensor([122.67891, 116.66877, 104.00699])[:, None, None]

    def step() -> float:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(images - mean), labels)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


BUILDERS = {"pixsent_tf": build_ours, "torch": build_torch}


def seconds(step: Step, repeats: int = 2) -> float:
    """Return how long one step takes."""
    started = time.perf_counter()
    for _ in range(repeats):
        step()
    return (time.perf_counter() - started) / repeats


def peak_memory(name: str, args: argparse.Namespace) -> float:
    """Return the most memory, in GB, of a process that takes three steps."""
    code = (
        "import resource, train; "
        f"step = train.BUILDERS[{name!r}]({args.batch_size}, {args.threads}); "
        "[step() for _ in range(3)]; "
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    command = [sys.executable, "-c", code]
    folder = os.path.dirname(os.path.abspath(__file__))
    done = subprocess.run(
        command, cwd=folder, check=True, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([*sys.path, folder])},
    )  # fmt: skip
    return int(done.stdout.split()[-1]) / 1e6


def main() -> None:
    """Measure in turns and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    args = parser.parse_args()
    names = [name for name in CONTESTANTS if importlib.util.find_spec(name)]
    memory = {name: peak_memory(name, args) for name in names}
    steps = {name: BUILDERS[name](args.batch_size, args.threads) for name in names}
    for step in steps.values():
        seconds(step)  # the first steps trace and allocate
    rounds = [
        {n: seconds(step) for n, step in steps.items()} for _ in range(args.rounds)
    ]
    for name in names:
        rates = sorted(args.batch_size / taken[name] for taken in rounds)
        print(
            f"{name:<12}{statistics.median(rates):8.1f} images/s "
            f"({rates[0]:.1f} to {rates[-1]:.1f}), peak {memory[name]:.1f} GB"
        )
    if len(names) == 2:
        ratios = sorted(taken["torch"] / taken["pixsent_tf"] for taken in rounds)
        print(
            f"{'ratio':<12}{statistics.median(ratios):8.2f} "
            f"({ratios[0]:.2f} to {ratios[-1]:.2f})"
        )


if __name__ == "__main__":
    main()
