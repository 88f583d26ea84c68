"""Near copies in the new set: the same photograph in two collections is seldom the same file.

They are listed and counted, and stay: which of two versions is the better one, and whether two pictures that differ
in little are the same, a person has to see. A run keeps them on one side of a split (`data.grouping`).
"""

from dataclasses import dataclass

import polars as pl

from instar.data.near import alike_pictures, alike_texts


@dataclass(frozen=True)
class NearCopies:
    """What was found among examples that are no exact copies of each other."""

    pairs: int
    across: int
    """Pairs whose members come from different sources."""
    conflicts: int
    """Pairs whose members stand under different classes."""
    skipped: str
    """Why they were not looked for; mostly ""."""


def near_copies(kept: pl.DataFrame) -> tuple[pl.DataFrame, NearCopies]:
    """Pairs of near copies: scaled, re-coloured or slightly cropped pictures, reworded texts (see `data.near`).

    Args:
        kept: source, original, label, twin, input, and measure.phash for pictures.

    Returns:
        (difference, and source, original and label of both: those of the first, then those of the second, named
        other_*), and the figures.
    """
    rows = kept.unique("twin", keep="first", maintain_order=True)
    found = alike_pictures(rows) if "measure.phash" in rows.columns else alike_texts(rows)
    skipped = found if isinstance(found, str) else ""
    pairs = pl.DataFrame(schema={"first": pl.Int64, "second": pl.Int64, "difference": pl.Float64}) if skipped else found
    assert isinstance(pairs, pl.DataFrame)
    seen = rows.select("source", "original", "label")
    first = seen[pairs["first"].to_list()]
    second = seen[pairs["second"].to_list()].rename({name: f"other_{name}" for name in seen.columns})
    listed = pl.concat([first, second, pairs.select("difference")], how="horizontal")
    across = listed.filter(pl.col("source") != pl.col("other_source")).height
    conflicts = listed.filter(pl.col("label") != pl.col("other_label")).height
    return listed, NearCopies(listed.height, across, conflicts, skipped)
