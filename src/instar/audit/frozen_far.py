"""How far each example is from its nearest others, against what is usual in its class."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
COMPONENTS = 50
"""Principal components in which distances are taken: noise of many small ones would make all distances alike."""
NEIGHBOURS = 10
ALPHA = 0.001
"""Probability of listing anything, where the logarithms of the distances are normal (Bonferroni)."""
PRIOR = 50
"""Examples' worth of the spread over all classes that is mixed into that of each class."""


def least(n: int) -> float:
    """Deviations from which one of n examples is an outlier."""
    return round(float(-ndtri(ALPHA / n)), 2)


def unusual(features: NDArray[np.float32], labels: Ints) -> Floats:
    """Robust deviations (N,) of the logarithm of each example's distance from the median of its class."""
    components = min(COMPONENTS, *features.shape)
    space = PCA(components, svd_solver="full" if components == len(features) else "covariance_eigh")
    placed = np.ascontiguousarray(space.fit_transform(features), dtype=np.float32)
    apart, _ = NearestNeighbors(n_neighbors=NEIGHBOURS + 1, algorithm="brute").fit(placed).kneighbors(placed)
    log = np.log(apart[:, 1:].mean(1) + 1e-9)
    centre = np.array([np.median(log[labels == c]) if (labels == c).any() else 0.0 for c in range(labels.max() + 1)])
    residual = log - centre[labels]
    overall = float(np.median(np.abs(residual)))
    n = np.bincount(labels)
    own = np.array([np.median(np.abs(residual[labels == c])) if n[c] else 0.0 for c in range(len(n))])
    spread = 1.4826 * np.sqrt((n * own**2 + PRIOR * overall**2) / (n + PRIOR))
    scores: Floats = residual / np.maximum(spread[labels], 1e-6)
    return scores
