"""Whether two networks differ on the same test examples by more than chance: p values, and their correction.

The null hypothesis of the tests over groups: which of the two gave which answers is exchangeable in each twin group,
independently of the other groups. It speaks of the trained networks as they are, not of their trainings.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.signal import convolve
from scipy.stats import binom

from instar.evaluate.metrics import Sparse, tally_of
from instar.metrics import METRICS, Floats, Ints

SWAPS = 4999
"""Random exchanges: a p value of 0.05 is then known to about 0.006 (two standard errors)."""
_ROUNDING = 1e-12
_CHUNK = 2_000_000
"""Entries of a table that are held at once (16 MB)."""


class McNemar(NamedTuple):
    """McNemar's test, in which every example is a witness of its own."""

    only_first: int
    """Examples that the first alone has right."""
    only_second: int
    p: float


def mcnemar(first: Ints, second: Ints) -> McNemar:
    """The exact test of right answers with the mid-p correction (Fagerland, Lydersen and Laake 2013,
    doi:10.1186/1471-2288-13-91): half of the probability of what was seen is counted, as the plain exact test is too
    careful.

    first, second: (N,) 1 where the answer is right, else 0.
    """
    b, c = int(((first == 1) & (second == 0)).sum()), int(((first == 0) & (second == 1)).sum())
    less, n = min(b, c), b + c
    p = 2 * binom.cdf(less, n, 0.5) - binom.pmf(less, n, 0.5)
    return McNemar(b, c, float(min(1.0, p)) if n else 1.0)


def flipped(differences: Ints) -> float:
    """The exact p value of a sum of differences per group (G,) whose signs could as well be the other way round.

    All 2^G signs are counted: those of the groups with one size of difference make a binomial distribution, and that of
    the sum is their convolution. Where groups are single examples this is the exact McNemar test.
    """
    sizes, counts = np.unique(np.abs(differences[differences != 0]), return_counts=True)
    if not sizes.size:
        return 1.0
    step = np.gcd.reduce(sizes)
    chances = np.ones(1)
    for size, count in zip((sizes // step).tolist(), counts.tolist(), strict=True):
        of_size = np.zeros(2 * size * count + 1)
        of_size[:: 2 * size] = binom.pmf(np.arange(count + 1), count, 0.5)
        chances = np.maximum(convolve(chances, of_size), 0.0)
    sums = np.arange(chances.size) - chances.size // 2
    return float(min(1.0, chances[np.abs(sums) >= abs(int(differences.sum()) // int(step))].sum()))


def swapped(ours: Sparse, theirs: Sparse, classes: int, metrics: Sequence[str], seed: int) -> dict[str, float]:
    """p value of the difference in each metric, by exchanging the two in randomly chosen groups.

    One is added to both counts, so that no p is 0 (Phipson and Smyth 2010, doi:10.2202/1544-6115.1585).

    ours, theirs: (G, 3C + 7) sums of `metrics.contributions` over the same groups.
    """
    rng, groups = np.random.default_rng(seed), ours.shape[0]
    apart = theirs - ours
    one, two = (np.asarray(sums.sum(axis=0), dtype=np.float64) for sums in (ours, theirs))
    seen = {m: abs(_difference(one, two, classes, m)) for m in metrics}
    beyond = dict.fromkeys(metrics, 0)
    step = max(1, _CHUNK // max(ours.shape))
    for start in range(0, SWAPS, step):
        chosen = rng.integers(0, 2, (min(step, SWAPS - start), groups)).astype(np.float64)
        moved = np.asarray(chosen @ apart, dtype=np.float64)
        for m in metrics:
            drawn = np.abs(_difference(one + moved, two - moved, classes, m))
            beyond[m] += int((drawn >= seen[m] - _ROUNDING).sum())
    return {m: (1 + n) / (1 + SWAPS) for m, n in beyond.items()}


def _difference(one: Floats, two: Floats, classes: int, metric: str) -> Floats:
    return METRICS[metric](tally_of(one, classes)) - METRICS[metric](tally_of(two, classes))


def holm(p: Sequence[float]) -> list[float]:
    """The p values corrected for how many there are (Holm 1979): with these, the chance of even one false alarm among
    all of them stays below the level."""
    values = np.asarray(p, dtype=np.float64)
    order = np.argsort(values, kind="stable")
    raised = np.maximum.accumulate((values.size - np.arange(values.size)) * values[order])
    corrected = np.empty_like(values)
    corrected[order] = np.minimum(raised, 1.0)
    return [float(value) for value in corrected]
