"""Which examples and which classes lie next to each other among frozen features? Exact, block by block."""

from dataclasses import dataclass

import numpy as np

from instar.audit.frozen import Features, Floats, Ints

NEIGHBOURS = 60
"""Nearest examples that are looked at: up to `AROUND` less than so many may be copies of one another."""
AROUND = 20
"""... of which so many, copies left out, tell how near examples lie here."""
AS_ONE = 0.1
"""Share of the usual distance to the others around up to which a neighbour does not count as one of these: where there
are many copies of one thing, they would."""
BLOCK = 512
"""Examples compared with all others at a time: 512 x 50,000 similarities are 100 MB."""
MUCH_NEARER = 0.25
"""A copy is at most this much as far as the others around are. Of pairs of butterflies and of Caltech-101 that were
looked at, nearly all up to 0.3 were the same picture re-cropped, mirrored or re-coloured, or shots of one scene; from
there on others of their kind came in."""
SLACK = 0.005
"""Distance that is as good as none: texts of a word, repeated many times, are no copies of one another."""
MUTUAL = 0.75
"""Share of a class whose nearest foreign example is of one certain class, both ways, from which the two are a pair."""
FEWEST_CLASSES = 6
"""With fewer classes the nearest foreign class is often the same by chance."""
FEWEST = 10
"""Examples that a class of a pair must have."""


@dataclass(frozen=True, eq=False)
class Near:
    """U examples: their nearest neighbours, and the nearest example of each class."""

    neighbours: Ints
    """(U, K) positions, nearest first."""
    distances: Floats
    """(U, K) cosine distances of the centred features."""
    by_class: Floats
    """(U, C) distance to the nearest other example of each class; inf where there is none."""


def scan(features: Features, labels: Ints, classes: int) -> Near:
    """Compare all examples with all others; label -1 belongs to no class."""
    order = np.argsort(np.where(labels < 0, classes, labels), kind="stable")
    centred = features[order] - features.mean(0)
    unit = centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-9)
    sorted_labels = labels[order]
    known = int((labels >= 0).sum())
    present, starts = np.unique(sorted_labels[sorted_labels >= 0], return_index=True)
    n, k = len(unit), min(NEIGHBOURS, len(unit) - 1)
    nearest, similar = np.empty((n, k), dtype=np.int64), np.empty((n, k))
    by_class = np.full((n, classes), np.inf)
    for start in range(0, n, BLOCK):
        alike = unit[start : start + BLOCK] @ unit.T
        rows = np.arange(len(alike))
        alike[rows, start + rows] = -np.inf
        if known:
            by_class[start : start + BLOCK][:, present] = 1 - np.maximum.reduceat(alike[:, :known], starts, axis=1)
        top = np.argpartition(alike, n - k, axis=1)[:, n - k :]
        value = np.take_along_axis(alike, top, axis=1)
        sort = np.lexsort((top, -value), axis=1)
        nearest[start : start + BLOCK] = np.take_along_axis(top, sort, axis=1)
        similar[start : start + BLOCK] = np.take_along_axis(value, sort, axis=1)
    back = np.empty(n, dtype=np.int64)
    back[order] = np.arange(n)
    return Near(order[nearest][back], np.maximum(1 - similar, 0.0)[back], by_class[back])


def copies(near: Near) -> tuple[Ints, Floats]:
    """Pairs (P, 2) of positions, the smaller first, and their distances (P,): much nearer than the others around both.

    What is around is the median distance to the `AROUND` nearest, so that a threshold suits dense places, where
    all examples are alike, as well as sparse ones (a ratio test, as in Lowe 2004, IJCV 60). Those that are `AS_ONE`
    do not count among the nearest.
    """
    around = _around(near.distances)
    first = np.repeat(np.arange(len(around)), near.distances.shape[1])
    second, distance = near.neighbours.ravel(), near.distances.ravel()
    keep = distance + SLACK <= MUCH_NEARER * (np.minimum(around[first], around[second]) + SLACK)
    pairs = np.sort(np.stack([first[keep], second[keep]], axis=1), axis=1)
    pairs, at = np.unique(pairs, axis=0, return_index=True)
    return pairs.astype(np.int64), distance[keep][at]


def _around(distances: Floats) -> Floats:
    """Median distance (U,) to the `AROUND` nearest that are not `AS_ONE` with the example; of the last of those that
    were looked at, where nearly all are."""
    usual = float(np.median(distances[:, :AROUND]))
    as_one = (distances + SLACK <= AS_ONE * (usual + SLACK)).sum(1)
    start = np.minimum(as_one, max(distances.shape[1] - AROUND, 0))
    window = start[:, None] + np.arange(min(AROUND, distances.shape[1]))
    around: Floats = np.median(np.take_along_axis(distances, window, axis=1), axis=1)
    return around


def class_pairs(near: Near, labels: Ints, classes: int) -> list[tuple[int, int]]:
    """Classes that are each other's nearest, and about as near as examples of one class are; closest first.

    For at least `MUTUAL` of the examples of either class the nearest example of any other class is of the other one,
    and one of the two medians of these distances is no larger than the median distance of an example of the set to
    the nearest of its own class.
    """
    counts = np.bincount(labels, minlength=classes)
    if (counts > 0).sum() < FEWEST_CLASSES:
        return []
    at = np.arange(len(labels))
    own = near.by_class[at, labels]
    usual = float(np.median(own[np.isfinite(own)]))
    foreign = near.by_class.copy()
    foreign[at, labels] = np.inf
    rival = foreign.argmin(1)
    votes = np.bincount(labels * classes + rival, minlength=classes**2).reshape(classes, classes)
    shares = votes / np.maximum(counts[:, None], 1)
    found = []
    for a, b in np.argwhere(np.triu(np.minimum(shares, shares.T) >= MUTUAL, 1)).tolist():
        apart = min(np.median(near.by_class[labels == a, b]), np.median(near.by_class[labels == b, a]))
        if min(counts[a], counts[b]) >= FEWEST and apart <= usual:
            found.append((float(-min(shares[a, b], shares[b, a])), a, b))
    return [(a, b) for _, a, b in sorted(found)]
