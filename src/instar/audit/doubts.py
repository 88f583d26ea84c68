"""Which rows of the test part the audit has grounds to doubt, by their content alone: their labels are sealed.

What a test row repeats of the training rows was learnt by heart; what nobody could read, or of which little is left,
says little of a network. The evaluation tells how good a network is with and without such rows. Suspect labels are no
doubt of this kind: the audit does not see the labels of test rows.
"""

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from instar.audit.image_checks import TINY
from instar.records import Audit, Dataset, Split

LEARNT: tuple[Split, ...] = ("train", "val")


@dataclass(frozen=True)
class Doubt:
    """One ground for doubt."""

    code: str
    ids: Callable[[Dataset, Audit], pl.Series]
    """Ids of the doubted rows; those of other splits may be among them."""


def doubted(dataset: Dataset, audit: Audit, doubts: tuple[Doubt, ...]) -> pl.DataFrame:
    """doubt, id: the doubted test rows, ground by ground, each in the order of the table; a ground may have none."""
    test = dataset.part("test").select("id")
    parts = [
        test.filter(pl.col("id").is_in(doubt.ids(dataset, audit).implode())).select(doubt=pl.lit(doubt.code), id="id")
        for doubt in doubts
    ]
    return pl.concat(parts)


def _listed(code: str) -> Callable[[Dataset, Audit], pl.Series]:
    """The rows of a finding."""

    def ids(_: Dataset, audit: Audit) -> pl.Series:
        found = audit.get(code)
        return found.rows["id"] if found is not None and found.rows.width else pl.Series([], dtype=pl.String)

    return ids


def _near(dataset: Dataset, audit: Audit) -> pl.Series:
    """Rows that are nearly the same as one of train or validation, by hashes, shingles or frozen features.

    A finding compares one row of each set of exact copies; what it says holds for all of them.
    """
    near: list[str] = []
    for code in ("near-twins", "feature-twins"):
        found = audit.get(code)
        if found is not None and found.rows.height:
            near += found.rows.filter(pl.col("other_split").is_in(LEARNT))["id"].to_list()
            near += found.rows.filter(pl.col("split").is_in(LEARNT))["other_id"].to_list()
    contents = dataset.table.filter(pl.col("id").is_in(near))["twin"]
    return dataset.part("test").filter(pl.col("twin").is_in(contents.implode()))["id"]


def _copies(dataset: Dataset, _: Audit) -> pl.Series:
    """Rows that repeat an earlier one of the test part exactly."""
    test = dataset.part("test")
    return test.filter(~pl.col("twin").is_first_distinct())["id"]


def _worded(dataset: Dataset, _: Audit) -> pl.Series:
    """Texts whose words, without regard to case and punctuation, stand in train or validation as a whole text."""
    words = pl.col("input").str.to_lowercase().str.replace_all(r"[^\p{L}\p{N}]+", " ").str.strip_chars()
    told = dataset.part("test", *LEARNT).select("id", "split", words=words).filter(pl.col("words") != "")
    known = told.filter(pl.col("split") != "test")["words"].unique()
    return told.filter(pl.col("split") == "test", pl.col("words").is_in(known.implode()))["id"]


def _measured(condition: pl.Expr) -> Callable[[Dataset, Audit], pl.Series]:
    """Rows of which something was measured."""
    return lambda dataset, _: dataset.part("test").filter(condition)["id"]


COMMON = (Doubt("near-copies", _near), Doubt("copies", _copies))
IMAGE_DOUBTS = (
    *COMMON,
    Doubt("grey", _measured(pl.col("measure.grey"))),
    Doubt("blur", _listed("blur")),
    Doubt("brightness", _listed("brightness")),
    Doubt("borders", _listed("borders")),
    Doubt("tiny", _measured(pl.min_horizontal("measure.width", "measure.height") < TINY)),
)
TEXT_DOUBTS = (
    Doubt("worded", _worded),
    *COMMON,
    Doubt("short-texts", _listed("short-texts")),
    Doubt("mojibake", _listed("mojibake")),
    Doubt("markup", _listed("markup")),
    Doubt("language", _listed("language")),
)
