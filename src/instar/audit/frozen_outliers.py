"""Examples that are like no others."""

import numpy as np
import polars as pl
from scipy.special import ndtri
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors

from instar.audit.frozen import Floats, Frozen, Ints
from instar.audit.wording import DIGITS, number, several
from instar.records import Finding, Json

COMPONENTS = 50
"""Principal components in which distances are taken: noise of many small ones would make all distances alike."""
NEIGHBOURS = 10
ALPHA = 0.001
"""Probability of listing anything, where the logarithms of the distances are normal (Bonferroni)."""
PRIOR = 50
"""Examples' worth of the spread over all classes that is mixed into that of each class."""


def outliers(frozen: Frozen) -> Finding:
    """Labelled examples whose nearest others, whatever their label, are much farther than is usual in their class.

    The distance is the mean over the `NEIGHBOURS` nearest (Angiulli and Pizzuti 2002, PKDD) in the first `COMPONENTS`
    principal components, without exact twins; an example of a wrong class is near to the right one and therefore not
    listed. The logarithms of the distances of a class are compared with their median and median absolute deviation
    (Iglewicz and Hoaglin 1993), and listed from where one normal example in a thousand sets would be.
    """
    at = different(frozen)
    empty = {"id": pl.String, "label": pl.String, "distance": pl.Float64}
    if len(at) <= 2 * NEIGHBOURS:
        return Finding("outliers", "skipped", f"{several(len(at), 'different example')} are too few to tell.")
    labels = frozen.labels[at]
    scores, threshold = unusual(frozen.features[at], labels), least(len(at))
    far = np.flatnonzero(scores > threshold)
    far = far[np.argsort(-scores[far], kind="stable")]
    rows = pl.DataFrame(
        {
            "id": [frozen.ids[i] for i in at[far]],
            "label": [frozen.classes[code] for code in labels[far]],
            "distance": scores[far].round(2),
        },
        empty,
    )
    evidence: dict[str, Json] = {"outliers": rows.height, "n": len(at), "threshold": threshold}
    if not rows.height:
        sentence = (
            f"None of {number(len(at))} different {frozen.modality}s of train and val is farther from its nearest "
            f"others than chance has it (more than {threshold:.2f} deviations of its class)."
        )
        return Finding("outliers", "passed", sentence, evidence, rows)
    evidence |= {"first": rows["id"][0], "first_label": rows["label"][0], "first_distance": rows["distance"][0]}
    sentence = (
        f"{number(rows.height)} of {number(len(at))} different {frozen.modality}s of train and val "
        f"{'is' if rows.height == 1 else 'are'} like no others: farther from their nearest ones than is usual in their "
        f"class by more than {threshold:.2f} deviations, most {rows['id'][0]} ({evidence['first_label']}, "
        f"{evidence['first_distance']:.1f})."
    )
    return Finding("outliers", "note", sentence, {**evidence, "share": round(rows.height / len(at), DIGITS)}, rows)


def different(frozen: Frozen) -> Ints:
    """Positions of the labelled examples, one of each set of exact twins."""
    known = frozen.known
    _, first = np.unique(frozen.twins[known], return_index=True)
    positions: Ints = known[np.sort(first)]
    return positions


def least(n: int) -> float:
    """Deviations from which one of n examples is an outlier."""
    return round(float(-ndtri(ALPHA / n)), 2)


def unusual(features: np.ndarray, labels: Ints) -> Floats:
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
