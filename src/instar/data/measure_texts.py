"""What is measured of a text."""

import hashlib
import re
import unicodedata
from pathlib import Path

import polars as pl

_AFTER = "[" + "".join(re.escape(bytes([b]).decode("cp1252", "ignore") or chr(b)) for b in range(0x80, 0xC0)) + "]"
BROKEN = re.compile(f"\N{REPLACEMENT CHARACTER}|[ÂÃ]{_AFTER}|[âï]{_AFTER}{{2}}|ð{_AFTER}{{3}}")
"""U+FFFD, or one character of UTF-8 that was read as cp1252: é as Ã©, a curly quote as â€™. Only the
usual first bytes (Latin-1 letters, punctuation, emoji, U+FFFD itself), since others occur in honest text."""
MARKUP = re.compile(r"&(?:[a-zA-Z]{2,8}|#\d{1,6}|#x[0-9a-fA-F]{1,6});|</?[a-zA-Z][^<>]{0,200}>")
"""HTML entities and tags."""


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
        measure.entities (HTML entities and tags), measure.letters.
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
        }
    )
