"""Learning rates: by depth and by time."""

import math
from collections import defaultdict
from typing import Any

import torch
from torch import nn

from instar.models.depth import belongs
from instar.models.network import Network
from instar.records import Recipe, Stage


def depth_of(name: str, network: Network) -> int:
    """Steps from the head down to the group of a parameter: 0 for head, neck and whatever is fresh, then 1, 2
    ..."""
    below = [g for g in reversed(network.card.groups) if g.role != "neck"]
    if name in network.fresh:
        return 0
    return next((i for i, g in enumerate(below, 1) if belongs(name.removeprefix("body."), g)), 0)


def optimiser(network: Network, stage: Stage, recipe: Recipe) -> torch.optim.AdamW:
    """AdamW over what is thawed, with a rate that decays by depth (ULMFiT: Howard and Ruder 2018, arXiv
    1801.06146).

    Each param group carries its peak rate as `peak`. Biases and the scales of norms (at most one dimension)
    are not decayed.
    """
    members: dict[tuple[int, bool], list[nn.Parameter]] = defaultdict(list)
    for name, parameter in network.model.named_parameters():
        if parameter.requires_grad:
            members[depth_of(name, network), parameter.ndim > 1].append(parameter)
    groups: list[dict[str, Any]] = [
        {
            "params": parameters,
            "peak": stage.lr * stage.layer_decay**depth,
            "lr": 0.0,
            "weight_decay": recipe.weight_decay if decays else 0.0,
        }
        for (depth, decays), parameters in sorted(members.items())
    ]
    return torch.optim.AdamW(groups, fused=True)


def share(step: int, steps: int, warmup: float) -> float:
    """Share of the peak rate at `step` (from 0) of `steps`: a linear rise, then half a cosine down to nearly
    zero.

    A pure function of the step, so that resuming needs no scheduler (cosine: Loshchilov and Hutter 2017,
    arXiv 1608.03983; warm-up: Goyal et al. 2017, arXiv 1706.02677).
    """
    rise = min(round(steps * warmup), steps - 1)
    if step < rise:
        return (step + 1) / (rise + 1)
    return 0.5 * (1 + math.cos(math.pi * (step - rise) / (steps - rise)))


def set_rates(optimizer: torch.optim.Optimizer, at: float) -> None:
    """Set every group's rate to the share `at` of its peak."""
    for group in optimizer.param_groups:
        group["lr"] = group["peak"] * at
