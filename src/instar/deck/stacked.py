"""A slide brought into somebody else's template: content in the place of its body, points as the body's text."""

from dataclasses import replace
from pathlib import Path

from instar.deck import blocks, theme
from instar.deck.items import Body, Box, Grid, Item, Page, Runs, Text
from instar.deck.layout import HEADLINE, SIDE, place, size_of
from instar.deck.template import Template
from instar.deck.text import clean, cut, height, wrap
from instar.deck.theme import BODY, GAP, SMALL
from instar.records import Block, Headline, Points, Slide

INDENT, SPACE = 0.5, 0.12
"""Inches: room for the bullets of a template, and above each of its paragraphs."""
SMALLEST = 0.5
"""Share of its size to which a title may shrink before it is cut."""


def page_in(template: Template, slide: Slide, number: int, footer: str, run: Path) -> Page:
    """A slide in the boxes of a template: laid out on our own measures, then scaled to it."""
    scale = template.scale
    area = Box(0.0, 0.0, template.area.w / scale, template.area.h / scale)
    items, body = _stack(slide.blocks, area, run)
    part = clean(slide.part)
    footer = clean(f"{part}  ·  {footer}" if part else footer)
    notes = "\n".join(clean(line) for line in slide.notes.splitlines())
    size, title = _title(template, clean(slide.title))
    made = tuple(_scaled(item, template) for item in items)
    taken = (
        None if body is None else replace(body, box=_moved(body.box, template), size=body.size * scale / template.wider)
    )
    return Page(slide.key, part, title, footer, number, made, notes, taken, size)


def _stack(content: tuple[Block, ...], area: Box, run: Path) -> tuple[list[Item], Body | None]:
    """A headline above, the rest side by side, and the points in one column beside or below it."""
    rest = [block for block in content if not isinstance(block, Points)]
    points = tuple(clean(text) for block in content if isinstance(block, Points) for text in block.items)
    items: list[Item] = []
    if rest and isinstance(rest[0], Headline):
        items += blocks.headline_items(rest[0], Box(area.x, area.y, area.w, HEADLINE))
        area = Box(area.x, area.y + HEADLINE + GAP, area.w, area.h - HEADLINE - GAP)
        rest = rest[1:]
    body = None
    if points and not rest:
        size = next((s for s in (theme.TITLE, BODY) if _tall(points, area.w, s) <= area.h), SMALL)
        body = _body(points, area, size)
    elif points:
        beside = Box(area.x, area.y, area.w - SIDE - GAP, area.h)
        room = min(_tall(points, area.w, BODY), area.h / 2)
        above = Box(area.x, area.y, area.w, area.h - room - GAP)
        if len(rest) == 1 and size_of(rest[0], beside, run) > size_of(rest[0], above, run):
            body, area = _body(points, Box(beside.right + GAP, area.y, SIDE, area.h), BODY), beside
        else:
            body, area = _body(points, Box(area.x, above.bottom + GAP, area.w, room), BODY), above
    w = (area.w - GAP * (len(rest) - 1)) / max(len(rest), 1)
    for i, block in enumerate(rest):
        items += place(block, Box(area.x + i * (w + GAP), area.y, w, area.h), run)
    return items, body


def _tall(points: tuple[str, ...], across: float, size: int) -> float:
    return sum(height(len(wrap(text, across - INDENT, size)), size) + SPACE for text in points)


def _body(points: tuple[str, ...], box: Box, size: int) -> Body:
    """Points in the larger size where that leaves them whole, else smaller and cut."""
    if _tall(points, box.w, size) > box.h:
        size = SMALL
        lines = max(int((box.h / len(points) - SPACE) / height(1, size)), 1)
        points = tuple(cut(text, box.w - INDENT, lines, size) for text in points)
    return Body(box, points, size)


def _title(template: Template, title: str) -> tuple[float, str]:
    """The largest size, at most the template's, in which a title fits its place; the title cut where none does."""
    across, tall = template.title.w - 0.25, template.title.h - 0.1

    def lines(size: float) -> int:
        return max(int(tall / height(1, size)), 1)

    sizes = [template.title_points * share / 20 for share in range(20, int(20 * SMALLEST) - 1, -1)]
    for size in sizes:
        if len(wrap(title, across, size * template.title_wider, True)) <= lines(size):
            return size, title
    return sizes[-1], cut(title, across, lines(sizes[-1]), sizes[-1] * template.title_wider, True)


def _moved(box: Box, template: Template) -> Box:
    k = template.scale
    return Box(template.area.x + box.x * k, template.area.y + box.y * k, box.w * k, box.h * k)


def _scaled(item: Item, template: Template) -> Item:
    """An item in the measures of the template; type is smaller where its font runs wider than ours."""
    moved, k = replace(item, box=_moved(item.box, template)), template.scale
    match moved:
        case Text() | Runs():
            return replace(moved, size=moved.size * k / template.wider)
        case Grid():
            widths, heights = (tuple(side * k for side in sides) for sides in (moved.widths, moved.heights))
            return replace(
                moved, widths=widths, heights=heights, size=moved.size * k / template.wider, pad=moved.pad * k
            )
        case _:
            return moved
