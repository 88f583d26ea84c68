"""Where everything stands on a slide. Both formats draw the same boxes: what fits in one fits in both."""

from collections.abc import Iterable
from pathlib import Path
from typing import assert_never

from instar.deck import blocks, marked, tables, theme
from instar.deck.items import Box, Item, Page, Panel
from instar.deck.text import clean, cut, height, width, wrap
from instar.deck.theme import ACROSS, BODY, GAP, MARGIN
from instar.records import Block, Chain, Figure, Gallery, Headline, MarkedQuotes, Points, Quotes, Slide, TableBlock

CONTENT = Box(MARGIN, theme.TOP, ACROSS, theme.BOTTOM - theme.TOP)
SIDE = 3.5
"""Width of points that stand beside a picture."""
HEADLINE = 1.8
MOST_LINES = 5
BREAK = "\v"
"""A break of the line inside a paragraph, as python-pptx writes it."""
SHORTEST = 0.4
"""Share of the width that the last line of a title fills at least."""


def page(slide: Slide, number: int, footer: str, run: Path) -> Page:
    """Bring a slide to its boxes."""
    title = _unwidowed(cut(clean(slide.title), ACROSS, 2, theme.TITLE, True))
    footer = cut(clean(footer), ACROSS - theme.NUMBER_WIDTH - GAP, 1, theme.SMALL)
    items = tuple(_arrange(slide.blocks, CONTENT, run))
    notes = "\n".join(clean(line) for line in slide.notes.splitlines())
    return Page(slide.key, clean(slide.part), title, footer, number, items, notes)


def _unwidowed(title: str) -> str:
    """A title whose second line is not a lonely word: broken earlier where it would be."""
    lines = wrap(title, ACROSS, theme.TITLE, True)
    if len(lines) == 1 or width(lines[-1], theme.TITLE, True) > SHORTEST * ACROSS:
        return title
    for share in (0.9, 0.8, 0.7, 0.6):
        lines = wrap(title, share * ACROSS, theme.TITLE, True)
        if len(lines) == 2 and width(lines[-1], theme.TITLE, True) > SHORTEST * ACROSS:
            return BREAK.join(lines)
    return title


def _arrange(content: Iterable[Block], area: Box, run: Path) -> list[Item]:
    """A headline above, points beside or below, the rest side by side between them."""
    rest = list(content)
    items: list[Item] = []
    if rest and isinstance(rest[0], Headline):
        band = Box(area.x, area.y, area.w, HEADLINE)
        items += blocks.headline_items(rest.pop(0), band)  # type: ignore[arg-type]
        area = Box(area.x, band.bottom + GAP, area.w, area.bottom - band.bottom - GAP)
    points = rest.pop() if rest and isinstance(rest[-1], Points) else None
    if isinstance(points, Points) and points.items:
        if not rest:
            return items + (_columns(points, area) if items else blocks.statement_items(points, area))
        beside = Box(area.x, area.y, area.w - SIDE - GAP, area.h)
        strip = _strip(points)
        above = Box(area.x, area.y, area.w, area.h - strip - GAP * 0.8)
        if len(rest) == 1 and size_of(rest[0], beside, run) > size_of(rest[0], above, run):
            items += _rules(points, Box(beside.right + GAP, area.y, SIDE, area.h))
            area = beside
        else:
            items += _columns(points, Box(area.x, above.bottom + GAP * 0.8, area.w, strip))
            area = above
    w = (area.w - GAP * (len(rest) - 1)) / max(len(rest), 1)
    for i, block in enumerate(rest):
        items += place(block, Box(area.x + i * (w + GAP), area.y, w, area.h), run)
    return items


def size_of(block: Block, box: Box, run: Path) -> float:
    """How large a picture block comes out in a box; nothing for blocks that want the whole width."""
    match block:
        case Figure():
            found = blocks.contain(box, blocks.aspect(run / "figures" / f"{block.stem}.png"))
            return found.w * found.h
        case Gallery():
            grid = blocks.sheet(block.pictures, block.columns, box, run)
            return grid.width * grid.width / grid.ratio
        case _:
            return 0.0


def _strip(points: Points) -> float:
    """Height of points that stand side by side."""
    w = _column(points)
    return height(max(min(len(wrap(clean(t), w, BODY)), MOST_LINES) for t in points.items), BODY) + 0.12


def _column(points: Points) -> float:
    return (ACROSS - GAP * (len(points.items) - 1)) / len(points.items)


def _columns(points: Points, box: Box) -> list[Item]:
    """Points side by side, each below a rule."""
    w = _column(points)
    items: list[Item] = []
    for i, text in enumerate(points.items):
        at = Box(box.x + i * (w + GAP), box.y, w, box.h)
        items.append(Panel(Box(at.x, at.y, at.w, 0.03), "accent"))
        items.append(blocks.label(Box(at.x, at.y + 0.12, at.w, at.h - 0.12), text, BODY))
    return items


def _rules(points: Points, box: Box) -> list[Item]:
    """Points one below the other, each beside a rule."""
    items: list[Item] = []
    y = box.y + 0.1
    wanted = [len(wrap(clean(text), box.w - 0.22, BODY)) for text in points.items]
    most = max(wanted)
    if sum(height(n, BODY) + 0.3 for n in wanted) > box.h:
        most = int((box.h / len(wanted) - 0.3) / height(1, BODY))
    for text, lines in zip(points.items, wanted, strict=True):
        tall = height(min(lines, most), BODY)
        items.append(Panel(Box(box.x, y + 0.03, 0.04, tall - 0.04), "accent"))
        items.append(blocks.label(Box(box.x + 0.22, y, box.w - 0.22, tall), text, BODY))
        y += tall + 0.3
    return items


def place(block: Block, box: Box, run: Path) -> list[Item]:
    match block:
        case Figure():
            return blocks.figure_items(block, box, run)
        case Gallery():
            return blocks.gallery_items(block, box, run)
        case Quotes():
            return blocks.quote_items(block, box)
        case MarkedQuotes():
            return marked.marked_items(block, box)
        case TableBlock():
            return tables.table_items(block, box)
        case Headline():
            return blocks.headline_items(block, box)
        case Chain():
            return blocks.chain_items(block, box)
        case Points():
            return blocks.statement_items(block, box)
        case _:
            assert_never(block)
