"""Sets of classes that hold the true one as often as promised: split conformal prediction.

A score says how strange a class would be for an example. The cut is the quantile of the scores of the true classes of
the validation split; every class whose score is at most the cut is in the set. For examples that are exchangeable with
those of the validation split, the true class of a new one is then in its set with a probability between the level and
the level + 1 / (n + 1), whatever the network is (Vovk et al. 2005; Lei et al. 2018, arXiv 1604.04173; an introduction:
Angelopoulos and Bates 2021, arXiv 2107.07511). docs/confidence.md says how far the assumption holds here.
"""

from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse

from instar.metrics import Floats, Ints
from instar.records import Sets
from instar.shares import Share, intervals_of

LEVELS = (0.9, 0.95, 0.99)
METHODS = ("lac", "aps")
Bools = NDArray[np.bool_]


def lac(probabilities: Floats) -> Floats:
    """1 less the probability of the class (N, C): the smallest sets on average (Sadinle, Lei and Wasserman 2019, arXiv
    1609.00451)."""
    return 1 - probabilities


def aps(probabilities: Floats, uniform: Floats) -> Floats:
    """The probability of all more probable classes and a random share (`uniform`, (N,)) of its own (N, C): larger sets
    for harder examples, so that these are covered as often as easy ones (Romano, Sesia and Candès 2020, arXiv
    2006.02544)."""
    order = np.argsort(-probabilities, axis=1, kind="stable")
    ranked = np.take_along_axis(probabilities, order, axis=1)
    score = ranked.cumsum(axis=1) - ranked * (1 - uniform[:, None])
    back = np.empty_like(score)
    np.put_along_axis(back, order, score, axis=1)
    return back


def cut(scores_of_truth: Floats, level: float) -> float:
    """The ceil((n + 1) level)-th smallest score; infinite where there are fewer."""
    rank = int(np.ceil((scores_of_truth.size + 1) * level - 1e-9))
    return float(np.sort(scores_of_truth)[rank - 1]) if rank <= scores_of_truth.size else float("inf")


def members(scores: Floats, at: float, probabilities: Floats) -> Bools:
    """(N, C) whether a class is in the set. The most probable one always is: an empty set helps nobody."""
    held: Bools = scores <= at
    held[np.arange(len(scores)), probabilities.argmax(axis=1)] = True
    return held


class Split(NamedTuple):
    """The examples of one split."""

    probabilities: Floats
    """(N, C)"""
    truth: Ints
    """(N,) class indices."""
    groups: Ints
    """(N,) twins share one."""


def judged(
    validation: Split, test: Split, classes: tuple[str, ...], seed: int
) -> tuple[tuple[Sets, ...], pl.DataFrame, pl.DataFrame]:
    """Sets of both methods at all levels, made on validation and judged on test.

    Returns:
        The records; for lac the share that holds the true class by size of the set (level, size, n, coverage, low,
        high); the same by class (level, label, n, coverage, low, high, size).
    """
    chance = np.random.default_rng(seed)
    records, sizes, labels = [], [], []
    for method in METHODS:
        scores = [
            lac(part.probabilities) if method == "lac" else aps(part.probabilities, chance.random(part.truth.size))
            for part in (validation, test)
        ]
        of_truth = scores[0][np.arange(validation.truth.size), validation.truth]
        for level in LEVELS:
            at = cut(of_truth, level)
            held = members(scores[1], at, test.probabilities)
            size = held.sum(axis=1)
            covered = held[np.arange(size.size), test.truth].astype(np.float64)
            (whole,) = _shares(covered, np.zeros(size.size, np.int64), 1, test.groups)
            known = at if np.isfinite(at) else None
            mean, single = float(size.mean()), float((size == 1).mean())
            records.append(
                Sets(method, level, known, float(covered.mean()), whole.low, whole.high, mean, single, size.size)
            )
            if method == "lac":
                by_size = _table(covered, size, int(size.max()) + 1, test.groups)
                sizes.append(by_size.rename({"index": "size"}).with_columns(level=pl.lit(level)))
                by_label = _table(covered, test.truth, len(classes), test.groups).with_columns(
                    pl.Series("size", np.bincount(test.truth, weights=size, minlength=len(classes))) / pl.col("n"),
                    label=pl.col("index").map_elements(lambda i: classes[i], pl.String),
                    level=pl.lit(level),
                )
                labels.append(by_label)
    return (
        tuple(records),
        pl.concat(sizes).filter(pl.col("n") > 0).select("level", "size", "n", "coverage", "low", "high"),
        pl.concat(labels).filter(pl.col("n") > 0).select("level", "label", "n", "coverage", "low", "high", "size"),
    )


def _shares(covered: Floats, index: Ints, parts: int, groups: Ints) -> list[Share]:
    _, witness = np.unique(groups, return_inverse=True)
    shape = (int(witness.max()) + 1, parts)
    return intervals_of(
        *(sparse.csr_array((values, (witness, index)), shape=shape) for values in (covered, np.ones(covered.size)))
    )


def _table(covered: Floats, index: Ints, parts: int, groups: Ints) -> pl.DataFrame:
    """index, n, coverage, low, high of each part of the examples."""
    n = np.bincount(index, minlength=parts)
    ends = _shares(covered, index, parts, groups)
    return pl.DataFrame(
        {
            "index": np.arange(parts),
            "n": n,
            "coverage": np.bincount(index, weights=covered, minlength=parts) / np.maximum(n, 1),
            "low": [end.low for end in ends],
            "high": [end.high for end in ends],
        }
    )
