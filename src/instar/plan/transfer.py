"""How well frozen features suit labels, from their matrix alone: no head is trained.

Both figures rank backbones in about a second each, where a cross-validated probe takes ten and more. They order
candidates and are no accuracy.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh
from sklearn.covariance import ledoit_wolf_shrinkage

Floats = NDArray[np.float64]
Features = NDArray[np.float32]
Ints = NDArray[np.int64]
GRID = np.linspace(-12.0, 12.0, 97)
"""log10 of the ratio of noise to weights, relative to the mean square of a feature, that are tried first."""
ROUNDS = 40
"""Of golden section, each of which makes the bracket 0.618 times as wide: to about 1e-9."""
GOLDEN = (5**0.5 - 1) / 2
NOTHING = 1e-10
"""Share of the largest eigenvalue below which one is rounding."""


def logme(features: Features, labels: Ints) -> float:
    """Log marginal evidence an example, mean over the classes (LogME: You et al. 2021, arXiv 2102.11005).

    For each class, a linear model with Gaussian weights (precision a) and Gaussian noise (precision b) explains the
    indicator (1 or 0) of the class; the evidence is that of the labels with the weights integrated out, at its maximum
    over a and b. For a given ratio a / b the best b has a closed form, so the maximum is sought over the ratio alone,
    for all classes at once: grid, then golden section. That has no start to depend on and cannot run away where there
    are more features than examples.

    Args:
        features: (N, D).
        labels: (N,), class indices; a class without examples takes no part.
    """
    x_ND = features.astype(np.float64)
    n = len(x_ND)
    squares_R, mapped_RN = _spectrum(x_ND)
    y_NC = (labels[:, None] == np.unique(labels)).astype(np.float64)
    z_RC = (mapped_RN @ y_NC) ** 2
    rest_C = np.maximum((y_NC**2).sum(0) - z_RC.sum(0), 0.0)

    def evidence(ratio_C: Floats) -> Floats:
        """(C,) at one ratio a / b for each class."""
        shrunk_RC = ratio_C / (ratio_C + squares_R[:, None])
        energy_C = (shrunk_RC * z_RC).sum(0) + rest_C  # squared error plus ratio times squared weights, at their least
        per_b = n / 2 * (np.log(n / np.maximum(energy_C, 1e-300)) - 1 - np.log(2 * np.pi))
        found: Floats = per_b + np.log(shrunk_RC).sum(0) / 2
        return found

    scale = np.log(max(squares_R.sum() / x_ND.shape[1], 1e-300))
    tried_KC = np.stack([evidence(np.full(y_NC.shape[1], np.exp(scale + g))) for g in GRID * np.log(10)])
    place = np.clip(tried_KC.argmax(0), 1, len(GRID) - 2)
    low, high = ((GRID * np.log(10))[place + step] + scale for step in (-1, 1))
    for _ in range(ROUNDS):
        left, right = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
        better = evidence(np.exp(left)) > evidence(np.exp(right))
        low, high = np.where(better, low, left), np.where(better, right, high)
    return float(evidence(np.exp((low + high) / 2)).mean() / n)


def _spectrum(x_ND: Floats) -> tuple[Floats, Floats]:
    """Squared singular values (R,) and the left singular vectors (R, N), from the smaller Gram matrix."""
    n, d = x_ND.shape
    gram = x_ND @ x_ND.T if n < d else x_ND.T @ x_ND
    values, vectors = eigh(gram)
    kept = values > NOTHING * max(float(values[-1]), 1e-300)
    values, vectors = values[kept], vectors[:, kept]
    return values, vectors.T if n < d else (x_ND @ vectors / np.sqrt(values)).T


def h_score(features: Features, labels: Ints) -> float:
    """Spread of the class means in units of the spread of the features: trace of cov(features)^-1 cov(class means),
    with the shrunk covariance of Ledoit and Wolf (Ibrahim et al. 2021, arXiv 2110.06893).

    Between 0 and the number of classes less one. Does not change when features are shifted, scaled or rotated.

    Args:
        features: (N, D).
        labels: (N,), class indices.
    """
    x_ND = features.astype(np.float64)
    x_ND -= x_ND.mean(0)
    n, d = x_ND.shape
    shrinkage = float(ledoit_wolf_shrinkage(x_ND, assume_centered=True))
    covariance_DD = (1 - shrinkage) * (x_ND.T @ x_ND) / n
    covariance_DD[np.diag_indices(d)] += shrinkage * max(float((x_ND**2).sum()) / (n * d), 1e-300)
    _, code, counts = np.unique(labels, return_inverse=True, return_counts=True)
    sums_CD = np.zeros((len(counts), d))
    np.add.at(sums_CD, code, x_ND)
    weighted_CD = sums_CD / np.sqrt(counts * n)[:, None]  # its Gram matrix is the covariance of the class means
    return (1 - shrinkage) * float((weighted_CD * np.linalg.solve(covariance_DD, weighted_CD.T).T).sum())
