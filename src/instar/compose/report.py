"""What is known of a composed set: the content of novelty.yaml, from which the card is written."""

from dataclasses import asdict, dataclass

import polars as pl

from instar.compose.domain import Domain
from instar.compose.near_copies import NearCopies
from instar.compose.novelty import Confounding, Origin
from instar.records import Json


@dataclass(frozen=True)
class Provenance:
    """What is known of a source."""

    name: str
    title: str
    """What to show a reader: the title or name of the set, never a path."""
    licence: str
    """unknown where nothing states it."""
    citation: str


@dataclass(frozen=True)
class Twins:
    """Exact copies that were found, before anything was done about them."""

    groups: int
    rows: int
    across: int
    """Groups with members in several sources."""
    conflicts: int
    """Groups with members under several classes."""


@dataclass(frozen=True)
class Report:
    """Everything about the new set that is not in its table."""

    modality: str
    many: str
    options: str
    """What `instar run` must be given besides the folder, for columns that it would guess wrongly; mostly
    ""."""
    sources: tuple[Provenance, ...]
    origins: tuple[Origin, ...]
    twins: Twins
    near: NearCopies
    confounding: Confounding
    features: str
    """What the domain classifier sees."""
    all_classes: Domain | None
    """Can the sources be told apart? None: too few examples to say."""
    shared_classes: Domain | None
    """The same within classes that several sources share."""


def twins_of(copies: pl.DataFrame) -> Twins:
    """The figures of `merge.copies`."""
    groups = copies.group_by("group").agg(pl.col("source").n_unique(), pl.col("label").n_unique())
    return Twins(
        groups=groups.height,
        rows=copies.height,
        across=groups.filter(pl.col("source") > 1).height,
        conflicts=groups.filter(pl.col("label") > 1).height,
    )


def content(report: Report) -> Json:
    """Plain data for novelty.yaml."""
    known = asdict(report)
    for key in ("many", "options"):
        del known[key]
    return known
