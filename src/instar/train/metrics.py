"""The validation metrics that can choose a checkpoint, from a confusion matrix alone."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Confusion = NDArray[np.int64]
"""(C, C): rows are the labels, columns the predictions."""


def confusion(labels: NDArray[np.int64], predicted: NDArray[np.int64], classes: int) -> Confusion:
    """How often each label got each prediction."""
    return np.bincount(labels * classes + predicted, minlength=classes**2).reshape(classes, classes)


def accuracy(matrix: Confusion) -> float:
    """Share of the examples that are right."""
    return float(np.trace(matrix) / matrix.sum())


def balanced_accuracy(matrix: Confusion) -> float:
    """Mean recall of the classes that occur."""
    occur = matrix.sum(1) > 0
    return float((np.diag(matrix)[occur] / matrix.sum(1)[occur]).mean())


def macro_f1(matrix: Confusion) -> float:
    """Mean F1 of the classes that occur, as a label or as a prediction."""
    both = matrix.sum(0) + matrix.sum(1)
    return float((2 * np.diag(matrix)[both > 0] / both[both > 0]).mean())


def quadratic_kappa(matrix: Confusion) -> float:
    """Agreement beyond chance, with squared distances between ordered classes as weights (Cohen 1968)."""
    places = np.arange(len(matrix))
    distances = (places[:, None] - places[None]) ** 2
    chance = np.outer(matrix.sum(1), matrix.sum(0)) / matrix.sum()
    expected = float((distances * chance).sum())
    return 1 - float((distances * matrix).sum()) / expected if expected else 1.0


METRICS: dict[str, Callable[[Confusion], float]] = {
    "accuracy": accuracy,
    "balanced_accuracy": balanced_accuracy,
    "macro_f1": macro_f1,
    "quadratic_kappa": quadratic_kappa,
}
"""Values of `Recipe.metric`."""
