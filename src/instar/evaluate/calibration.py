"""Whether a confidence means what it says: of the answers given with 80 % confidence, are 80 % right?"""

from collections.abc import Iterable
from math import sqrt
from typing import NamedTuple

import numpy as np
import polars as pl
from scipy import sparse

from instar.evaluate.metrics import SMALLEST_PROBABILITY
from instar.metrics import Floats, Ints
from instar.records import Score
from instar.shares import Z, intervals_of, wilson

BINS = 10
SMALLEST_BIN = 20
"""Examples that a bin should hold: with fewer, its interval may cover half of the scale (our judgement)."""


class Claims(NamedTuple):
    """What was claimed and what was so, example by example."""

    stated: Floats
    """(N,) probability that was stated."""
    true: Floats
    """(N,) 1 where it was so, else 0."""


def _bins(stated: Floats) -> Ints:
    """Index of the bin of each value; bins are of equal size, and equal values share one."""
    bins = max(1, min(BINS, stated.size // SMALLEST_BIN))
    edges = np.unique(np.quantile(stated, np.arange(1, bins) / bins))
    _, index = np.unique(np.searchsorted(edges, stated, side="left"), return_inverse=True)
    return index


def reliability(confidence: Floats, right: Floats, groups: Ints) -> pl.DataFrame:
    """Confidence against accuracy in bins of equal size (Nguyen and O'Connor 2015, arXiv 1508.05154).

    confidence: (N,) probability of the answer given; right: (N,) 1 where it was right, else 0; groups: (N,) twins
    share one.
    Returns confidence (mean of the bin), accuracy, low, high (95 % interval, `shares.intervals_of`) and n, from low to
    high confidence. At most `BINS` bins; equal confidences share a bin, so that there may be fewer.
    """
    index = _bins(confidence)
    _, witness = np.unique(groups, return_inverse=True)
    ones = np.ones(confidence.size)
    n = np.bincount(index)
    ends = intervals_of(*(sparse.csr_array((values, (witness, index))) for values in (right, ones)))
    return pl.DataFrame(
        {
            "confidence": np.bincount(index, weights=confidence) / n,
            "accuracy": np.bincount(index, weights=right) / n,
            "low": [end.low for end in ends],
            "high": [end.high for end in ends],
            "n": n,
        }
    )


# --- figures ------------------------------------------------------------------------------------------------


def squared_error(claims: Iterable[Claims], groups: Ints) -> tuple[float, Floats]:
    """The mean square over bins of stated probability less frequency, chance taken out, averaged over the claims.

    The plain calibration error counts as miscalibrated what is only noise of the bins: it is above 0 for a perfect
    model too. Its square can be debiased (Kumar, Liang and Ma 2019, arXiv 1909.10155; for the same term of the Brier
    score: Ferro and Fricker 2012, doi:10.1002/qj.1924). Here the product of the residuals of two examples stands for
    the square of their bin's error, averaged over all pairs from different groups: that leaves nothing of a perfect
    model on average, however wide the bins are and though twins err together. Hence it may be below 0.

    Returns:
        The figure, and what it is with each group left out (G,).
    """
    _, witness = np.unique(groups, return_inverse=True)
    values, without = [], []
    for stated, true in claims:
        index = _bins(stated)
        shape = (int(witness.max()) + 1, int(index.max()) + 1)
        flat = witness * shape[1] + index
        apart_GB, n_GB = (
            np.bincount(flat, weights=part, minlength=shape[0] * shape[1]).reshape(shape)
            for part in (stated - true, np.ones(stated.size))
        )
        sums = [part.sum(axis=0) for part in (apart_GB, apart_GB**2, n_GB, n_GB**2)]
        values.append(_of_pairs(*sums))
        parts = (apart_GB, apart_GB**2, n_GB, n_GB**2)
        without.append(_of_pairs(*(total - part for total, part in zip(sums, parts, strict=True))))
    return float(np.mean(values)), np.mean(without, axis=0)


def _of_pairs(apart: Floats, apart_squared: Floats, n: Floats, n_squared: Floats) -> Floats:
    """The figure from sums over groups for each bin (..., B); a bin that only one group is in tells nothing."""
    pairs = n**2 - n_squared
    told = pairs > 0.5
    each = np.divide(apart**2 - apart_squared, pairs, out=np.zeros_like(pairs), where=told)
    weight = np.where(told, n, 0)
    total = weight.sum(axis=-1)
    mean: Floats = np.divide((weight * each).sum(axis=-1), total, out=np.zeros_like(total), where=total > 0)
    return mean


def figures(subject: str, probabilities: Floats, truth: Ints, predicted: Ints, groups: Ints) -> tuple[Score, ...]:
    """How far the probabilities (N, C) can be taken at their word, each figure with its interval.

    overconfidence: mean confidence less accuracy. calibration_error: the root of `squared_error` of the confidences, 0
    where chance explains more than there is. classwise_error: the same of the probabilities of every class, not only of
    the answer, averaged over the classes. log_loss: nats.
    """
    rows, n = np.arange(truth.size), truth.size
    right = (truth == predicted).astype(np.float64)
    confidence = probabilities[rows, predicted]
    gap, low, high = overconfidence(confidence, right, groups)
    of_classes = (Claims(column, (truth == c).astype(np.float64)) for c, column in enumerate(probabilities.T))
    top = _root(squared_error([Claims(confidence, right)], groups))
    if right.all() or not right.any():  # then no group differs, and as much as the accuracy may be off stays unseen
        top = (*top[:2], max(top[2], abs(low), abs(high)))
    losses = -np.log(np.clip(probabilities[rows, truth], SMALLEST_PROBABILITY, None))
    return (
        Score(subject, "overconfidence", gap, low, high, n, "linear" if 0 < right.mean() < 1 else "groups"),
        Score(subject, "calibration_error", *top, n, "linear"),
        Score(subject, "classwise_error", *_root(squared_error(of_classes, groups)), n, "linear"),
        Score(subject, "log_loss", *mean_of(losses, groups), n, "linear"),
    )


def overconfidence(confidence: Floats, right: Floats, groups: Ints) -> tuple[float, float, float]:
    """Mean confidence less accuracy with its 95 % interval.

    Where all answers are right, or all wrong, they show no variance; then the accuracy has Wilson's interval over the
    number of groups.
    """
    found = mean_of(confidence - right, groups)
    if 0 < right.mean() < 1:
        return found
    low, high = wilson(float(right.mean()), np.unique(groups).size)
    return found[0], float(confidence.mean()) - high, float(confidence.mean()) - low


def mean_of(values: Floats, groups: Ints) -> tuple[float, float, float]:
    """A mean with its normal 95 % interval, from the variance of the linearised mean over groups."""
    mean = float(values.mean())
    _, witness = np.unique(groups, return_inverse=True)
    sums = np.bincount(witness, weights=values - mean)
    half = Z * sqrt(sums.size / max(sums.size - 1, 1) * float((sums**2).sum())) / values.size
    return mean, mean - half, mean + half


def _root(found: tuple[float, Floats]) -> tuple[float, float, float]:
    """The root of a figure with its interval: normal on the square, with the jackknife's variance over groups.

    For a perfect model that variance is about twice too large, as for every figure of pairs without a linear part
    (Efron and Stein 1981), so the interval is rather too wide there.
    """
    value, without = found
    half = Z * sqrt((without.size - 1) / without.size * float(((without - without.mean()) ** 2).sum()))
    low, middle, high = (sqrt(max(0.0, value + shift)) for shift in (-half, 0.0, half))
    return middle, low, high
