"""Slides and what stands on them."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Points:
    """At most three short sentences."""

    items: tuple[str, ...]


@dataclass(frozen=True)
class Figure:
    """A chart or drawing of figures/: `stem` names the .svg, .png and .csv there."""

    stem: str
    alt: str


@dataclass(frozen=True)
class Picture:
    """A picture with its caption; `path` is absolute or below the run directory."""

    path: str
    caption: str
    alt: str
    tone: Literal["plain", "good", "bad"] = "plain"


@dataclass(frozen=True)
class Gallery:
    """Pictures side by side, never stretched."""

    pictures: tuple[Picture, ...]
    columns: int


@dataclass(frozen=True)
class Quote:
    """A text example with its caption (label, prediction)."""

    text: str
    caption: str
    tone: Literal["plain", "good", "bad"] = "plain"


@dataclass(frozen=True)
class Quotes:
    """Text examples."""

    items: tuple[Quote, ...]


@dataclass(frozen=True)
class MarkedQuote:
    """A text example whose words are marked, with its caption."""

    runs: tuple[tuple[str, int], ...]
    """Pieces of the text in order, blanks included, and how strongly each speaks for what the caption says (1 to 3) or
    against it (-1 to -3); 0 is not marked."""
    caption: str
    tone: Literal["plain", "good", "bad"] = "plain"


@dataclass(frozen=True)
class MarkedQuotes:
    """Text examples with marked words."""

    items: tuple[MarkedQuote, ...]


@dataclass(frozen=True)
class TableBlock:
    """A small table; the first row is the header."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    widths: tuple[float, ...] = ()
    """Relative widths of the columns; empty: equal."""


@dataclass(frozen=True)
class Headline:
    """One large figure with what it is, and smaller ones beside it: (figure, caption)."""

    large: tuple[str, str]
    small: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Chain:
    """Cards in columns, each row numbered and read from left to right; equal neighbours in a column are one card."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


Block = Points | Figure | Gallery | Quotes | MarkedQuotes | TableBlock | Headline | Chain


@dataclass(frozen=True)
class Slide:
    """One message: a claim as title, what proves it, and where it comes from."""

    key: str
    part: str
    title: str
    blocks: tuple[Block, ...]
    notes: str
    """Definitions, n, intervals: what the speaker may need."""
    sources: tuple[str, ...]
    """Files of the run directory that the figures come from."""
