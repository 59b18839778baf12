"""DeepSent for TensorFlow Datasets: `tfds.load("pixsent_twitter/five_agrees")`.

Registered by `import pixsent_tf.data.deepsent`. The pictures come from `manual_dir`, or
from the page that the authors name.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import tensorflow_datasets as tfds

from pixsent_tf.config import CLASS_NAMES, LEVELS
from pixsent_tf.data import splits
from pixsent_tf.data.deepsent import mirror
from pixsent_tf.data.levels import layout
from pixsent_tf.errors import DataError

_CITATION = """\
@inproceedings{you2015robust,
  title={Robust Image Sentiment Analysis Using Progressively Trained and Domain
         Transferred Deep Networks},
  author={You, Quanzeng and Luo, Jiebo and Jin, Hailin and Yang, Jianchao},
  booktitle={AAAI},
  year={2015}
}"""
_WHO = ("All five", "At least four of five", "At least three of five")


class PixsentTwitter(tfds.core.GeneratorBasedBuilder):
    """Photographs from Twitter that five annotators judged negative or positive."""

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES: ClassVar[dict[str, str]] = {"1.0.0": "First version."}
    MANUAL_DOWNLOAD_INSTRUCTIONS = """\
    A folder with twitter_{five,four,three}_agrees.txt and the pictures beside them, in
    images/, Agg_AMT_Candidates/ or twitter_dataset/images/. Optional: amt_result.csv
    with the votes, ground_truth/ with the published folds. The folder may lie one or
    two levels below manual_dir.
    """
    BUILDER_CONFIGS: ClassVar[list[tfds.core.BuilderConfig]] = [
        tfds.core.BuilderConfig(name=name, description=f"{who} annotators agree.")
        for name, who in zip(LEVELS, _WHO, strict=True)
    ]

    def _info(self) -> tfds.core.DatasetInfo:
        return tfds.core.DatasetInfo(
            builder=self,
            description=self.__doc__,
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(
                        doc="The file's own bytes, not encoded again."
                    ),
                    "label": tfds.features.ClassLabel(
                        names=CLASS_NAMES, doc="What the majority voted."
                    ),
                    "id": tfds.features.Text(doc="The file's name."),
                    "votes": tfds.features.Tensor(
                        shape=(len(CLASS_NAMES),),
                        dtype=np.int32,
                        doc="Votes per class; zeros where unknown.",
                    ),
                    "fold": tfds.features.Scalar(
                        dtype=np.int32,
                        doc="Published test fold, 1 to 5; 0 if in none. Where nothing "
                        "is published, stratified folds that keep copies together and "
                        "are the same for every level of agreement.",
                    ),
                }
            ),
            supervised_keys=("image", "label"),
            homepage=mirror.PAGE,
            citation=_CITATION,
        )

    def _split_generators(self, dl_manager: Any) -> dict[str, Any]:
        return {"train": self._generate_examples(_find_folder(dl_manager))}

    def _generate_examples(self, folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
        dataset = layout.open_deepsent(folder, self.builder_config.name)
        folds = splits.published_or_stratified(dataset, layout.NUM_FOLDS)
        votes = dataset.votes
        if votes is None:
            votes = np.zeros((len(dataset), dataset.num_classes), dtype="int32")
        for i, name in enumerate(dataset.ids):
            yield (
                name,
                {
                    "image": dataset.paths[i],
                    "label": int(dataset.labels[i]),
                    "id": name,
                    "votes": votes[i],
                    "fold": folds[i],
                },
            )


def _find_folder(downloads: Any) -> Path:
    """Find the user's folder, or fetch the authors'."""
    try:
        manual = Path(downloads.manual_dir)
    except AssertionError:  # TensorFlow Datasets' word for missing or empty
        return mirror.fetch(downloads)
    root = mirror.find_root(manual)
    if root is None:
        raise DataError(
            f"{manual} holds no twitter_{{five,four,three}}_agrees.txt, here or two "
            f"levels below; name the folder that does as manual_dir."
        )
    return root
