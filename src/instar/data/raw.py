"""What reading finds, before anything is measured, grouped or split."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from instar.records import Json


@dataclass(frozen=True)
class Raw:
    """A data set as it was found.

    `frame` has one row per example, in natural order of the files or in the order of the table:
      id       str, unique: the path below `root` for a picture, "row 17" for a line of a table
      input    str: the path below `root`, or the text itself, unchanged
      label    str or null
      given    the part that the source itself puts a row into (train, val, test or unlabelled), or null where it does
               not say
      extra.*  the other columns of the table, unchanged
    """

    name: str
    modality: str
    source: str
    root: str
    frame: pl.DataFrame = field(compare=False)
    facts: Mapping[str, Json]
    """layout, table, text_column, image_column, label_column, guessed, encoding, not_utf8, headers_stripped,
    ignored_files, ignored_hidden, ignored_names (the first of the others), labels_stripped: what `Dataset.opening`
    says about them."""
