"""Blocks of a slide brought into a box: every text measured, every picture in its own proportions."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import groupby
from math import ceil
from pathlib import Path

from PIL import Image

from instar.deck.items import Arrow, Box, Item, Panel, Shown, Text
from instar.deck.text import clean, cut, height, wrap
from instar.deck.theme import BODY, FIGURE, GAP, SMALL, TITLE, Colour
from instar.records import Chain, Figure, Gallery, Headline, Picture, Points, Quotes

CAPTION = height(1, SMALL) + 0.06
BAR = 0.05
TONES: dict[str, Colour] = {"plain": "muted", "good": "good", "bad": "bad"}
SIDEWAYS = (5, 6, 7, 8)
"""EXIF orientations in which width and height change places."""
SPACE = 0.16
"""Inches between pictures."""
TALLEST = 3.4
"""Inches: pictures of a gallery are not enlarged beyond it, as most are small."""


@lru_cache(maxsize=4096)
def aspect(path: Path) -> float:
    """Width of a picture as it is shown over its height."""
    with Image.open(path) as picture:
        width, tall = picture.size
        turned = picture.getexif().get(0x0112) in SIDEWAYS
    return tall / width if turned else width / tall


def contain(box: Box, ratio: float) -> Box:
    """The largest box of this ratio in the middle of another."""
    w = min(box.w, box.h * ratio)
    return Box(box.x + (box.w - w) / 2, box.y + (box.h - w / ratio) / 2, w, w / ratio)


def label(box: Box, text: str, size: int, colour: Colour = "ink", bold: bool = False) -> Text:
    """A text cut to what its box can hold."""
    lines = max(int(box.h / height(1, size) + 1e-6), 1)
    return Text(box, cut(clean(text), box.w, lines, size, bold), size, colour, bold)


def figure_items(block: Figure, box: Box, run: Path) -> list[Item]:
    """A chart of figures/."""
    png = run / "figures" / f"{block.stem}.png"
    fitted = contain(box, aspect(png))
    at = Box(fitted.x, box.y, fitted.w, fitted.h)
    return [Shown(at, png, clean(block.alt), png.with_suffix(".svg"))]


@dataclass(frozen=True)
class Sheet:
    """How pictures stand in a grid: columns, ratio of a cell, its width, pitch, height of a caption."""

    columns: int
    ratio: float
    width: float
    pitch: float
    caption: float


def sheet(pictures: tuple[Picture, ...], columns: int, box: Box, run: Path) -> Sheet:
    """The grid that shows the pictures largest; captions get a second line where one of them needs it."""
    ratios = sorted(aspect(run / p.path) for p in pictures)
    ratio = min(max(ratios[len(ratios) // 2], 0.6), 4.0)
    found = _grid(len(pictures), columns, ratio, box, CAPTION if any(p.caption for p in pictures) else 0.0)
    across = found.pitch - 0.1
    if any(len(wrap(clean(p.caption), across, SMALL, p.tone != "plain")) > 1 for p in pictures):
        return _grid(len(pictures), columns or found.columns, ratio, box, CAPTION + height(1, SMALL))
    return found


def _grid(n: int, columns: int, ratio: float, box: Box, caption: float) -> Sheet:
    best = Sheet(1, ratio, 0.0, 0.0, caption)
    for k in [columns] if columns else range(1, n + 1):
        pitch = (box.w + SPACE) / k
        room = (box.h + SPACE) / ceil(n / k) - SPACE - caption
        w = min(pitch - SPACE, min(room, TALLEST) * ratio)
        if w > best.width * 0.97:
            best = Sheet(k, ratio, w, min(pitch, w * 1.5 + SPACE), caption)
    return best


def gallery_items(block: Gallery, box: Box, run: Path) -> list[Item]:
    """Pictures in a grid, captions below."""
    grid = sheet(block.pictures, block.columns, box, run)
    tall = grid.width / grid.ratio
    items: list[Item] = []
    for i, picture in enumerate(block.pictures):
        row, column = divmod(i, grid.columns)
        y = box.y + row * (tall + grid.caption + SPACE)
        cell = Box(box.x + column * grid.pitch, y, grid.width, tall)
        path = run / picture.path
        fitted = contain(cell, aspect(path))
        at = Box(cell.x, cell.bottom - fitted.h, fitted.w, fitted.h)
        items.append(Shown(at, path, clean(picture.alt or picture.caption)))
        if picture.caption:
            below = Box(cell.x, cell.bottom + 0.05, grid.pitch - 0.1, grid.caption - 0.05)
            items.append(label(below, picture.caption, SMALL, TONES[picture.tone], picture.tone != "plain"))
    return items


def quote_items(block: Quotes, box: Box) -> list[Item]:
    """Quotations in one column, or two where there are many, each with a bar in its tone."""
    n = len(block.items)
    columns, gap = 1 if n <= 5 else 2, 0.16
    rows = ceil(n / columns)
    w = (box.w - GAP * (columns - 1)) / columns
    pitch = (box.h + gap) / rows
    room = max(int((pitch - gap - CAPTION) / height(1, BODY)), 1)
    most = max(min(len(wrap(clean(q.text), w - 0.25, BODY)), room) for q in block.items)
    pitch = min(pitch, CAPTION + height(most, BODY) + gap + 0.14)
    items: list[Item] = []
    for i, quote in enumerate(block.items):
        at = Box(box.x + i % columns * (w + GAP), box.y + i // columns * pitch, w, pitch - gap)
        items += frame(at, quote.caption, quote.tone)
        items.append(label(quoted(at), quote.text, BODY))
    return items


def frame(at: Box, caption: str, tone: str) -> list[Item]:
    """What stands around a quotation: a bar in its tone, and a caption above."""
    head = Box(at.x + 0.2, at.y, at.w - 0.25, CAPTION - 0.06)
    bar = Panel(Box(at.x, at.y, BAR, at.h), "rule" if tone == "plain" else TONES[tone])
    return [bar, label(head, caption, SMALL, TONES[tone], True)]


def quoted(at: Box) -> Box:
    """Where the text of a quotation stands."""
    return Box(at.x + 0.2, at.y + CAPTION, at.w - 0.25, at.h - CAPTION)


def headline_items(block: Headline, box: Box) -> list[Item]:
    """One large figure at the left, smaller ones beside it."""
    left, tall = box.w * 0.34, height(1, FIGURE)
    items: list[Item] = [
        label(Box(box.x, box.y, left, tall), block.large[0], FIGURE, "accent", True),
        label(Box(box.x, box.y + tall, left, box.h - tall), block.large[1], BODY, "muted"),
    ]
    w = (box.w - left - GAP) / max(len(block.small), 1)
    top = tall - height(1, TITLE) - 0.12
    for i, (figure, caption) in enumerate(block.small):
        at = Box(box.x + left + GAP + i * w, box.y + top, w - 0.3, height(1, TITLE))
        items.append(Panel(Box(at.x - 0.2, at.y + 0.05, 0.02, box.h - top - 0.05), "rule"))
        items.append(label(at, figure, TITLE, bold=True))
        items.append(label(Box(at.x, at.bottom + 0.02, at.w, box.bottom - at.bottom - 0.02), caption, SMALL, "muted"))
    return items


CHAIN_WIDTHS = (1.45, 1.28, 1.03, 0.94)
"""Relative widths of the columns of a chain: findings need most words, then decisions."""


def chain_items(block: Chain, box: Box) -> list[Item]:
    """Cards with arrows between them; the number of a row stands at its left."""
    number, arrow, gap = 0.5, 0.38, 0.16
    top = box.y + CAPTION + 0.06
    tall = min((box.bottom - top + gap) / len(block.rows) - gap, 1.4)
    unit = (box.w - number - arrow * (len(block.header) - 1)) / sum(CHAIN_WIDTHS)
    items: list[Item] = []
    x = box.x + number
    for column, (head, share) in enumerate(zip(block.header, CHAIN_WIDTHS, strict=True)):
        w = share * unit
        items.append(label(Box(x, box.y, w, CAPTION), head, SMALL, "accent", True))
        last = column == len(block.header) - 1
        cards = [clean(row[column]) for row in block.rows]
        spans = {i: sum(1 for _ in same) for i, same in _runs(cards)}
        fits = all(
            height(len(wrap(cards[i], w - 0.3, BODY, last)), BODY) <= span * (tall + gap) - gap - 0.06
            for i, span in spans.items()
        )
        size = BODY if fits else SMALL
        for i, text in enumerate(cards):
            y = top + i * (tall + gap)
            if column == 0:
                items.append(middle(Box(box.x, y, number - 0.1, tall), str(i + 1), TITLE, "accent", True))
            if not last:
                items.append(Arrow(Box(x + w + 0.07, y + tall / 2 - 0.1, arrow - 0.14, 0.2)))
            if i in spans:
                card = Box(x, y, w, spans[i] * (tall + gap) - gap)
                items.append(Panel(card, "accent" if last else "panel"))
                inner = Box(x + 0.15, y + 0.03, w - 0.3, card.h - 0.06)
                items.append(middle(inner, text, size, "paper" if last else "ink", last))
        x += w + arrow
    return items


def _runs(cards: list[str]) -> Iterator[tuple[int, Iterator[str]]]:
    """Runs of equal cards: where each begins, and its members."""
    start = 0
    for _, same in groupby(cards):
        members = list(same)
        yield start, iter(members)
        start += len(members)


def middle(box: Box, text: str, size: int, colour: Colour = "ink", bold: bool = False) -> Text:
    """A text half-way down its box, cut to what the box can hold."""
    return replace(label(box, text, size, colour, bold), anchor="middle")


def statement_items(block: Points, box: Box) -> list[Item]:
    """Points that are all there is on a slide: large, one below the other, each with its number."""
    numeral, pitch = 0.9, min(box.h / len(block.items), 1.75)
    items: list[Item] = []
    for i, text in enumerate(block.items):
        at = Box(box.x, box.y + i * pitch, box.w, pitch - 0.2)
        items.append(Panel(Box(at.x, at.y, at.w, 0.02), "rule"))
        items.append(middle(Box(at.x, at.y + 0.1, numeral, at.h - 0.1), str(i + 1), FIGURE, "accent", True))
        items.append(middle(Box(at.x + numeral, at.y + 0.1, at.w - numeral, at.h - 0.1), text, TITLE))
    return items
