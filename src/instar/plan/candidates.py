"""Several backbones on the same data: what each is worth, what it costs, and which one is taken."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import ndtri
from scipy.stats import binomtest

from instar.modality.modalities import MODALITIES
from instar.plan.engine import fastest
from instar.plan.reasons import reason
from instar.plan.stages import MEASURED_SHARE, MINUTES, epoch_seconds
from instar.records import Card, Dataset, Json, Measurements
from instar.shares import LEVEL, Share, intervals_of

EXAMPLES, LEAST = 3_000, 20
"""Training examples that are looked at, the same number of each class, but no fewer than `LEAST` a class (our
judgement: a pass over them takes a small network about a minute on two cores)."""
PROBED = 4
"""Candidates that are probed beside the one that would be taken without scores: those with the highest LogME."""
SCHEMA = {
    "backbone": pl.String,
    "title": pl.String,
    "weights": pl.String,
    "parameters": pl.Int64,
    "input_size": pl.Int64,
    "logme": pl.Float64,
    "accuracy": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "n": pl.Int64,
    "a_class": pl.Int64,
    "gain": pl.Float64,
    "gain_low": pl.Float64,
    "gain_high": pl.Float64,
    "behind_low": pl.Float64,
    "behind_high": pl.Float64,
    "ms_example": pl.Float64,
    "epoch_seconds": pl.Float64,
    "minutes": pl.Float64,
    "default": pl.Boolean,
    "verdict": pl.String,
    "reason": pl.String,
}
"""Columns of 3-plan/backbones/scores.csv. accuracy: of the cross-validated probe on n examples, at most a_class of a
class; gain: accuracy less that of the default, behind: that of the best less this one's, both paired; epoch_seconds,
minutes: with the upper half of the trunk thawed, and in all."""
VERDICTS = ("chosen", "behind", "dearer", "too slow", "not probed", "not at hand")
"""chosen; surely worse than the best; not surely worse, but no cheaper than the chosen one; more time than the plan
allows; not among those with the highest LogME; could not be loaded."""


@dataclass(frozen=True, eq=False)
class Scored:
    """A candidate that could be loaded."""

    backbone: str
    weights: str | None
    """The file that was named for it."""
    card: Card
    input_size: int
    measurements: Measurements
    logme: float
    right: NDArray[np.bool_] | None
    """Whether the probe, out of fold, was right on each example (M,); None where it was not probed."""

    @property
    def accuracy(self) -> float:
        """Of the probe."""
        assert self.right is not None
        return float(self.right.mean())


@dataclass(frozen=True)
class Cost:
    """What it takes to train a candidate here."""

    ms_example: float
    """Milliseconds for one example forward."""
    epoch_seconds: float
    minutes: float
    """Of as many epochs as the plan allows, but of no fewer than usual."""
    in_time: bool
    """Whether the fewest usual epochs stay within the minutes that a stage may take."""


def drawn(dataset: Dataset, seed: int = 0) -> pl.DataFrame:
    """Rows of the training part that candidates are compared on, the same number of each class as far as there are
    so many, drawn by chance, in the order of the table. No other part is looked at."""
    train = dataset.part("train")
    most = max(LEAST, -(-EXAMPLES // len(dataset.classes)))
    order = np.random.default_rng(seed).permutation(train.height)
    turn = pl.int_range(pl.len()).over("label")
    kept = train.with_row_index("place")[order].filter(turn < most).sort("place")
    return kept.drop("place")


def cost(scored: Scored, dataset: Dataset) -> Cost:
    """Seconds and minutes with the upper half of the trunk thawed, by the fastest way measured: the plan's own account
    of a stage (`plan.stages`), before any finding moves how much is thawed."""
    timing = fastest(scored.measurements)
    train, val = dataset.part("train").height, dataset.part("val").height
    seconds = epoch_seconds(timing, train, val, MEASURED_SHARE)
    least, most = MODALITIES[scored.card.modality].habits.epochs
    epochs = min(max(int(MINUTES * 60 / seconds), least), most)
    return Cost(1000 / timing.forward, seconds, epochs * seconds / 60, least * seconds <= MINUTES * 60)


def difference(
    ours: NDArray[np.bool_], theirs: NDArray[np.bool_], groups: NDArray[np.int64], at_once: int
) -> tuple[float, float, float]:
    """How much more often `ours` is right than `theirs` on the same examples, with the interval of a ratio estimator
    over groups (Cochran 1977, Sampling Techniques, 6.3), at 95 % for `at_once` comparisons together (Bonferroni).

    Widened to hold 0 where the exact sign test over the groups in which they differ sees chance, as in the evaluation:
    a normal interval would be sure of what three coins show.
    """
    alpha = (1 - LEVEL) / at_once
    _, code = np.unique(groups, return_inverse=True)
    sums = np.bincount(code, weights=ours.astype(np.float64) - theirs)
    sizes = np.bincount(code)
    mean = float(sums.sum() / sizes.sum())
    spread = float(np.sqrt(((sums - mean * sizes) ** 2).sum() * len(sizes) / max(len(sizes) - 1, 1)) / sizes.sum())
    half = -float(ndtri(alpha / 2)) * spread
    low, high = mean - half, mean + half
    better, worse = int((sums > 0).sum()), int((sums < 0).sum())
    if not better + worse or binomtest(better, better + worse).pvalue >= alpha:
        low, high = min(low, 0.0), max(high, 0.0)
    return mean, low, high


def to_probe(logmes: Sequence[float], default: int) -> list[int]:
    """Which candidates are probed: the default, and those with the highest LogME."""
    order = sorted((i for i in range(len(logmes)) if i != default), key=lambda i: -logmes[i])
    return sorted([default, *order[:PROBED]])


def choose(found: Sequence[Scored], costs: Sequence[Cost], groups: NDArray[np.int64]) -> tuple[int, int]:
    """The one to take, and the best: taken is the cheapest candidate that is not surely worse than the best one, among
    those that were probed and can be trained in the time that a stage may take; if none can, the cheapest of all.

    More time is spent only where more is surely gained; after the one-standard-error rule of Breiman et al. 1984
    (Classification and Regression Trees, 3.4.3), with the interval of the paired difference for the standard error.
    """
    probed = [i for i, one in enumerate(found) if one.right is not None]
    able = [i for i in probed if costs[i].in_time] or [min(probed, key=lambda i: costs[i].epoch_seconds)]
    able.sort(key=lambda i: (costs[i].epoch_seconds, found[i].backbone))
    best = max(able, key=lambda i: found[i].accuracy)
    return next(i for i in able if i == best or behind(found, i, best, groups)[1] <= 0), best


def behind(found: Sequence[Scored], i: int, best: int, groups: NDArray[np.int64]) -> tuple[float, float, float]:
    """How much more often the best is right than another, with its interval for all such comparisons together."""
    ours, theirs = found[best].right, found[i].right
    assert ours is not None and theirs is not None
    return difference(ours, theirs, groups, comparisons(found))


def comparisons(found: Sequence[Scored]) -> int:
    """How many candidates are compared with one of them."""
    return max(1, sum(one.right is not None for one in found) - 1)


def table(
    found: Sequence[Scored],
    refused: Sequence[tuple[str, str]],
    costs: Sequence[Cost],
    rows: pl.DataFrame,
    default: int,
) -> pl.DataFrame:
    """All candidates, from cheap to dear, then those that could not be loaded; columns as in `SCHEMA`.

    Args:
        found: the default among them probed.
        refused: (backbone, why it cannot be loaded).
        rows: as `drawn` gave them.
        default: place in `found` of what would be taken without scores.
    """
    groups = rows["group"].to_numpy()
    chosen, best = choose(found, costs, groups)
    a_class = int(rows.group_by("label").len()["len"].to_numpy().max())
    entries = []
    for i in sorted(range(len(found)), key=lambda i: costs[i].epoch_seconds):
        one, takes = found[i], costs[i]
        entry: dict[str, Json] = {
            "backbone": one.backbone,
            "title": one.card.title,
            "weights": one.weights,
            "parameters": sum(group.parameters for group in one.card.groups),
            "input_size": one.input_size,
            "logme": one.logme,
            "ms_example": takes.ms_example,
            "epoch_seconds": takes.epoch_seconds,
            "minutes": takes.minutes,
            "default": i == default,
            "verdict": "not probed",
        }
        if one.right is not None:
            share = _interval(one.right, groups)
            gain = difference(one.right, _right(found[default]), groups, comparisons(found))
            back = behind(found, i, best, groups)
            entry |= {"accuracy": one.accuracy, "low": share.low, "high": share.high, "n": rows.height}
            entry |= {"a_class": a_class, "behind_low": back[1], "behind_high": back[2]}
            entry |= dict(zip(("gain", "gain_low", "gain_high"), gain, strict=True))
            entry["verdict"] = _verdict(i == chosen, takes, back[1])
        entry["reason"] = reason(entry, found[chosen].card.title, costs[chosen].epoch_seconds, MINUTES)
        entries.append(entry)
    gone = [{"backbone": name, "default": False, "verdict": "not at hand", "reason": why} for name, why in refused]
    return pl.DataFrame([*entries, *gone], SCHEMA)


def _interval(right: NDArray[np.bool_], groups: NDArray[np.int64]) -> Share:
    _, code = np.unique(groups, return_inverse=True)
    hits: NDArray[np.float64] = np.bincount(code, weights=right).astype(np.float64)
    sizes: NDArray[np.float64] = np.bincount(code).astype(np.float64)
    (share,) = intervals_of(sparse.csr_array(hits[:, None]), sparse.csr_array(sizes[:, None]))
    return share


def _right(one: Scored) -> NDArray[np.bool_]:
    assert one.right is not None
    return one.right


def _verdict(chosen: bool, takes: Cost, surely_behind: float) -> str:
    if chosen:
        return "chosen"
    if not takes.in_time:
        return "too slow"
    return "behind" if surely_behind > 0 else "dearer"
