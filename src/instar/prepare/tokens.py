"""Texts, tokenised once."""

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from zlib import crc32

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer

from instar import store
from instar.errors import UserError
from instar.prepare.base import Batch
from instar.progress import bar
from instar.records import Dataset, InputSpec, Recipe

T = TypeVar("T")
VERSION = 1
"""Goes up when the same text gives other tokens."""
CHUNK = 1000
WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Words:
    """What turns texts into token ids."""

    encode: Callable[[Sequence[str]], list[list[int]]]
    pad: int
    """Id that fills a batch up."""
    show: Callable[[str], str]
    """A text as the network sees it, for a reader."""
    digest: str
    """Of everything that `encode` depends on."""


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


def shortened(tokens: list[T], room: int, fit: str) -> list[T]:
    """At most `room` tokens: the first ones (head), or the first and the last half of them (ends).

    The beginning and the end of a text say more than its middle (Sun et al. 2019, arXiv 1905.05583).
    """
    if len(tokens) <= room:
        return tokens
    if fit == "head":
        return tokens[:room]
    first = (room + 1) // 2
    return tokens[:first] + tokens[len(tokens) - (room - first) :]


def words_of(recipe: Recipe, spec: InputSpec) -> Words:
    """The tokenizer that the network was trained with, or hashed words where it was not trained at all."""
    if spec.tokenizer.startswith("hashed:"):
        return _hashed(int(spec.tokenizer.removeprefix("hashed:")), recipe)
    return _trained(Path(spec.tokenizer) / "tokenizer.json", recipe)


def _trained(path: Path, recipe: Recipe) -> Words:
    if not path.is_file():
        raise UserError(f"no tokenizer {path}; give the folder of a model that holds tokenizer.json")
    tokenizer = Tokenizer.from_file(str(path))
    padding = tokenizer.padding
    pads = [i for i in map(tokenizer.token_to_id, ("[PAD]", "<pad>")) if i is not None]
    pad = padding["pad_id"] if padding else next(iter(pads), 0)
    tokenizer.no_truncation()
    tokenizer.no_padding()
    with_specials = tokenizer.encode("a")
    first, last = (
        with_specials.special_tokens_mask.index(0),
        with_specials.special_tokens_mask[::-1].index(0),
    )
    before = with_specials.ids[:first]
    after = with_specials.ids[len(with_specials.ids) - last :]
    room = recipe.input_size - len(before) - len(after)

    def encode(texts: Sequence[str]) -> list[list[int]]:
        encodings = tokenizer.encode_batch(list(texts), add_special_tokens=False)
        return [before + shortened(e.ids, room, recipe.fit) + after for e in encodings]

    def show(text: str) -> str:
        return " ".join(tokenizer.id_to_token(i) or "" for i in encode([text])[0])

    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return Words(encode, pad, show, f"{digest} {recipe.input_size} {recipe.fit}")


def _hashed(buckets: int, recipe: Recipe) -> Words:
    """Words, case folded, each hashed to 1 .. buckets - 1 (Weinberger et al. 2009, arXiv 0902.2206); 0 is
    padding.

    A text without words is one empty word. Pairs of words are the network's business.
    """

    def split(text: str) -> list[str]:
        return shortened(WORD.findall(text.casefold()) or [""], recipe.input_size, recipe.fit)

    def encode(texts: Sequence[str]) -> list[list[int]]:
        return [[1 + crc32(word.encode()) % (buckets - 1) for word in split(text)] for text in texts]

    digest = f"hashed {buckets} {recipe.input_size} {recipe.fit}"
    return Words(encode, 0, lambda text: " ".join(split(text)), digest)


def prepare_texts(dataset: Dataset, recipe: Recipe, spec: InputSpec) -> Path:
    """Tokenise splits train, val and test into the cache, once, and return the folder.

    The texts stand in the data set's own table, so there is no source file that could have changed since.
    """
    rows = dataset.part("train", "val", "test")
    words = words_of(recipe, spec)
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
    return PreparedTexts(folder.name, ids, np.diff(offsets), tokens, offsets, words_of(recipe, spec).pad)


def example_texts(texts: Sequence[str], recipe: Recipe, spec: InputSpec) -> PreparedTexts:
    """Texts for `predict`, tokenised by the same function. Ids are the texts themselves."""
    words = words_of(recipe, spec)
    tokens, offsets = encoded(texts, words)
    key = hashlib.sha256(json.dumps([words.digest, list(texts)]).encode()).hexdigest()
    return PreparedTexts(key, tuple(texts), np.diff(offsets), tokens, offsets, words.pad)
