"""95 % intervals that respect groups: examples of one twin group are not independent witnesses.

Two methods, each where a simulation found it nearest to its nominal coverage (test_evaluate_intervals.py).
The plain percentile bootstrap holds macro-F1 in only 71 to 82 % of the cases where classes are many and their
examples few, because every draw misses some examples of each class and so scores lower than the sample.
  - "wilson", for shares and means of shares (accuracy, top-5, balanced accuracy): the Wilson score interval
    (Wilson 1927) at the effective number of examples, that which would give an independent sample the variance
    that the jackknife over groups finds (as for surveys, Dean and Pagano 2015, doi:10.1093/jssam/smv024);
  - "bootstrap", for all others: bias-corrected and accelerated bootstrap over groups (BCa, Efron 1987), the
    acceleration from the same jackknife.
Where all is right or all wrong, resampling shows nothing; then the Wilson interval over the number of groups says how
many mistakes may have stayed unseen ("groups"). A difference of two subjects on the
same groups has a "paired" interval.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.special import ndtr, ndtri
from scipy.stats import binomtest

from instar.evaluate.metrics import Sparse, tally_of
from instar.metrics import METRICS, Floats, Ints
from instar.records import Method

DRAWS = 2000
"""Bootstrap draws: the interval's ends then move by about 2 % of its width from seed to seed."""
LEVEL = 0.95
Z = float(ndtri((1 + LEVEL) / 2))
BY_VARIANCE = ("accuracy", "balanced_accuracy", "top_5")
_CHUNK = 2_000_000
"""Entries of a table of weights or sums that are held at once (16 MB)."""
_NOTHING = 1e-9
"""A spread below this share of what independent examples would have is rounding."""


@dataclass(frozen=True)
class Interval:
    """The ends of a 95 % interval and how they were found."""

    low: float
    high: float
    method: Method


@dataclass(frozen=True)
class Sampled:
    """What intervals of one subject's metrics are made from."""

    sums: Sparse
    """(G, 3C + 4): as `by_group` returns them."""
    classes: int
    drawn: dict[str, Floats]
    """Each metric in every bootstrap draw of groups."""
    left_out: dict[str, Floats]
    """Each metric with one group left out, for each group in turn."""

    def value(self, metric: str) -> float:
        """The metric of all groups together."""
        return float(METRICS[metric](tally_of(_total(self.sums), self.classes)))


def wilson(share: float, n: float) -> tuple[float, float]:
    """95 % Wilson score interval of a share seen in n independent examples; the whole range for n = 0."""
    if n == 0:
        return 0.0, 1.0
    centre = (share + Z**2 / (2 * n)) / (1 + Z**2 / n)
    half = Z / (1 + Z**2 / n) * np.sqrt(share * (1 - share) / n + Z**2 / (4 * n**2))
    low, high = max(0.0, float(centre - half)), min(1.0, float(centre + half))
    return low if share > 0 else 0.0, high if share < 1 else 1.0  # exact at the ends, where rounding is not


def by_group(contributions: Sparse, groups: Ints) -> Sparse:
    """(G, 3C + 4): the rows of `metrics.contributions` summed within each group."""
    _, index = np.unique(groups, return_inverse=True)
    rows = np.arange(groups.size)
    return sparse.csr_array(sparse.csr_array((np.ones(groups.size), (index, rows))) @ contributions)


def shares(right: Sparse, of: Sparse) -> list[tuple[float, float]]:
    """The 95 % interval of each column's share, right / of, from counts per group (G, K).

    Wilson at the effective number of examples: that whose share would vary as the linearised ratio over groups does
    (Cochran 1977, Sampling Techniques, 6.4), and no more than there are. Without twins it is their number, exactly.
    Where the share is 0 or 1 nothing varies; then the number of groups counts.
    """
    total, examples = _total(right), _total(of)
    share = np.divide(total, examples, out=np.zeros_like(total), where=examples > 0)
    products = (_total(a.multiply(b).tocsr()) for a, b in ((right, right), (right, of), (of, of)))
    both, mixed, square = products
    spread = both - 2 * share * mixed + share**2 * square
    independent = examples * share * (1 - share)
    effect = np.divide(spread, independent, out=np.ones_like(share), where=independent > _NOTHING)
    effective = examples / np.maximum(effect, 1)
    effective = np.where(independent > _NOTHING, effective, _total((of > 0).astype(np.float64)))
    return [wilson(float(s), float(n)) for s, n in zip(share, effective, strict=True)]


def sample(
    subjects: Sequence[Sparse], classes: int, metrics: tuple[str, ...], seed: int, draws: int = DRAWS
) -> list[Sampled]:
    """Draw and leave out groups, the same for all subjects, whose sums per group have the same groups.

    Deterministic in `seed`.
    """
    drawn: list[list[dict[str, Floats]]] = [[] for _ in subjects]
    for weights in _weights(subjects[0].shape[0], max(subjects[0].shape), seed, draws):
        for parts, sums in zip(drawn, subjects, strict=True):
            parts.append(_measure(np.asarray(weights @ sums), classes, metrics))
    return [
        Sampled(sums, classes, _joined(parts), _joined([_measure(t, classes, metrics) for t in _without_each(sums)]))
        for sums, parts in zip(subjects, drawn, strict=True)
    ]


def interval(sampled: Sampled, metric: str) -> Interval:
    """The interval of a metric."""
    value, drawn, left_out = sampled.value(metric), sampled.drawn[metric], sampled.left_out[metric]
    groups = left_out.size
    low, high = {"quadratic_kappa": (-1.0, 1.0), "mae": (0.0, sampled.classes - 1.0)}.get(metric, (0.0, 1.0))
    share = (value - low) / (high - low)
    spread = float(((left_out.mean() - left_out) ** 2).sum())
    if metric != "log_loss" and (share in (0.0, 1.0) or groups == 1):
        lower, upper = wilson(share, groups)
        return Interval(low + lower * (high - low), low + upper * (high - low), "groups")
    if metric in BY_VARIANCE and spread > 0:
        return Interval(*wilson(share, share * (1 - share) / ((groups - 1) / groups * spread)), "wilson")
    return Interval(*_bca(value, drawn, left_out), "bootstrap")


def difference(ours: Sampled, theirs: Sampled, metric: str) -> tuple[float, Interval]:
    """Value and interval of ours minus theirs, paired: the same groups are drawn for both.

    What makes an example easy for one it makes easy for the other, so the difference is known better than either
    score. BCa bootstrap over groups, widened to hold 0 where the sign test of `_sure` sees chance.
    """
    value = ours.value(metric) - theirs.value(metric)
    drawn, left_out = ours.drawn[metric] - theirs.drawn[metric], ours.left_out[metric] - theirs.left_out[metric]
    low, high = _bca(value, drawn, left_out)
    if not _sure(ours.sums, theirs.sums, ours.classes):
        low, high = min(low, 0.0), max(high, 0.0)
    return value, Interval(low, high, "paired")


def _sure(ours: Sparse, theirs: Sparse, classes: int) -> bool:
    """Whether the groups on which the two differ in right answers fall to one side more often than by chance.

    The exact sign test at 5 %: a bootstrap of a handful of disagreements would be sure of what three coins show.
    """
    gain: Floats = np.asarray((ours - theirs)[:, :classes].sum(axis=1)).ravel()
    better, worse = int((gain > 0).sum()), int((gain < 0).sum())
    return better + worse > 0 and binomtest(better, better + worse).pvalue < 1 - LEVEL


def _total(sums: Sparse) -> Floats:
    return np.asarray(sums.sum(axis=0), dtype=np.float64)


def _bca(value: float, drawn: Floats, left_out: Floats) -> tuple[float, float]:
    """Bias-corrected and accelerated interval (Efron 1987)."""
    influence = left_out.mean() - left_out
    spread = float((influence**2).sum())
    if spread == 0 or left_out.size == 1:
        return value, value
    below = float((drawn < value).mean() + (drawn == value).mean() / 2)
    bias = float(ndtri(np.clip(below, 1 / drawn.size, 1 - 1 / drawn.size)))
    acceleration = float((influence**3).sum() / (6 * spread**1.5))
    shifted = bias + np.array([-Z, Z])
    ends = np.quantile(drawn, ndtr(bias + shifted / (1 - acceleration * shifted)))
    return float(min(ends[0], value)), float(max(ends[1], value))


def _weights(groups: int, widest: int, seed: int, draws: int) -> Iterator[Floats]:
    """How often each bootstrap draw holds each group, (at most `draws`, groups) at a time."""
    rng = np.random.default_rng(seed)
    step = max(1, _CHUNK // widest)
    for start in range(0, draws, step):
        size = min(step, draws - start)
        chosen = rng.integers(groups, size=(size, groups)) + groups * np.arange(size)[:, None]
        yield np.bincount(chosen.ravel(), minlength=size * groups).reshape(size, groups).astype(np.float64)


def _without_each(sums: Sparse) -> Iterator[Floats]:
    """The sums of all groups but one, for each group in turn (the jackknife)."""
    total, step = _total(sums), max(1, _CHUNK // sums.shape[1])
    for start in range(0, sums.shape[0], step):
        yield total - sums[start : start + step].toarray()


def _measure(table: Floats, classes: int, metrics: tuple[str, ...]) -> dict[str, Floats]:
    """Each metric for every row of a table of sums."""
    tally = tally_of(table, classes)
    return {metric: METRICS[metric](tally) for metric in metrics}


def _joined(parts: list[dict[str, Floats]]) -> dict[str, Floats]:
    return {metric: np.concatenate([part[metric] for part in parts]) for metric in parts[0]}
