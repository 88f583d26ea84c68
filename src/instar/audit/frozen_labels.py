"""Which labels are probably wrong?"""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from instar.audit.association import wilson_low
from instar.audit.frozen import Floats, Frozen, Ints
from instar.audit.frozen_far import least
from instar.audit.frozen_probe import crossfit, drawn
from instar.audit.wording import DIGITS, number, percent, several
from instar.records import Finding, Json, Verdict

Mask = NDArray[np.bool_]
CHANCE = 0.2
"""Share of the listed labels that may be right by chance, by the probe's own probabilities (our judgement)."""
MATTERS = 0.01
"""Share of suspect labels, surely exceeded, from which they are an issue (our judgement)."""
TEMPERATURES = np.geomspace(0.2, 5.0, 41)
WRONG = np.array([0.0, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4])
"""Shares of wrong labels that are tried beside each temperature."""
BLOCK = 8192
TRIED = 20_000
"""Examples by which the temperature is chosen: one figure needs no more."""


def suspect_labels(frozen: Frozen) -> Finding:
    """Labels that a probe does not believe, although it was not taught by those in doubt.

    1. Confident learning (Northcutt, Jiang, Chuang 2021, JAIR 70, arXiv 1911.00068): an example is a candidate when
       out of fold its most probable class is another one, with a probability of at least the mean that this class has
       among the examples labelled so. 2. The probe is fitted again, out of fold, without the candidates, and its
       probabilities are tempered (Guo et al. 2017, arXiv 1706.04599): a probe that has learnt from wrong labels is
       not surprised by them. 3. Candidates are listed up to the probability of the given label where
       `CHANCE` of as many examples would have so improbable a label by these probabilities if all labels were right.
       The third step keeps classes that overlap from being listed as wrong labels. Outliers, which belong to no
       class, are not listed here.
    """
    known = frozen.known
    labels, features = frozen.labels[known], frozen.features[known]
    doubted = candidates(frozen.probe.probabilities, labels) & frozen.probe.judged
    listed = np.zeros(len(labels), dtype=np.bool_)
    believed, expected = frozen.probe.probabilities, 0.0
    if doubted.any():
        again = crossfit(
            features, labels, frozen.probe.folds, len(frozen.classes), strength=frozen.probe.strength, learn=~doubted
        )
        doubted &= again.judged
        believed = tempered(again.probabilities, labels, again.judged)
        doubted &= ~odd(frozen)[known]
        listed, expected = beyond_chance(believed, labels, doubted)
    return _finding(frozen, labels, believed, listed, int(doubted.sum()), expected)


def candidates(probabilities: Floats, labels: Ints) -> Mask:
    """The off-diagonal of the confident joint (equation 1 of the paper), where the answer is another class too."""
    counts = np.bincount(labels, minlength=probabilities.shape[1])
    own = probabilities[np.arange(len(labels)), labels]
    sums = np.bincount(labels, weights=own, minlength=len(counts))
    least = np.where(counts > 0, sums / np.maximum(counts, 1), np.inf)
    confident = np.where(probabilities >= least, probabilities, -1.0)
    found: Mask = (confident.max(1) >= 0) & (confident.argmax(1) != labels) & (probabilities.argmax(1) != labels)
    return found


def odd(frozen: Frozen) -> Mask:
    """Which of all examples are outliers (N,)."""
    found = np.zeros(len(frozen.labels), dtype=np.bool_)
    at, scores = frozen.far
    if len(scores):
        found[at] = scores > least(len(at))
    return found


def tempered(probabilities: Floats, labels: Ints, use: Mask) -> Floats:
    """Probabilities to the power of 1/T, made to sum to 1.

    T is the best for the labels of `use` together with a share of them that is drawn by chance: labels that are a
    little improbable speak for classes that overlap (a larger T), labels that are quite impossible for wrong ones.
    """
    at = np.flatnonzero(use)
    at = at[drawn(labels[at], TRIED)]
    logs = np.log(probabilities[at] + 1e-12)

    def loss(temperature: float) -> float:
        own = _softened(logs, temperature)[np.arange(len(at)), labels[at]]
        mixed = own * (1 - WRONG[:, None]) + WRONG[:, None] / probabilities.shape[1]
        return -float(np.log(mixed + 1e-300).mean(1).max())

    best = min(TEMPERATURES.tolist(), key=loss)
    found = np.empty_like(probabilities)
    for start in range(0, len(found), BLOCK):
        part = slice(start, start + BLOCK)
        found[part] = _softened(np.log(probabilities[part] + 1e-12), best)
    return found


def _softened(logs: Floats, temperature: float) -> Floats:
    raised: Floats = np.exp((logs - logs.max(1, keepdims=True)) / temperature)
    raised /= raised.sum(1, keepdims=True)
    return raised


def beyond_chance(probabilities: Floats, labels: Ints, doubted: Mask) -> tuple[Mask, float]:
    """The doubted examples up to the largest own probability at which chance accounts for `CHANCE` of them, and how
    many it accounts for.

    If the probabilities are right and all labels too, the number of examples whose label has a probability of at most
    t is expected to be the sum of all probabilities that are at most t.
    """
    own = probabilities[np.arange(len(labels)), labels]
    steps = np.unique(own[doubted])
    chance = np.zeros(len(steps) + 1)
    for start in range(0, len(labels), BLOCK):
        part = probabilities[start : start + BLOCK].ravel()
        chance += np.bincount(np.searchsorted(steps, part), weights=part, minlength=len(chance))
    chance = np.cumsum(chance)[:-1]
    observed = np.searchsorted(np.sort(own[doubted]), steps, side="right")
    good = np.flatnonzero(chance <= CHANCE * observed)
    if not len(good):
        return np.zeros(len(labels), dtype=np.bool_), 0.0
    return doubted & (own <= steps[good[-1]]), float(chance[good[-1]])


def _finding(frozen: Frozen, labels: Ints, believed: Floats, listed: Mask, doubted: int, expected: float) -> Finding:
    at = np.flatnonzero(listed)
    own, suggested = believed[at, labels[at]], believed[at].argmax(1)
    at, own, suggested = (part[suggested != labels[at]] for part in (at, own, suggested))
    names = np.array(frozen.classes, dtype=object)
    rows = pl.DataFrame(
        {
            "id": [frozen.ids[i] for i in frozen.known[at]],
            "label": names[labels[at]].tolist(),
            "suggested": names[suggested].tolist(),
            "probability": believed[at, suggested].round(4),
            "own": own.round(6),
        },
        {"id": pl.String, "label": pl.String, "suggested": pl.String, "probability": pl.Float64, "own": pl.Float64},
    ).sort("own", "id")
    n, m = rows.height, len(labels)
    evidence: dict[str, Json] = {
        "suspects": n,
        "share": round(n / m, DIGITS),
        "n": m,
        "worst_class": None,
        "candidates": doubted,
        "by_chance": round(expected, 1),
    }
    if not n:
        sentence = f"None of {several(m, 'label')} of train and val is one that the probe surely does not believe."
        return Finding("suspect-labels", "passed", sentence, evidence, rows)
    worst = rows.group_by("label").len("n").sort("n", "label", descending=[True, False]).row(0, named=True)
    first = rows.row(0, named=True)
    evidence |= {"worst_class": worst["label"], "worst_n": worst["n"], "first": first["id"]}
    evidence |= {"first_label": first["label"], "first_suggested": first["suggested"]}
    sentence = (
        f"{number(n)} of {several(m, 'label')} of train and val ({percent(evidence['share'])}) "
        f"{'is' if n == 1 else 'are'} probably wrong: a probe that has not learnt from them believes another class, "
        f"where chance would account for about {evidence['by_chance']:.1f}. The first is {first['id']}: labelled "
        f"“{first['label']}”, more like “{first['suggested']}”"
    )
    if n > 2 and worst["n"] > 1:
        often = "most are" if 2 * worst["n"] > n else "most often they are"
        sentence += f"; {often} labelled “{worst['label']}” ({number(worst['n'])})"
    verdict: Verdict = "issue" if wilson_low(n, m) >= MATTERS else "note"
    return Finding(
        "suspect-labels", verdict, sentence + ". Look at them before you trust or drop them.", evidence, rows
    )
