"""Rows of several sources to the rows of one set. Pure: no row is dropped, each gets a fate.

`fate` is null as long as a row is in, else the reason why it is out; the first reason holds. So every count
of the card is a count of fates, and they add up to what was found.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from instar.compose.recipe import Composition, Source
from instar.data.order import natural
from instar.errors import UserError

FATES = (
    "unlabelled",
    "class not chosen",
    "unreadable",
    "conflict",
    "twin",
    "cap of the source",
    "small class",
    "cap",
)
"""Why rows are left out, in the order in which that is decided."""
IN = pl.col("fate").is_null()


@dataclass(frozen=True)
class Small:
    """A class that has fewer examples than asked for."""

    label: str
    examples: int
    lacks: int


@dataclass(frozen=True)
class Merged:
    """The new set, and all that was left out of it."""

    frame: pl.DataFrame = field(compare=False)
    """All rows: source, original, was, label, root, input, twin, error, measure.*, lot, fate."""
    small: tuple[Small, ...]
    """Classes below the minimum, before anything was done about them."""

    @property
    def kept(self) -> pl.DataFrame:
        """The rows of the new set, sorted by class, source and place in the source."""
        rows = self.frame.filter(IN).with_row_index("row")
        rank = {label: i for i, label in enumerate(sorted(rows["label"].unique(), key=natural))}
        return rows.sort(pl.col("label").replace_strict(rank, return_dtype=pl.Int64), "row").drop("row")


def merge(frame: pl.DataFrame, recipe: Composition, sources: Mapping[str, Source]) -> Merged:
    """Resolve twins, then cap each source, then see to small classes, then cap and balance the whole.

    In this order, so that no place under a cap is taken by a row that goes for another reason, and so that
    the minimum counts what could really be used.

    Args:
        frame: as `classes.select` makes it, with error, twin and measure.* of the readable rows, sources in
            the order of the recipe.
        sources: their names, in the same order.

    Raises:
        UserError: classes below the minimum where the recipe says stop, or fewer than two classes in the end.
    """
    frame = frame.with_columns(lots(frame, f"{recipe.seed}"))
    frame = resolve_twins(_out(frame, pl.col("error").is_not_null(), "unreadable"), recipe.twins, recipe.conflicts)
    for name, wanted in sources.items():
        here = pl.col("source") == name
        frame = _cap(frame, here, wanted.cap, wanted.balance, "cap of the source")
    small = _small(frame, recipe.min_per_class)
    frame = _see_to(frame, small, recipe)
    frame = _cap(frame, pl.lit(True), recipe.cap, recipe.balance, "cap")
    left = frame.filter(IN)["label"].n_unique()
    if left < 2:
        raise UserError(
            f"{_classes(left)} would be left, and a classifier needs two; lower min_per_class, choose "
            "another below_minimum, or include more classes"
        )
    return Merged(frame, small)


def resolve_twins(frame: pl.DataFrame, twins: str, conflicts: str) -> pl.DataFrame:
    """Put out copies of rows that are in, within a source and across sources: see `recipe.Composition`."""
    labels = pl.col("label").filter(IN).n_unique().over("twin")
    of_first = pl.col("label").filter(IN).first().over("twin")
    if conflicts != "keep":
        wrong = labels > 1 if conflicts == "drop" else pl.col("label") != of_first
        frame = _out(frame, wrong, "conflict")
    if twins == "first":
        again = IN.cum_sum().over("twin", "label") > 1
        frame = _out(frame, again, "twin")
    return frame


def copies(frame: pl.DataFrame) -> pl.DataFrame:
    """The groups of twins: group, source, original, was, label, outcome ("kept", or the fate).

    Rows that are out before twins are looked for are not among them.
    """
    looked_at = frame.filter(IN | pl.col("fate").is_in(FATES[3:])).with_row_index("row")
    found = looked_at.filter(pl.len().over("twin") > 1).with_columns(pl.col("row").min().over("twin").alias("first"))
    return found.sort("first", "row").select(
        pl.col("first").rank("dense").cast(pl.Int64).alias("group"),
        "source",
        "original",
        "was",
        "label",
        pl.col("fate").fill_null("kept").alias("outcome"),
    )


def _out(frame: pl.DataFrame, condition: pl.Expr, fate: str) -> pl.DataFrame:
    """Put out the rows that are in and meet the condition."""
    hit = IN & condition.fill_null(False)
    return frame.with_columns(pl.when(hit).then(pl.lit(fate)).otherwise("fate").alias("fate"))


def lots(frame: pl.DataFrame, seed: str) -> pl.Series:
    """A random but fixed order: the lot of a row depends on seed, source and place there, and on nothing
    else.

    So a smaller cap takes a part of what a larger one takes, and a source more changes nothing in the others.
    """
    rows = zip(frame["source"], frame["original"], strict=True)
    lots = [
        hashlib.blake2b(f"{seed}\0{s}\0{o}".encode(errors="surrogatepass"), digest_size=8).hexdigest() for s, o in rows
    ]
    return pl.Series("lot", lots, dtype=pl.String)


def _cap(frame: pl.DataFrame, where: pl.Expr, cap: int | None, balance: bool, fate: str) -> pl.DataFrame:
    """At most `cap` rows of a class among those in and `where`; balance lowers it to the rarest class there.

    The sources take turns, each giving its rows in the order of their lots, so that a class holds as many of
    one source as of another as far as they reach: the less a class belongs to one source, the less can be
    learnt from how that source looks.
    """
    sizes = frame.filter(IN & where).group_by("label").len()["len"].to_list()
    limits = [cap] * (cap is not None) + [min(sizes, default=0)] * balance
    if not limits:
        return frame
    active = IN & where
    of_source = pl.when(active).then("lot").rank("ordinal").over("label", "source")
    turn = pl.concat_str(of_source.cast(pl.String).str.zfill(12), "lot")
    place = turn.rank("ordinal").over("label")
    return _out(frame, active & (place > min(limits)), fate)


def _small(frame: pl.DataFrame, minimum: int) -> tuple[Small, ...]:
    counts = sorted(frame.filter(IN).group_by("label").len().iter_rows(), key=lambda pair: natural(pair[0]))
    return tuple(Small(label, n, minimum - n) for label, n in counts if n < minimum)


def _see_to(frame: pl.DataFrame, small: Sequence[Small], recipe: Composition) -> pl.DataFrame:
    """Do with classes below the minimum what the recipe says."""
    if not small or recipe.below_minimum == "keep":
        return frame
    among = pl.col("label").is_in([c.label for c in small])
    if recipe.below_minimum == "stop":
        few = lacking(small, recipe.min_per_class)
        raise UserError(f"{few}; choose below_minimum: drop, pool or keep, or lower min_per_class")
    if recipe.below_minimum == "drop":
        return _out(frame, among, "small class")
    pooled = frame.with_columns(pl.when(IN & among).then(pl.lit(recipe.pool_as)).otherwise("label").alias("label"))
    n = pooled.filter(IN & (pl.col("label") == recipe.pool_as)).height
    if n < recipe.min_per_class:
        verb = "has" if len(small) == 1 else "have"
        raise UserError(
            f'pooled as "{recipe.pool_as}", {_classes(len(small))} below the minimum {verb} {n} examples, '
            f"{recipe.min_per_class - n} too few; choose below_minimum: drop or keep, or lower min_per_class"
        )
    return pooled


def lacking(small: Sequence[Small], minimum: int, most: int = 5) -> str:
    """Which classes have too few examples, and how many each lacks; those that lack least first."""
    near = sorted(small, key=lambda c: c.lacks)
    listed = ", ".join(f'"{c.label}" has {c.examples} (lacks {c.lacks})' for c in near[:most])
    more = f" and {len(small) - most} more" if len(small) > most else ""
    return f"{_classes(len(small))} below min_per_class={minimum}: {listed}{more}"


def _classes(n: int) -> str:
    return "1 class" if n == 1 else f"{n} classes"
