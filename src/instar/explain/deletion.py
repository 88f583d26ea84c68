"""Do the marked parts matter? Taking them out must hurt more than taking out as much at random.

After Samek et al. 2015 (arXiv 1509.06321) and Petsiuk et al. 2018 (arXiv 1806.07421).
"""

from collections.abc import Sequence
from math import ceil

import numpy as np
import polars as pl

from instar.explain.base import Bools, Reader
from instar.explain.means import mean
from instar.metrics import Floats, Ints
from instar.records import Score

METRIC = "kept_probability"

SHARES = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5)
"""Shares of an example that are taken out; beyond a half little of it is left to recognise."""
ORDERS = ("marked", "random")


def deletion(
    reader: Reader, rows: Ints, classes: Ints, weights: Sequence[Floats], seed: int
) -> tuple[pl.DataFrame, tuple[Score, ...], Score]:
    """The mean probability of each example's class when a share of it is taken out, what is marked first or at random.

    Args:
        rows: examples that are independent of each other.
        classes: the class that is explained, the answer.
        weights: as `Reader.weights` gave them for these classes.

    Returns:
        the curves (order, share, probability, low, high, n); for each order the mean over the curve; and how much lower
        it is for what is marked (above 0: it matters more than chance), paired.
    """
    rng = np.random.default_rng(seed)
    ranks = {
        "marked": [_ranks(found) for found in weights],
        "random": [_ranks(reader.elsewhere(found, rng)) for found in weights],
    }
    kept: dict[str, list[Floats]] = {order: [] for order in ORDERS}
    for share in SHARES:
        for order in ORDERS:
            if share == 0 and kept["marked"]:
                kept[order].append(kept["marked"][0])
                continue
            found = reader.probabilities(rows, [_first(rank, share) for rank in ranks[order]])
            kept[order].append(found[np.arange(len(rows)), classes])
    table = [
        {"order": order, "share": share, "probability": s.value, "low": s.low, "high": s.high, "n": s.n}
        for order in ORDERS
        for share, values in zip(SHARES, kept[order], strict=True)
        for s in [mean(order, METRIC, values, 0.0)]
    ]
    areas: dict[str, Floats] = {
        order: np.asarray(np.trapezoid(np.stack(kept[order]), SHARES, axis=0)) / SHARES[-1] for order in ORDERS
    }
    means = tuple(mean(order, METRIC, areas[order], 0.0) for order in ORDERS)
    return pl.DataFrame(table), means, mean("marked", METRIC, areas["random"] - areas["marked"], -1.0, paired=True)


def _ranks(weights: Floats) -> Ints:
    """Place of each unit when the heaviest comes first."""
    ranks: Ints = weights.argsort(kind="stable")[::-1].argsort()
    return ranks


def _first(ranks: Ints, share: float) -> Bools:
    """The first units of an order: this share of them, rounded up, but never all."""
    return ranks < min(ceil(share * ranks.size), ranks.size - 1)
