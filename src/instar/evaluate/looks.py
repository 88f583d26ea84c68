"""Which slices of the test rows are looked at: the values of every column, and the best places to cut its numbers."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Relation = Literal["at most", "more than", "is", "missing"]
LEAST = 10
"""Groups that a slice and the rest must have: fewer show nothing after correction (our judgement)."""
CUTS = 10
"""Numbers are cut at deciles: a search over every place would look oftener, at slices that hardly differ."""
VALUES = 60
"""Values of a column that are looked at one by one; a column of more is a name, not a kind (our judgement)."""
MOST = 1000
"""Looks in all; columns that come later are left out. The draws of 1,000 slices take 8 MB per 1,000 draws."""
CODES = 12
"""Whole numbers of at most so many values may be codes: their values are looked at one by one too."""
ID_SHARE = 0.9
"""Share of different values from which whole numbers of a table are an id or a time stamp (as in `audit.columns`)."""
COLUMNS = ("measure.", "extra.")
DIGESTS = ("measure.sha256", "measure.phash")
DERIVED = {
    "measure.side": pl.min_horizontal("measure.width", "measure.height"),
    "measure.aspect": pl.col("measure.width") / pl.col("measure.height"),
}
"""Made of what pictures have: the shorter side, and width to height."""


@dataclass(frozen=True, eq=False)
class Look:
    """One slice: the rows whose `column` is at most, or more than, a number, is a value, or is missing."""

    column: str
    """With its prefix, as in the table of the data set."""
    relation: Relation
    slice: str
    """The number or the value; empty for what is missing."""
    inside: Mask
    """(N,) the rows of the slice."""


@dataclass(frozen=True, eq=False)
class Looks:
    """All slices that are looked at, and what became of each column."""

    found: tuple[Look, ...]
    columns: pl.DataFrame = field(compare=False)
    """column, looks (slices of it), why (it is left out, or empty; null where it is looked at)"""


def looks(table: pl.DataFrame, groups: NDArray[np.int64]) -> Looks:
    """Slices of the rows of `table`, from its columns measure.* and extra.*; groups: (N,) of the rows.

    Every slice and its rest hold `LEAST` groups. Where two columns give the same slice (the address of a store and
    its longitude), it is looked at once, under the first.
    """
    if {"measure.width", "measure.height"} <= set(table.columns):
        table = table.with_columns(**DERIVED)
    found: list[Look] = []
    told: list[dict[str, object]] = []
    seen: dict[bytes, str] = {}
    for name in (n for n in table.columns if n.startswith(COLUMNS)):
        candidates, why = _of_column(table[name], groups)
        if len(found) + len(candidates) > MOST:
            candidates, why = [], "too many columns came before"
        fresh = [look for look in candidates if seen.setdefault(look.inside.tobytes(), name) == name]
        if candidates and not fresh:
            why = f"the same slices as {seen[candidates[0].inside.tobytes()]}"
        found += fresh
        told.append({"column": name, "looks": len(fresh), "why": why})
    schema = {"column": pl.String, "looks": pl.Int64, "why": pl.String}
    return Looks(tuple(found), pl.DataFrame(told, schema=schema))


def _of_column(column: pl.Series, groups: NDArray[np.int64]) -> tuple[list[Look], str | None]:
    """The slices of a column, or none and why."""
    if column.name in DIGESTS:
        return [], "a digest"
    numbers, filled = _numbers(column), _filled(column)
    values = filled.drop_nulls().n_unique()
    if values < 2 and not 0 < filled.null_count() < len(filled):
        return [], "the same everywhere"
    found = [Look(column.name, "missing", "", filled.is_null().to_numpy())]
    if numbers is not None:
        whole = bool((numbers.drop_nulls() % 1 == 0).all())
        if column.name.startswith("extra.") and whole and values >= ID_SHARE * filled.drop_nulls().len():
            return [], "an id"
        found += _cuts(column.name, numbers)
    if numbers is None or (values <= CODES and numbers.dtype.is_integer()):
        found += [
            Look(column.name, "is", str(value), (filled == value).fill_null(False).to_numpy())
            for value in filled.drop_nulls().unique().sort()
        ]
    found = [look for look in found if _enough(look.inside, groups)]
    if sum(look.relation == "is" for look in found) > VALUES:
        return [], f"more than {VALUES} values"
    return (found, None) if found else ([], f"no value is shared by {LEAST} groups")


def _filled(column: pl.Series) -> pl.Series:
    """The values, those that say nothing as nulls."""
    if column.dtype == pl.String:
        bare = column.str.strip_chars()
        return column.set(bare == "", None)
    if column.dtype.is_float():
        return column.fill_nan(None)
    return column if column.dtype.is_numeric() or column.dtype == pl.Boolean else column.cast(pl.String)


def _numbers(column: pl.Series) -> pl.Series | None:
    """The column as numbers, "1,240" being one; None where any of its values is not."""
    filled = _filled(column)
    if filled.dtype == pl.String:
        plain = filled.str.strip_chars().str.replace_all(r"(\d),(\d{3})", "$1$2")
        filled, lost = plain.cast(pl.Float64, strict=False), plain
        if filled.null_count() > lost.null_count() or not filled.drop_nulls().is_finite().all():
            return None
    return filled if filled.dtype.is_numeric() else None


def _cuts(name: str, numbers: pl.Series) -> list[Look]:
    """Both sides of each decile, at values that occur."""
    known = np.sort(numbers.drop_nulls().to_numpy())
    at = [round(len(known) * k / CUTS) - 1 for k in range(1, CUTS)] if len(known) >= CUTS else range(len(known))
    places = np.unique(known[list(at)])
    values = numbers.cast(pl.Float64).to_numpy()
    found = []
    for place in places[places < known[-1]].tolist():
        text = f"{place:.10g}"
        with np.errstate(invalid="ignore"):
            found.append(Look(name, "at most", text, values <= place))
            found.append(Look(name, "more than", text, values > place))
    return found


def _enough(inside: Mask, groups: NDArray[np.int64]) -> bool:
    """Whether slice and rest both hold enough groups."""
    return min(np.unique(groups[inside]).size, np.unique(groups[~inside]).size) >= LEAST
