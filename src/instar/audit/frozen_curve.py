"""How much would more data give?"""

import numpy as np
import polars as pl

from instar.audit.association import FOLDS
from instar.audit.frozen import Floats, Frozen, Ints, share_interval
from instar.audit.frozen_probe import WORK, fit
from instar.audit.shortcuts import percent_points
from instar.audit.wording import DIGITS, number, percent
from instar.records import Finding, Json, Verdict

SHARES = (1 / 8, 1 / 4, 1 / 2)
WORTH = 0.01
"""Gain in accuracy from which more data are worth the asking (our judgement)."""
RATES = np.linspace(0.5, 1.0, 26)
"""Factors by which gains may shrink from one doubling to the next: from errors falling as 1/n to falling as log n."""
DRAWS = 4000
CROWDED = 0.1
"""Share of the examples in classes with too few groups to be halved three times, from which the parts are no longer
an eighth, a quarter and a half (our judgement)."""


def learning_curve(frozen: Frozen) -> Finding:
    """Accuracy of the probe on held-out folds, learnt from an eighth, a quarter, half and all of the others, whole
    groups at a time and each part within the next.

    Errors fall as a power of the number of examples towards a floor (Hestness et al. 2017, arXiv 1712.00409): then
    the gains of successive doublings shrink by one factor. That factor and the first gain are fitted to the three
    doublings, and carried one further, but not beyond the gain of the last doubling, nor beyond half of the errors,
    which is what errors lose that fall as 1/n. The interval is that of the fit over draws of the four accuracies with
    their covariance over groups; that the law goes on holding is assumed.
    """
    known = frozen.known
    labels, groups, features = frozen.labels[known], frozen.groups[known], frozen.features[known]
    probe, classes = frozen.probe, len(frozen.classes)
    crowded = _crowded(labels, groups)
    if crowded >= CROWDED:
        sentence = (
            f"{percent(crowded)} of the examples are of classes with fewer than {round(1 / SHARES[0])} groups to learn "
            "from, of which an eighth cannot be taken."
        )
        return Finding("learning-curve", "skipped", sentence, {"crowded": crowded})
    used = range(FOLDS) if features.size * classes <= WORK else range(1)
    held = np.isin(probe.folds, used)
    answers = np.full((len(labels), len(SHARES) + 1), -1, dtype=np.int64)
    answers[:, -1] = frozen.answers
    sizes = np.zeros((len(used), len(SHARES) + 1))
    for row, fold in enumerate(used):
        others = np.flatnonzero((probe.folds != fold) & probe.learnt)
        rank = _rank(labels[others], groups[others], fold)
        sizes[row, -1] = len(others)
        for column, share in enumerate(SHARES):
            learn = others[rank < share]
            sizes[row, column] = len(learn)
            head = fit(features[learn], labels[learn], classes, probe.strength)
            at = probe.folds == fold
            answers[at, column] = head.probabilities(features[at]).argmax(1)
    right = answers[held] == labels[held, None]
    n = sizes.mean(0).round().astype(int)
    ends = [share_interval(column, groups[held]) for column in right.T]
    accuracy = right.mean(0)
    rows = pl.DataFrame(
        {
            "n": n.tolist(),
            "accuracy": accuracy.round(DIGITS).tolist(),
            "low": [low for low, _ in ends],
            "high": [high for _, high in ends],
        },
        {"n": pl.Int64, "accuracy": pl.Float64, "low": pl.Float64, "high": pl.Float64},
    )
    gain = float(_ahead(accuracy[None])[0])
    covariance = _covariance(right.astype(np.float64), groups[held])
    drawn = np.random.default_rng(0).multivariate_normal(accuracy, covariance, DRAWS, method="svd")
    low, high = np.quantile(_ahead(drawn), [0.025, 0.975])
    evidence: dict[str, Json] = {
        "points": rows.select("n", "accuracy").to_dicts(),
        "gain_if_doubled": round(gain, DIGITS),
        "low": round(float(low), DIGITS),
        "high": round(float(high), DIGITS),
        "n": int(n[-1]),
        "first_n": int(n[0]),
        "accuracy": rows["accuracy"][-1],
        "first_accuracy": rows["accuracy"][0],
        "worth": WORTH,
    }
    sentence = (
        f"With {number(evidence['first_n'])} examples to learn from a linear probe gets "
        f"{percent(evidence['first_accuracy'])} right, with {number(evidence['n'])} {percent(evidence['accuracy'])}; "
    )
    points = (
        f"{percent_points(evidence['gain_if_doubled'])} points (95 % interval {percent_points(evidence['low'])} to "
        f"{percent_points(evidence['high'])})"
    )
    verdict: Verdict = "note"
    if low >= WORTH:
        sentence += f"twice as many would give about {points} more."
    elif high < WORTH:
        verdict = "passed"
        sentence += f"twice as many would hardly help the probe: {points}."
    else:
        least = percent_points(WORTH)
        sentence += (
            f"whether twice as many would help by {least} points or more cannot be told for sure: about {points}."
        )
    return Finding("learning-curve", verdict, sentence, evidence, rows)


def _crowded(labels: Ints, groups: Ints) -> float:
    """Share of the examples whose class has fewer groups to learn from than the smallest part takes one of."""
    _, first = np.unique(groups, return_index=True)
    to_learn = np.bincount(labels[first], minlength=labels.max() + 1) * (FOLDS - 1) / FOLDS
    return round(float((to_learn[labels] < 1 / SHARES[0]).mean()), DIGITS)


def _rank(labels: Ints, groups: Ints, seed: int) -> Floats:
    """For each example the place of its group, by chance, among the groups of its class, from 0 to 1; the first group
    of each class is in every part."""
    _, first, code = np.unique(groups, return_index=True, return_inverse=True)
    order = np.random.default_rng(seed).permutation(len(first))
    of_group = labels[first]
    order = order[np.argsort(of_group[order], kind="stable")]
    counts = np.bincount(of_group)
    start = np.cumsum(counts) - counts
    place = np.empty(len(first))
    place[order] = np.arange(len(first)) - start[of_group[order]]
    rank: Floats = (place / counts[of_group])[code]
    return rank


def _ahead(accuracy: Floats) -> Floats:
    """Gain of one more doubling, from accuracies (B, 4) at n/8, n/4, n/2 and n; no more than the last one gave, and no
    more than half of what is left to gain."""
    gains = np.diff(accuracy, axis=1)
    powers = RATES[:, None] ** np.arange(gains.shape[1])
    first = np.maximum(gains @ (powers / (powers**2).sum(1, keepdims=True)).T, 0.0)
    left = ((gains[:, None] - first[..., None] * powers) ** 2).sum(2)
    best = left.argmin(1)
    ahead = first[np.arange(len(gains)), best] * RATES[best] ** gains.shape[1]
    most = np.minimum(gains[:, -1], RATES[0] * (1 - accuracy[:, -1]))
    capped: Floats = np.clip(ahead, 0.0, np.maximum(most, 0.0))
    return capped


def _covariance(right: Floats, groups: Ints) -> Floats:
    """Covariance of the means of the columns, over groups."""
    _, code = np.unique(groups, return_inverse=True)
    centred = right - right.mean(0)
    sums = np.stack([np.bincount(code, weights=column) for column in centred.T], axis=1)
    found: Floats = sums.T @ sums * len(sums) / max(len(sums) - 1, 1) / len(right) ** 2
    return found
