"""Tables brought into a box: whole where there is room, else cut cell by cell."""

from dataclasses import replace

import numpy as np

from instar.deck.items import Box, Grid, Item
from instar.deck.text import clean, cut, height, width, wrap
from instar.deck.theme import BODY, SMALL
from instar.records import TableBlock

PAD = Grid.pad
MOST = 4
"""Lines of a cell that has to be cut."""


def parted(block: TableBlock, across: float, tall: float) -> list[TableBlock]:
    """A table in parts of as many rows as stand below each other on `tall` inches with every cell whole, in the smaller
    size; at least one each."""
    parts = []
    while block.rows:
        counts = _lines(_cells(block), _widths(block, across), SMALL)
        ends = np.cumsum([_row(n, SMALL) for n in counts])
        n = max(int(np.searchsorted(ends, tall, side="right")) - 1, 1)
        parts.append(replace(block, rows=block.rows[:n]))
        block = replace(block, rows=block.rows[n:])
    return parts


def _cells(block: TableBlock) -> list[tuple[str, ...]]:
    return [tuple(clean(c) for c in row) for row in (block.header, *block.rows)]


def _widths(block: TableBlock, across: float) -> tuple[float, ...]:
    shares = block.widths or (1.0,) * len(block.header)
    return tuple(across * share / sum(shares) for share in shares)


def _inner(across: float) -> float:
    return across - 2 * PAD - 0.02


def _lines(rows: list[tuple[str, ...]], widths: tuple[float, ...], size: int) -> list[int]:
    """Lines that each row needs to be whole."""
    return [
        max(len(wrap(c, _inner(w), size, r == 0)) for c, w in zip(row, widths, strict=True))
        for r, row in enumerate(rows)
    ]


def _broken(rows: list[tuple[str, ...]], widths: tuple[float, ...], size: int) -> bool:
    """Whether some word is wider than its cell."""
    return any(
        width(word, size, r == 0) > _inner(w)
        for r, row in enumerate(rows)
        for cell, w in zip(row, widths, strict=True)
        for word in cell.split(" ")
    )


def _row(lines: int, size: int) -> float:
    return height(lines, size) + 0.1


def table_items(block: TableBlock, box: Box) -> list[Item]:
    """A table in the larger size where that leaves every cell whole, else in the smaller one.

    Where the smaller size has no room for all lines, cells are cut to one; then rows get more lines from the
    top down as long as there is room.
    """
    rows, widths, size = _cells(block), _widths(block, box.w), BODY
    counts = _lines(rows, widths, size)
    if sum(_row(n, size) for n in counts) > box.h or _broken(rows, widths, size):
        size = SMALL
        wanted = _lines(rows, widths, size)
        counts = [1] * min(len(rows), int(box.h / _row(1, size)))
        free = box.h - _row(1, size) * len(counts)
        whole = sum(_row(n, size) for n in wanted) <= box.h
        for r in range(len(counts)):
            more = min(wanted[r] - 1, int(free / height(1, size)), wanted[r] - 1 if whole else MOST - 1)
            counts[r] += more
            free -= height(more, size)
    cells = tuple(
        tuple(cut(c, _inner(w), n, size, r == 0) for c, w in zip(row, widths, strict=True))
        for r, (row, n) in enumerate(zip(rows, counts, strict=False))
    )
    stretch = min(0.12, (box.h - sum(_row(n, size) for n in counts)) / len(counts))
    heights = tuple(_row(n, size) + stretch for n in counts)
    return [Grid(Box(box.x, box.y, box.w, sum(heights)), cells, widths, heights, size)]
