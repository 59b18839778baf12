"""How much does each layer know? (`pixsent-tf features`, `pixsent-tf probe`)

A probe is a linear classifier on one layer's activations, tested by cross-validation;
its penalty is chosen inside the training part of each fold.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from PIL import Image, ImageDraw

from pixsent_tf.analysis import drawing, figures
from pixsent_tf.analysis import units as unit_views
from pixsent_tf.analysis.activations import Activations, read_activations
from pixsent_tf.config import ModelConfig
from pixsent_tf.data import splits
from pixsent_tf.data.decode.graph import read_image
from pixsent_tf.data.preprocess import Preprocessor
from pixsent_tf.data.table import Dataset
from pixsent_tf.errors import ConfigError
from pixsent_tf.evaluation.intervals import wilson_interval
from pixsent_tf.inference.model import SentimentModel
from pixsent_tf.models import zoo
from pixsent_tf.progress import NO_PROGRESS, Progress
from pixsent_tf.results.looks import LayerProbe, ProbeResults
from pixsent_tf.results.unreadable import list_unreadable
from pixsent_tf.runs import Run, write_text
from pixsent_tf.training.logistic import fit_head

STAGE = re.compile(r"(stage|conv|pool|norm|fc|block)_?\d+|features|head_relu")
NUM_IMAGES = 5  # for each unit


@dataclass(frozen=True)
class Network:
    """A network whose layers can be looked at.

    Attributes:
        model: Takes crops.
        preprocessor: Its geometry.
    """

    model: keras.Model
    preprocessor: Preprocessor

    @property
    def stages(self) -> tuple[str, ...]:
        """The layers that have a public name, first to last."""
        names = [layer.name for layer in self.model.layers]
        return tuple(name for name in names if STAGE.fullmatch(name))


def open_network(
    model: str | Path | None, backbone: str | None, weights: str | None = "imagenet"
) -> Network:
    """Open a trained model, or a backbone as it comes.

    Args:
        model: A run folder or a `.keras` file; None for a backbone.
        backbone: A name of `models.zoo`; None for a model.
        weights: Of the backbone.

    Returns:
        The network.

    Raises:
        ConfigError: If both or none are given, or the backbone is unknown.
        WeightsError: If there is no such model, or the weights do not fit.
    """
    if (model is None) == (backbone is None):
        raise ConfigError("Give either --model RUN or --backbone NAME.")
    if model is not None:
        trained = SentimentModel.load(model)
        return Network(trained.classifier, trained.preprocessor)
    assert backbone is not None
    config = ModelConfig(backbone=backbone, weights=weights)
    preprocessor = Preprocessor(zoo.preprocess_of(config))
    return Network(zoo.build_backbone(config), preprocessor)


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
    temporary = path.with_name(f".{path.name}.part.npz")
    np.savez_compressed(temporary, **(arrays | found.layers))
    temporary.replace(path)
    return found


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
    """Test a linear classifier on each layer.

    Args:
        network: The network.
        dataset: The pictures; their published folds are used where there are any.
        layers: Names of its layers.
        run: The folder to fill.
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
    """
    folds = splits.published_or_stratified(dataset, num_folds, seed=seed)
    found = read_activations(
        network.model,
        network.preprocessor,
        dataset.paths,
        layers,
        pool=not flatten,
        progress=progress,
    )
    folds, labels = folds[found.positions], dataset.labels[found.positions]
    counts = np.bincount(labels[folds > 0])
    results: ProbeResults = {
        "layers": [
            _probe_layer(name, activations, labels, folds, dataset.num_classes, seed)
            for name, activations in found.layers.items()
        ],
        "majority_rate": float(counts.max() / counts.sum()),
        "num_examples": int(counts.sum()),
        "unreadable": list_unreadable(dataset.ids, found.failures),
        "out": str(run.path),
    }
    run.write_json("results.json", results)
    return results


def _probe_layer(
    name: str,
    activations: np.ndarray,
    labels: np.ndarray,
    folds: np.ndarray,
    num_classes: int,
    seed: int,
) -> LayerProbe:
    features = activations.reshape(len(activations), -1)
    targets = np.eye(num_classes, dtype="float32")[labels]
    right = np.zeros(len(labels), dtype=bool)
    numbers = range(1, int(folds.max()) + 1)
    for fold in numbers:
        train, test = (folds > 0) & (folds != fold), folds == fold
        head = fit_head(features[train], targets[train], seed=seed)
        right[test] = head.logits(features[test]).argmax(axis=1) == labels[test]
    tested = right[folds > 0]
    shares = [float(right[folds == fold].mean()) for fold in numbers]
    return {
        "name": name,
        "num_features": features.shape[1],
        "accuracy": float(tested.mean()),
        "accuracy_interval": list(wilson_interval(int(tested.sum()), len(tested))),
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
    Image.fromarray(sheet).save(out.path / f"units-{layer}.png")
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
    crop = preprocessor.center_crop(canvas[None]).numpy()[0]
    if cell is None:
        return crop
    box = unit_views.receptive_field(network.model, layer).box(*cell)
    mask = Image.new("L", crop.shape[1::-1], 70)
    ImageDraw.Draw(mask).rectangle(box, fill=255)
    return (crop * (np.asarray(mask)[..., None] / 255)).astype("uint8")
