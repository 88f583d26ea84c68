"""What may lift a fine-tuning, each a small function with its paper."""

from collections.abc import Callable, Iterable
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, one_hot, softmax

from instar.models.depth import belongs
from instar.models.network import Network
from instar.prepare.base import Batch, Prepared

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Trial:
    """One way to train; the fields left alone are those of the plan."""

    name: str
    source: str
    epochs: float = 1.0
    """Times the epochs of the base."""
    thaw: int | None = None
    rate: float = 1.0
    """Times the plan's peak rate."""
    layer_decay: float | None = None
    smoothing: float | None = None
    weight_decay: float | None = None
    augment: tuple[str, ...] | None = None
    mix: str = ""
    """mixup, cutmix"""
    sampling: str = ""
    """balanced"""
    loss: str = ""
    """adjusted, weighted, distance"""
    last_size: float = 1.0
    """Side of the pictures in the last third of the epochs, times the plan's."""
    fresh_top: int = 0
    """Trunk groups at the top that start at random."""
    plain_head: bool = False
    """The head starts at random, too, instead of at its optimum on frozen features."""


def mixed(batch: Batch, soft_BC: Tensor, way: str, generator: torch.Generator) -> tuple[Batch, Tensor]:
    """Each picture and its label mixed with another of the batch.

    mixup: Zhang et al. 2017, arXiv 1710.09412, with shares from Beta(0.2, 0.2); cutmix: Yun et al. 2019, arXiv
    1905.04899, shares from Beta(1, 1), here one rectangle for the batch.
    """
    pixels = batch["pixels"]
    order = torch.randperm(len(pixels), generator=generator)
    alpha = 0.2 if way == "mixup" else 1.0
    rng = np.random.default_rng(int(torch.randint(2**31, (1,), generator=generator)))
    share = float(rng.beta(alpha, alpha))
    if way == "mixup":
        pixels = share * pixels + (1 - share) * pixels[order]
    else:
        height, width = pixels.shape[-2:]
        h, w = (round(side * (1 - share) ** 0.5) for side in (height, width))
        top, left = int(rng.integers(height - h + 1)), int(rng.integers(width - w + 1))
        other = pixels[order][..., top : top + h, left : left + w]
        pixels = pixels.clone()
        pixels[..., top : top + h, left : left + w] = other
        share = 1 - h * w / (height * width)
    return {**batch, "pixels": pixels}, share * soft_BC + (1 - share) * soft_BC[order]


def loss_of(trial: Trial, counts_C: Ints, smoothing: float) -> Callable[[Tensor, Tensor], Tensor]:
    """The loss of logits (B, C) against shares of the classes (B, C)."""
    prior_C = torch.from_numpy(counts_C / counts_C.sum()).float()
    weights_C = 1 / (len(counts_C) * prior_C)

    def loss(logits_BC: Tensor, soft_BC: Tensor) -> Tensor:
        if trial.loss == "adjusted":  # Menon et al. 2020, arXiv 2007.07314, tau 1
            logits_BC = logits_BC + prior_C.log()
        if trial.loss == "weighted":
            of_B = soft_BC @ weights_C
            each_B = cross_entropy(logits_BC, soft_BC, label_smoothing=smoothing, reduction="none")
            return (each_B * of_B).sum() / of_B.sum()
        value = cross_entropy(logits_BC, soft_BC, label_smoothing=smoothing)
        if trial.loss == "distance":  # squared earth mover's distance, Hou et al. 2016, arXiv 1611.05916
            gap_BC = softmax(logits_BC, 1).cumsum(1) - soft_BC.cumsum(1)
            value = value + gap_BC.square().sum(1).mean()
        return value

    return loss


def soft(labels_B: Tensor, classes: int) -> Tensor:
    """Labels as shares of the classes (B, C)."""
    return one_hot(labels_B, classes).float()


def drawn(trial: Trial, labels: Ints, seed: int) -> Ints:
    """The rows of an epoch: each once, or as many drawn so that every class is equally likely."""
    rows = np.arange(len(labels))
    if trial.sampling != "balanced":
        return rows
    chance = 1 / np.bincount(labels)[labels]
    return np.random.default_rng(seed).choice(rows, len(rows), p=chance / chance.sum())


class Average:
    """Exponential moving average of all weights over about half an epoch (Polyak and Juditsky 1992)."""

    def __init__(self, model: nn.Module, steps: int) -> None:
        self.decay = 1 - 2 / max(steps, 4)
        self.state = {name: value.detach().clone() for name, value in model.state_dict().items()}

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        """Take in the weights after a step."""
        for name, value in model.state_dict().items():
            if value.is_floating_point():
                self.state[name].lerp_(value, 1 - self.decay)


def between(one: dict[str, Tensor], other: dict[str, Tensor], share: float) -> dict[str, Tensor]:
    """Weights on the line from `one` to `other` (WiSE-FT: Wortsman et al. 2021, arXiv 2109.01903)."""
    return {n: torch.lerp(v, other[n], share) if v.is_floating_point() else v for n, v in one.items()}


def mean_of(states: Iterable[dict[str, Tensor]]) -> dict[str, Tensor]:
    """The soup of several states: their mean (Wortsman et al. 2022, arXiv 2203.05482)."""
    first, *others = states
    total = {n: v.clone() for n, v in first.items()}
    for state in others:
        for name, value in state.items():
            if value.is_floating_point():
                total[name] += value
    return {n: v / (1 + len(others)) if v.is_floating_point() else v for n, v in total.items()}


@torch.no_grad()
def forget_top(network: Network, groups: int) -> None:
    """Give the top groups of the trunk random weights again (Zhang et al. 2020, arXiv 2006.05987)."""
    trunk = [group for group in network.card.groups if group.role == "trunk"][-groups:]
    for name, module in network.model.body.named_modules():
        if not any(belongs(name, group) for group in trunk):
            continue
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=0.02)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.LayerNorm):
            module.reset_parameters()


def sized(prepared: Any, size: int) -> Prepared:
    """Prepared pictures, cut to another size than the plan's."""
    larger: Prepared = replace(prepared, shape=replace(prepared.shape, size=size))
    return larger


def copied(model: nn.Module) -> dict[str, Tensor]:
    """The weights as they are now."""
    return deepcopy(model.state_dict())
