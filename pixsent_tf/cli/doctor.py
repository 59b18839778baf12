"""pixsent-tf doctor: does everything that the package needs work here?"""

from __future__ import annotations

import io
import shutil
import sys
from collections.abc import Callable

import click

from pixsent_tf.cli import console
from pixsent_tf.results.files import DoctorResults

FAILED = "FAILED"
# Comes back by itself.
_COMPUTED = ("features", "engines", "answers", "copies", "shipped")


@click.command(name="doctor")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option(
    "--clear-cache",
    is_flag=True,
    help="First remove features, converted networks and what was found about copies.",
)
def command(as_json: bool, clear_cache: bool) -> None:
    """Check versions, the device, the weights, the decoder and the engine.

    \b
    Example:
      pixsent-tf doctor
      pixsent-tf doctor --clear-cache
    """
    console.load_tensorflow()
    from pixsent_tf.runs import cache_folder, environment

    if clear_cache:
        for name in _COMPUTED:
            shutil.rmtree(cache_folder(name), ignore_errors=True)

    here = environment()
    found = {name: _try(check) for name, check in _CHECKS.items()}
    results: DoctorResults = {
        "python": here["python"],
        "platform": here["platform"],
        "cpus": here["cpus"],
        "packages": here["packages"],
        "device": found["device"],
        "weights": found["weights"],
        "decoder": found["decoder"],
        "cache": found["cache"],
        "engine": found["engine"],
        "healthy": not any(said.startswith(FAILED) for said in found.values()),
    }
    told = {k: v for k, v in results.items() if k not in ("packages", "healthy")}
    rows = [(name, str(value)) for name, value in {**told, **here["packages"]}.items()]
    console.print_results(rows, results, as_json=as_json)
    if not results["healthy"]:
        sys.exit(1)


def _try(check: Callable[[], str]) -> str:
    try:
        return check()
    except Exception as error:  # a doctor names every illness, then fails
        return f"{FAILED}: {type(error).__name__}: {error}"


def _device() -> str:
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    return f"{len(gpus)} GPU" if gpus else "CPU only"


def _weights() -> str:
    from pixsent_tf.config import ModelConfig
    from pixsent_tf.models.zoo import build_backbone

    backbone = build_backbone(ModelConfig())
    return f"{backbone.name} loads, {backbone.count_params():,} numbers"


def _decoder() -> str:
    import tensorflow as tf
    from PIL import Image

    from pixsent_tf.data.decode.graph import decode

    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(buffer, "JPEG", quality=100)
    pixel = decode(tf.constant(buffer.getvalue())).numpy()[4, 4].tolist()
    if pixel[0] < 250 or max(pixel[1:]) > 5:
        raise RuntimeError(f"a red JPEG decodes to {pixel}; reinstall tensorflow")
    return "a JPEG decodes"


def _cache() -> str:
    from pixsent_tf.runs import cache_folder

    files = [path for name in _COMPUTED for path in cache_folder(name).rglob("*.*")]
    size = sum(path.stat().st_size for path in files)
    return f"{cache_folder()}, {size / 1e6:,.1f} MB"


def _engine() -> str:
    from pixsent_tf.inference import engine

    return engine.explain()


_CHECKS: dict[str, Callable[[], str]] = {
    "device": _device,
    "weights": _weights,
    "decoder": _decoder,
    "cache": _cache,
    "engine": _engine,
}
