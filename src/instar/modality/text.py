"""Texts: what differs from other kinds of data."""

import re
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfVectorizer

from instar.audit.doubts import TEXT_DOUBTS
from instar.audit.families import TEXT_CHECKS
from instar.data.encoding import decode_text
from instar.data.folder import TABLES
from instar.data.measure_texts import measure
from instar.data.table import read_table
from instar.errors import UserError
from instar.modality.base import Feed, Modality
from instar.modality.cheap import logistic
from instar.modality.extent import tokens
from instar.modality.habits import Habit, Habits
from instar.prepare.clean import NAMES
from instar.records import Dataset, Quote, Quotes

REPEATED = re.compile("(\N{REPLACEMENT CHARACTER}|(\\S)(?!\\2)\\S{1,5}?)\\1{5,}")
"""A sign of damage, or two to six characters that begin with different ones, six times or more in a row."""


def feed() -> Feed:
    """The torch side of texts."""
    from instar.modality.text_feed import FEED

    return FEED


def show(dataset: Dataset, ids: Sequence[str], captions: Sequence[str], tones: Sequence[str]) -> Quotes:
    """The texts as quotations."""
    texts = {row["id"]: row["input"] for row in dataset.table.select("id", "input").iter_rows(named=True)}
    return Quotes(tuple(Quote(_told(texts[i]), c, t) for i, c, t in zip(ids, captions, tones, strict=True)))  # type: ignore[arg-type]


def cheap(dataset: Dataset) -> NDArray[np.float64]:
    """Logistic regression on TF-IDF of words and pairs of words."""
    vectoriser = TfidfVectorizer(
        ngram_range=(1, 2),
        token_pattern=r"(?u)\b\w+\b|[^\w\s]",
        min_df=2 if dataset.part("train").height > 500 else 1,
        sublinear_tf=True,
    )
    vectoriser.fit(dataset.part("train")["input"].to_list())

    def columns(rows: pl.DataFrame) -> csr_matrix:
        counts: csr_matrix = vectoriser.transform(rows["input"].to_list())
        return counts

    return logistic(dataset, columns)


def gather(arguments: Sequence[str], dataset: Dataset) -> list[str]:
    """Texts for `predict`: the lines of each file, or its column of texts if it is a table; "-" is standard input.

    Line for line: an empty line stays, and gets no answer, so that answers and lines keep together.
    """
    found: list[str] = []
    for argument in arguments or ("-",):
        path = Path(argument)
        if argument == "-":
            found += _lines(sys.stdin.read())
        elif not path.is_file():
            raise UserError(f"{argument} does not exist; name a file with a text a line, or - for standard input")
        elif path.suffix.lower() in TABLES:
            frame, column = read_table(path).frame, str(dataset.opening["text_column"])
            if column not in frame.columns:
                raise UserError(f'{argument} has no column "{column}", which the network was trained on; rename one')
            found += frame[column].cast(pl.String).fill_null("").to_list()
        else:
            found += _lines(decode_text(path.read_bytes()).text)
    if not any(text.strip() for text in found):
        raise UserError("no text to predict; give a file with a text a line, or write to standard input")
    return found


def _lines(content: str) -> list[str]:
    return content.replace("\r\n", "\n").removesuffix("\n").split("\n")


def _told(text: str) -> str:
    """A text for a reader: what is `REPEATED` is written once, with its number."""
    return REPEATED.sub(lambda found: f"[{found[1]} ×{len(found[0]) // len(found[1])}]", text)


def place(rows: pl.DataFrame, folder: Path, files: str) -> pl.Series:
    """The texts themselves: they stand in the table."""
    return rows["input"]


HABITS = Habits(
    epochs=(2, 6),
    rate=Habit(
        1e-4,
        "Text encoders forget at higher rates, and gained less at a third of this one even in a hundred steps.",
        "arXiv 1810.04805; measurement (docs/LOG.md, rates of the stage top)",
    ),
    steps=1,
    weight_decay=Habit(0.01, "As in the training of BERT and its kin.", "arXiv 1711.05101; arXiv 1810.04805"),
    dropout=Habit(0.1, "As in the fine-tuning of BERT.", "arXiv 1810.04805"),
    plain_labels="Texts are tuned for few epochs, in which the network hardly grows overconfident.",
)
TEXT = Modality(
    name="text",
    many="texts",
    files=False,
    measure=measure,
    checks=TEXT_CHECKS,
    doubts=TEXT_DOUBTS,
    fits=("head", "ends"),
    augmentations={},
    repairs=NAMES,
    habits=HABITS,
    extent=tokens,
    unit="tokens",
    bounded=True,
    backbones=("hf:sentence-transformers/all-MiniLM-L6-v2", "scratch:words"),
    feed=feed,
    show=show,
    gather=gather,
    column="text",
    place=place,
    cheap=cheap,
    cheap_name="logistic regression on TF-IDF",
)
