"""How is the model made that ships? Measured by folds, then trained on everything."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np

from pixsent_tf import config
from pixsent_tf.config import DataConfig
from pixsent_tf.data.sources import open_dataset
from pixsent_tf.inference.shipped import FOLDER
from pixsent_tf.models import zoo
from pixsent_tf.recipes.starters import SHIPPED
from pixsent_tf.runs import Run, write_text
from pixsent_tf.studies import evaluate
from pixsent_tf.studies.crossval import crossval
from pixsent_tf.studies.report.card import model_card
from pixsent_tf.studies.trainer import Trainer
from pixsent_tf.whole import whole

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
    trained = Trainer.read(recipe, dataset).train(np.arange(len(dataset)))
    head = trained.fitted.classifier().get_layer(zoo.HEAD)
    kernel, bias = head.get_weights()
    sureness, is_right = zip(*trained.held_out, strict=True)
    with whole(folder / "head.npz") as temporary:
        np.savez(
            temporary,
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
    numbers = {key: value for key, value in results.items() if key in CARD_KEYS}
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
