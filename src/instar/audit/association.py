"""How well does something other than the content predict the label? Cross-validated, with an interval over groups."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.special import ndtri
from sklearn.tree import DecisionTreeClassifier

from instar.audit.wording import DIGITS

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
FOLDS = 5
LEAST = 40
"""Labelled examples below which a cross-validated comparison says nothing (our judgement)."""
LEAF = 5
"""Least examples of a leaf of a tree: one odd example makes no rule."""
LEAVES = 4
"""Most leaves of a tree per class: a shortcut is simple."""
ALPHA = 0.05
Predict = Callable[[Ints, Ints], Ints]
"""(rows to learn from, rows to answer for) -> codes of labels."""


@dataclass(frozen=True)
class Known:
    """Labels of train and val as codes, the groups they belong to, and a fold for each, whole groups in one fold."""

    classes: list[str]
    labels: Ints
    groups: Ints
    folds: Ints

    @property
    def usual(self) -> int:
        """The most frequent label over all folds. Out of fold it would be beaten by chance wherever two classes are
        nearly the same size, since the fold that holds more of the one has less of it outside."""
        return int(np.bincount(self.labels).argmax())


@dataclass(frozen=True)
class Gain:
    """Accuracy out of fold, that of the majority, and their difference with its interval."""

    accuracy: float
    majority: float
    gain: float
    low: float
    high: float


def known(rows: pl.DataFrame) -> Known:
    """Codes of the columns label and group, and folds that do not depend on the labels."""
    classes = sorted(rows["label"].unique())
    labels = rows["label"].replace_strict(classes, range(len(classes)), return_dtype=pl.Int64).to_numpy()
    names, groups = np.unique(rows["group"].to_numpy(), return_inverse=True)
    of_group = np.random.default_rng(0).permutation(len(names)) % FOLDS
    return Known(classes, labels, groups.astype(np.int64), of_group[groups].astype(np.int64))


def out_of_fold(of: Known, predict: Predict) -> Ints:
    """An answer for each row by what was learnt from the other folds; where that is -1, the most frequent label."""
    answers = np.full(len(of.labels), of.usual, dtype=np.int64)
    for fold in range(FOLDS):
        held, learn = np.flatnonzero(of.folds == fold), np.flatnonzero(of.folds != fold)
        if len(held) and len(learn):
            found = predict(learn, held)
            answers[held] = np.where(found < 0, of.usual, found)
    return answers


def by_value(of: Known, values: Ints) -> Ints:
    """Out of fold: each value means the label that it has most often elsewhere."""

    def predict(learn: Ints, held: Ints) -> Ints:
        shape = (int(values.max()) + 1, len(of.classes))
        counts = csr_array((np.ones(len(learn)), (values[learn], of.labels[learn])), shape=shape)
        best: Ints = np.asarray(counts.argmax(axis=1), dtype=np.int64).ravel()
        often: Floats = np.asarray(counts.sum(axis=1), dtype=np.float64).ravel()
        meant: Ints = np.where(often > 0, best, -1)
        return meant[values[held]]

    return out_of_fold(of, predict)


def by_tree(of: Known, columns: Floats) -> Ints:
    """Out of fold: a shallow decision tree on columns (n, k)."""

    def predict(learn: Ints, held: Ints) -> Ints:
        leaves = LEAVES * len(of.classes)
        tree = DecisionTreeClassifier(min_samples_leaf=LEAF, max_leaf_nodes=leaves, random_state=0)
        return np.asarray(tree.fit(columns[learn], of.labels[learn]).predict(columns[held]), dtype=np.int64)

    return out_of_fold(of, predict)


def gain(of: Known, answers: Ints, at_once: int = 1) -> Gain:
    """What answers get right beyond the majority.

    The interval is that of a ratio estimator over groups, as examples of one group are one witness (Cochran 1977,
    Sampling Techniques, 6.3), normal, at 95 % for `at_once` comparisons together (Bonferroni).
    """
    right, usual = (answers == of.labels).astype(np.float64), (of.labels == of.usual).astype(np.float64)
    sums = np.bincount(of.groups, weights=right - usual)
    sizes = np.bincount(of.groups)
    mean = float(sums.sum() / sizes.sum())
    groups = len(sizes)
    spread = float(np.sqrt(((sums - mean * sizes) ** 2).sum() * groups / max(groups - 1, 1)) / sizes.sum())
    half = float(-ndtri(ALPHA / 2 / at_once)) * spread
    figures = (float(right.mean()), float(usual.mean()), mean, mean - half, mean + half)
    return Gain(*(round(figure, DIGITS) for figure in figures))


def wilson_low(k: int, n: int, z: float = 1.96) -> float:
    """Lower end of the 95 % Wilson score interval of k in n (Wilson 1927)."""
    share = k / n
    centre = share + z**2 / (2 * n)
    low: float = (centre - z * (share * (1 - share) / n + z**2 / (4 * n**2)) ** 0.5) / (1 + z**2 / n)
    return max(0.0, low)
