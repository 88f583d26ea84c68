"""One file with a table: CSV, TSV, Parquet or JSON lines."""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Set
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from instar.data.encoding import decode_text
from instar.data.header import headless
from instar.errors import UserError

DELIMITERS = ",;\t|"
SNIFFED_LINES = 50


@dataclass(frozen=True)
class Table:
    """A table as it stands in the file, apart from its header."""

    name: str
    frame: pl.DataFrame
    """Cells of text files are strings, unchanged; an empty cell is null."""
    encoding: str
    not_utf8: int
    headers_stripped: tuple[str, ...]
    """Names of columns that had spaces around them."""
    headless: str = ""
    """That and why the first line was taken for an example, its columns being called "column 1" and so on; else ""."""


def read_table(path: Path, asked: Set[str] = frozenset(), known: Set[str] = frozenset()) -> Table:
    """Read a table by its suffix; `asked` and `known` help to tell whether it has a header (see `header`).

    Raises:
        UserError: it cannot be opened, is empty or not such a table.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(
            f"{path} cannot be opened ({error.strerror}); make it readable, or name another table"
        ) from error
    encoding, not_utf8, bare = "utf-8", 0, ""
    suffix = path.suffix.lower()
    if not content.strip():
        raise UserError(f"{path} is empty; give a table with a header and rows")
    try:
        if suffix in (".parquet", ".pq"):
            frame, encoding = pl.read_parquet(io.BytesIO(content)), "parquet"
        else:
            decoded = decode_text(content)
            encoding, not_utf8 = decoded.encoding, decoded.not_utf8
            if suffix in (".jsonl", ".ndjson", ".json"):
                frame = _read_json(decoded.text)
            else:
                frame, bare = _read_csv(decoded.text, asked, known)
    except (pl.exceptions.PolarsError, csv.Error) as error:
        reason = str(error).strip().splitlines()[0]
        raise UserError(f"{path} is not a table that can be read ({reason}); mend it or save it anew") from error
    if frame.is_empty():
        raise UserError(f"{path} has a header but no rows; give a table with rows")
    names = _unique(name.strip() or f"column {i + 1}" for i, name in enumerate(frame.columns))
    stripped = tuple(name.strip() for name in frame.columns if name != name.strip())
    frame = frame.rename(dict(zip(frame.columns, names, strict=True)))
    return Table(path.name, frame, encoding, not_utf8, stripped, bare)


def _read_csv(text: str, asked: Set[str], known: Set[str]) -> tuple[pl.DataFrame, str]:
    """The table, and what is to be said where its first line is an example; else ""."""
    text = text.lstrip("\ufeff")
    delimiter = _delimiter(text)
    frame = pl.read_csv(io.BytesIO(text.encode()), separator=delimiter, infer_schema=False)
    first = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    if len(first) != frame.width or not (reason := headless(first, frame, asked, known)):
        return frame, ""
    said = f'no header, since {reason}, so the columns are called "column 1" and so on (with one: name its columns)'
    frame = pl.read_csv(io.BytesIO(text.encode()), separator=delimiter, infer_schema=False, has_header=False)
    return frame.rename({name: f"column {i + 1}" for i, name in enumerate(frame.columns)}), said


def _read_json(text: str) -> pl.DataFrame:
    source = io.BytesIO(text.lstrip("\ufeff").encode())
    return pl.read_json(source) if text.lstrip().startswith("[") else pl.read_ndjson(source, infer_schema_length=None)


def _delimiter(text: str) -> str:
    """The delimiter under which the first lines have the most columns and all the same number of them."""
    best, most = ",", 1
    for delimiter in DELIMITERS:
        lines = csv.reader(io.StringIO(text[: 1 << 16], newline=""), delimiter=delimiter)
        widths = [len(line) for line, _ in zip(lines, range(SNIFFED_LINES), strict=False) if line]
        whole = widths[:-1] or widths  # the last line may have been cut
        common = Counter(whole).most_common(1)[0][1] / len(whole) if whole else 0
        if whole and common > 0.9 and whole[0] > most:
            best, most = delimiter, whole[0]
    return best


def _unique(names: Iterable[str]) -> list[str]:
    """The names, with a number behind those that occur again."""
    seen: Counter[str] = Counter()
    result = []
    for name in names:
        seen[name] += 1
        result.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return result
