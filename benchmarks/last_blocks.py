"""What does keeping the activations of frozen layers save?

    python benchmarks/last_blocks.py deepsent/ --level five_agrees

Cross-validates `last-blocks` twice, in processes of their own: with a few fixed views
of each picture, which pass the frozen layers once, and with new crops in each epoch,
which pass all layers. Told are the seconds from the shell and back, and those of the
processor, which other work on the machine hardly changes.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

WAYS = {"kept": (), "passed anew": ("--set", "training.num_views=0")}


def run(command: list[str]) -> dict[str, float]:
    """Run a command to its end.

    Returns:
        Its `seconds`, those of the `processor`, and the `accuracy` that it prints.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    done = subprocess.run(command, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {
        "seconds": time.perf_counter() - started,
        "processor": spent,
        "accuracy": json.loads(done.stdout)["accuracy"],
    }


def main() -> None:
    """Run both ways and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data")
    parser.add_argument("options", nargs=argparse.REMAINDER, help="of crossval")
    options = parser.parse_args()
    command = [sys.executable, "-m", "pixsent_tf", "crossval", options.data]
    command += [*options.options, "--strategy", "last-blocks", "--json", "--quiet"]
    found = {}
    print("| activations | seconds | of the processor | accuracy |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for number, (way, settings) in enumerate(WAYS.items()):
            out = ["--out", str(Path(folder) / str(number)), "--discard-models"]
            found[way] = row = run([*command, *settings, *out])
            print(
                f"| {way} | {row['seconds']:.0f} | {row['processor']:.0f} | "
                f"{row['accuracy']:.3f} |",
                flush=True,
            )
    kept, anew = found.values()
    print(
        f"\n{anew['seconds'] / kept['seconds']:.1f} times as fast, "
        f"{anew['processor'] / kept['processor']:.1f} by the processor's time"
    )


if __name__ == "__main__":
    main()
