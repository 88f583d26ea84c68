"""Small worlds whose reasons are known: one corner of a picture, one word of a text decides."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from instar.metrics import Ints
from instar.models.depth import depth_groups
from instar.models.network import Classifier, Network
from instar.models.scratch import Words
from instar.prepare.base import Batch
from instar.prepare.tokens import PreparedTexts, example_texts
from instar.records import Card, InputSpec
from training_worlds import Body, recipe

SIDE, CORNER = 24, 8
RECIPE = recipe(threads=1, precision="fp32", channels_last=False, input_size=SIDE)
TEXTS = recipe(threads=1, precision="fp32", input_size=32, fit="head")
HASHED = InputSpec(32, tokenizer="hashed:512")
DECIDING = ("sour", "sweet", "salty")
WORDS = "the of a soup and was very it we had with bread again table plate spoon"
FILLING = WORDS.split()


@dataclass(frozen=True)
class Corners:
    """Noise with stripes in its upper left corner; their direction is the class."""

    pixels: torch.Tensor
    labels: Ints
    ids: tuple[str, ...]
    costs: NDArray[np.int64]
    key: str = "corners"

    def batch(self, rows: NDArray[np.int64], augment: tuple[str, ...], seed: int) -> Batch:
        return {"pixels": self.pixels[torch.from_numpy(rows)]}


def corners(n: int = 48) -> Corners:
    rng = np.random.default_rng(0)
    labels = np.arange(n) % 3
    pixels = 0.5 * rng.normal(size=(n, 3, SIDE, SIDE))
    y, x = np.mgrid[:CORNER, :CORNER]
    along = np.stack([x, y, x + y])[labels]
    pixels[:, :, :CORNER, :CORNER] += 2 * np.cos(np.pi * along / 2 + rng.uniform(0, 6.28, (n, 1, 1)))[:, None]
    tensor = torch.from_numpy(pixels.astype(np.float32))
    return Corners(tensor, labels, tuple(map(str, range(n))), np.ones(n, np.int64))


def network(body: nn.Module, features: int, modality: str, spec: InputSpec, classes: int = 3) -> Network:
    """A network around any body, with a head whose weights differ."""
    model = Classifier(body, features, classes, 0.1, 0)
    nn.init.normal_(model.head.weight, generator=torch.Generator().manual_seed(1))
    card = Card("test:net", "the network", modality, spec, depth_groups(body), features, 1, True, "")
    return Network(model, frozenset(), card)


def learned(made: Network, batch: Batch, labels: Ints, steps: int, rate: float) -> Network:
    optimiser = torch.optim.Adam(made.model.parameters(), rate)
    for _ in range(steps):
        optimiser.zero_grad()
        functional.cross_entropy(made.model(batch), torch.from_numpy(labels)).backward()
        optimiser.step()
    made.model.eval()
    assert (made.model(batch).argmax(1).numpy() == labels).mean() > 0.95
    return made


def of_pictures() -> tuple[Network, Corners]:
    torch.manual_seed(0)
    prepared = corners()
    spec = InputSpec(SIDE, (0.5,) * 3, (0.25,) * 3, "bilinear", 1.0)
    made = network(Body(), 16, "image", spec)
    return learned(made, {"pixels": prepared.pixels}, prepared.labels, 40, 1e-2), prepared


def sentences(n: int = 90) -> tuple[list[str], Ints]:
    rng = np.random.default_rng(0)
    labels = np.arange(n) % 3
    texts = []
    for label in labels:
        words = list(rng.choice(FILLING, size=int(rng.integers(6, 11)), replace=False))
        words.insert(int(rng.integers(len(words))), DECIDING[label])
        texts.append(" ".join(words).capitalize() + "!")
    return texts, labels


def of_texts() -> tuple[Network, PreparedTexts, list[str]]:
    torch.manual_seed(0)
    texts, labels = sentences()
    prepared = example_texts(texts, TEXTS, HASHED)
    made = network(Words(512, 16), 16, "text", HASHED)
    return learned(made, prepared.batch(np.arange(len(texts)), (), 0), labels, 40, 2e-2), prepared, texts
