"""95 % intervals that respect groups: examples of one twin group are not independent witnesses.

Two methods, each where a simulation found it nearest to its nominal coverage (test_evaluate_intervals.py).
The plain percentile bootstrap holds macro-F1 in only 71 to 82 % of the cases where classes are many and their
examples few, because every draw misses some examples of each class and so scores lower than the sample.
  - shares and means of shares (accuracy, top-5, balanced accuracy): the Wilson score interval (Wilson 1927)
    at the effective number of examples, that which would give an independent sample the variance that the
    jackknife over groups finds (as for surveys, Dean and Pagano 2015, doi:10.1093/jssam/smv024);
  - all others: bias-corrected and accelerated bootstrap over groups (BCa, Efron 1987), the acceleration from
    the same jackknife.
Where no group differs from another (not one mistake), resampling shows nothing; then the Wilson interval over
the number of groups says how many mistakes may have stayed unseen.
"""

from collections.abc import Iterator

import numpy as np
from scipy import sparse
from scipy.special import ndtr, ndtri
from scipy.stats import binomtest

from instar.evaluate.metrics import METRICS, Floats, Ints, Sparse, tally_of

DRAWS = 2000
"""Bootstrap draws: the interval's ends then move by about 2 % of its width from seed to seed."""
LEVEL = 0.95
Z = float(ndtri((1 + LEVEL) / 2))
BY_VARIANCE = ("accuracy", "balanced_accuracy", "top_5")
_CHUNK = 2_000_000
"""Entries of a table of weights or sums that are held at once (16 MB)."""


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


def intervals(
    sums: Sparse, classes: int, metrics: tuple[str, ...], seed: int, draws: int = DRAWS
) -> dict[str, tuple[float, float]]:
    """The interval of each metric, from sums per group as `by_group` returns them.

    Deterministic in `seed`; two subjects with the same groups get the same draws.
    """
    total = _total(sums)
    drawn = _evaluate(_resampled(sums, seed, draws), classes, metrics)
    left_out = _evaluate(_without_each(sums, total), classes, metrics)
    found = {}
    for metric in metrics:
        value = float(METRICS[metric](tally_of(total, classes)))
        bounds = {"quadratic_kappa": (-1.0, 1.0), "mae": (0.0, classes - 1.0)}.get(metric, (0.0, 1.0))
        found[metric] = _interval(metric, value, drawn[metric], left_out[metric], bounds)
    return found


def differences(
    ours: Sparse, theirs: Sparse, classes: int, metrics: tuple[str, ...], seed: int, draws: int = DRAWS
) -> dict[str, tuple[float, float, float]]:
    """Value and interval of ours minus theirs in each metric, paired: the same groups are drawn for both.

    What makes an example easy for one it makes easy for the other, so the difference is known better than either
    score. BCa bootstrap over groups, as in `intervals`.
    """
    drawn, left_out, value = (
        {m: a[m] - b[m] for m in metrics}
        for a, b in (
            [_evaluate(_resampled(s, seed, draws), classes, metrics) for s in (ours, theirs)],
            [_evaluate(_without_each(s, _total(s)), classes, metrics) for s in (ours, theirs)],
            [_evaluate(iter([_total(s)[None]]), classes, metrics) for s in (ours, theirs)],
        )
    )
    found = {}
    for metric in metrics:
        low, high = _bca(float(value[metric][0]), drawn[metric], left_out[metric])
        if not _sure(ours, theirs, classes):
            low, high = min(low, 0.0), max(high, 0.0)
        found[metric] = (float(value[metric][0]), low, high)
    return found


def _sure(ours: Sparse, theirs: Sparse, classes: int) -> bool:
    """Whether the groups on which the two differ in right answers fall to one side more often than by chance.

    The exact sign test at 5 %: a bootstrap of a handful of disagreements would be sure of what three coins show.
    """
    gain: Floats = np.asarray((ours - theirs)[:, :classes].sum(axis=1)).ravel()
    better, worse = int((gain > 0).sum()), int((gain < 0).sum())
    return better + worse > 0 and binomtest(better, better + worse).pvalue < 1 - LEVEL


def _total(sums: Sparse) -> Floats:
    return np.asarray(sums.sum(axis=0), dtype=np.float64)


def _interval(
    metric: str, value: float, drawn: Floats, left_out: Floats, bounds: tuple[float, float]
) -> tuple[float, float]:
    """The interval of one metric from its value in the bootstrap draws and with each group left out."""
    groups = left_out.size
    low, high = bounds
    share = (value - low) / (high - low)
    if metric != "log_loss" and share in (0.0, 1.0):
        lower, upper = wilson(share, groups)
        return low + lower * (high - low), low + upper * (high - low)
    spread = float(((left_out.mean() - left_out) ** 2).sum())
    if metric in BY_VARIANCE and spread > 0 and groups > 1:
        return wilson(share, share * (1 - share) / ((groups - 1) / groups * spread))
    return _bca(value, drawn, left_out)


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


def _resampled(sums: Sparse, seed: int, draws: int) -> Iterator[Floats]:
    """Sums of bootstrap draws of groups, (at most DRAWS, 3C + 4) at a time."""
    groups = sums.shape[0]
    rng = np.random.default_rng(seed)
    step = max(1, _CHUNK // max(sums.shape))
    for start in range(0, draws, step):
        size = min(step, draws - start)
        chosen = rng.integers(groups, size=(size, groups)) + groups * np.arange(size)[:, None]
        weights = np.bincount(chosen.ravel(), minlength=size * groups).reshape(size, groups)
        yield np.asarray(weights.astype(np.float64) @ sums)


def _without_each(sums: Sparse, total: Floats) -> Iterator[Floats]:
    """The sums of all groups but one, for each group in turn (the jackknife)."""
    step = max(1, _CHUNK // sums.shape[1])
    for start in range(0, sums.shape[0], step):
        yield total - sums[start : start + step].toarray()


def _evaluate(tables: Iterator[Floats], classes: int, metrics: tuple[str, ...]) -> dict[str, Floats]:
    """Each metric for every row of the tables."""
    parts: dict[str, list[Floats]] = {metric: [] for metric in metrics}
    for table in tables:
        tally = tally_of(table, classes)
        for metric in metrics:
            parts[metric].append(METRICS[metric](tally))
    return {metric: np.concatenate(values) for metric, values in parts.items()}
