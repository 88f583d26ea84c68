"""Text on slides: made inert, measured, wrapped and cut, so that it fits its box on every machine."""

import unicodedata
from functools import lru_cache

import numpy as np

LINE = 1.22
"""Height of a line in units of the type size: ascent, descent and gap of Calibri and Carlito."""
POINTS = 72.0
"""Points in an inch."""
RESERVE = 1.04
"""Renderers round advance widths; text is taken as this much wider than the sum of its glyphs."""
WIDE, UNKNOWN = 1300, 800
"""Widths in thousandths of the type size for East Asian letters and emoji, and for what the table lacks."""

# Advance widths of space to tilde in thousandths of the type size, measured on Carlito, which Calibri shares.
_REGULAR = """\
226 326 401 498 507 715 682 221 303 303 498 498 250 306 252 386 507 507 507 507 507 507 507 507 507
507 268 268 498 498 498 463 894 579 544 533 615 488 459 631 623 252 319 520 420 855 646 662 517 673
543 459 487 642 567 890 519 487 468 307 386 307 498 498 291 479 525 423 525 498 305 471 525 230 239
455 230 799 525 527 525 525 349 391 335 525 452 715 433 453 395 314 460 314 498
"""
_BOLD = """\
226 326 438 498 507 729 705 233 312 312 498 498 258 306 267 430 507 507 507 507 507 507 507 507 507
507 276 276 498 498 498 463 898 606 561 529 630 488 459 637 631 267 331 547 423 874 659 676 532 686
563 473 495 653 591 906 551 520 478 325 430 325 498 498 300 494 537 418 537 503 316 474 537 246 255
480 246 813 537 538 537 537 355 399 347 537 473 745 459 474 397 344 475 344 498
"""
_WIDTHS = {
    bold: {chr(32 + i): int(width) for i, width in enumerate(table.split())}
    for bold, table in ((False, _REGULAR), (True, _BOLD))
}
_OTHERS = {
    "–": 498,
    "—": 905,
    "…": 711,
    "×": 498,
    "·": 268,
    "→": 905,
    "“": 435,
    "”": 435,
    "\u2019": 258,
    "\xa0": 226,
}
_DROPPED = ("Cc", "Cf", "Cs", "Co", "Cn")
_KEPT = "\u200c\u200d\u200e"
"""Joiners in some scripts and emoji, and the mark that ends a run of right-to-left letters."""


def clean(text: str) -> str:
    """One line without what XML forbids or what changes the direction of the text around it."""
    kept = (c if c in _KEPT or unicodedata.category(c) not in _DROPPED else " " for c in text)
    return " ".join("".join(kept).replace("\xa0", "\x00").split()).replace("\x00", "\xa0")


@lru_cache(maxsize=65536)
def _advance(letter: str, bold: bool) -> int:
    """Width of one letter in thousandths of the type size; never too small for the fonts that we name."""
    table = _WIDTHS[bold]
    if letter in table:
        return table[letter]
    if letter in _OTHERS:
        return _OTHERS[letter]
    if unicodedata.combining(letter) or letter in _KEPT or unicodedata.category(letter) == "Mn":
        return 0
    if unicodedata.east_asian_width(letter) in "WF" or ord(letter) >= 0x1F000:
        return WIDE
    base = unicodedata.normalize("NFKD", letter)[0]
    return table.get(base, UNKNOWN) if base != letter else UNKNOWN


def width(text: str, size: float, bold: bool = False) -> float:
    """Width of a line in inches at `size` points."""
    return sum(_advance(c, bold) for c in text) * size * RESERVE / 1000 / POINTS


def height(lines: int, size: float) -> float:
    """Height of so many lines in inches."""
    return lines * size * LINE / POINTS


def wrap(text: str, across: float, size: float, bold: bool = False) -> list[str]:
    """Break a text into lines of at most `across` inches: at spaces, inside a word only if it is wider."""
    lines: list[str] = []
    line = ""
    for word in text.split(" "):
        longer = f"{line} {word}" if line else word
        if width(longer, size, bold) <= across:
            line = longer
            continue
        if line:
            lines.append(line)
        while width(word, size, bold) > across:
            ends = np.cumsum([_advance(c, bold) for c in word]) * size * RESERVE / 1000 / POINTS
            fitting = max(int(np.searchsorted(ends, across, side="right")), 1)
            lines.append(word[:fitting])
            word = word[fitting:]
        line = word
    return [*lines, line] if line or not lines else lines


def cut(text: str, across: float, lines: int, size: float, bold: bool = False) -> str:
    """The text, or as much of it as stands in so many lines, with an ellipsis."""
    wrapped = wrap(text, across, size, bold)
    if len(wrapped) <= lines:
        return text
    kept = " ".join(wrapped[:lines])
    while kept and len(wrap(kept.rstrip() + "…", across, size, bold)) > lines:
        kept = kept[:-1]
    return kept.rstrip(" ,.;:") + "…"


def embedded(name: str) -> str:
    """A name for a place inside a sentence: after right-to-left letters the sentence goes on to the right."""
    foreign = any(unicodedata.bidirectional(letter) in ("R", "AL") for letter in name)
    return f"{name}\u200e" if foreign else name


def shorten(text: str, letters: int) -> str:
    """A name of at most so many letters, for places inside a sentence."""
    text = clean(text)
    return text if len(text) <= letters else text[: letters - 1].rstrip() + "…"
