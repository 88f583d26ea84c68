"""95 % intervals that respect groups: examples of one twin group are not independent witnesses.

Two methods, each where a simulation found it nearest to its nominal coverage (test_evaluate_intervals.py).
The plain percentile bootstrap holds macro-F1 in only 71 to 82 % of the cases where classes are many and their
examples few, because every draw misses some examples of each class and so scores lower than the sample.
  - "wilson", for shares and means of shares (accuracy, top-k, within one, balanced accuracy): the Wilson score interval
    at the effective number of examples (`instar.shares`); a mean of shares has its variance from the jackknife over
    groups (AUROC, the mean of shares of pairs, from ranks: `instar.evaluate.ranks`);
  - "bootstrap", for all others: bias-corrected and accelerated bootstrap over groups (BCa, Efron 1987), the
    acceleration from the same jackknife.
Where groups do not differ (all is right, say), resampling shows nothing; then the Wilson interval over the number of
groups says how much may have stayed unseen ("groups"): every metric has bounds. Of a subject that gives one answer
whatever the example nothing stays unseen, so what is fixed by that (`CONSTANT`) has no width ("definition"); its other
metrics depend on how common the class is, and are as uncertain as anybody's. A difference of two subjects on the same
groups has a "paired" interval.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.special import ndtr, ndtri
from scipy.stats import binomtest

from instar.evaluate.metrics import SINGLE, SMALLEST_PROBABILITY, Sparse, tally_of
from instar.metrics import METRICS, Floats, Ints
from instar.records import Method
from instar.shares import LEVEL, Z, interval_of, intervals_of, varies, wilson

DRAWS = 2000
"""Bootstrap draws: the interval's ends then move by about 2 % of its width from seed to seed."""
SUMMED = {
    "top_2": "near_2",
    "top_5": "near_5",
    "log_loss": "loss",
    "brier": "error",
    "mae": "distance",
    "quadratic_kappa": "squared",
    "within_1": "within",
}
"""The sum per group that a metric is made of; hits for the others."""
SHARES = ("accuracy", "top_2", "top_5", "within_1")
"""Metrics that are shares of the examples."""
MEANS = ("balanced_accuracy", "weighted_precision")
"""Metrics that are means of shares."""
TOO_HIGH = ("weighted_precision",)
"""... and on few examples too high, by about as much as the jackknife tells (Quenouille 1956, Biometrika 43)."""
CONSTANT = ("balanced_accuracy", "mcc", "quadratic_kappa")
"""Metrics that one answer to everything fixes: recall is 1 in one class and 0 in all others, and nothing correlates."""
_CHUNK = 2_000_000
"""Entries of a table of weights or sums that are held at once (16 MB)."""


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
    """(G, 3C + 7): as `by_group` returns them."""
    classes: int
    drawn: dict[str, Floats]
    """Each metric in every bootstrap draw of groups."""
    left_out: dict[str, Floats]
    """Each metric with one group left out, for each group in turn."""

    def value(self, metric: str) -> float:
        """The metric of all groups together."""
        return float(METRICS[metric](tally_of(_total(self.sums), self.classes)))

    @property
    def actual(self) -> Sparse:
        """(G, C): examples of each class in each group."""
        return self.sums[:, 2 * self.classes : 3 * self.classes]

    def summed(self, metric: str) -> Floats:
        """(G,): what each group adds to the sum that the metric is made of."""
        name = SUMMED.get(metric)
        part = self.sums[:, : self.classes] if name is None else self.sums[:, [3 * self.classes + SINGLE.index(name)]]
        return np.asarray(part.sum(axis=1), dtype=np.float64).ravel()


def by_group(contributions: Sparse, groups: Ints) -> Sparse:
    """(G, 3C + 7): the rows of `metrics.contributions` summed within each group."""
    _, index = np.unique(groups, return_inverse=True)
    rows = np.arange(groups.size)
    return sparse.csr_array(sparse.csr_array((np.ones(groups.size), (index, rows))) @ contributions)


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


def interval(sampled: Sampled, metric: str, *, constant: bool = False) -> Interval:
    """The interval of a metric.

    Args:
        constant: whether the subject gives one answer by rule, as the majority baseline does, and not only in this
            sample. Its fixed metrics are known where every class has examples; else they are as found for others.
    """
    value, left_out = sampled.value(metric), sampled.left_out[metric]
    if constant and metric in CONSTANT and (sampled.actual.sum(axis=0) > 0).all():
        return Interval(value, value, "definition")
    least, most = _range(metric, sampled.classes)
    span, examples = most - least, float(sampled.actual.sum())
    share, variance = (value - least) / span, jackknife(left_out) / span**2
    if metric in SHARES:
        of = np.asarray(sampled.actual.sum(axis=1), dtype=np.float64).ravel()
        (found,) = intervals_of(*(sparse.csr_array(a[:, None]) for a in (sampled.summed(metric), of)))
    elif metric in MEANS or not varies(share, variance, examples):
        bias = (left_out.size - 1) * (float(left_out.mean()) - value) if metric in TOO_HIGH else 0.0
        found = interval_of(min(max(share - bias / span, 0.0), 1.0), variance, examples, left_out.size)
        found = found._replace(low=min(found.low, share), high=max(found.high, share))
    else:
        return Interval(*_bca(value, sampled.drawn[metric], left_out), "bootstrap")
    return Interval(least + span * found.low, least + span * found.high, "wilson" if found.varied else "groups")


def difference(ours: Sampled, theirs: Sampled, metric: str) -> tuple[float, Interval]:
    """Value and interval of ours minus theirs, paired: the same groups are drawn for both.

    What makes an example easy for one it makes easy for the other, so the difference is known better than either
    score. BCa bootstrap over groups; where all groups have the same difference, the groups that may have stayed unseen
    (Wilson's upper end for none of G) could have any. Widened to hold 0 where the sign test of `sure` sees chance.
    """
    value = ours.value(metric) - theirs.value(metric)
    drawn, left_out = ours.drawn[metric] - theirs.drawn[metric], ours.left_out[metric] - theirs.left_out[metric]
    least, most = _range(metric, ours.classes)
    span = most - least
    share, variance = (value + span) / (2 * span), jackknife(left_out) / (2 * span) ** 2
    if varies(share, variance, float(ours.actual.sum())):
        low, high = _bca(value, drawn, left_out)
    else:
        _, unseen = wilson(0.0, left_out.size)
        low, high = value - unseen * (value + span), value + unseen * (span - value)
    if not sure(ours.summed(metric) - theirs.summed(metric)):
        low, high = min(low, 0.0), max(high, 0.0)
    return value, Interval(low, high, "paired")


def _range(metric: str, classes: int) -> tuple[float, float]:
    """The least and the most that a metric can be."""
    ends = {
        "quadratic_kappa": (-1.0, 1.0),
        "mcc": (-1.0, 1.0),
        "brier": (0.0, 2.0),
        "mae": (0.0, classes - 1.0),
        "log_loss": (0.0, float(-np.log(SMALLEST_PROBABILITY))),
    }
    return ends.get(metric, (0.0, 1.0))


def sure(gain: Floats) -> bool:
    """Whether the groups in which the two differ (G,) fall to one side more often than by chance.

    The exact sign test at 5 %: a bootstrap of a handful of disagreements would be sure of what three coins show.
    """
    better, worse = int((gain > 0).sum()), int((gain < 0).sum())
    return better + worse > 0 and binomtest(better, better + worse).pvalue < 1 - LEVEL


def jackknife(left_out: Floats) -> float:
    """Of a metric, from its values with each group left out (the jackknife)."""
    groups = left_out.size
    return float(((left_out.mean() - left_out) ** 2).sum()) * (groups - 1) / groups


def _total(sums: Sparse) -> Floats:
    return np.asarray(sums.sum(axis=0), dtype=np.float64)


def _bca(value: float, drawn: Floats, left_out: Floats) -> tuple[float, float]:
    """Bias-corrected and accelerated interval (Efron 1987)."""
    influence = left_out.mean() - left_out
    spread = float((influence**2).sum())
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
