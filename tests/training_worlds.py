"""Small worlds for the tests of the training: tiny networks, examples of random vectors and pictures."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from instar.models.depth import depth_groups
from instar.models.network import Classifier, Network
from instar.prepare.base import Batch
from instar.records import Card, InputSpec, Recipe, Stage
from instar.train.loop import TrainingData

CLASSES, WIDTH = 3, 8


class Block(nn.Module):
    """Convolution, BatchNorm and dropout: everything that must stand still when frozen."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(outputs)
        self.drop = nn.Dropout(0.2)

    def forward(self, maps: Tensor) -> Tensor:
        out: Tensor = self.drop(torch.relu(self.norm(self.conv(maps))))
        return out


class Body(nn.Module):
    """Stem, three blocks, neck."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, WIDTH, 3, padding=1)
        self.blocks = nn.Sequential(*(Block(WIDTH, WIDTH) for _ in range(3)))
        self.neck = nn.Sequential(nn.Conv2d(WIDTH, 16, 1), nn.BatchNorm2d(16), nn.ReLU())

    def forward(self, pixels: Tensor) -> Tensor:
        maps: Tensor = self.neck(self.blocks(self.stem(pixels)))
        return maps.mean((2, 3))


def network(*, pretrained: bool = True, seed: int = 0, dropout: float = 0.1) -> Network:
    """A tiny network of pictures; the seed stands for a file of weights."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = Classifier(Body(), 16, CLASSES, dropout, seed)
        for _ in range(30):  # BatchNorm's statistics, as those of a trained network, fit the pictures
            model({"pixels": torch.randn(32, 3, 8, 8)})
    names = frozenset(name for name, _ in model.named_parameters())
    fresh = frozenset({"head.weight", "head.bias"}) if pretrained else names
    parameters = sum(p.numel() for p in model.parameters())
    spec = InputSpec(8, (0.5,) * 3, (0.5,) * 3, "bilinear", 1.0)
    groups = depth_groups(model.body)
    card = Card("test:tiny", "tiny", "image", spec, groups, 16, parameters, pretrained, "test")
    return Network(model, fresh, card)


@dataclass(frozen=True)
class Pictures:
    """Noise with a mean colour per class: easy but not trivial. Augmentation adds noise drawn from the
    seed."""

    pixels: Tensor
    labels: NDArray[np.int64]
    ids: tuple[str, ...]
    costs: NDArray[np.int64]
    key: str

    def batch(self, rows: NDArray[np.int64], augment: tuple[str, ...], seed: int) -> Batch:
        pixels = self.pixels[torch.from_numpy(rows)]
        if augment:
            generator = torch.Generator().manual_seed(seed)
            pixels = pixels + 0.2 * torch.randn(pixels.shape, generator=generator)
        return {"pixels": pixels}


def pictures(n: int = 48, seed: int = 0) -> Pictures:
    generator = np.random.default_rng(seed)
    labels = np.arange(n) % CLASSES
    y, x = np.mgrid[:8, :8]
    along = np.stack([x, y, x + y])[labels]  # (N, 8, 8)
    stripes = np.cos(np.pi / 2 * along + generator.uniform(0, 2 * np.pi, (n, 1, 1)))[:, None]
    pixels = generator.normal(size=(n, 3, 8, 8)) + stripes
    ids = tuple(f"p{i}" for i in range(n))
    tensor = torch.from_numpy(pixels.astype(np.float32))
    return Pictures(tensor, labels, ids, np.ones(n, np.int64), f"{n} {seed}")


def data(cache: Path, n: int = 48, seed: int = 0) -> TrainingData:
    """Two thirds to train on, one third to validate."""
    prepared = pictures(n, seed)
    rows = np.arange(n)
    train, val = rows[rows % 9 < 6], rows[rows % 9 >= 6]
    labels = prepared.labels
    return TrainingData(prepared, train, labels[train], val, labels[val], CLASSES, cache)


STAGES = (Stage("head", 0, 1, 1e-2, 1.0), Stage("top", 1, 2, 3e-3, 0.8), Stage("all", -1, 3, 3e-3, 0.8))


def recipe(**changes: object) -> Recipe:
    values: dict[str, object] = {
        "backbone": "test:tiny",
        "weights": None,
        "grouping": "near",
        "exclude": (),
        "clean": (),
        "input_size": 8,
        "fit": "crop",
        "augment": ("noise",),
        "metric": "accuracy",
        "decode": "argmax",
        "loss_weights": "none",
        "label_smoothing": 0.1,
        "dropout": 0.1,
        "batch_size": 8,
        "stages": STAGES,
        "weight_decay": 0.05,
        "warmup": 0.1,
        "clip_norm": 1.0,
        "patience": 5,
        "precision": "fp32",
        "channels_last": True,
        "threads": 1,
        "seed": 0,
    }
    return Recipe(**{**values, **changes})  # type: ignore[arg-type]
