"""Which column is which: as asked, else guessed, with the reason."""

import re
from collections.abc import Set
from dataclasses import dataclass
from pathlib import PurePosixPath

import polars as pl

from instar.data.folder import PICTURES, split_name
from instar.errors import UserError


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


LABELS = _words("""
    label labels class classes class_name classname label_name category target y rating ratings stars
    star_rating score overall sentiment emotion polarity species breed genre topic intent diagnosis dx grade
    tag type
""")
"""What label columns are called, the surest name first."""
TEXTS = _words("""
    text review review_text reviewtext content comment comments body message sentence tweet utterance document
    description question headline abstract summary title phrase
""")
"""What text columns are called, the surest name first."""
SPLITS = ("split", "set", "data_set", "dataset", "subset", "partition", "usage", "phase")
SAMPLE = 1000
"""Rows that guessing looks at for what would be slow on all."""
LONGEST_LABEL = 100
"""Characters; what is longer is no name of a class."""


@dataclass(frozen=True)
class Columns:
    """The columns of one table that matter."""

    text: str | None
    image: str | None
    label: str | None
    split: str | None
    guessed: str
    """What was guessed and why, or ""."""


def choose(
    frame: pl.DataFrame,
    where: str,
    *,
    text: str | None,
    image: str | None,
    label: str | None,
    known: Set[str],
) -> Columns:
    """Choose the columns of a table.

    Args:
        frame: the table; `where` names it in errors.
        text, image, label: what the user asked for.
        known: paths, names and names without suffix of the pictures that lie about.

    Returns:
        Exactly one of text and image, where the table has any; a label where it has one.

    Raises:
        UserError: for a column that was asked for and does not exist.
    """
    for asked in (text, image, label):
        if asked is not None and asked.strip() not in frame.columns:
            raise UserError(f'{where} has no column "{asked}"; it has {_list(frame.columns)}')
    text, image, label = (asked and asked.strip() for asked in (text, image, label))
    said: list[str] = []
    if image is None and text is None:
        image = _guess_image(frame, known, said)
    split = _guess_split(frame, {text, image, label}, said)
    label = label or _guess_label(frame, {text, image, split}, said)
    if image is None and text is None:
        text = _guess_text(frame, {label, split}, said)
    return Columns(text, image, label, split, "; ".join(said))


def _guess_image(frame: pl.DataFrame, known: Set[str], said: list[str]) -> str | None:
    """The column with most names of pictures; half of its cells must be such names."""
    shares: dict[str, float] = {}
    for name in _strings(frame):
        cells = frame[name].drop_nulls().head(SAMPLE).to_list()
        hits = sum(cell in known or PurePosixPath(cell.strip()).suffix.lower() in PICTURES for cell in cells)
        shares[name] = hits / max(len(cells), 1)
    best = max(shares, key=shares.__getitem__, default="")
    if not best or shares[best] < 0.5:
        return None
    said.append(f'image column "{best}", since its cells name pictures (another: --image)')
    return best


def _guess_split(frame: pl.DataFrame, taken: Set[str | None], said: list[str]) -> str | None:
    """A column that says train, val or test in every row."""
    for name in _strings(frame):
        if name not in taken and _plain(name) in SPLITS:
            parts = {None if cell is None else split_name(cell) for cell in frame[name].unique()}
            if None not in parts and "train" in parts and len(parts) > 1:
                said.append(f'split column "{name}", since its cells say {", ".join(sorted(filter(None, parts)))}')
                return name
    return None


def _guess_label(frame: pl.DataFrame, taken: Set[str | None], said: list[str]) -> str | None:
    """By name if there is such a column and it can be a label, else the only column that can be one."""
    fit = {name: n for name in frame.columns if name not in taken and (n := label_values(frame[name]))}
    named = sorted((name for name in fit if _plain(name) in LABELS), key=lambda name: LABELS.index(_plain(name)))
    named = named or [name for name in fit if set(_plain(name).split("_")) & set(LABELS)]
    if named:
        said.append(f'label column "{named[0]}" by its name ({fit[named[0]]} values; another: --label)')
        return named[0]
    if len(fit) == 1:
        (only,) = fit
        said.append(f'label column "{only}", the only one with few values that recur ({fit[only]}; another: --label)')
        return only
    return None


def label_values(column: pl.Series) -> int:
    """How many values a column has, if it can be a label; else 0."""
    if column.dtype.is_nested() or column.dtype.is_temporal() or column.dtype == pl.Binary:
        return 0
    cells = column.drop_nulls().cast(pl.String).str.strip_chars()  # as labels will be
    values = cells.unique()
    recur = 2 <= len(values) <= max(2, len(cells) // 2)
    if not recur or (values.str.len_chars().max() or 0) > LONGEST_LABEL:  # type: ignore[operator]
        return 0
    fraction = values.str.contains(r"^\s*-?\d+[.,]\d*[1-9]\d*\s*$").mean()
    return 0 if fraction and fraction > 0.5 and len(values) > 11 else len(values)  # type: ignore[operator]


def _guess_text(frame: pl.DataFrame, taken: Set[str | None], said: list[str]) -> str | None:
    """By name if that column holds words, else the column with most words a cell."""
    words: dict[str, float] = {}
    for name in _strings(frame):
        cells = frame[name].drop_nulls().head(SAMPLE)
        letters = int(cells.str.contains(r"\p{L}").sum())
        if name not in taken and letters > len(cells) / 2 and cells.n_unique() > len(cells) / 5:
            words[name] = float(cells.str.count_matches(r"\S+").mean() or 0)  # type: ignore[arg-type]
    named = sorted((name for name in words if _plain(name) in TEXTS), key=lambda name: TEXTS.index(_plain(name)))
    best = named[0] if named else max(words, key=words.__getitem__, default="")
    if not best or (not named and words[best] < 2):
        return None
    reason = "by its name" if named else "since it has the most words"
    said.append(f'text column "{best}" {reason} ({words[best]:.0f} words on average; another: --text)')
    return best


def _strings(frame: pl.DataFrame) -> list[str]:
    return [name for name, kind in frame.schema.items() if kind == pl.String]


def _plain(name: str) -> str:
    return re.sub(r"[\s\-]+", "_", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).strip().lower())


def _list(names: list[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
