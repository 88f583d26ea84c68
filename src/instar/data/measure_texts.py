"""What is measured of a text."""

import hashlib
import re
import unicodedata
from collections import Counter
from functools import lru_cache
from pathlib import Path

import polars as pl

from instar.data.language import languages, tidy

_AFTER = "[" + "".join(re.escape(bytes([b]).decode("cp1252", "ignore") or chr(b)) for b in range(0x80, 0xC0)) + "]"
LOST = "\N{REPLACEMENT CHARACTER}"
"""Stands where a character could not be read."""
BROKEN = re.compile(f"{LOST}|[ÂÃ]{_AFTER}|[âï]{_AFTER}{{2}}|ð{_AFTER}{{3}}")
"""U+FFFD, or one character of UTF-8 that was read as cp1252: é as Ã©, a curly quote as â€™. Only the
usual first bytes (Latin-1 letters, punctuation, emoji, U+FFFD itself), since others occur in honest text."""
MARKUP = re.compile(r"&(?:[a-zA-Z]{2,8}|#\d{1,6}|#x[0-9a-fA-F]{1,6});|</?[a-zA-Z][^<>]{0,200}>")
"""HTML entities and tags."""
_NOISE = re.compile(f"{BROKEN.pattern}|{MARKUP.pattern}")

LATIN_NAMES = ("LATIN", "FEMININE", "MASCULINE", "MICRO", "MODIFIER", "MATHEMATICAL", "KELVIN", "ANGSTROM")
"""First words of the names of letters that stand in Latin text."""


def normalised(text: str) -> str:
    """The text as twins see it: Unicode NFKC, case folded, white space collapsed and stripped."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def measure(rows: pl.DataFrame, root: Path) -> pl.DataFrame:
    """Measure texts; pure, `root` is not looked at.

    Args:
        rows: columns id and input.

    Returns:
        id, twin (digest of the normalised text), error ("no text" or null), measure.characters, measure.words
        (by white space), measure.replacement (characters lost or garbled by a wrong encoding),
        measure.entities (HTML entities and tags), measure.letters, measure.script (that of most letters, as Unicode
        names it: Latin, Cyrillic, Cjk ...; null without a letter), measure.language (codes, see
        `language.languages`; null where it cannot be told).
    """
    texts = [text or "" for text in rows["input"]]
    keys = [normalised(text) for text in texts]
    return pl.DataFrame(
        {
            "id": rows["id"],
            "twin": [hashlib.blake2b(key.encode(errors="surrogatepass"), digest_size=16).hexdigest() for key in keys],
            "error": pl.Series([None if key else "no text" for key in keys], dtype=pl.String),
            "measure.characters": [len(text) for text in texts],
            "measure.words": [len(text.split()) for text in texts],
            "measure.replacement": [0 if text.isascii() else len(BROKEN.findall(text)) for text in texts],
            "measure.entities": [len(MARKUP.findall(text)) if "<" in text or "&" in text else 0 for text in texts],
            "measure.letters": [sum(map(str.isalpha, text)) for text in texts],
            "measure.script": pl.Series([script(text) for text in texts], dtype=pl.String),
            "measure.language": pl.Series(languages(tidy(text, _NOISE) for text in texts), dtype=pl.String),
        }
    )


def script(text: str) -> str | None:
    """The script of most letters; None without a letter."""
    if text.isascii():
        return "Latin" if any(map(str.isalpha, text)) else None
    counts = Counter(_script_of(letter) for letter in text if letter.isalpha())
    return max(sorted(counts), key=counts.__getitem__) if counts else None


@lru_cache(maxsize=4096)
def _script_of(letter: str) -> str:
    """The first word of a letter's name is its script, but for marks such as FEMININE ORDINAL INDICATOR."""
    name = unicodedata.name(letter, "UNKNOWN").removeprefix("FULLWIDTH ").removeprefix("HALFWIDTH ")
    first = name.split()[0].split("-")[0]
    return "Latin" if first in LATIN_NAMES else first.capitalize()
