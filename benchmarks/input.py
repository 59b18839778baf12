"""How many pictures a second come from JPEG files to augmented batches?

    python benchmarks/input.py                                  drawn pictures
    python benchmarks/input.py --data photographs/
    python benchmarks/input.py --paths 100000                   is memory flat?

Three contenders do the same job in processes of their own, one after the other, in
several rounds: this package's pipeline; `keras.utils.image_dataset_from_directory`
with Keras' augmentation layers, which does not antialias and takes one crop for a
whole batch; and Pillow in a pool of threads, as most loaders are written. The job runs
twice: on the pictures of `--data`, and on 2000 x 1500 pictures that are drawn here.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

CANVAS, CROP, BATCH = 256, 224, 32
# Noise of the drawn pictures, in grey levels: a camera's by daylight. It decides how
# many bytes they have, and these what decoding costs at any scale.
GRAIN = 3
Batches = Generator[np.ndarray, None, None]


def ours(paths: list[str], folder: Path) -> Batches:
    """Read by this package: crop and flip for each image, antialiased."""
    from pixsent_tf.config import PreprocessConfig
    from pixsent_tf.data.augment import Augmentation
    from pixsent_tf.data.canvases import Canvases, Examples, training_batches
    from pixsent_tf.data.preprocess import Preprocessor

    canvases = Canvases(
        paths, Preprocessor(PreprocessConfig(CANVAS, CROP)), {}, frozenset(), None
    )
    batches = training_batches(
        canvases,
        Examples(np.arange(len(paths)), np.zeros((len(paths), 2), "float32")),
        Augmentation(CROP),
        batch_size=BATCH,
        seed=0,
        epochs=1_000_000,
    )
    for crops, _, _ in batches:
        yield crops.numpy()


def by_keras(paths: list[str], folder: Path) -> Batches:
    """Read as Keras' guides do; the whole folder, whatever `paths` says."""
    import keras
    import tensorflow as tf

    augment = keras.Sequential(
        [keras.layers.RandomCrop(CROP, CROP), keras.layers.RandomFlip("horizontal")]
    )
    images = keras.utils.image_dataset_from_directory(
        folder,
        labels=None,
        batch_size=BATCH,
        image_size=(CANVAS, CANVAS),
        seed=0,
        verbose=False,
    )
    images = images.map(
        lambda batch: augment(batch, training=True), num_parallel_calls=tf.data.AUTOTUNE
    )
    for crops in images.repeat().prefetch(2):
        yield crops.numpy()


def by_pillow(paths: list[str], folder: Path) -> Batches:
    """Read by Pillow in a pool of threads, antialiased."""
    generator = np.random.default_rng(0)

    def read(path: str) -> np.ndarray:
        with Image.open(path) as image:
            canvas = image.convert("RGB").resize((CANVAS, CANVAS), Image.BILINEAR)
        top, left = generator.integers(0, CANVAS - CROP + 1, 2)
        crop = np.asarray(canvas)[top : top + CROP, left : left + CROP]
        return crop[:, ::-1] if generator.random() < 0.5 else crop

    def order() -> Iterator[str]:
        while True:
            yield from (paths[i] for i in generator.permutation(len(paths)))

    coming = order()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        pending: list = []
        while True:
            # Two batches are being read while the one before is used.
            part = itertools.islice(coming, BATCH)
            pending.append([pool.submit(read, path) for path in part])
            if len(pending) > 2:
                yield np.stack([future.result() for future in pending.pop(0)])


CONTENDERS: dict[str, Callable[[list[str], Path], Batches]] = {
    "ours": ours,
    "keras": by_keras,
    "pillow": by_pillow,
}


def measure(name: str, folder: Path, num_paths: int, seconds: float) -> dict:
    """Run one contender over a folder, endlessly; count after a warm-up.

    Args:
        name: One of `CONTENDERS`.
        folder: Of JPEG files.
        num_paths: Length of the list, by repetition, to be read once; 0 for each file
            as often as there is time.
        seconds: How long to count; of no meaning with `num_paths`.

    Returns:
        Images per second, CPU time, memory in MB: the peak, and each tenth of the list.
    """
    files = sorted(str(path) for path in folder.glob("*.jpg"))
    paths = list(itertools.islice(itertools.cycle(files), num_paths or len(files)))
    batches = CONTENDERS[name](paths, folder)
    warm_up = 4 * BATCH
    while warm_up > 0:
        warm_up -= len(next(batches))
    memory, count, cpu_started = [], 0, cpu_seconds()
    started = time.perf_counter()
    for batch in batches:
        count += len(batch)
        elapsed = time.perf_counter() - started
        if num_paths and 10 * count // num_paths > len(memory):
            memory.append(resident_megabytes())
        if count >= num_paths if num_paths else elapsed >= seconds:
            break
    result = {
        "images_per_second": count / elapsed,
        "cpu_ms_per_image": (cpu_seconds() - cpu_started) / count * 1e3,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "memory_mb": memory,
    }
    batches.close()
    return result


def cpu_seconds() -> float:
    """CPU time of this process and its threads so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def resident_megabytes() -> float:
    """Memory of this process, in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def distance(name: str, folder: Path) -> float:
    """Compare canvases with Pillow's antialiased resize of the whole picture.

    Args:
        name: One of `CONTENDERS`.
        folder: Of JPEG files; the first 32 are compared.

    Returns:
        Mean absolute difference, of 255.
    """
    files = sorted(folder.glob("*.jpg"))[:32]
    gaps = []
    for path in files:
        with Image.open(path) as image:
            wanted = image.convert("RGB").resize((CANVAS, CANVAS), Image.BILINEAR)
        canvas = canvas_of(name, path)
        gaps.append(np.abs(canvas.astype(float) - np.asarray(wanted)).mean())
    return float(np.mean(gaps))


def canvas_of(name: str, path: Path) -> np.ndarray:
    """Read one picture as a contender does, before it is cropped."""
    if name == "pillow":
        with Image.open(path) as image:
            return np.asarray(
                image.convert("RGB").resize((CANVAS, CANVAS), Image.BILINEAR)
            )
    import tensorflow as tf

    encoded = tf.io.read_file(str(path))
    if name == "keras":
        image = tf.image.decode_image(encoded, channels=3, expand_animations=False)
        return tf.image.resize(image, (CANVAS, CANVAS)).numpy()
    from pixsent_tf.config import PreprocessConfig
    from pixsent_tf.data.pipeline import decode_canvas
    from pixsent_tf.data.preprocess import Preprocessor

    return decode_canvas(
        encoded, Preprocessor(PreprocessConfig(CANVAS, CROP)), only_jpeg=True
    ).numpy()


def draw(folder: Path, count: int, width: int, height: int) -> None:
    """Draw textured pictures, about as hard to decode as photographs.

    Args:
        folder: Where to.
        count: How many.
        width: In pixels.
        height: In pixels.
    """
    folder.mkdir(parents=True, exist_ok=True)
    generator = np.random.default_rng(0)
    for number in range(count):
        coarse = generator.integers(0, 256, (12, 16, 3), dtype="uint8")
        image = Image.fromarray(coarse).resize((width, height), Image.BICUBIC)
        grain = generator.normal(0, GRAIN, (height, width, 1))
        pixels = np.clip(np.asarray(image) + grain, 0, 255).astype("uint8")
        Image.fromarray(pixels).save(folder / f"{number:04}.jpg", quality=88)


def in_process(*arguments: str) -> dict:
    """Run this file in a process of its own, and read its last line."""
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [sys.executable, __file__, *arguments],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    return json.loads(done.stdout.splitlines()[-1])


def compare(folder: Path, rounds: int, seconds: float) -> None:
    """Print a table of all contenders on one folder."""
    rows: dict[str, list[dict]] = {name: [] for name in CONTENDERS}
    for _ in range(rounds):  # by turns, so that a busy minute hurts all of them
        for name in CONTENDERS:
            rows[name].append(
                in_process(
                    "--one", name, "--data", str(folder), "--seconds", f"{seconds}"
                )
            )
    files = list(folder.glob("*.jpg"))
    size = statistics.mean(file.stat().st_size for file in files) / 1024
    with Image.open(files[0]) as image:
        print(
            f"\n{len(files)} pictures like {image.width} x {image.height}, "
            f"{size:.0f} KB each, {rounds} rounds"
        )
    print(
        f"{'':8}{'images/s':>10}{'CPU ms':>8}{'ours is':>9}{'peak MB':>9}{'off by':>8}"
    )
    speed = {
        name: statistics.median(row["images_per_second"] for row in rows[name])
        for name in CONTENDERS
    }
    for name, runs in rows.items():
        cpu = statistics.median(row["cpu_ms_per_image"] for row in runs)
        print(
            f"{name:8}{speed[name]:10.0f}{cpu:8.2f}{speed['ours'] / speed[name]:8.2f}x"
            f"{max(row['peak_mb'] for row in runs):9.0f}{runs[0]['distance']:8.2f}"
        )


def main() -> None:
    """Read the command line, and run what it asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="Folder of .jpg files.")
    parser.add_argument(
        "--large", type=int, default=48, help="Large pictures; 0: none."
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--paths", type=int, default=0, help="Repeat to this length.")
    parser.add_argument("--one", choices=CONTENDERS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        result = measure(options.one, options.data, options.paths, options.seconds)
        if not options.paths:
            result["distance"] = distance(options.one, options.data)
        print(json.dumps(result))
        return
    with tempfile.TemporaryDirectory() as scratch:
        data = options.data
        if data is None:
            data = Path(scratch) / "small"
            draw(data, 256, 600, 450)
        if options.paths:
            arguments = ("--one", "ours", "--data", str(data), "--paths")
            result = in_process(*arguments, str(options.paths))
            memory = " ".join(f"{size:.0f}" for size in result["memory_mb"])
            print(f"{options.paths} paths, {result['images_per_second']:.0f} images/s")
            print(f"MB after each tenth: {memory}; peak {result['peak_mb']:.0f}")
            return
        compare(data, options.rounds, options.seconds)
        if options.large:
            large = Path(scratch) / "large"
            draw(large, options.large, 2000, 1500)
            compare(large, options.rounds, options.seconds)


if __name__ == "__main__":
    main()
