"""A linear probe on frozen features, answering for each example by what was learnt from other groups."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from instar.audit.association import FOLDS

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Features = NDArray[np.float32]
STRENGTHS = (300.0, 100.0, 30.0, 10.0, 3.0)
"""1/C, strongest first; weaker ones are tried as long as the answers get better."""
SMALLEST = 0.1
"""Deviation of a feature that counts as its least, as a share of the mean deviation."""
ITERATIONS = 100
WORK = 2e9
"""Examples x features x classes that a head learns from at most: more would take minutes for each (our measurement)."""
TOLERANCE = 1e-3
"""Largest gradient of the mean loss at which a fit is over: answers no longer change (our measurement)."""


@dataclass(frozen=True, eq=False)
class Head:
    """A solved linear classifier for features as they are."""

    mean: Features
    scale: Features
    weight: Features
    """(K, D) for the K classes that were seen."""
    bias: Features
    seen: Ints
    """Index of each seen class (K,)."""
    classes: int

    def probabilities(self, features: Features) -> Floats:
        """(N, C); 0 for a class that was not seen."""
        logits = (((features - self.mean) / self.scale) @ self.weight.T + self.bias).astype(np.float64)
        raised = np.exp(logits - logits.max(1, keepdims=True))
        found = np.zeros((len(features), self.classes))
        found[:, self.seen] = raised / raised.sum(1, keepdims=True)
        return found


@dataclass(frozen=True, eq=False)
class CrossFit:
    """One head per fold, and its answers for that fold, which it has not seen."""

    strength: float
    folds: Ints
    """(M,)"""
    heads: tuple[Head, ...]
    probabilities: Floats
    """(M, C) out of fold."""
    judged: NDArray[np.bool_]
    """Whether the label of an example was among those that its head has seen (M,)."""
    learnt: NDArray[np.bool_]
    """Which examples the heads of the other folds have learnt from (M,)."""


def folds_of(labels: Ints, groups: Ints, seed: int = 0) -> Ints:
    """A fold for each example, whole groups in one fold, the groups of each class dealt out in turn.

    Stratified (Kohavi 1995, IJCAI) as far as the label of a group's first example tells; it does not depend on
    anything else.
    """
    _, first, code = np.unique(groups, return_index=True, return_inverse=True)
    order = np.random.default_rng(seed).permutation(len(first))
    order = order[np.argsort(labels[first][order], kind="stable")]
    dealt = np.empty(len(first), dtype=np.int64)
    dealt[order] = np.arange(len(first)) % FOLDS
    return dealt[code]


def fit(features: Features, labels: Ints, classes: int, strength: float) -> Head:
    """Multinomial logistic regression to its optimum, in float32, on features of mean 0 and deviation 1.

    Minimised is the sum of the cross-entropies plus `strength` / 2 times the squared weights, as `train.probe` does.
    """
    mean, scale = features.mean(0), features.std(0)
    scale = np.maximum(scale, max(SMALLEST * float(scale.mean()), 1e-6)).astype(np.float32)
    seen = np.unique(labels)
    if len(seen) == 1:
        nothing = np.zeros((1, features.shape[1]), np.float32)
        return Head(mean, scale, nothing, np.zeros(1, np.float32), seen, classes)
    model = LogisticRegression(C=1 / strength, max_iter=ITERATIONS, tol=TOLERANCE)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # near enough after so many steps
        model.fit((features - mean) / scale, labels)
    weight, bias = model.coef_.astype(np.float32), model.intercept_.astype(np.float32)
    if len(seen) == 2:
        weight, bias = np.stack([-weight[0], weight[0]]) / 2, np.stack([-bias[0], bias[0]]) / 2
    return Head(mean, scale, weight, bias, seen, classes)


def bearable(labels: Ints, width: int, classes: int) -> NDArray[np.bool_]:
    """Which examples may be learnt from (M,), so that no head takes more than `WORK`: each class by its share."""
    chosen = np.zeros(len(labels), dtype=np.bool_)
    most = int(WORK / (width * classes) * FOLDS / (FOLDS - 1))
    chosen[drawn(labels, most)] = True
    return chosen


def drawn(labels: Ints, most: int, seed: int = 0) -> Ints:
    """Positions of at most `most` examples, each class by its share, in order."""
    if len(labels) <= most:
        return np.arange(len(labels))
    order = np.random.default_rng(seed).permutation(len(labels))
    order = order[np.argsort(labels[order], kind="stable")]
    return np.sort(order[np.linspace(0, len(order) - 1, most).round().astype(np.int64)])


def strength_of(features: Features, labels: Ints, folds: Ints, classes: int) -> float:
    """The strength with the least cross-entropy on the first fold, learnt from the others."""
    learn, held = (folds != 0) & bearable(labels, features.shape[1], classes), folds == 0
    best, least = STRENGTHS[0], np.inf
    for strength in STRENGTHS:
        found = fit(features[learn], labels[learn], classes, strength).probabilities(features[held])
        loss = -float(np.log(found[np.arange(len(found)), labels[held]] + 1e-12).mean())
        if loss >= least:
            break
        best, least = strength, loss
    return best


def crossfit(
    features: Features,
    labels: Ints,
    folds: Ints,
    classes: int,
    *,
    strength: float,
    learn: NDArray[np.bool_] | None = None,
    advance: Callable[[int, str], None] = lambda n, note: None,
) -> CrossFit:
    """Answers out of fold; `learn` names the examples that may be learnt from, all of them if it is None; of more than
    `WORK` allows, as many are drawn."""
    may = bearable(labels, features.shape[1], classes)
    if learn is not None:
        may &= learn
    probabilities = np.zeros((len(labels), classes))
    judged = np.zeros(len(labels), dtype=np.bool_)
    heads = []
    for fold in range(FOLDS):
        held, from_others = folds == fold, (folds != fold) & may
        head = fit(features[from_others], labels[from_others], classes, strength)
        probabilities[held] = head.probabilities(features[held])
        judged[held] = np.isin(labels[held], head.seen)
        heads.append(head)
        advance(1, "")
    return CrossFit(strength, folds, tuple(heads), probabilities, judged, may)
