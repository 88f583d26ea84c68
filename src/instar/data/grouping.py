"""What a split keeps together: exact twins, and near copies with them. Contents decide, labels do not."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import polars as pl

from instar.data.near import Ints, alike_pictures, alike_texts, clusters

Kind = Literal["exact", "near"]
KINDS: tuple[Kind, ...] = get_args(Kind)
GIANT = 1 / 3
"""Largest share of the set, or of a class, that near copies joined to one group may hold: three parts want at least
three groups (our judgement). Chains of near copies grow beyond it where examples are made from a template."""
FEW = 10
"""Different examples that may be joined however small their class is: so few are copies, not a chain."""
WHY = "a test example with a near copy in train is easier than a new one"
ASKED = "grouping=exact was asked for"
LABELLED = ("train", "val", "test")


@dataclass(frozen=True)
class Grouping:
    """What is kept together: the number of the group of each row, and why so."""

    kind: Kind
    groups: pl.Series
    reason: str


def twins(frame: pl.DataFrame) -> pl.Series:
    """Numbers that exact twins share, in the order of their first rows; an unreadable row has no twin."""
    key = pl.when(pl.col("error").is_null()).then(pl.lit("=") + pl.col("twin")).otherwise(pl.lit("!") + pl.col("id"))
    first = pl.col("row").min().over(key)
    return frame.with_row_index("row").select((first.rank("dense") - 1).cast(pl.Int64).alias("twin")).to_series()


def group(frame: pl.DataFrame, asked: Kind) -> Grouping:
    """Join twins whose contents are near copies, if asked to, to groups.

    Near copies are joined whatever their labels are, by any chain of pairs, but only within one part: what the
    source has put into two parts stays there. Labelled examples alone are compared, as nothing else is split.

    Exact twins alone are kept together where near copies cannot be looked for (see `near.alike_pictures`,
    `near.alike_texts`), and where one chain would hold more than `GIANT` of the set or of a class. Labels are
    looked at for that share only, those of a test part that the source gives not even then.

    Args:
        frame: columns twin (int), split (the part as far as it is settled; "train" before the split), label, input,
            and measure.phash for pictures. The labelled rows of a twin stand in one part.
    """
    twin = frame["twin"].alias("group")
    if asked == "exact":
        return Grouping("exact", twin, ASKED)
    labelled = frame.filter(pl.col("split").is_in(LABELLED))
    different = labelled.unique("twin", keep="first", maintain_order=True)
    found = alike_pictures(different) if "measure.phash" in frame.columns else alike_texts(different)
    if isinstance(found, str):
        return Grouping("exact", twin, found)
    pairs = together(different["split"], found)
    joined = clusters(different.height, pairs["first"].to_numpy(), pairs["second"].to_numpy())
    root = pl.DataFrame({"twin": different["twin"], "root": different["twin"].gather(joined)})
    number = pl.coalesce("root", "twin").rank("dense").cast(pl.Int64) - 1
    groups = frame.select("twin").join(root, on="twin", how="left", maintain_order="left")
    too_large = giant(labelled.join(root, on="twin", maintain_order="left"))
    if too_large:
        return Grouping("exact", twin, too_large)
    return Grouping("near", groups.select(number.alias("group")).to_series(), WHY)


def together(part: pl.Series, pairs: pl.DataFrame) -> pl.DataFrame:
    """The pairs of positions that stand in one part."""
    code: Ints = part.rank("dense").to_numpy().astype(np.int64)
    first, second = pairs["first"].to_numpy(), pairs["second"].to_numpy()
    return pairs.filter(pl.Series(code[first] == code[second]))


def giant(labelled: pl.DataFrame) -> str:
    """Why joining goes too far, or nothing: the largest share of the set or of a class that one group holds.

    Args:
        labelled: columns root (the group), twin, split, label.
    """
    rows = labelled.with_columns(many=pl.col("twin").n_unique().over("root") > FEW)
    largest = max(rows.filter("many")["root"].value_counts()["count"], default=0)
    if largest > GIANT * rows.height:
        return f"a chain of near copies would hold {largest:,} of all {rows.height:,} examples"
    seen = rows.filter(pl.col("split") != "test").with_columns(size=pl.len().over("label"))
    held = seen.filter("many").group_by("label", "root").agg(pl.len().alias("held"), pl.col("size").first())
    too_large = held.filter(pl.col("held") > GIANT * pl.col("size")).sort("held", "label", descending=[True, False])
    for label, _, n, size in too_large.head(1).iter_rows():
        return f"a chain of near copies would hold {n:,} of the {size:,} examples of {label}"
    return ""


def facts(grouping: Grouping, frame: pl.DataFrame) -> dict[str, str | int]:
    """What `Dataset.opening` says: of labelled rows in groups of more than one content, and of the largest group."""
    labelled = frame.filter(pl.col("split").is_in(LABELLED))
    groups = labelled.group_by("group").agg(pl.len().alias("rows"), pl.col("twin").n_unique().alias("contents"))
    near = groups.filter(pl.col("contents") > 1)
    return {
        "grouping": grouping.kind,
        "grouping_reason": grouping.reason,
        "near_groups": near.height,
        "rows_in_near_groups": int(near["rows"].sum()),
        "largest_group": max(groups["rows"], default=0),
    }
