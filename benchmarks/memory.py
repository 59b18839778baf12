"""What does one costly file take, in memory and in seconds, on each way to an answer?

    python benchmarks/memory.py                     all files, all ways
    python benchmarks/memory.py --only png webp     files whose names hold a word

Each file is made here, most of them by a formula: some bytes that claim many pixels.
Each way is a process of its own, with the model that ships: `light` and `predict` as
the command does it for few files and for many, `demo` with the picture's maps, and the
SavedModel as a server runs it. What is printed is the highest memory of the process
while it answers, less what it had before, and less what a picture of 64 x 64 pixels
takes.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import costly_files as make
from PIL import Image

Ask = Callable[[Path], str]

RED = "#c03020"
FILES: dict[str, Callable[[], bytes]] = {
    "rgba.png 10000x10000": lambda: make.png(10_000, 10_000, color_type=6),
    "rgba.png 7600x5000": lambda: make.png(7600, 5000, color_type=6),
    "rgb16.png 7600x5000": lambda: make.png(7600, 5000, color_type=2, bits=16),
    "interlaced.png 7600x5000": lambda: make.png(
        7600, 5000, color_type=2, interlaced=True
    ),
    "ribbon.png 40000000x1": lambda: make.png(40_000_000, 1, color_type=2),
    "ribbon.png 65535x500": lambda: make.png(65_535, 500, color_type=6),
    "lossless.webp 16383x16383": lambda: make.webp(16_383, 16_383),
    "lossless.webp 3700x3700": lambda: make.webp(3700, 3700),
    "400-frames.gif 4000x3000": lambda: make.gif_animation(4000, 3000, 400),
    "beyond.gif 30000x30000 on 1x1": lambda: make.gif_beyond_screen(
        (1, 1), (30_000, 30_000)
    ),
    "baseline.jpg 10000x10000": lambda: plain("JPEG", (10_000, 10_000)),
    "progressive.jpg 9000x9000": lambda: plain("JPEG", (9000, 9000), progressive=True),
    "500-scans.jpg 2000x2000": lambda: make.jpeg_of_many_scans(
        Image.new("RGB", (2000, 2000), RED), 500
    ),
    "cmyk.jpg 8000x8000": lambda: make.encoded(Image.new("CMYK", (8000, 8000)), "JPEG"),
    "ribbon.jpg 60000x600": lambda: plain("JPEG", (60_000, 600)),
    "strips.tiff 4900x4900": lambda: plain(
        "TIFF", (4900, 4900), compression="tiff_deflate"
    ),
    "one-strip.tiff 4900x4900": lambda: plain(
        "TIFF", (4900, 4900), compression="tiff_deflate", strip_size=75_000_000
    ),
    "color.bmp 4800x4000": lambda: plain("BMP", (4800, 4000)),
    "sparse.jpg of 6 GB": lambda: plain("JPEG", (64, 64)),
}
SPARSE_BYTES = 6_000_000_000


def plain(form: str, size: tuple[int, int], **options: object) -> bytes:
    """Write a picture of one color."""
    return make.encoded(Image.new("RGB", size, RED), form, **options)


def write(folder: Path, words: list[str]) -> list[Path]:
    """Write the files whose names hold one of the words, or all."""
    paths = []
    for name, build in FILES.items():
        if words and not any(word in name for word in words):
            continue
        path = folder / name.replace(" ", "_")
        path.write_bytes(build())
        if name.startswith("sparse"):
            with path.open("rb+") as file:
                file.truncate(SPARSE_BYTES)
        paths.append(path)
    return paths


def light() -> Ask:
    """Answer as `pixsent-tf predict` does for up to 256 files."""
    from pixsent_tf.inference.light import find

    def ask(path: Path) -> str:
        model = find(None, 1)
        assert model is not None
        found = model.predict([str(path)])
        if found is None:
            return "left to predict"
        return "ok" if found[0].error is None else found[0].error.reason

    return ask


def predict() -> Ask:
    """Answer as `pixsent-tf predict` does for more files."""
    from pixsent_tf.inference.shipped import load_model

    model = load_model()

    def ask(path: Path) -> str:
        (one,) = model.predict([str(path)])
        return "ok" if one.error is None else one.error.reason

    return ask


def demo() -> Ask:
    """Answer as the page does, the picture's maps included."""
    from pixsent_tf.demo.answers import Answerer
    from pixsent_tf.inference.shipped import load_model

    answerer = Answerer(load_model(), "shipped")

    def ask(path: Path) -> str:
        if path.stat().st_size > 20_000_000:  # of --max-mb, which the server keeps
            return "too_large"
        content = path.read_bytes()
        answerer.map("picture", content)
        return str(answerer.predict("picture", content)["status"])

    return ask


def saved_model() -> Ask:
    """Answer as TF Serving does."""
    import tensorflow as tf

    from pixsent_tf.inference.shipped import load_model
    from pixsent_tf.serving.saved_model import export_saved_model

    folder = tempfile.TemporaryDirectory()
    exported = export_saved_model(load_model(), folder.name)
    serve = tf.saved_model.load(str(exported)).signatures["serving_default"]

    def ask(path: Path) -> str:
        if path.stat().st_size > 1_000_000_000:  # no request is that large
            return "too_large"
        answer = serve(image_bytes=tf.constant([path.read_bytes()]))
        return "ok" if answer["valid"].numpy()[0] else "unreadable"

    ask.folder = folder  # type: ignore[attr-defined] - as long as it is asked
    return ask


WAYS: dict[str, Callable[[], Ask]] = {
    "light": light,
    "predict": predict,
    "demo": demo,
    "saved_model": saved_model,
}


def memory(entry: str) -> float:
    """Read a number that Linux keeps of this process, in megabytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(entry):
            return int(line.split()[1]) * 1024 / 1e6
    raise SystemExit("This system does not tell the memory of a process.")


def measure(ask: Ask, path: Path) -> tuple[str, float, float]:
    """Give the status, the seconds, and the megabytes that answering takes."""
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")
    before, start = memory("VmRSS"), time.perf_counter()
    status = ask(path)
    return status, time.perf_counter() - start, memory("VmHWM") - before


def work(way: str, paths: list[str]) -> None:
    """Answer each file in this process, a small one first, and print a line each."""
    ask = WAYS[way]()
    with tempfile.TemporaryDirectory() as folder:
        for form, suffix in (("JPEG", "jpg"), ("PNG", "png"), ("TIFF", "tiff")):
            small = Path(folder, f"small.{suffix}")
            small.write_bytes(plain(form, (2600, 2000)))
            ask(small)
        tiny = Path(folder, "tiny.png")
        tiny.write_bytes(plain("PNG", (64, 64)))
        *_, least = measure(ask, tiny)
    for path in paths:
        status, seconds, most = measure(ask, Path(path))
        print(json.dumps((status, seconds, max(0, most - least))), flush=True)


def main() -> None:
    """Print a table: a line for each file, two columns for each way."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", nargs="*", default=[], metavar="WORD")
    parser.add_argument("--ways", nargs="*", default=list(WAYS), choices=list(WAYS))
    parser.add_argument("--work", nargs="+", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.work:
        work(arguments.work[0], arguments.work[1:])
        return
    with tempfile.TemporaryDirectory() as folder:
        paths = write(Path(folder), arguments.only)
        columns = {}
        for way in arguments.ways:
            command = [sys.executable, __file__, "--work", way, *map(str, paths)]
            done = subprocess.run(
                command, stdout=subprocess.PIPE, text=True, check=True
            )
            lines = [line for line in done.stdout.splitlines() if line[:1] == "["]
            columns[way] = [json.loads(line) for line in lines]
    print(f"| file | {' | '.join(columns)} |\n|{'---|' * (len(columns) + 1)}")
    for i, path in enumerate(paths):
        cells = [
            f"{status}, {megabytes:.0f} MB, {seconds:.1f} s"
            for status, seconds, megabytes in (column[i] for column in columns.values())
        ]
        print(f"| {path.name.replace('_', ' ')} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
