"""Answering only where the network is sure: what share of the examples that leaves, and how much of it is right."""

import numpy as np
import polars as pl
from scipy import sparse

from instar.evaluate.calibration import SMALLEST_BIN
from instar.metrics import Floats, Ints
from instar.records import Score, Threshold
from instar.shares import Counts, interval_of, intervals_of

STEPS = 200
"""Thresholds that are looked at: each leaves half a per cent of the examples more unanswered."""
WISHES = (0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99)
"""Shares of right answers that one may wish for."""


def curve(confidence: Floats, right: Floats, groups: Ints) -> pl.DataFrame:
    """Coverage and accuracy of the answers with at least a confidence (El-Yaniv and Wiener 2010, JMLR 11, 1605-1641).

    confidence: (N,) probability of the answer; right: (N,) 1 where it was right, else 0; groups: (N,).
    Returns threshold, coverage, accuracy, low, high (95 % interval, `shares.intervals_of`) and n, from the surest
    answers to all of them.
    """
    found = np.unique(np.quantile(confidence, np.arange(STEPS) / STEPS, method="closest_observation"))
    thresholds: Floats = np.unique(np.append(found, confidence.min()))[::-1]
    n = np.array([(confidence >= t).sum() for t in thresholds])
    ends = intervals_of(*_kept(confidence, right, groups, thresholds))
    accuracy = np.array([right[confidence >= t].mean() for t in thresholds])
    return pl.DataFrame(
        {
            "threshold": thresholds,
            "coverage": n / confidence.size,
            "accuracy": accuracy,
            "low": [end.low for end in ends],
            "high": [end.high for end in ends],
            "n": n,
        }
    )


def _kept(confidence: Floats, right: Floats, groups: Ints, thresholds: Floats) -> tuple[Counts, Counts]:
    """(G, K) right answers and answers of each group at each threshold."""
    _, witness = np.unique(groups, return_inverse=True)
    answered = (confidence[:, None] >= thresholds).astype(np.float64)
    of_group = sparse.csr_array((np.ones(witness.size), (witness, np.arange(witness.size))))
    return sparse.csr_array(of_group @ (answered * right[:, None])), sparse.csr_array(of_group @ answered)


def threshold_for(validation: pl.DataFrame, wished: float) -> float | None:
    """The least threshold of a `curve` of the validation split at which the answers are surely right as often as
    wished: the lower end of their interval reaches it. None where there is none.

    Taking the least threshold at which the share itself reaches the wish would miss it every other time on new
    examples; how often this rule keeps it is simulated in test_evaluate_risk.py.
    """
    enough = validation.filter((pl.col("low") >= wished) & (pl.col("n") >= SMALLEST_BIN))
    return float(enough["threshold"].to_numpy().min()) if enough.height else None


def thresholds(validation: pl.DataFrame, confidence: Floats, right: Floats, groups: Ints) -> tuple[Threshold, ...]:
    """What the thresholds that a `curve` of the validation split gives for the `WISHES` above its accuracy come to on
    the test split."""
    whole = validation["accuracy"][-1] if validation.height else 1.0
    found = []
    for wished in (w for w in WISHES if w > whole):
        threshold = threshold_for(validation, wished)
        if threshold is None or not (kept := confidence >= threshold).any():
            continue
        correct, answered = _kept(confidence, right, groups, np.array([threshold]))
        everything = _kept(confidence, right, groups, np.array([-np.inf]))[1]
        (share,), (accuracy,) = intervals_of(answered, everything), intervals_of(correct, answered)
        found.append(
            Threshold(
                wished,
                threshold,
                float(kept.mean()),
                share.low,
                share.high,
                float(right[kept].mean()),
                accuracy.low,
                accuracy.high,
                int(kept.sum()),
            )
        )
    return tuple(found)


def aurc(confidence: Floats, right: Floats, groups: Ints) -> Score:
    """Area under the risk-coverage curve (Geifman and El-Yaniv 2017, arXiv 1705.08500): the error rate of the surest k
    answers, averaged over k from 1 to N. 0 is without error; an order by chance gives the error rate of all.

    Examples of equal confidence count with their mean error, as in an order drawn by chance. Wilson's interval with
    the variance of the linearised figure over groups: the derivative by the weight of each example.
    """
    _, block, size = np.unique(-confidence, return_inverse=True, return_counts=True)
    wrong = (np.bincount(block, weights=1 - right) / size)[block]
    order = np.argsort(block, kind="stable")
    k = np.arange(1, order.size + 1)
    wrong, risk = wrong[order], wrong[order].cumsum() / k
    area = float(risk.mean())
    later = (1 / k)[::-1].cumsum()[::-1], (risk / k)[::-1].cumsum()[::-1]
    influence = risk - area + wrong * later[0] - later[1]
    _, witness = np.unique(groups[order], return_inverse=True)
    sums = np.bincount(witness, weights=influence)
    found = interval_of(area, float((sums**2).sum()) / order.size**2, order.size, sums.size)
    return Score("after", "aurc", area, found.low, found.high, order.size, "wilson" if found.varied else "groups")
