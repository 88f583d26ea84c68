"""The rows of one table whose columns are chosen, as reading puts them together."""

from dataclasses import dataclass

import polars as pl

from instar.data.columns import Columns
from instar.data.folder import split_name
from instar.data.locate import locate
from instar.data.table import Table


@dataclass(frozen=True)
class Part:
    """One table with its columns."""

    table: Table
    columns: Columns
    given: str | None
    """The split that the name of the file says."""


def rows_of(part: Part, pictures: tuple[str, ...], several: bool) -> pl.DataFrame:
    """id, input, label, given, stripped (whether the label had spaces around it) and extra.* of one table.

    Args:
        pictures: paths of all pictures that lie about.
        several: whether there are more tables, so that a number of a row alone would not tell it.
    """
    frame, columns = part.table.frame, part.columns
    column = columns.image or columns.text
    assert column is not None
    cells = frame[column].cast(pl.String).fill_null("")
    if columns.image:
        inputs = ids = pl.Series(locate(cells.to_list(), pictures), dtype=pl.String)
    else:
        inputs, start = cells, f"{part.table.name} row " if several else "row "
        ids = pl.Series([f"{start}{i + 1}" for i in range(frame.height)], dtype=pl.String)
    label = _label(frame[columns.label]) if columns.label else pl.Series([None] * frame.height, dtype=pl.String)
    stripped = label.str.strip_chars()
    if columns.label and columns.split:
        given = pl.Series([split_name(cell) for cell in frame[columns.split]], dtype=pl.String)
    else:
        given = pl.Series([part.given if columns.label else "unlabelled"] * frame.height, dtype=pl.String)
    extra = frame.drop([name for name in (column, columns.label) if name])
    return pl.DataFrame(
        {
            "id": ids,
            "input": inputs,
            "label": stripped.replace("", None),
            "given": given,
            "stripped": (label != stripped).fill_null(False),
        }
    ).hstack(extra.rename({name: f"extra.{name}" for name in extra.columns}))


def _label(column: pl.Series) -> pl.Series:
    """Labels as text; whole numbers that came as floats (a column with gaps) without ".0"."""
    if column.dtype.is_float() and (column.drop_nulls() % 1 == 0).all():
        column = column.cast(pl.Int64)
    return column.cast(pl.String)


def number_twice_listed(frame: pl.DataFrame) -> pl.DataFrame:
    """Ids made unique: the second row that lists the same picture becomes "path (2)"."""
    n = pl.int_range(1, pl.len() + 1).over("id")
    again = pl.when(n > 1).then(pl.format("{} ({})", "id", n)).otherwise("id")
    return frame.with_columns(again.alias("id"))
