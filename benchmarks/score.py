"""How fast are very many pictures scored, in how much memory, and is a kill survived?

    python benchmarks/score.py RUN --data photographs/

The pictures of `--data` (drawn ones without it) are repeated by link until there are
`--count` files; one in a hundred is corrupt. `pixsent-tf score` makes the table twice:
undisturbed, and killed with signal 9 half way and started again. `pixsent-tf predict`
and a plain loop around Keras do a part of the same job. All of it runs one after the
other, each in a process of its own.

Growth is the largest resident memory of the job after its first part was written, less
the memory at that moment. Needs Linux and the extra `beam`.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import itertools
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

SHARD_SIZE = 256
VERB = [sys.executable, "-m", "pixsent_tf"]
LOOP = """
import sys, time
import keras, numpy as np
from PIL import Image
from pixsent_tf.data.pictures import walk_pictures
from pixsent_tf.inference.model import SentimentModel
model = SentimentModel.load(sys.argv[1]).model
paths = [p for p in walk_pictures(sys.argv[2])]
model.predict_on_batch(np.zeros([1, 300, 300, 3], "uint8"))
started, done = time.monotonic(), 0
for path in paths:
    try:
        image = np.asarray(Image.open(path).convert("RGB"))
    except OSError:
        continue
    model.predict_on_batch(image[None])
    done += 1
print(done / (time.monotonic() - started))
"""


def main() -> None:
    """Make the folder, run all jobs, print what they took."""
    options = read_options()
    with tempfile.TemporaryDirectory() as folder:
        files, part = Path(folder, "files"), Path(folder, "part")
        sources = sorted(options.data.iterdir()) if options.data else draw(folder)
        link(sources, files, options.count)
        link(sources, part, options.part)
        print(f"{options.count} files, {options.count // 100} of them corrupt")
        whole = undisturbed(options.run, files, Path(folder, "whole.csv"))
        killed(options.run, files, Path(folder, "killed.csv"), whole)
        beside(options.run, part, options.part, whole["rate"])


def read_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", help="run folder of the model")
    parser.add_argument("--data", type=Path, help="folder of pictures")
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--part", type=int, default=2_000, help="files of the others")
    return parser.parse_args()


def draw(folder: str) -> list[Path]:
    """Draw a hundred pictures of the size of a photograph on the web."""
    random = np.random.default_rng(0)
    paths = []
    for number in range(100):
        coarse = random.integers(0, 256, [12, 16, 3], dtype="uint8")
        path = Path(folder, f"drawn-{number}.jpg")
        Image.fromarray(coarse).resize((500, 375)).save(path)
        paths.append(path)
    return paths


def link(sources: list[Path], folder: Path, count: int) -> None:
    """Fill a folder with links; every hundredth file is half a picture."""
    folder.mkdir()
    for number, source in zip(range(count), itertools.cycle(sources), strict=False):
        path = folder / f"{number:06d}{source.suffix}"
        if number % 100 == 99:
            encoded = source.read_bytes()
            path.write_bytes(encoded[: len(encoded) // 2])
        else:
            path.symlink_to(source.resolve())


def start(run: str, files: Path, out: Path) -> subprocess.Popen[bytes]:
    """Start `pixsent-tf score`."""
    options = ["--model", run, "--out", str(out), "--quiet"]
    return subprocess.Popen(
        [*VERB, "score", str(files), *options, "--shard-size", str(SHARD_SIZE)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,  # the JPEG library prints what it thinks
        process_group=0,
    )


def memory(process: subprocess.Popen[bytes]) -> int:
    """Sum the resident memory of a process and its children, bytes."""
    total = 0
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it ended meanwhile
        if int(fields[2]) == process.pid:  # its process group
            total += int(fields[21]) * os.sysconf("SC_PAGE_SIZE")
    return total


def parts(out: Path) -> int:
    """Count the parts that are written."""
    return sum(1 for _ in Path(f"{out}.parts").glob("part-*"))


def watched(process: subprocess.Popen[bytes], out: Path) -> Iterator[int]:
    """Give the number of finished parts twice a second until the job ends."""
    while process.poll() is None:
        yield parts(out)
        time.sleep(0.5)


def undisturbed(run: str, files: Path, out: Path) -> dict[str, float | str]:
    """Score everything; print speed, memory, rows."""
    started = time.monotonic()
    process = start(run, files, out)
    first, peak = 0, 0
    for finished in watched(process, out):
        now = memory(process)
        peak = max(peak, now)
        if finished and not first:
            first = now
    seconds = time.monotonic() - started
    assert process.wait() == 0, f"score ended with {process.returncode}"
    with out.open(newline="", encoding="utf-8") as table:
        rows = list(csv.DictReader(table))
    statuses: dict[str, int] = {}
    for row in rows:
        statuses[row["status"]] = statuses.get(row["status"], 0) + 1
    rate = len(rows) / seconds
    print(f"score: {len(rows)} rows {statuses}, {seconds:.0f} s, {rate:.1f} files/s")
    print(
        f"  memory {first / 1e6:.0f} MB after the first part, peak {peak / 1e6:.0f} MB"
    )
    print(f"  growth {(peak - first) / 1e6:.0f} MB")
    return {"rate": rate, "digest": digest(out), "parts": -(-len(rows) // SHARD_SIZE)}


def killed(run: str, files: Path, out: Path, whole: dict[str, float | str]) -> None:
    """Score everything, killed half way; print whether the table is the same."""
    process = start(run, files, out)
    for finished in watched(process, out):
        if finished >= float(whole["parts"]) / 2:
            os.killpg(process.pid, signal.SIGKILL)
            break
    process.wait()
    assert not out.exists(), "the job ended before it was killed"
    kept = parts(out)
    times = {path: path.stat().st_mtime_ns for path in Path(f"{out}.parts").iterdir()}
    again = start(run, files, out)
    touched = 0
    for _ in watched(again, out):
        touched = max(touched, sum(changed(path, at) for path, at in times.items()))
    same = digest(out) == whole["digest"]
    print(f"killed after {kept} parts of {whole['parts']}, started again:")
    print(f"  the table is {'the same' if same else 'ANOTHER'}, byte for byte")
    print(f"  parts written twice: {touched}")


def changed(path: Path, at: int) -> bool:
    """Tell whether a finished part was written again."""
    try:
        return path.name.startswith("part-") and path.stat().st_mtime_ns != at
    except OSError:
        return False  # all is done, and parts are gone


def digest(path: Path) -> str:
    """Hash a table."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def beside(run: str, folder: Path, count: int, rate: float | str) -> None:
    """Print the speed of `predict` and of a plain loop on a part of the job."""
    started = time.monotonic()
    subprocess.run(
        [*VERB, "predict", str(folder), "--model", run, "--quiet", "--json"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,  # 1: some could not be read
    )
    predicted = count / (time.monotonic() - started)
    done = subprocess.run(
        [sys.executable, "-c", LOOP, run, str(folder)],
        capture_output=True,
        text=True,
        check=True,
    )
    looped = float(done.stdout.split()[-1])
    print(f"on {count} files: predict {predicted:.1f} files/s with its start,")
    print(f"  a loop of Pillow and Keras, picture by picture, {looped:.1f} files/s;")
    print(f"  score is {float(rate) / predicted:.2f}x and {float(rate) / looped:.2f}x")


if __name__ == "__main__":
    main()
