"""What a frozen pre-trained network makes of a data set: the record that the checks named frozen_* look at.

No torch here: the features were computed before (`pipeline.frozen`), and everything else is arithmetic on them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import ndtri

from instar.audit.frozen_far import NEIGHBOURS, unusual
from instar.audit.frozen_probe import CrossFit
from instar.audit.wording import DIGITS
from instar.records import Finding
from instar.shares import intervals_of

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Features = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Mirrored:
    """Answers of the probe to the mirror images of some labelled pictures that it has not learnt from."""

    places: Ints
    """Which of the labelled examples these are (K,), as positions in `Frozen.known`."""
    answers: Ints
    """Class index for each mirror image (K,)."""


@dataclass(frozen=True, eq=False)
class Frozen:
    """Examples of the splits train, val and test with their frozen features, and a probe's answers out of fold.

    N examples, M of them labelled (train and val), C classes, D features.
    """

    modality: str
    classes: tuple[str, ...]
    backbone: str
    """Title of the network, to show a reader."""
    ids: Sequence[str]
    labels: Ints
    """Class index (N,); -1 for test rows, whose labels are never seen."""
    splits: Sequence[str]
    groups: Ints
    """What a split keeps together (N,)."""
    twins: Ints
    """Equal for exact twins (N,)."""
    features: Features
    """(N, D)"""
    probe: CrossFit
    """Of the labelled examples, in their order here."""
    cheap: Ints | None
    """What a baseline without a network answers to the labelled examples out of fold (M,); -1 where not asked."""
    cheap_name: str
    mirrored: Mirrored | None
    """None where examples have no mirror image."""
    seconds: float
    """What features and probe took."""
    left_out: int = 0
    """Examples beyond the largest number that is looked at."""
    grouping: str = "near"
    """What `groups` keeps together: near copies as well, or exact ones alone."""

    @property
    def known(self) -> Ints:
        """Positions of the labelled examples (M,)."""
        return np.flatnonzero(self.labels >= 0)

    @property
    def answers(self) -> Ints:
        """The probe's class for each labelled example (M,)."""
        answers: Ints = self.probe.probabilities.argmax(1)
        return answers

    @cached_property
    def far(self) -> tuple[Ints, Floats]:
        """Positions (U,) of the labelled examples, one of each set of exact twins, and by how many deviations each is
        farther from its nearest others than is usual in its class (U,); no scores where there are too few to tell."""
        _, first = np.unique(self.twins[self.known], return_index=True)
        at: Ints = self.known[np.sort(first)]
        if len(at) <= 2 * NEIGHBOURS:
            return at, np.zeros(0)
        return at, unusual(self.features[at], self.labels[at])


FrozenCheck = Callable[[Frozen], Finding]


def share_interval(right: NDArray[np.bool_], groups: Ints) -> tuple[float, float]:
    """95 % interval of a share over examples in groups, rounded for the record (`shares.intervals_of`)."""
    _, codes = np.unique(groups, return_inverse=True)
    counts = (np.bincount(codes, weights=weights) for weights in (right, np.ones(len(right))))
    (found,) = intervals_of(*(sparse.csr_array(column.astype(np.float64)[:, None]) for column in counts))
    return round(found.low, DIGITS), round(found.high, DIGITS)


def mean_interval(values: Floats, groups: Ints, level: float = 0.95) -> tuple[float, float, float]:
    """Mean of values over examples in groups, and its normal interval as a ratio estimator (Cochran 1977, 6.3)."""
    mean = float(values.mean())
    half = float(-ndtri((1 - level) / 2)) * _spread(values, groups)
    return round(mean, DIGITS), round(mean - half, DIGITS), round(mean + half, DIGITS)


def _spread(values: Floats, groups: Ints) -> float:
    """Standard error of the mean of values over groups."""
    _, codes = np.unique(groups, return_inverse=True)
    residuals = np.bincount(codes, weights=values - values.mean())
    k = len(residuals)
    return float(np.sqrt((residuals**2).sum() * k / max(k - 1, 1)) / len(values))


def labelled(frozen: Frozen) -> str:
    """What the labelled examples are called in a sentence."""
    return f"{frozen.modality}s of train and val"
