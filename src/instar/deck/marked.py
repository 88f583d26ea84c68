"""Quotations whose words are marked by what they weigh."""

from math import ceil

from instar.deck.blocks import CAPTION, frame, quoted
from instar.deck.items import Box, Item, Runs
from instar.deck.text import clean, height, wrap
from instar.deck.theme import BODY, GAP
from instar.records import MarkedQuote, MarkedQuotes

COLUMNS = 2
BETWEEN = 0.2
"""Inches between quotations."""
ELLIPSIS = ("…", 0)
Pieces = list[tuple[str, int]]


def marked_items(block: MarkedQuotes, box: Box) -> list[Item]:
    """Quotations in two columns, filled row by row."""
    rows = ceil(len(block.items) / COLUMNS)
    w = (box.w - GAP * (COLUMNS - 1)) / COLUMNS
    pitch = (box.h + BETWEEN) / rows
    room = max(int((pitch - BETWEEN - CAPTION) / height(1, BODY)), 1)
    texts = [excerpt(_inert(quote), w - 0.25, room) for quote in block.items]
    most = max(_lines(pieces, w - 0.25) for pieces in texts)
    pitch = min(pitch, CAPTION + height(most, BODY) + BETWEEN + 0.1)
    items: list[Item] = []
    for i, (quote, pieces) in enumerate(zip(block.items, texts, strict=True)):
        at = Box(box.x + i % COLUMNS * (w + GAP), box.y + i // COLUMNS * pitch, w, pitch - BETWEEN)
        items += frame(at, quote.caption, quote.tone)
        items.append(Runs(quoted(at), _joined(pieces), BODY))
    return items


def excerpt(pieces: Pieces, across: float, lines: int) -> Pieces:
    """The text, or that part of it which holds most marks and fits so many lines, with ellipses where it goes on."""
    if _lines(pieces, across) <= lines:
        return pieces
    best: tuple[int, Pieces] = (-1, [ELLIPSIS])
    end = 0
    for start in [i for i, (text, _) in enumerate(pieces) if text != " "]:
        front = [ELLIPSIS, (" ", 0)] if start else []
        end = max(end, start + 1)
        while end < len(pieces) and _lines([*front, *pieces[start : end + 1], ELLIPSIS], across) <= lines:
            end += 1
        weight = sum(abs(strength) for _, strength in pieces[start:end])
        if weight > best[0]:
            best = weight, [*front, *pieces[start:end], *([ELLIPSIS] if end < len(pieces) else [])]
        if end == len(pieces):
            break
    return best[1]


def _inert(quote: MarkedQuote) -> Pieces:
    """Pieces that can stand in any file, and that a line holds: words and single blanks."""
    pieces: Pieces = []
    for text, strength in quote.runs:
        pieces += [(" ", 0)] if text.isspace() else [(clean(text), strength)]
    return [piece for piece in pieces if piece[0]] or [ELLIPSIS]


def _lines(pieces: Pieces, across: float) -> int:
    """Lines that the text fills if all of it were bold."""
    return len(wrap("".join(text for text, _ in pieces), across, BODY, True))


def _joined(pieces: Pieces) -> tuple[tuple[str, int], ...]:
    """Neighbours of one strength as one run; a blank between two marked words of one strength is marked with them."""
    runs: list[tuple[str, int]] = []
    for i, (text, strength) in enumerate(pieces):
        if text == " " and 0 < i < len(pieces) - 1 and pieces[i - 1][1] == pieces[i + 1][1]:
            strength = pieces[i - 1][1]
        if runs and runs[-1][1] == strength:
            runs[-1] = runs[-1][0] + text, strength
        else:
            runs.append((text, strength))
    return tuple(runs)
