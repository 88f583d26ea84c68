"""Does a map tell what the network has learned? One that has forgotten it must give another map.

After Adebayo et al. 2018 (arXiv 1810.03292), who found popular maps that stay nearly the same when the weights are
randomised: these show edges of the picture, not reasons of the network.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from scipy.stats import rankdata

from instar.explain.base import Reader
from instar.explain.means import mean
from instar.metrics import Floats, Ints
from instar.models.depth import belongs
from instar.models.network import Network
from instar.records import Score

LEVELS = ("head", "half", "all")
"""What is randomised: the head; with it the later half of the trunk and the neck; everything."""


def sanity(
    network: Network, reader: Reader, rows: Ints, classes: Ints, weights: Sequence[Floats], seed: int
) -> tuple[Score, ...]:
    """For each level the mean rank correlation between each map and that of the randomised network.

    1: the map owes nothing to what was learned; near 0: it owes everything to it.

    Args:
        rows: examples that are independent of each other.
        classes: the class that is explained.
        weights: as `Reader.weights` gave them for these classes.
    """
    found = []
    for level in LEVELS:
        with shuffled(network, level, seed):
            others = reader.weights(rows, classes)
        alike = np.array([correlation(one, other) for one, other in zip(weights, others, strict=True)])
        found.append(mean(level, "rank_correlation", alike, -1.0))
    return tuple(found)


@contextmanager
def shuffled(network: Network, level: str, seed: int) -> Iterator[None]:
    """As long as the block lasts, the parameters of a level stand in random order, each tensor in itself: what was
    learned is gone, while the sizes of weights, which keep activations in their range, are not."""
    generator = torch.Generator().manual_seed(seed)
    chosen = [parameter for name, parameter in network.model.named_parameters() if _within(network, name, level)]
    before = [parameter.detach().clone() for parameter in chosen]
    try:
        with torch.no_grad():
            for parameter, values in zip(chosen, before, strict=True):
                order = torch.randperm(values.numel(), generator=generator).to(values.device)
                parameter.copy_(values.flatten()[order].view_as(values))
        yield
    finally:
        with torch.no_grad():
            for parameter, values in zip(chosen, before, strict=True):
                parameter.copy_(values)


def _within(network: Network, parameter: str, level: str) -> bool:
    name = parameter.removeprefix("body.")
    if name == parameter:
        return parameter.startswith("head.")
    groups = network.card.groups
    later = groups[(len(groups) + 1) // 2 :] if level == "half" else groups if level == "all" else ()
    return any(belongs(name, group) for group in later)


def correlation(one: Floats, other: Floats) -> float:
    """Spearman's rank correlation; 0 where one of them does not vary and so ranks nothing."""
    if not (np.ptp(one) > 0 and np.ptp(other) > 0):
        return 0.0
    return float(np.corrcoef(rankdata(one), rankdata(other))[0, 1])
