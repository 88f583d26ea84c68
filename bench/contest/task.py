"""What every rival is given, and what it gives back."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from instar import machine, store
from instar.models import sources
from instar.models.network import Network
from instar.records import Card, Dataset, Recipe

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Part:
    """The examples of one split: ids, paths of pictures or texts, indices of classes (N,)."""

    ids: tuple[str, ...]
    inputs: tuple[str, ...]
    labels: Ints

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True)
class Options:
    """What can be asked of the rivals. The defaults are those of README.md."""

    epochs: int | None = None
    """Epochs of the whole network; None: 6 for pictures (after one of the head alone), 2 for texts."""
    rate: float | None = None
    """Peak rate of AdamW for the whole network; None: 1e-3 for pictures, 1e-4 for texts."""
    flip: bool = True
    """Whether the plain loop averages every picture with its mirror image when it validates and tests."""
    arithmetic: str = "default"
    """default: fp32, plain memory format, as a user gets it; planned: as instar's plan has chosen by measuring."""
    workers: int = 2
    """Processes that read pictures ahead."""


@dataclass(frozen=True)
class Task:
    """One training: the set as the run directory has split it, and the network to start from."""

    run: Path
    seed: int
    options: Options
    dataset: Dataset
    recipe: Recipe
    card: Card
    train: Part
    val: Part
    test: Part

    @property
    def classes(self) -> int:
        return len(self.dataset.classes)

    @property
    def epochs(self) -> int:
        return self.options.epochs or (6 if self.card.modality == "image" else 2)

    @property
    def rate(self) -> float:
        return self.options.rate or (1e-3 if self.card.modality == "image" else 1e-4)

    @property
    def bf16(self) -> bool:
        return self.options.arithmetic == "planned" and self.recipe.precision == "bf16"

    @property
    def channels_last(self) -> bool:
        return self.options.arithmetic == "planned" and self.recipe.channels_last

    def network(self) -> Network:
        """The pre-trained network with a new head, the same for all rivals of a seed."""
        return sources.load(
            self.recipe.backbone,
            Path(self.recipe.weights) if self.recipe.weights else None,
            classes=self.classes,
            dropout=self.recipe.dropout,
            seed=self.seed,
            input_size=self.recipe.input_size,
        )


def task_of(run: Path, seed: int, options: Options) -> Task:
    """Read the run directory; the sealed test labels are for scoring alone."""
    dataset = store.read_dataset(run)
    labels = dict(store.read_sealed(run).iter_rows())
    index = {name: i for i, name in enumerate(dataset.classes)}
    root = Path(dataset.root)

    def part(split: str) -> Part:
        rows = dataset.table.filter(pl.col("split") == split)
        given = [labels[i] if split == "test" else label for i, label in rows.select("id", "label").iter_rows()]
        inputs = [str(root / path) if dataset.modality == "image" else path for path in rows["input"]]
        return Part(tuple(rows["id"]), tuple(inputs), np.array([index[label] for label in given], dtype=np.int64))

    return Task(
        run, seed, options, dataset, store.recipe_of(store.read_plan(run)[0]), store.read_card(run),
        part("train"), part("val"), part("test"),
    )  # fmt: skip


@dataclass(frozen=True)
class Point:
    """Validation accuracy, and the wall seconds that it took to get there."""

    seconds: float
    after: str
    accuracy: float


@dataclass
class Clock:
    """Wall time of a training from its start, reading and preparing the data included; imports are not."""

    started: float = field(default_factory=time.monotonic)
    curve: list[Point] = field(default_factory=list)
    spent: float = 0.0
    peak_memory_mb: float | None = None
    """Of the process that trains, its workers apart."""

    def point(self, after: str, accuracy: float) -> None:
        """Note a validation that has just ended."""
        self.spent = time.monotonic() - self.started
        self.curve.append(Point(round(self.spent, 2), after, accuracy))
        print(f"  {self.spent:8.1f} s  {after}: validation accuracy {accuracy:.4f}", flush=True)

    def stop(self) -> None:
        """The training is over: what follows is the test."""
        self.spent = time.monotonic() - self.started
        self.peak_memory_mb = machine.peak_memory_mb()


Rival = Callable[[Task, Clock], Floats]
"""Train, noting points; stop the clock; return probabilities (N, C) of the test examples."""


def accuracy(logits_NC: Floats, labels_N: Ints) -> float:
    """Share of the examples whose most probable class is theirs."""
    return float((logits_NC.argmax(1) == labels_N).mean())
