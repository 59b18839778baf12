"""How much does each layer know? (`pixsent-tf features`, `pixsent-tf probe`)

A probe is a linear classifier on one layer's activations, tested by cross-validation;
its penalty is chosen inside the training part of each fold.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from pixsent_tf.analysis import drawing, figures
from pixsent_tf.analysis import units as unit_views
from pixsent_tf.analysis.activations import Activations, read_activations
from pixsent_tf.analysis.networks import Network
from pixsent_tf.data import splits
from pixsent_tf.data.decode.files import read_image
from pixsent_tf.data.table import Dataset
from pixsent_tf.errors import ConfigError
from pixsent_tf.evaluation.intervals import wilson_interval
from pixsent_tf.progress import NO_PROGRESS, Progress
from pixsent_tf.results.looks import LayerProbe, ProbeResults
from pixsent_tf.results.unreadable import Unreadable, list_unreadable
from pixsent_tf.runs import Run, write_text
from pixsent_tf.studies.folds import Folds, Part, divide
from pixsent_tf.studies.provenance.begun import begin
from pixsent_tf.training.logistic import fit_head
from pixsent_tf.whole import whole

NUM_IMAGES = 5  # for each unit


def write_features(
    network: Network,
    paths: Sequence[str],
    layers: Sequence[str],
    path: Path,
    *,
    pool: bool = False,
    progress: Progress = NO_PROGRESS,
) -> Activations:
    """Write named activations as one NPZ file.

    Args:
        network: The network.
        paths: The pictures.
        layers: Names of its layers.
        path: The file: `paths` of the pictures that could be read, and one array for
            each layer, [N, h, w, C] or [N, F].
        pool: Average over height and width.
        progress: Hears how far it is.

    Returns:
        What was written.

    Raises:
        ConfigError: If there is no such layer.
        DataError: If no picture can be read.
    """
    found = read_activations(
        network.model, network.preprocessor, paths, layers, pool=pool, progress=progress
    )
    arrays: dict[str, Any] = {
        "paths": np.array([str(paths[i]) for i in found.positions])
    }
    with whole(path) as temporary:
        np.savez_compressed(temporary, **(arrays | found.layers))
    return found


@dataclass(frozen=True)
class FoldProbes:
    """What the probes of one fold got right.

    Attributes:
        ids: Of the test pictures that could be read, [M].
        right: By layer: which of them the probe answered right, bool [M].
        num_features: By layer: numbers that the probe saw of each picture.
        unreadable: All pictures that could not be read, to test or to train.
    """

    ids: tuple[str, ...]
    right: Mapping[str, np.ndarray]
    num_features: Mapping[str, int]
    unreadable: list[Unreadable]

    def to_json(self) -> dict[str, Any]:
        """Give what JSON can hold; what is right is a line of 0 and 1 for a layer."""
        right = {
            name: "".join("01"[int(bit)] for bit in bits)
            for name, bits in self.right.items()
        }
        return {
            "ids": list(self.ids),
            "right": right,
            "num_features": dict(self.num_features),
            "unreadable": self.unreadable,
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> FoldProbes:
        """Build it again from what `to_json` gave."""
        right = {
            name: np.array([bit == "1" for bit in line])
            for name, line in values["right"].items()
        }
        return cls(
            tuple(values["ids"]), right, values["num_features"], values["unreadable"]
        )


def identity(
    network: Network, layers: Sequence[str], *, flatten: bool, seed: int
) -> dict[str, Any]:
    """Say what leads to the findings of a probe, beside the pictures.

    Args:
        network: The network.
        layers: Names of its layers.
        flatten: See `probe`.
        seed: Of the folds.

    Returns:
        What must not change when a killed probe is gone on with.
    """
    return {
        "network": network.digest,
        "layers": list(layers),
        "flatten": flatten,
        "seed": seed,
    }


def probe(
    network: Network,
    dataset: Dataset,
    layers: Sequence[str],
    run: Run,
    *,
    flatten: bool = False,
    num_folds: int = 5,
    seed: int = 0,
    progress: Progress = NO_PROGRESS,
) -> ProbeResults:
    """Test a linear classifier on each layer, or go on where a killed run ended.

    Args:
        network: The network.
        dataset: The pictures; their published folds are used where there are any.
        layers: Names of its layers.
        run: The folder to fill, or to go on with.
        flatten: Keep every cell, as the paper does, instead of the mean over them;
            takes memory.
        num_folds: Folds to make where none are published.
        seed: Of the folds.
        progress: Hears how far it is.

    Returns:
        What each layer knows, as `results.json` holds it.

    Raises:
        ConfigError: If there is no such layer.
        DataError: If no picture can be read, or a class is too small.
        RunError: If the run was begun with other pictures or settings.
    """

    @functools.cache
    def activations() -> Activations:
        return read_activations(
            network.model,
            network.preprocessor,
            dataset.paths,
            layers,
            pool=not flatten,
            progress=progress,
        )

    dealt = splits.published_or_stratified(
        dataset, num_folds, seed=seed, progress=progress
    )
    units = splits.find_units(dataset, progress=progress)
    named = splits.find_named_units(dataset)
    made_by = identity(network, layers, flatten=flatten, seed=seed)
    begin(run, dataset, progress=progress)
    found = Folds(run, dataset, FoldProbes, made_by).find(
        divide(dataset, dealt, units=named),
        lambda part: _probe_part(dataset, part, activations(), units, seed),
    )
    label = dict(zip(dataset.ids, dataset.labels, strict=True))
    counts = np.bincount([label[name] for one in found.values() for name in one.ids])
    results: ProbeResults = {
        "layers": [_measure(name, list(found.values())) for name in layers],
        "majority_rate": float(counts.max() / counts.sum()),
        "num_examples": int(counts.sum()),
        "unreadable": next(iter(found.values())).unreadable,
        "out": str(run.path),
    }
    run.write_json("results.json", results)
    return results


def _probe_part(
    dataset: Dataset,
    part: Part,
    activations: Activations,
    units: np.ndarray,
    seed: int,
) -> FoldProbes:
    """Train a probe on each layer with the training pictures of one fold."""
    positions = activations.positions
    train, test = (np.isin(positions, chosen) for chosen in (part.train, part.test))
    labels = dataset.labels[positions]
    targets = np.eye(dataset.num_classes, dtype="float32")[labels]
    right, num_features = {}, {}
    for name, values in activations.layers.items():
        features = values.reshape(len(values), -1)
        head = fit_head(
            features[train],
            targets[train],
            units=units[positions[train]],
            seed=seed,
        )
        answers = head.logits(features[test]).argmax(axis=1)
        right[name], num_features[name] = answers == labels[test], features.shape[1]
    return FoldProbes(
        tuple(dataset.ids[i] for i in positions[test]),
        right,
        num_features,
        list_unreadable(dataset.ids, activations.failures),
    )


def _measure(name: str, found: Sequence[FoldProbes]) -> LayerProbe:
    """Measure the probes of one layer on all folds."""
    right = np.concatenate([one.right[name] for one in found])
    shares = [float(one.right[name].mean()) for one in found]
    return {
        "name": name,
        "num_features": found[0].num_features[name],
        "accuracy": float(right.mean()),
        "accuracy_interval": list(wilson_interval(int(right.sum()), len(right))),
        "mean": float(np.mean(shares)),
        "std": float(np.std(shares, ddof=1)),
    }


def write_pictures(
    network: Network, dataset: Dataset, layer: str, units: Sequence[int], out: Run
) -> None:
    """Draw what excites units of a layer, and how the pictures lie to each other.

    Args:
        network: The network.
        dataset: The pictures.
        layer: Name of the layer.
        units: Channels or features of it.
        out: Where to write `units-LAYER.png`, a row of pictures for each unit with the
            part that it sees, and `tsne-LAYER.svg`.

    Raises:
        ConfigError: If there is no such layer or unit.
        DataError: If no picture can be read.
    """
    found = read_activations(
        network.model, network.preprocessor, dataset.paths, (layer,)
    )
    activations = found.layers[layer]
    if max(units) >= activations.shape[-1]:
        raise ConfigError(
            f"{layer} has {activations.shape[-1]} units, not {max(units)}."
        )
    shown, captions = [], []
    for unit in units:
        for row, value, cell in unit_views.top_images(
            activations, unit, count=NUM_IMAGES
        ):
            path = dataset.paths[found.positions[row]]
            shown.append(_seen(network, layer, path, cell))
            captions.append(f"unit {unit}: {value:.2f}")
    sheet = drawing.contact_sheet(shown, captions, columns=NUM_IMAGES)
    with whole(out.path / f"units-{layer}.png") as temporary:
        Image.fromarray(sheet).save(temporary)
    pooled = activations.mean(axis=(1, 2)) if activations.ndim == 4 else activations
    layout = unit_views.tsne(pooled)
    labels = dataset.labels[found.positions]
    svg = figures.scatter(layout, labels, dataset.class_names)
    write_text(out.path / f"tsne-{layer}.svg", svg)


def _seen(
    network: Network, layer: str, path: str, cell: tuple[int, int] | None
) -> np.ndarray:
    """The crop as the network gets it, bright where the cell sees."""
    preprocessor = network.preprocessor
    canvas = preprocessor.to_canvas(read_image(path))
    crop = np.asarray(preprocessor.center_crop(canvas[None]))[0]
    if cell is None:
        return crop
    left, top, right, bottom = unit_views.receptive_field(network.model, layer).box(
        *cell
    )
    mask = Image.new("L", crop.shape[1::-1], 70)
    # Pillow draws the last column and row too
    ImageDraw.Draw(mask).rectangle((left, top, right - 1, bottom - 1), fill=255)
    return (crop * (np.asarray(mask)[..., None] / 255)).astype("uint8")
