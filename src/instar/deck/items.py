"""What a slide is made of when everything has its place: boxes in inches that both writers draw."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from instar.deck.theme import Colour


@dataclass(frozen=True)
class Box:
    """A rectangle on the slide, in inches from the upper left corner."""

    x: float
    y: float
    w: float
    h: float

    @property
    def right(self) -> float:
        """The right edge."""
        return self.x + self.w

    @property
    def bottom(self) -> float:
        """The lower edge."""
        return self.y + self.h

    def inside(self, by: float) -> "Box":
        """The box without a border of width `by`."""
        return Box(self.x + by, self.y + by, self.w - 2 * by, self.h - 2 * by)


@dataclass(frozen=True)
class Text:
    """Text that has been measured to fit."""

    box: Box
    text: str
    size: float
    colour: Colour = "ink"
    bold: bool = False
    anchor: Literal["top", "middle", "bottom"] = "top"
    centred: bool = False


@dataclass(frozen=True)
class Runs:
    """Text that has been measured to fit, in bold, with some of its pieces marked: see `MarkedQuote.runs`."""

    box: Box
    runs: tuple[tuple[str, int], ...]
    size: float


@dataclass(frozen=True)
class Shown:
    """A picture in its own proportions; `vector` is the same as SVG where there is one."""

    box: Box
    path: Path
    alt: str
    vector: Path | None = None


@dataclass(frozen=True)
class Panel:
    """A filled rectangle, behind text or as a rule."""

    box: Box
    colour: Colour


@dataclass(frozen=True)
class Arrow:
    """An arrow to the right, across its box."""

    box: Box


@dataclass(frozen=True)
class Grid:
    """A table whose cells have been cut to fit; the first row is the header."""

    box: Box
    rows: tuple[tuple[str, ...], ...]
    widths: tuple[float, ...]
    heights: tuple[float, ...]
    size: float
    pad: float = 0.07
    """Inches beside the text of a cell."""


@dataclass(frozen=True)
class Body:
    """Points as the text of a template's body."""

    box: Box
    items: tuple[str, ...]
    size: float


Item = Text | Runs | Shown | Panel | Arrow | Grid


@dataclass(frozen=True)
class Page:
    """A slide with everything in its place."""

    key: str
    kicker: str
    title: str
    footer: str
    number: int
    items: tuple[Item, ...]
    notes: str
    body: Body | None = None
    """In a template: its points."""
    title_size: float | None = None
    """In a template: points of its title."""
