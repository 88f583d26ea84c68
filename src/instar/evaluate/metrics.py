"""What each example adds to the sums that metrics are made of, so that a bootstrap draw costs one multiplication."""

import numpy as np
from scipy import sparse

from instar.metrics import Floats, Ints, Tally

Sparse = sparse.csr_array[np.float64, tuple[int, int]]
SINGLE = ("near_2", "near_5", "loss", "error", "distance", "squared", "within")
"""Fields of `Tally` with one sum, in the order of the columns after the three with one a class."""
SMALLEST_PROBABILITY = float(np.finfo(np.float64).eps)
"""Probabilities are clipped here before the logarithm, as scikit-learn's log_loss does for float64."""


def contributions(truth: Ints, predicted: Ints, classes: int, probabilities: Floats | None = None) -> Sparse:
    """(N, 3C + 7), sparse: what each example adds to a tally; `tally_of` reads sums of these rows.

    truth, predicted: (N,) indices of classes; probabilities: (N, C), rows summing to 1.
    """
    rows, one = np.arange(truth.size), np.ones(truth.size)
    steps = np.abs(truth - predicted).astype(np.float64)
    single = {"distance": steps, "squared": steps**2, "within": (steps <= 1).astype(np.float64)}
    if probabilities is not None:
        of_truth = probabilities[rows, truth]
        place = (probabilities >= of_truth[:, None]).sum(axis=1)
        single |= {
            "near_2": (place <= 2).astype(np.float64),
            "near_5": (place <= 5).astype(np.float64),
            "loss": -np.log(np.clip(of_truth, SMALLEST_PROBABILITY, None)),
            "error": (probabilities**2).sum(axis=1) - of_truth**2 + (1 - of_truth) ** 2,
        }
    values = [(truth == predicted).astype(np.float64), one, one, *single.values()]
    last = [np.full(truth.size, 3 * classes + SINGLE.index(name)) for name in single]
    columns = [truth, classes + predicted, 2 * classes + truth, *last]
    entries = (np.concatenate(values), (np.tile(rows, len(columns)), np.concatenate(columns)))
    return sparse.csr_array(entries, shape=(truth.size, 3 * classes + len(SINGLE)))


def tally_of(sums: Floats, classes: int) -> Tally:
    """Read (..., 3C + 7) sums of `contributions` as a tally."""
    hits, predicted, actual = (sums[..., i * classes : (i + 1) * classes] for i in range(3))
    return Tally(hits, predicted, actual, *(sums[..., 3 * classes + i] for i in range(len(SINGLE))))


def tally(truth: Ints, predicted: Ints, classes: int, probabilities: Floats | None = None) -> Tally:
    """The tally of a set of examples, without leading axes."""
    sums: Floats = contributions(truth, predicted, classes, probabilities).sum(axis=0)
    return tally_of(np.asarray(sums, dtype=np.float64), classes)
