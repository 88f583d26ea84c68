"""Whether the first line of a text table names its columns, or is an example already."""

import re
from collections.abc import Set
from pathlib import PurePosixPath

import polars as pl

from instar.data.columns import LABELS, SAMPLE, SPLITS, TEXTS, label_values
from instar.data.folder import PICTURES

OTHERS = ("id", "index", "no", "nr", "file", "filename", "file_name", "image", "path", "date")
NAMES = frozenset((*LABELS, *TEXTS, *SPLITS, *OTHERS))
"""What columns are called, and first cells of examples hardly ever."""
SENTENCES = 3
"""Words that the cells of a column have on average, from which on they are taken for sentences."""
_NUMBERED = re.compile(r"column \d+")
_NUMBER = re.compile(r"\s*[-+]?\d+([.,]\d+)?\s*")
_IDENTIFIER = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


def headless(first: list[str], below: pl.DataFrame, asked: Set[str], known: Set[str]) -> str:
    """Why the first line is taken for an example; "" where it is taken for a header, as nearly always.

    What the user asks for decides: a column named in the first line, or "column 2" where it names none such.
    Else the first line must show that it is an example: a cell names a picture, as most cells below it do; or a
    cell is a label that recurs below it, and no other cell looks like a name above what is none.

    Args:
        first: the cells of the first line.
        below: the other lines, cells as strings, a column per cell of `first`.
        asked: names of columns that the user gave.
        known: what pictures that lie about may be called.
    """
    names = {cell.strip() for cell in first}
    if asked & names:
        return ""
    if any(_NUMBERED.fullmatch(name) for name in asked):
        return "columns are asked for by number"
    columns = [column.drop_nulls() for column in below.iter_columns()]
    pairs = list(zip(first, columns, strict=True))
    for cell, column in pairs:
        cells = column.head(SAMPLE).to_list()
        if _is_picture(cell, known) and sum(_is_picture(other, known) for other in cells) >= len(cells) / 2:
            return f'the first line names the picture "{cell.strip()}"'
    if all(_called(name) or _IDENTIFIER.fullmatch(name) for name in names) and any(_called(name) for name in names):
        return ""  # even where it recurs, as in tables that were put one behind the other
    recurring = [cell for cell, column in pairs if _recurs(cell, column) and label_values(column)]
    if recurring and not any(_is_name(cell, column) for cell, column in pairs):
        return f'"{recurring[0].strip()}" in the first line recurs below it'
    return ""


def _is_picture(cell: str, known: Set[str]) -> bool:
    return cell in known or PurePosixPath(cell.strip()).suffix.lower() in PICTURES


def _called(cell: str) -> bool:
    return re.sub(r"[\s\-]+", "_", cell.strip().lower()) in NAMES


def _recurs(cell: str, column: pl.Series) -> bool:
    return bool(cell.strip()) and bool((column.str.strip_chars() == cell.strip()).any())


def _is_name(cell: str, column: pl.Series) -> bool:
    """Whether a first cell cannot be of the same kind as the cells below it, or is a well-known name."""
    if _recurs(cell, column):
        return False
    below, plain = column.head(SAMPLE), cell.strip()
    if not plain:
        return len(column) > 0
    if _called(plain):
        return True
    numbers = float(below.str.contains(f"^{_NUMBER.pattern}$").mean() or 0)  # type: ignore[arg-type]
    if (_NUMBER.fullmatch(plain) is not None) != (numbers > 0.5):
        return True
    words = float(below.str.count_matches(r"\S+").mean() or 0)  # type: ignore[arg-type]
    return words >= SENTENCES and _IDENTIFIER.fullmatch(plain) is not None
