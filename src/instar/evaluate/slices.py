"""On which slices of the test rows is the model surely worse than on the rest, and do their classes explain it?"""

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse

from instar.evaluate.looks import Look, Looks, looks
from instar.evaluate.surprise import corrected
from instar.metrics import Floats, Ints
from instar.shares import LEVEL, Share, intervals_of

SURE = 1 - LEVEL
"""Corrected p below which a slice is surely worse."""
ALIKE = 0.5
"""Share of the rows of two slices together that both hold, from which they are one story (our judgement)."""
SCHEMA: dict[str, type[pl.DataType]] = {
    "column": pl.String,
    "relation": pl.String,
    "slice": pl.String,
    "n": pl.Int64,
    "groups": pl.Int64,
    "wrong": pl.Float64,
    "wrong_low": pl.Float64,
    "wrong_high": pl.Float64,
    "rest": pl.Float64,
    "rest_low": pl.Float64,
    "rest_high": pl.Float64,
    "difference": pl.Float64,
    "difference_low": pl.Float64,
    "difference_high": pl.Float64,
    "p": pl.Float64,
    "expected": pl.Float64,
    "p_within": pl.Float64,
    "like": pl.Int64,
}


def slices(test: pl.DataFrame, table: pl.DataFrame, seed: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What every slice looked at has of mistakes, the surest first, and what became of each column.

    test: id, group, label, predicted; table: id and the columns measure.* and extra.* of these rows; seed: of the
    permutations.

    Returns the columns of `SCHEMA` and those of `Looks.columns`. Of the cuts of a column only the most surprising is
    told, though all count in the correction. wrong and rest are shares of mistakes in the slice and outside it, with
    95 % intervals (`shares.intervals_of`), difference is theirs (Newcombe 1998, Statistics in Medicine 17, method 10,
    from these intervals); intervals are for one slice, not corrected for the choice of it. p is corrected for all
    looks, p_within too, judged within classes. expected is the share of mistakes that the classes of the slice explain:
    wrong less the difference between slice and rest within classes (that of Mantel and Haenszel 1959; Greenland and
    Robins 1985, doi:10.2307/2530643, holds for classes of few examples too). A slice that is one class has all its
    mistakes explained. like is the row of an earlier slice that holds much the same rows.
    """
    told = test.select("id").join(table, on="id", how="left", maintain_order="left")
    _, groups = np.unique(test["group"].to_numpy(), return_inverse=True)
    _, labels = np.unique(test["label"].to_numpy(), return_inverse=True)
    wrong = (test["label"] != test["predicted"]).cast(pl.Int64).to_numpy()
    seen: Looks = looks(told, groups)
    if not seen.found:
        return pl.DataFrame(schema=SCHEMA), seen.columns
    inside = np.stack([look.inside for look in seen.found], axis=1)
    surprise, p = corrected(inside, wrong, np.zeros_like(groups), groups, seed)
    _, within = corrected(inside, wrong, labels, groups, seed)
    kept = _kept(seen.found, surprise, inside)
    rows = _measured(inside[:, kept], wrong, labels, groups)
    frame = pl.DataFrame(
        {
            **{key: [getattr(seen.found[k], key) for k in kept] for key in ("column", "relation", "slice")},
            **rows,
            "p": p[kept],
            "p_within": within[kept],
            "like": _like(inside[:, kept]),
        }
    )
    return frame.select(pl.col(name).cast(kind) for name, kind in SCHEMA.items()), seen.columns


def sure(frame: pl.DataFrame) -> pl.DataFrame:
    """The slices on which the model is surely worse, those that tell the same as an earlier one left out."""
    return frame.filter((pl.col("p") < SURE) & (pl.col("difference") > 0) & pl.col("like").is_null())


def _kept(found: tuple[Look, ...], surprise: Floats, inside: NDArray[np.bool_]) -> list[int]:
    """The slices to be told, most surprising first, then largest: of the cuts of a column only the first."""
    order = np.lexsort((-inside.sum(axis=0), -surprise)).tolist()
    cut: set[str] = set()
    kept = []
    for k in order:
        if found[k].relation in ("at most", "more than"):
            if found[k].column in cut:
                continue
            cut.add(found[k].column)
        kept.append(k)
    return kept


def _measured(inside: NDArray[np.bool_], wrong: Ints, labels: Ints, groups: Ints) -> dict[str, list[float]]:
    """Sizes, shares with their intervals, and what the classes let expect, of slices (N, K)."""
    own, rest = _intervals(inside, wrong, groups), _intervals(~inside, wrong, groups)
    member = inside.astype(np.float64)
    count = member.sum(axis=0)
    shares, others = wrong @ member / count, wrong @ (1 - member) / (len(wrong) - count)
    n_in, n_out, wrong_in, wrong_out = (
        _summed(labels, part) for part in (member, 1 - member, member * wrong[:, None], (1 - member) * wrong[:, None])
    )
    weight = np.divide(1, n_in + n_out, out=np.zeros_like(n_in), where=n_in * n_out > 0)
    excess = ((wrong_in * n_out - wrong_out * n_in) * weight).sum(axis=0)
    within = excess / np.maximum((n_in * n_out * weight).sum(axis=0), 1e-12)
    down = [float(np.hypot(s - i.low, o.high - r)) for s, r, i, o in zip(shares, others, own, rest, strict=True)]
    up = [float(np.hypot(i.high - s, r - o.low)) for s, r, i, o in zip(shares, others, own, rest, strict=True)]
    apart = shares - others
    return {
        "n": count.tolist(),
        "groups": [float(np.unique(groups[column]).size) for column in inside.T],
        "wrong": shares.tolist(),
        "wrong_low": [i.low for i in own],
        "wrong_high": [i.high for i in own],
        "rest": others.tolist(),
        "rest_low": [i.low for i in rest],
        "rest_high": [i.high for i in rest],
        "difference": apart.tolist(),
        "difference_low": (apart - down).tolist(),
        "difference_high": (apart + up).tolist(),
        "expected": np.clip(shares - within, 0, 1).tolist(),
    }


def _intervals(inside: NDArray[np.bool_], wrong: Ints, groups: Ints) -> list[Share]:
    """The interval of the share of mistakes among the rows of each column."""
    member = inside.astype(np.float64)
    return intervals_of(*(sparse.csr_array(_summed(groups, part)) for part in (member * wrong[:, None], member)))


def _summed(codes: Ints, rows: Floats) -> Floats:
    """(G, K): the rows (N, K) summed within each code."""
    which = sparse.csr_array((np.ones(len(codes)), (codes, np.arange(len(codes)))))
    return np.asarray(which @ rows, dtype=np.float64)


def _like(inside: NDArray[np.bool_]) -> list[int | None]:
    """For each slice the first earlier one, itself like none, that holds `ALIKE` of the rows of both (Jaccard)."""
    member = inside.astype(np.float64)
    both, count = member.T @ member, member.sum(axis=0)
    found: list[int | None] = []
    for k in range(inside.shape[1]):
        first = (j for j in range(k) if found[j] is None and both[j, k] >= ALIKE * (count[j] + count[k] - both[j, k]))
        found.append(next(first, None))
    return found
