"""From a text to the ids of its tokens. Torch is not needed here, so that the plan can count tokens."""

import hashlib
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from instar.errors import UserError
from instar.prepare.clean import cleaned, digest
from instar.records import InputSpec

T = TypeVar("T")
WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Told:
    """Where the tokens of a text stand in it."""

    text: str
    """As repaired: what the tokens were made from."""
    words: tuple[tuple[int, int], ...]
    """Begin and end of each word that the network sees, in the order of the text."""
    owners: tuple[int, ...]
    """For each token, in the order of `Words.encode`, the word that it is a piece of; -1 for markers."""


@dataclass(frozen=True)
class Words:
    """What turns texts into token ids."""

    encode: Callable[[Sequence[str]], list[list[int]]]
    tell: Callable[[str], Told]
    """Which words the tokens of a text are pieces of."""
    pad: int
    """Id that fills a batch up."""
    blank: int
    """Id that stands where a word is taken out: the tokenizer's mask, else `pad`."""
    show: Callable[[str], str]
    """A text as the network sees it, for a reader."""
    digest: str
    """Of everything that `encode` depends on."""


def words_of(spec: InputSpec, size: int, fit: str, repairs: Sequence[str]) -> Words:
    """The tokenizer that the network was trained with, or hashed words where it was not trained at all.

    Every text is repaired first, so that whoever encodes (training, evaluation, prediction) repairs alike.

    Args:
        size: tokens at most, markers of begin and end among them.
        fit: what is kept of a longer text: see `shortened`.
        repairs: names of `prepare.clean.REPAIRS`.
    """
    if spec.tokenizer.startswith("hashed:"):
        plain = _hashed(int(spec.tokenizer.removeprefix("hashed:")), size, fit)
    else:
        plain = _trained(Path(spec.tokenizer) / "tokenizer.json", size, fit)
    if not repairs:
        return plain
    return Words(
        lambda texts: plain.encode(cleaned(texts, repairs)),
        lambda text: plain.tell(cleaned([text], repairs)[0]),
        plain.pad,
        plain.blank,
        lambda text: plain.show(cleaned([text], repairs)[0]),
        f"{plain.digest} {digest(repairs)}",
    )


def lengths(texts: Sequence[str], spec: InputSpec, repairs: Sequence[str]) -> NDArray[np.int64]:
    """Tokens of each text (N,) if none is cut, markers of begin and end among them."""
    encode = words_of(spec, sys.maxsize, "head", repairs).encode
    return np.array([len(tokens) for tokens in encode(texts)], dtype=np.int64)


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


def _trained(path: Path, size: int, fit: str) -> Words:
    if not path.is_file():
        raise UserError(f"no tokenizer {path}; give the folder of a model that holds tokenizer.json")
    tokenizer = Tokenizer.from_file(str(path))
    padding = tokenizer.padding
    pads = [i for i in map(tokenizer.token_to_id, ("[PAD]", "<pad>")) if i is not None]
    pad = padding["pad_id"] if padding else next(iter(pads), 0)
    masks = [i for i in map(tokenizer.token_to_id, ("[MASK]", "<mask>")) if i is not None]
    tokenizer.no_truncation()
    tokenizer.no_padding()
    with_specials = tokenizer.encode("a")
    first, last = (
        with_specials.special_tokens_mask.index(0),
        with_specials.special_tokens_mask[::-1].index(0),
    )
    before = with_specials.ids[:first]
    after = with_specials.ids[len(with_specials.ids) - last :]
    room = size - len(before) - len(after)

    def encode(texts: Sequence[str]) -> list[list[int]]:
        encodings = tokenizer.encode_batch(list(texts), add_special_tokens=False)
        return [before + shortened(e.ids, room, fit) + after for e in encodings]

    def tell(text: str) -> Told:
        found = tokenizer.encode(text, add_special_tokens=False)
        pieces = shortened(list(zip(found.word_ids, found.offsets, strict=True)), room, fit)
        return _told(text, [None] * len(before) + pieces + [None] * len(after))

    def show(text: str) -> str:
        return " ".join(tokenizer.id_to_token(i) or "" for i in encode([text])[0])

    of_file = hashlib.sha256(path.read_bytes()).hexdigest()
    return Words(encode, tell, pad, next(iter(masks), pad), show, f"{of_file} {size} {fit}")


def _told(text: str, pieces: Sequence[tuple[int | None, tuple[int, int]] | None]) -> Told:
    """Join pieces of one word, which the tokenizer numbers; blanks at their edges belong to no word."""
    words: dict[int, tuple[int, int]] = {}
    owners: list[int] = []
    for piece in pieces:
        number, (begin, end) = piece or (None, (0, 0))
        if number is None:
            owners.append(-1)
            continue
        begin += len(text[begin:end]) - len(text[begin:end].lstrip())
        earlier = words.get(number, (begin, end))
        words[number] = (min(earlier[0], begin), max(earlier[1], end))
        owners.append(list(words).index(number))
    return Told(text, tuple(words.values()), tuple(owners))


def _hashed(buckets: int, size: int, fit: str) -> Words:
    """Words, case folded, each hashed to 1 .. buckets - 1 (Weinberger et al. 2009, arXiv 0902.2206); 0 is
    padding.

    A text without words is one empty word. Pairs of words are the network's business.
    """

    def split(text: str) -> list[str]:
        return shortened(WORD.findall(text.casefold()) or [""], size, fit)

    def encode(texts: Sequence[str]) -> list[list[int]]:
        return [[1 + crc32(word.encode()) % (buckets - 1) for word in split(text)] for text in texts]

    def tell(text: str) -> Told:
        origin = [place for place, letter in enumerate(text) for _ in letter.casefold()]
        found = shortened([found.span() for found in WORD.finditer(text.casefold())], size, fit)
        words = tuple((origin[begin], origin[end - 1] + 1) for begin, end in found)
        return Told(text, words, tuple(range(len(words))) or (-1,))

    return Words(encode, tell, 0, 0, lambda text: " ".join(split(text)), f"hashed {buckets} {size} {fit}")
