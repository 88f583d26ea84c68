"""Means over independent examples, with their 95 % intervals."""

import numpy as np
from scipy.stats import bootstrap

from instar.metrics import Floats
from instar.records import Score
from instar.shares import LEVEL, wilson

DRAWS = 2000


def mean(subject: str, metric: str, values: Floats, least: float, *, paired: bool = False) -> Score:
    """The mean of values (N,) from `least` to 1, which come from independent examples.

    BCa bootstrap (Efron 1987) over the examples, with fixed draws; where all values are alike, Wilson's interval over
    their number says how much may have stayed unseen.

    Args:
        paired: whether each value is a difference of two on the same example.
    """
    n, value, span = values.size, float(values.mean()), 1.0 - least
    if n < 2 or np.ptp(values) < 1e-12:
        low, high = wilson((value - least) / span, n)
        return Score(subject, metric, value, least + span * low, least + span * high, n, "groups")
    found = bootstrap((values,), np.mean, confidence_level=LEVEL, n_resamples=DRAWS, method="BCa", rng=0)
    low, high = found.confidence_interval
    return Score(subject, metric, value, float(low), float(high), n, "paired" if paired else "bootstrap")
