"""Texts: what differs from other kinds of data."""

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfVectorizer

from instar.audit.families import TEXT_CHECKS
from instar.data.measure_texts import measure
from instar.errors import UserError
from instar.modality.base import Feed, Modality
from instar.modality.cheap import logistic
from instar.records import Dataset, Quote, Quotes


def feed() -> Feed:
    """The torch side of texts."""
    from instar.modality.text_feed import FEED

    return FEED


def show(dataset: Dataset, ids: Sequence[str], captions: Sequence[str], tones: Sequence[str]) -> Quotes:
    """The texts as quotations."""
    texts = {row["id"]: row["input"] for row in dataset.table.select("id", "input").iter_rows(named=True)}
    return Quotes(tuple(Quote(texts[i], c, t) for i, c, t in zip(ids, captions, tones, strict=True)))  # type: ignore[arg-type]


def cheap(dataset: Dataset) -> NDArray[np.float64]:
    """Logistic regression on TF-IDF of words and pairs of words."""
    vectoriser = TfidfVectorizer(
        ngram_range=(1, 2), min_df=2 if dataset.part("train").height > 500 else 1, sublinear_tf=True
    )
    vectoriser.fit(dataset.part("train")["input"].to_list())

    def columns(rows: pl.DataFrame) -> csr_matrix:
        counts: csr_matrix = vectoriser.transform(rows["input"].to_list())
        return counts

    return logistic(dataset, columns)


def gather(arguments: Sequence[str]) -> list[str]:
    """Texts for `predict`: one a line of each file; "-" is standard input."""
    found: list[str] = []
    for argument in arguments or ("-",):
        if argument == "-":
            content = sys.stdin.read()
        elif Path(argument).is_file():
            content = Path(argument).read_text(encoding="utf-8-sig", errors="replace")
        else:
            raise UserError(f"{argument} does not exist; name a file with a text a line, or - for standard input")
        found += [line for line in content.splitlines() if line.strip()]
    if not found:
        raise UserError("no text to predict; give a file with a text a line, or write to standard input")
    return found


TEXT = Modality(
    name="text",
    many="texts",
    measure=measure,
    checks=TEXT_CHECKS,
    fits=("head", "ends"),
    augmentations={},
    backbones=("hf:sentence-transformers/all-MiniLM-L6-v2", "scratch:words"),
    feed=feed,
    show=show,
    gather=gather,
    cheap=cheap,
    cheap_name="logistic regression on TF-IDF",
)
