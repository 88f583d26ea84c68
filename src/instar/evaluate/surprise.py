"""Is the model worse on a slice than chance lets the worst of all slices be? A permutation test of all at once.

The mistakes are dealt anew among the rows, and of each deal the most surprising of all slices is kept; the corrected p
of a slice is the share of deals in which *any* slice surprises as much (the single-step min-P of Westfall and Young
1993, Resampling-Based Multiple Testing). The chance that any slice at all is called worse where none is stays below
the level, and slices that hold nearly the same rows do not cost twice, as they would with Holm or Bonferroni.

What is dealt are whole groups, among groups of the same size: twins are one witness, and a slice that is bad by one
large group of copies is not found bad. To judge within classes, groups are dealt among those of the same classes
only: what then surprises is not explained by the classes that a slice holds.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincc

from instar.metrics import Floats, Ints

DRAWS = 2000
"""Deals: at a corrected p of 0.05 its own standard error is 0.005."""
LEAST_SKEW = 0.02
"""Where a count is less skewed, it is taken as this skewed: near enough to normal."""
_CHUNK = 20_000_000
"""Rows dealt at once (80 MB)."""


def corrected(
    inside: NDArray[np.bool_], wrong: Ints, strata: Ints, groups: Ints, seed: int, draws: int = DRAWS
) -> tuple[Floats, Floats]:
    """How surprising the mistakes in each slice are, and the p of that corrected for all slices.

    inside: (N, K); wrong: (N,) 1 where the answer is wrong, else 0; strata: (N,) rows between which mistakes may be
    dealt, all 0 or the classes; groups: (N,) twins share one.
    Returns surprise (K,), minus the logarithm of the chance of as many mistakes in this slice alone, and p (K,).
    """
    if not inside.shape[1]:
        return np.zeros(0), np.zeros(0)
    member = inside.astype(np.float32)
    counts = [wrong.astype(np.float32)[None] @ member]
    counts += [dealt @ member for dealt in _deals(wrong, _blocks(strata, groups), draws, np.random.default_rng(seed))]
    scored = _surprise(np.concatenate(counts).astype(np.int64))
    most = scored.max(axis=1)
    p = np.array([(most >= own).mean() for own in scored[0]])
    return scored[0], p


def _blocks(strata: Ints, groups: Ints) -> list[Ints]:
    """Groups that may take each other's mistakes, as rows (G, M): those of the same size and the same strata."""
    order = np.lexsort((strata, groups))
    rows = np.split(order, np.flatnonzero(np.diff(groups[order])) + 1)
    kinds: dict[bytes, list[Ints]] = {}
    for row in rows:
        kinds.setdefault(strata[row].tobytes(), []).append(row)
    return [np.stack(found) for found in kinds.values()]


def _deals(wrong: Ints, blocks: list[Ints], draws: int, rng: np.random.Generator) -> Iterator[NDArray[np.float32]]:
    """(D, N) mistakes dealt anew, `draws` in all."""
    varied = [block for block in blocks if len(np.unique(wrong[block], axis=0)) > 1]
    step = max(1, min(draws, _CHUNK // wrong.size))
    for start in range(0, draws, step):
        dealt = np.repeat(wrong.astype(np.float32)[None], min(step, draws - start), axis=0)
        for block in varied:
            order = rng.permuted(np.tile(np.arange(len(block), dtype=np.int32), (len(dealt), 1)), axis=1)
            for column in block.T:
                dealt[:, column] = wrong[column].astype(np.float32)[order]
        yield dealt


def _surprise(counts: Ints) -> Floats:
    """(D, K): minus the logarithm of the chance of so many mistakes or more, from the counts of all deals.

    The chance is that of a Pearson type III curve (a shifted gamma) with the mean, variance and skewness of a slice's
    counts: mistakes are few, and a normal curve would make small slices surprise more than large ones. It only puts
    slices on one scale; that the p is right rests on the deals alone.
    """
    found = np.zeros(counts.shape)
    mean, spread = counts.mean(axis=0), counts.std(axis=0)
    for k in np.flatnonzero(spread > 0):
        low, high = counts[:, k].min(), counts[:, k].max()
        skew = max(float((((counts[:, k] - mean[k]) / spread[k]) ** 3).mean()), LEAST_SKEW)
        shape = 4 / skew**2
        z = (np.arange(low, high + 1) - 0.5 - mean[k]) / spread[k]
        chance = gammaincc(shape, np.maximum(shape + z * np.sqrt(shape), 0))
        found[:, k] = -np.log(np.maximum(chance, 1e-300))[counts[:, k] - low]
    return found
