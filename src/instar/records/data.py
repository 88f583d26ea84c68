"""The data and what was found in them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import polars as pl

Json = Any
"""A value that YAML and JSON can hold: None, bool, int, float, str, list or dict of these."""

STRICT: dict[str, Any] = {"extra": "forbid", "arbitrary_types_allowed": True}
"""How pydantic reads the records at the disk border: an unknown key is an error that names the key."""

Split = Literal["train", "val", "test", "unlabelled", "quarantined"]
Verdict = Literal["issue", "note", "passed", "not applicable", "skipped"]


@dataclass(frozen=True)
class Dataset:
    """Labelled examples of one modality, measured, grouped and split.

    `table` has one row per example found, none dropped:
      id     str, unique: the path below `root` for a picture, "row 17" for the 17th line of data of a table
      input  str: the path below `root`, or the text itself, unchanged
      label  str or null: null where there is no label and *for every test row* (these labels are sealed, see `store`)
      split  one of `Split`; "quarantined" rows cannot be read (column `error` says why) and take no part in anything
      twin   int: exact copies of one content share it
      group  int: examples of one group (exact twins, and near copies where these are kept together) never stand
             in two splits
      error  str or null
      measure.*  columns that the modality measured (width, words, brightness ...)
      extra.*    the other columns of the table that the set came in, unchanged
    """

    name: str
    modality: str
    source: str
    root: str
    classes: tuple[str, ...]
    ordered: bool
    counts: Mapping[str, int]
    """Examples per class over train, val and test together: the one thing known of the sealed labels."""
    opening: Mapping[str, Json]
    """What opening guessed, repaired or set aside, with its figures (see `data.opening` for the keys)."""
    table: pl.DataFrame = field(compare=False)

    def part(self, *splits: Split) -> pl.DataFrame:
        """The rows of the named splits, in the order of the table."""
        return self.table.filter(pl.col("split").is_in(splits))


@dataclass(frozen=True)
class Finding:
    """What one check of the audit found. `evidence` holds every figure that `sentence` names."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    code: str
    verdict: Verdict
    sentence: str
    evidence: Mapping[str, Json] = field(default_factory=dict)
    rows: pl.DataFrame = field(default_factory=pl.DataFrame, compare=False)
    """The table behind the sentence (findings/<code>.csv); with an `id` column where it is about examples."""


@dataclass(frozen=True)
class Audit:
    """All findings of one data set, in the order in which the checks ran."""

    findings: tuple[Finding, ...]

    def __getitem__(self, code: str) -> Finding:
        return next(f for f in self.findings if f.code == code)

    def get(self, code: str) -> Finding | None:
        """The finding with this code, or None where that check does not belong to this modality."""
        return next((f for f in self.findings if f.code == code), None)
