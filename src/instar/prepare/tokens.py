"""Texts, tokenised once."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from instar import store
from instar.prepare.base import Batch
from instar.prepare.words import Words, words_of
from instar.progress import bar
from instar.records import Dataset, InputSpec, Recipe

VERSION = 1
"""Goes up when the same text gives other tokens."""
CHUNK = 1000


@dataclass(frozen=True)
class PreparedTexts:
    """Texts as `prepare.base.Prepared`: the tokens of all texts one after the other, and where each
    begins."""

    key: str
    ids: tuple[str, ...]
    costs: NDArray[np.int64]
    tokens: NDArray[np.int32]
    offsets: NDArray[np.int64]
    pad: int

    def batch(self, rows: NDArray[np.int64], augment: tuple[str, ...], seed: int) -> Batch:
        """input_ids and attention_mask (B, L) int64, padded to the longest of the batch. Texts are not
        augmented."""
        lengths = self.costs[rows]
        mask = np.arange(lengths.max())[None] < lengths[:, None]
        ids = np.full(mask.shape, self.pad, np.int64)
        ids[mask] = np.concatenate([self.tokens[self.offsets[row] : self.offsets[row + 1]] for row in rows])
        return {"input_ids": torch.from_numpy(ids), "attention_mask": torch.from_numpy(mask.astype(np.int64))}


def tokeniser(recipe: Recipe, spec: InputSpec) -> Words:
    """What the recipe makes of a text."""
    return words_of(spec, recipe.input_size, recipe.fit, recipe.clean)


def prepare_texts(dataset: Dataset, recipe: Recipe, spec: InputSpec) -> Path:
    """Tokenise splits train, val and test into the cache, once, and return the folder.

    The texts stand in the data set's own table, so there is no source file that could have changed since.
    """
    rows = dataset.part("train", "val", "test")
    words = tokeniser(recipe, spec)
    listed = json.dumps([VERSION, words.digest, rows["id"].to_list(), rows["input"].to_list()])
    folder = store.home() / "prepared" / hashlib.sha256(listed.encode()).hexdigest()[:20]
    if not (folder / "ids.json").exists():
        tokens, offsets = encoded(rows["input"].to_list(), words)
        for name, array in (("tokens", tokens), ("offsets", offsets)):
            with store.replacing(folder / f"{name}.npy") as temporary:
                np.save(temporary, array)
        store.write_text(folder / "ids.json", json.dumps(rows["id"].to_list()))
    return folder


def encoded(texts: Sequence[str], words: Words) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """All tokens one after the other, and offsets (N + 1)."""
    parts: list[list[int]] = []
    with bar("tokenising", len(texts)) as advance:
        for start in range(0, len(texts), CHUNK):
            parts += words.encode(texts[start : start + CHUNK])
            advance(len(texts[start : start + CHUNK]), "")
    offsets = np.cumsum([0, *map(len, parts)])
    return np.fromiter((t for part in parts for t in part), np.int32, int(offsets[-1])), offsets


def open_texts(folder: Path, recipe: Recipe, spec: InputSpec) -> PreparedTexts:
    """Open what `prepare_texts` wrote."""
    ids = tuple(json.loads((folder / "ids.json").read_text()))
    tokens, offsets = np.load(folder / "tokens.npy", mmap_mode="r"), np.load(folder / "offsets.npy")
    return PreparedTexts(folder.name, ids, np.diff(offsets), tokens, offsets, tokeniser(recipe, spec).pad)


def example_texts(texts: Sequence[str], recipe: Recipe, spec: InputSpec) -> PreparedTexts:
    """Texts for `predict`, tokenised by the same function. Ids are the texts themselves."""
    words = tokeniser(recipe, spec)
    tokens, offsets = encoded(texts, words)
    key = hashlib.sha256(json.dumps([words.digest, list(texts)]).encode()).hexdigest()
    return PreparedTexts(key, tuple(texts), np.diff(offsets), tokens, offsets, words.pad)
