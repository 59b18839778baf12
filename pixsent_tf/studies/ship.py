"""Which model answers right after the installation? A head on a frozen backbone.

The package carries the head, its calibration and its card; the backbone's weights come
with the package that the default backbone needs anyway.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from pathlib import Path

import numpy as np

from pixsent_tf import config, runs
from pixsent_tf.config import DataConfig
from pixsent_tf.data.sources import open_dataset
from pixsent_tf.inference.model import Predictor
from pixsent_tf.inference.packaging import package
from pixsent_tf.models import zoo
from pixsent_tf.recipes.starters import SHIPPED
from pixsent_tf.runs import Run, write_text
from pixsent_tf.studies import evaluate
from pixsent_tf.studies.crossval import crossval
from pixsent_tf.studies.experiment import Experiment
from pixsent_tf.studies.report.card import model_card

FOLDER = Path(__file__).parents[1] / "shipped"
CARD_KEYS = (
    "accuracy",
    "accuracy_interval",
    "majority_rate",
    "auc",
    "log_loss",
    "ece",
    "ece_null_band",
    "abstention",
    "num_examples",
)


def load_predictor(path: str | os.PathLike[str] | None = None) -> Predictor:
    """Load a trained model, by default the one that ships.

    Args:
        path: A run folder, the `.keras` file of one, or None.

    Returns:
        A predictor of files.

    Raises:
        PixsentError: If there is no such model.
    """
    return _load_shipped() if path is None else Predictor.load(Path(path))


def model_file() -> Path:
    """Give the model that ships as a file, for those who pass models on by name.

    Returns:
        A `.keras` file in the cache, which is written once.
    """
    digest = hashlib.sha256()
    for name in ("recipe.json", "head.npz"):
        digest.update((FOLDER / name).read_bytes())
    path = runs.cache_folder("shipped", digest.hexdigest()[:16]) / "model.keras"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".part-{os.getpid()}-{path.name}")
        _load_shipped().model.save(temporary)
        temporary.replace(path)
    return path


def _load_shipped() -> Predictor:
    recipe = config.from_json((FOLDER / "recipe.json").read_text("utf-8"))
    with np.load(FOLDER / "head.npz") as saved:
        kernel, bias = saved["kernel"], saved["bias"]
        held_out = list(zip(saved["sureness"], saved["is_right"], strict=True))
        temperature = float(saved["temperature"])
        class_names = saved["class_names"].tolist()
    classifier = zoo.attach_head(zoo.build_backbone(recipe.model), len(class_names))
    classifier.get_layer(zoo.HEAD).set_weights([kernel, bias])
    geometry = zoo.preprocess_of(recipe.model)
    return Predictor(package(classifier, geometry, class_names, temperature, held_out))


def ship(data: DataConfig, run: Run, folder: Path = FOLDER) -> dict[str, object]:
    """Measure the recipe by cross-validation, train it on everything, write the head.

    Args:
        data: The pictures that it learns from.
        run: Folder of the cross-validation.
        folder: Where the head and its card go.

    Returns:
        The numbers of the card.
    """
    recipe = dataclasses.replace(SHIPPED, data=data)
    dataset = open_dataset(data, seed=recipe.seed)
    crossval(recipe, dataset, run, keep_models=False)
    _, results = evaluate.evaluate(run.path, None, ten_crop=False)
    experiment = Experiment.prepare(recipe, dataset, lambda count: None)
    trained = experiment.train(np.ones(len(dataset), dtype=bool))
    head = trained.fitted.classifier().get_layer(zoo.HEAD)
    kernel, bias = head.get_weights()
    sureness, is_right = zip(*trained.held_out, strict=True)
    folder.mkdir(exist_ok=True)
    np.savez(
        folder / "head.npz",
        kernel=kernel,
        bias=bias,
        temperature=trained.temperature,
        sureness=np.array(sureness, dtype="float32"),
        is_right=np.array(is_right),
        class_names=np.array(dataset.class_names),
    )
    # Where the pictures lay on one machine is nobody else's business.
    public = dataclasses.replace(recipe, data=DataConfig(source="", level=data.level))
    write_text(folder / "recipe.json", config.to_json(public))
    numbers = {key: results[key] for key in CARD_KEYS}
    write_text(folder / "results.json", json.dumps(numbers, indent=2) + "\n")
    card = model_card(
        name="pixsent-tf",
        dataset="DeepSent Twitter, five_agrees",
        how="the published five folds, each predicted by a model that has not seen it;"
        " the head that ships was then trained on all of them",
        results=results,
        recipe=recipe,
    )
    write_text(folder / "MODEL_CARD.md", card)
    return numbers
