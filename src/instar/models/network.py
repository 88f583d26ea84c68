"""A network in the one form that the rest of instar knows: body, dropout, new linear head."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from instar.models.body import Tap
from instar.records import Card


class Answers(NamedTuple):
    """What a network with second classifiers gives in training; in evaluation it gives the logits (B, C) alone."""

    logits_BC: Tensor
    second: tuple[tuple[float, Tensor], ...]
    """(weight of its loss, logits (B, C)) of each second classifier that takes part."""


def summed(given: Tensor | Answers, loss: Callable[[Tensor], Tensor]) -> Tensor:
    """The loss of the head's logits, and with it that of the second classifiers by their weights."""
    if isinstance(given, Answers):
        return loss(given.logits_BC) + sum(weight * loss(logits_BC) for weight, logits_BC in given.second)
    return loss(given)


class Second(nn.Module):
    """A second classifier: it lets the loss reach the middle of a deep network directly, and is for training alone."""

    def __init__(self, tap: Tap, classes: int, generator: torch.Generator) -> None:
        super().__init__()
        self.after, self.weight = tap.after, tap.weight
        self.layers = tap.layers
        self.head = _head(tap.features, classes, generator)

    def forward(self, maps_BKHW: Tensor) -> Tensor:
        """Logits (B, C)."""
        logits_BC: Tensor = self.head(self.layers(maps_BKHW))
        return logits_BC


class Classifier(nn.Module):
    """body: batch -> features (B, D); head: features -> logits (B, C).

    The old classifier of a pre-trained network is cut off by its source; `head` is always fresh.
    """

    def __init__(
        self, body: nn.Module, features: int, classes: int, dropout: float, seed: int, taps: Sequence[Tap] = ()
    ) -> None:
        super().__init__()
        self.body = body
        self.dropout = nn.Dropout(dropout)
        generator = torch.Generator().manual_seed(seed)
        self.head = _head(features, classes, generator)
        self.second = nn.ModuleList(Second(tap, classes, generator) for tap in taps)

    def features(self, batch: dict[str, Tensor]) -> Tensor:
        """Features (B, D) that the head gets, before dropout."""
        features_BD: Tensor = self.body(**batch)
        return features_BD

    def forward(self, batch: dict[str, Tensor]) -> Tensor | Answers:
        """Logits (B, C); `Answers` where second classifiers are in training mode, which `train.stages.enter` decides.

        Torch's modules are called without types: whoever has no second classifier, or is in evaluation mode, gets and
        takes a tensor.
        """
        learning = [part for part in self.seconds() if part.training]
        with ExitStack() as hooks:
            maps = [hooks.enter_context(_output(self.body.get_submodule(part.after))) for part in learning]
            logits_BC: Tensor = self.head(self.dropout(self.features(batch)))
        if not learning:
            return logits_BC
        return Answers(
            logits_BC, tuple((part.weight, part(seen[-1])) for part, seen in zip(learning, maps, strict=True))
        )

    def seconds(self) -> tuple[Second, ...]:
        """The second classifiers; most networks have none."""
        return tuple(part for part in self.second if isinstance(part, Second))


def _head(features: int, classes: int, generator: torch.Generator) -> nn.Linear:
    head = nn.Linear(features, classes)
    nn.init.normal_(head.weight, std=0.01, generator=generator)
    nn.init.zeros_(head.bias)
    return head


@contextmanager
def _output(module: nn.Module) -> Iterator[list[Tensor]]:
    """What a module gives as long as the block lasts."""
    seen: list[Tensor] = []
    handle = module.register_forward_hook(lambda _, __, output: seen.append(output))
    try:
        yield seen
    finally:
        handle.remove()


@dataclass(frozen=True)
class Network:
    """A model with what the plan and the stages must know of it."""

    model: Classifier
    fresh: frozenset[str]
    """Names of parameters that no file filled (the head, and what the loader did not find)."""
    card: Card
    kept: Mapping[str, Path] = field(default_factory=dict)
    """Small files that a run keeps, to build the network again without its weights: name in the run -> where it is."""
