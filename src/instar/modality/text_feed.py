"""The torch side of texts."""

from pathlib import Path

import numpy as np
import polars as pl
import torch

from instar.files import write_frame
from instar.modality.base import Feed
from instar.prepare.base import Batch
from instar.prepare.tokens import example_texts, open_texts, prepare_texts, tokeniser
from instar.records import Dataset, InputSpec, Recipe

COUNT = 6
IDS = 900
"""Ids of tokens that a sample draws from: fewer than the smallest vocabulary has."""


def previews(folder: Path, dataset: Dataset, recipe: Recipe, spec: InputSpec, run: Path) -> None:
    """Write figures/prepared.csv below `run`: training texts as they came, and as the network sees them.

    The shortest and the longest text, and others spread evenly by length between them.
    """
    words = tokeniser(recipe, spec)
    train = dataset.part("train").sort(pl.col("input").str.len_chars(), maintain_order=True)
    places = np.linspace(0, train.height - 1, min(COUNT, train.height)).round().astype(int).tolist()
    rows = [
        (id_, label, "", "", "", text, words.show(text))
        for id_, label, text in train[places].select("id", "label", "input").iter_rows()
    ]
    columns = ["id", "label", "before_path", "after_path", "augmented_path", "before_text", "after_text"]
    write_frame(run / "figures/prepared.csv", pl.DataFrame(rows, columns, orient="row"))


def sample(spec: InputSpec, extent: int, n: int) -> Batch:
    """Texts of `extent` tokens each, none of them padding; the ids differ as far as any vocabulary has them."""
    ids_NL = 1 + torch.arange(n * extent).remainder_(IDS).view(n, extent)
    return {"input_ids": ids_NL, "attention_mask": torch.ones_like(ids_NL)}


FEED = Feed(prepare=prepare_texts, open=open_texts, examples=example_texts, previews=previews, sample=sample)
