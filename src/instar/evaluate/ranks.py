"""AUROC: how surely probabilities rank the examples of a class before all others, with intervals that respect groups.

The area under the ROC curve of a class is the share of pairs of one of its examples and one of the others in which the
first has the larger probability of the class; a tie counts half. Its mean over the classes is macro AUROC,
one-versus-rest. It is no sum over examples, so no tally has it, and a bootstrap of ranks would take minutes. What each
example adds to it can be told all the same: the share of the others that it beats, or is beaten by (DeLong, DeLong and
Clarke-Pearson 1988). Summed within groups of examples these contributions give a variance that respects groups
(Obuchowski 1997, doi:10.2307/2533958), of the mean over classes and of the difference of two networks too.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit
from scipy.stats import rankdata

from instar.evaluate.intervals import Interval
from instar.metrics import Floats, Ints
from instar.shares import LEVEL, Z, interval_of, varies, wilson


@dataclass(frozen=True, eq=False)
class Ranked:
    """An AUROC, and what each group of examples adds to it."""

    value: float
    influence: Floats
    """(G,): sums to about 0; the sum of its squares is the variance."""
    witnesses: float
    """Groups on the smaller side, those of the class or the others; of a mean, the number of groups that would make a
    mean of shares as uncertain."""
    alone: int | None = None
    """The group that holds all examples of the class, or all others, if it is the only one: its spread is unknown, and
    a mean over classes takes the distance of this class from the others for it."""


def ranked(truth: Ints, probabilities: Floats, groups: Ints) -> tuple[Ranked | None, list[Ranked | None]]:
    """The macro AUROC, and that of each class; None where a class has no example, or no other class has one.

    The macro AUROC is the mean over the classes that have one. Of two classes only the second is ranked: the first has
    the same AUROC, and no word of its own.

    Args:
        truth: (N,) indices of classes.
        probabilities: (N, C).
        groups: (N,) of each example, whatever their numbers.
    """
    _, group = np.unique(groups, return_inverse=True)
    found = [_one(truth == c, p, group) for c, p in enumerate(probabilities.T)]
    heard = [r for r in (found[1:] if len(found) == 2 else found) if r is not None]
    if not heard:
        return None, found
    n = len(heard)
    if n == 1:
        return heard[0], found
    value = sum(r.value for r in heard) / n
    influence = np.sum([r.influence for r in heard], axis=0)
    for r in heard:
        if r.alone is not None:
            influence[r.alone] += r.value - value
    return Ranked(value, influence / n, n**2 / sum(1 / r.witnesses for r in heard)), found


def interval(ranked: Ranked) -> Interval:
    """Wilson's interval of a share at the number of examples at which it would have this variance."""
    if ranked.alone is not None:
        return Interval(*wilson(ranked.value, 1), "groups")
    found = interval_of(ranked.value, _variance(ranked.influence, ranked.witnesses), np.inf, ranked.witnesses)
    return Interval(found.low, found.high, "wilson" if found.varied else "groups")


def difference(ours: Ranked, theirs: Ranked) -> tuple[float, Interval]:
    """Value and interval of ours minus theirs on the same groups (DeLong et al. 1988).

    Where all groups have the same difference, those that may have stayed unseen could have any.
    """
    value = ours.value - theirs.value
    variance = _variance(ours.influence - theirs.influence, ours.witnesses)
    half = Z * float(np.sqrt(variance))
    low, high = max(value - half, -1.0), min(value + half, 1.0)
    if not varies((value + 1) / 2, variance, ours.influence.size):
        _, unseen = wilson(0.0, ours.witnesses)
        low, high = value - unseen * (value + 1), value + unseen * (1 - value)
    return value, Interval(low, high, "ranks")


def _one(own: np.ndarray, p: Floats, group: Ints) -> Ranked | None:
    """Of one class: own (N,) are its examples, p (N,) its probabilities (ranks as of Sun and Xu 2014)."""
    examples, others = int(own.sum()), int((~own).sum())
    if not examples or not others:
        return None
    ranks, beaten = rankdata(p), np.empty(len(p))
    beaten[own] = (ranks[own] - rankdata(p[own])) / others
    beaten[~own] = 1 - (ranks[~own] - rankdata(p[~own])) / examples
    value = float(beaten[own].mean())
    weight = np.where(own, _inflated(group[own]) / examples, _inflated(group[~own]) / others)
    influence: Floats = np.bincount(group, weights=weight * (beaten - value), minlength=group.max() + 1).astype(
        np.float64
    )
    few = min(np.unique(group[own]), np.unique(group[~own]), key=len)
    return Ranked(value, influence, few.size, int(few[0]) if few.size == 1 else None)


def _inflated(group: Ints) -> float:
    """What makes the spread of so few groups around their own mean that around the true one."""
    k = np.unique(group).size
    return float(np.sqrt(k / (k - 1))) if k > 1 else 0.0


def _variance(influence: Floats, witnesses: float) -> float:
    """For use with a normal distribution, although the spread of so few witnesses is itself uncertain (Student)."""
    student = float(stdtrit(max(witnesses - 1, 1), (1 + LEVEL) / 2))
    return float((influence**2).sum()) * (student / Z) ** 2
