"""95 % intervals of shares that respect groups: examples of one group are not independent witnesses.

The Wilson score interval (Wilson 1927) at the effective number of examples, that which would give an independent sample
the variance found over groups (as for surveys: Korn and Graubard 1998; Dean and Pagano 2015,
doi:10.1093/jssam/smv024). Audit and evaluation both use it.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import ndtri

Counts = sparse.csr_array[np.float64, tuple[int, int]]

LEVEL = 0.95
Z = float(ndtri((1 + LEVEL) / 2))
_NOTHING = 1e-12
"""A variance below this share of what independent examples would have is rounding."""


class Share(NamedTuple):
    """The 95 % interval of a share."""

    low: float
    high: float
    varied: bool
    """Whether groups differ; if not, their number alone made the interval."""


def wilson(share: float, n: float) -> tuple[float, float]:
    """95 % Wilson score interval of a share seen in n independent examples; the whole range for n = 0."""
    if n == 0:
        return 0.0, 1.0
    centre = (share + Z**2 / (2 * n)) / (1 + Z**2 / n)
    half = Z / (1 + Z**2 / n) * np.sqrt(share * (1 - share) / n + Z**2 / (4 * n**2))
    low, high = max(0.0, float(centre - half)), min(1.0, float(centre + half))
    return low if share > 0 else 0.0, high if share < 1 else 1.0  # exact at the ends, where rounding is not


def varies(share: float, variance: float, examples: float) -> bool:
    """Whether the variance of a share found over groups is more than rounding."""
    return examples > 0 and variance > _NOTHING * max(share * (1 - share), _NOTHING) / examples


def interval_of(share: float, variance: float, examples: float, groups: float) -> Share:
    """Wilson's interval of a share with this variance over groups.

    The effective number of examples is never above the number of examples. Where the groups do not differ (all right,
    all wrong, or the same share in each), their variance shows nothing; then the number of groups counts.
    """
    if not varies(share, variance, examples):
        return Share(*wilson(share, groups), varied=False)
    return Share(*wilson(share, min(examples, share * (1 - share) / variance)), varied=True)


def intervals_of(right: Counts, of: Counts) -> list[Share]:
    """The interval of each column's share, right / of, from counts per group (G, K).

    The variance is that of the linearised ratio over groups (Cochran 1977, Sampling Techniques, 6.4). Without twins the
    effective number of examples is their number, exactly.
    """
    examples = _total(of)
    share = np.divide(_total(right), examples, out=np.zeros_like(examples), where=examples > 0)
    apart = right - of.multiply(share).tocsr()
    variance = _total(apart.multiply(apart).tocsr()) / np.maximum(examples, 1) ** 2
    groups = _total((of > 0).astype(np.float64))
    columns = np.stack([share, variance, examples, groups], axis=1).tolist()
    return [interval_of(*column) for column in columns]


def _total(counts: Counts) -> NDArray[np.float64]:
    return np.asarray(counts.sum(axis=0), dtype=np.float64)
