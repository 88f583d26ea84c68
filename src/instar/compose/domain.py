"""How far the sources lie apart: can a classifier tell from an example which source it comes from?

A domain classifier on frozen features, cross-validated (the proxy distance of Ben-David et al. 2010,
doi:10.1007/s10994-009-5152-4, rests on its error). Sources with different classes can be told apart by what
is shown; so the question is put once more for the classes that several sources share, in equal numbers.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import rankdata
from sklearn.model_selection import StratifiedKFold

from instar.shares import Z, wilson

MOST = 500
"""Examples per source that are looked at: an accuracy near 90 % is then known to ±3 points or better."""
FEWEST = 20
"""Examples per source below which nothing is said of it (our judgement)."""
FOLDS = 5
EDGE = 1e-9
"""How near to 0 and 1 the ends of an interval are looked for; at 0 and 1 themselves stands a false root."""
DIGITS = 4

Scorer = Callable[[pl.DataFrame, NDArray[np.int64], Sequence[str]], NDArray[np.float64]]
"""(rows, fold of each row, sources) -> (rows, sources): probability of each source from models that did not
see the fold."""


@dataclass(frozen=True)
class Separation:
    """How well one source is told from all others."""

    source: str
    n: int
    auroc: float
    """Chance that an example of it looks more like it than one of another source does; 0.5: no difference."""
    low: float
    high: float


@dataclass(frozen=True)
class Domain:
    """The domain classifier's score."""

    n: int
    accuracy: float
    low: float
    high: float
    majority: float
    """Accuracy of naming the largest source always."""
    by_label: float
    """Accuracy of naming, for each class, the source that has most of it: what the label alone tells."""
    separations: tuple[Separation, ...]
    """Per source; for two sources the first only, since both say the same."""
    left_out: tuple[str, ...]
    """Sources with too few examples to say anything."""


def sample(kept: pl.DataFrame) -> pl.DataFrame:
    """At most `MOST` examples of each source, one of each group of twins.

    Args:
        kept: columns source, label, twin, and lot, which must not be the lot that a cap has drawn by: what a
            cap left of a class has small lots and would be drawn first.
    """
    once = kept.unique("twin", keep="first", maintain_order=True)
    return once.filter(pl.col("lot").rank("ordinal").over("source") <= MOST)


def sample_shared(kept: pl.DataFrame) -> pl.DataFrame:
    """Examples of classes that several sources share, in each class as many of one source as of another."""
    once = kept.unique("twin", keep="first", maintain_order=True)
    shared = once.filter(pl.col("source").n_unique().over("label") > 1)
    room = max(1, MOST // max(shared["label"].n_unique(), 1))
    of_pair = pl.len().over("label", "source")
    most = of_pair.min().over("label").clip(upper_bound=room)
    return shared.filter(pl.col("lot").rank("ordinal").over("label", "source") <= most)


def domain(rows: pl.DataFrame, sources: Sequence[str], scorer: Scorer, seed: int) -> Domain | None:
    """Cross-validate a classifier of sources; None where fewer than two have enough examples.

    Args:
        rows: columns source, label and what the scorer needs; no twins among them.
        sources: all sources in their order.
    """
    counts = dict(rows["source"].value_counts().iter_rows())
    present = [name for name in sources if counts.get(name, 0) >= FEWEST]
    if len(present) < 2:
        return None
    rows = rows.filter(pl.col("source").is_in(present))
    truth = np.array([present.index(name) for name in rows["source"]], dtype=np.int64)
    fold = np.zeros(rows.height, dtype=np.int64)
    for i, (_, held) in enumerate(StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(truth, truth)):
        fold[held] = i
    probabilities = scorer(rows, fold, present)
    accuracy = float((probabilities.argmax(axis=1) == truth).mean())
    low, high = wilson(accuracy, rows.height)
    pairs = rows.group_by("label", "source").len()
    best = int(pairs.group_by("label").agg(pl.col("len").max())["len"].sum())
    told = [
        separation(name, truth == i, probabilities[:, i])
        for i, name in enumerate(present)
        if i == 0 or len(present) > 2
    ]
    return Domain(
        n=rows.height,
        accuracy=round(accuracy, DIGITS),
        low=round(low, DIGITS),
        high=round(high, DIGITS),
        majority=round(float(np.bincount(truth).max()) / rows.height, DIGITS),
        by_label=round(best / rows.height, DIGITS),
        separations=tuple(told),
        left_out=tuple(name for name in sources if name not in present),
    )


def separation(source: str, mine: NDArray[np.bool_], score: NDArray[np.float64]) -> Separation:
    """AUROC of a score for one source against the rest, with its interval."""
    m, n = int(mine.sum()), int((~mine).sum())
    auroc = float((rankdata(score)[mine].sum() - m * (m + 1) / 2) / (m * n))
    low, high = newcombe(auroc, m, n)
    return Separation(source, m, round(auroc, DIGITS), round(low, DIGITS), round(high, DIGITS))


def newcombe(auroc: float, m: int, n: int) -> tuple[float, float]:
    """95 % interval of an AUROC from m and n examples that does not shrink to a point at 0 and 1.

    Method 5 of Newcombe (2006), Stat. Med. 25, 559-573, doi:10.1002/sim.2324: the variance of Hanley and
    McNeil with both numbers replaced by their mean in its numerator, solved for the true value as in a score
    interval.
    """
    mean = (m + n) / 2

    def excess(true: float) -> float:
        spread = 1 + (mean - 1) * ((1 - true) / (2 - true) + true / (1 + true))
        return (auroc - true) ** 2 - Z**2 * true * (1 - true) * spread / (m * n)

    low = 0.0 if auroc == 0 else float(brentq(excess, 0.0, min(auroc, 1 - EDGE)))
    high = 1.0 if auroc == 1 else float(brentq(excess, max(auroc, EDGE), 1.0))
    return low, high


def verdict(found: Domain) -> str:
    """What the separations say, in words, by the figures as the card rounds them."""
    if all(s.low <= 0.5 <= s.high for s in found.separations):
        return "cannot be told apart"
    best = max(round(s.auroc, 2) for s in found.separations)
    return "can be told apart easily" if best >= 0.9 else "can be told apart in part"
