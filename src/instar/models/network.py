"""A network in the one form that the rest of instar knows: body, dropout, new linear head."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn

from instar.records import Card


class Classifier(nn.Module):
    """body: batch -> features (B, D); head: features -> logits (B, C).

    The old classifier of a pre-trained network is cut off by its source; `head` is always fresh.
    """

    def __init__(self, body: nn.Module, features: int, classes: int, dropout: float, seed: int) -> None:
        super().__init__()
        self.body = body
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(features, classes)
        generator = torch.Generator().manual_seed(seed)
        nn.init.normal_(self.head.weight, std=0.01, generator=generator)
        nn.init.zeros_(self.head.bias)

    def features(self, batch: dict[str, Tensor]) -> Tensor:
        """Features (B, D) that the head gets, before dropout."""
        features_BD: Tensor = self.body(**batch)
        return features_BD

    def forward(self, batch: dict[str, Tensor]) -> Tensor:
        """Logits (B, C)."""
        logits_BC: Tensor = self.head(self.dropout(self.features(batch)))
        return logits_BC


@dataclass(frozen=True)
class Network:
    """A model with what the plan and the stages must know of it."""

    model: Classifier
    fresh: frozenset[str]
    """Names of parameters that no file filled (the head, and what the loader did not find)."""
    card: Card
    kept: Mapping[str, Path] = field(default_factory=dict)
    """Small files that a run keeps, to build the network again without its weights: name in the run -> where it is."""
