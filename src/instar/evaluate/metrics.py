"""What each example adds to the sums that metrics are made of, so that a bootstrap draw costs one multiplication."""

import numpy as np
from scipy import sparse

from instar.metrics import Floats, Ints, Tally

Sparse = sparse.csr_array[np.float64, tuple[int, int]]
TOP = 5
SMALLEST_PROBABILITY = float(np.finfo(np.float64).eps)
"""Probabilities are clipped here before the logarithm, as scikit-learn's log_loss does for float64."""


def contributions(truth: Ints, predicted: Ints, classes: int, probabilities: Floats | None = None) -> Sparse:
    """(N, 3C + 4), sparse: what each example adds to a tally; `tally_of` reads sums of these rows.

    truth, predicted: (N,) indices of classes; probabilities: (N, C), rows summing to 1.
    """
    rows = np.arange(truth.size)
    near, loss = np.zeros(truth.size), np.zeros(truth.size)
    if probabilities is not None:
        of_truth = probabilities[rows, truth]
        near = ((probabilities >= of_truth[:, None]).sum(axis=1) <= TOP).astype(np.float64)
        loss = -np.log(np.clip(of_truth, SMALLEST_PROBABILITY, None))
    one = np.ones(truth.size)
    steps = np.abs(truth - predicted).astype(np.float64)
    values = [(truth == predicted).astype(np.float64), one, one, near, loss, steps, steps**2]
    last = [np.full(truth.size, 3 * classes + i) for i in range(4)]
    columns = [truth, classes + predicted, 2 * classes + truth, *last]
    entries = (np.concatenate(values), (np.tile(rows, len(columns)), np.concatenate(columns)))
    return sparse.csr_array(entries, shape=(truth.size, 3 * classes + 4))


def tally_of(sums: Floats, classes: int) -> Tally:
    """Read (..., 3C + 4) sums of `contributions` as a tally."""
    hits, predicted, actual = (sums[..., i * classes : (i + 1) * classes] for i in range(3))
    return Tally(hits, predicted, actual, sums[..., -4], sums[..., -3], sums[..., -2], sums[..., -1])


def tally(truth: Ints, predicted: Ints, classes: int, probabilities: Floats | None = None) -> Tally:
    """The tally of a set of examples, without leading axes."""
    sums: Floats = contributions(truth, predicted, classes, probabilities).sum(axis=0)
    return tally_of(np.asarray(sums, dtype=np.float64), classes)
