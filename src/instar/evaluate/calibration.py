"""Whether a confidence means what it says: of the answers given with 80 % confidence, are 80 % right?"""

import numpy as np
import polars as pl
from scipy import sparse

from instar.metrics import Floats, Ints
from instar.shares import intervals_of

BINS = 10
SMALLEST_BIN = 20
"""Examples that a bin should hold: with fewer, its interval may cover half of the scale (our judgement)."""


def reliability(confidence: Floats, right: Floats, groups: Ints) -> pl.DataFrame:
    """Confidence against accuracy in bins of equal size (Nguyen and O'Connor 2015, arXiv 1508.05154).

    confidence: (N,) probability of the answer given; right: (N,) 1 where it was right, else 0; groups: (N,) twins
    share one.
    Returns confidence (mean of the bin), accuracy, low, high (95 % interval, `shares.intervals_of`) and n, from low to
    high confidence. At most `BINS` bins; equal confidences share a bin, so that there may be fewer.
    """
    bins = max(1, min(BINS, confidence.size // SMALLEST_BIN))
    edges = np.unique(np.quantile(confidence, np.arange(1, bins) / bins))
    _, index = np.unique(np.searchsorted(edges, confidence, side="left"), return_inverse=True)
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
