"""Figures of several runs, with intervals that respect what the runs share.

Folds and seeds answer different questions, and their variances must not be mixed up.

Folds: every row is tested once, by a network that has not seen it. The figure is that of all rows taken together
(pooled: for F1 the mean of the folds would be biased where folds hold few rows of a class; Forman and Scholz 2010,
doi:10.1145/1882471.1882479), with the interval of one test part of that size (`intervals`): it tells how far other
test examples would move the figure, the trained networks taken as they are. Beside it stands the mean over the folds
with the corrected resampled t interval (Nadeau and Bengio 2003, doi:10.1023/A:1024068626366), which widens the t
interval for the examples that the training parts share; no unbiased estimate of that variance exists (Bengio and
Grandvalet 2004).

Seeds: the same rows are tested several times, by networks that differ in the chance of training alone. The figure is
the mean over the seeds. Two intervals make its own: that of the mean over the trained networks for other test
examples (groups resampled, the same for all), and Student's t for other seeds on these test examples. They are joined
as independent parts of a sum (MOVER: Zou and Donner 2008, doi:10.1002/sim.3095), each end at the root of the sum of
the squared distances. What a seed and the test examples do together is counted in both, so the interval is rather too
wide than too narrow, as with every resampling of two crossed ways (Owen 2007, doi:10.1214/07-AOAS122).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy import sparse
from scipy.stats import t as student

from instar.evaluate.intervals import Interval, Sampled, difference, interval
from instar.metrics import LOWER_IS_BETTER, Floats
from instar.shares import LEVEL


@dataclass(frozen=True)
class Mean(Sampled):
    """Several networks' answers to the same groups, drawn and left out alike, as if they were one: a metric of it is
    the mean of theirs."""

    values: Mapping[str, float] = field(default_factory=dict)

    def value(self, metric: str) -> float:
        """The mean of the networks' values."""
        return self.values[metric]


def mean_of(runs: Sequence[Sampled]) -> Sampled:
    """The mean of networks that were `sample`d together; of one network, this itself."""
    if len(runs) == 1:
        return runs[0]
    added = sparse.vstack([run.sums for run in runs])
    rows = np.tile(np.arange(runs[0].sums.shape[0]), len(runs))
    mean = sparse.csr_array((np.full(rows.size, 1 / len(runs)), (rows, np.arange(rows.size)))) @ added
    sums = sparse.csr_array(mean)
    metrics = tuple(runs[0].drawn)
    return Mean(
        sums,
        runs[0].classes,
        {m: np.mean([run.drawn[m] for run in runs], axis=0) for m in metrics},
        {m: np.mean([run.left_out[m] for run in runs], axis=0) for m in metrics},
        {m: float(np.mean([run.value(m) for run in runs])) for m in metrics},
    )


def t_interval(values: Floats, shared: float = 0.0) -> tuple[float, float]:
    """95 % interval of the mean of the values (R,), R at least 2.

    Args:
        shared: rows tested per row trained on, of each run, where the values come from resampled parts of one set:
            Nadeau and Bengio's correction adds it to 1 / R. 0 for values that are independent.
    """
    half = student.ppf((1 + LEVEL) / 2, values.size - 1) * values.std(ddof=1) * np.sqrt(1 / values.size + shared)
    return float(values.mean() - half), float(values.mean() + half)


def over_seeds(value: float, tested: Interval, values: Floats) -> tuple[float, float]:
    """The ends of the interval that holds the chance of the test examples and that of training.

    Args:
        value: the mean over the seeds; tested: its interval, the networks taken as they are; values: that of each.
    """
    half = (t_interval(values)[1] - values.mean()) if values.size > 1 else 0.0
    return value - float(np.hypot(value - tested.low, half)), value + float(np.hypot(tested.high - value, half))


def within(ends: tuple[float, float], metric: str) -> tuple[float, float]:
    """The ends of a score's interval inside what the metric can be."""
    least, most = (
        (-1.0 if metric in ("mcc", "quadratic_kappa") else 0.0),
        (np.inf if metric in LOWER_IS_BETTER else 1.0),
    )
    return max(ends[0], least), min(ends[1], most)


def scored(runs: Sequence[Sampled], metric: str, *, constant: bool = False) -> tuple[float, float, float]:
    """Value, low and high of the mean of networks that were `sample`d together; see the module."""
    mean = mean_of(runs)
    found = interval(mean, metric, constant=constant)
    return mean.value(metric), *within(over_seeds(mean.value(metric), found, _values(runs, metric)), metric)


def compared(ours: Sequence[Sampled], theirs: Sequence[Sampled], metric: str) -> tuple[float, float, float]:
    """Value, low and high of the first's mean minus the second's, all of them `sample`d together: paired by groups.

    Runs of equally many seeds are paired by their places too, as a network and the probe that it started from are;
    else the chance of each side's training is a part of its own.
    """
    value, found = difference(mean_of(ours), mean_of(theirs), metric)
    mine, other = _values(ours, metric), _values(theirs, metric)
    if mine.size == other.size:
        return value, *over_seeds(value, found, mine - other)
    low, high = over_seeds(value, found, mine)
    return value, *over_seeds(value, Interval(low, high, found.method), other - other.mean() + value)


def _values(runs: Sequence[Sampled], metric: str) -> Floats:
    return np.array([run.value(metric) for run in runs])
