"""Bytes of a text file to text, with a count of what did not fit."""

import codecs
import re
from dataclasses import dataclass

from charset_normalizer import from_bytes

SAMPLE = 1 << 20
"""Bytes that charset-normalizer is shown; it needs seconds per megabyte."""
FOREIGN = 0.6
"""Share of bytes above 127 in the words that have any, from which on a text is not western European. Words
such as "größer" lie near 0.3, Russian or Greek ones at 1. Our judgement."""
EVIDENCE = 32
"""Fewest bytes in such words that are worth a guess; short of them the likeliest guess, cp1252, is better."""

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True)
class Text:
    """A decoded file."""

    text: str
    encoding: str
    not_utf8: int
    """Bytes that are not part of valid UTF-8."""


def decode_text(content: bytes) -> Text:
    """Decode the content of a text file: by its byte order mark, as UTF-8, as cp1252, or as what a detector
    says.

    UTF-8 almost never fits by accident. What is not UTF-8 and written in western European letters is read as
    cp1252, with the five bytes that cp1252 leaves undefined read as latin-1, so that every byte becomes one
    character and none is lost; common detectors take such files for Mac or Baltic code pages. Only words that
    consist of foreign bytes (Cyrillic, Greek, Japanese ...), or zero bytes, call charset-normalizer.
    """
    for mark, name in _MARKS:
        if content.startswith(mark):
            return Text(content.decode(name, errors="replace"), name, _not_utf8(content) if "8" not in name else 0)
    try:
        return Text(content.decode("utf-8"), "utf-8", 0)
    except UnicodeDecodeError:
        bad = _not_utf8(content)
    if _foreign(content):
        best = from_bytes(content[:SAMPLE]).best()
        if best is not None:
            return Text(content.decode(best.encoding, errors="replace"), best.encoding, bad)
    return Text(content.decode("cp1252", errors="instar-latin-1"), "cp1252", bad)


def _latin_1(error: UnicodeError) -> tuple[str, int]:
    """The bytes that cp1252 does not define, read as latin-1 (as browsers do: WHATWG encoding standard)."""
    assert isinstance(error, UnicodeDecodeError)
    return error.object[error.start : error.end].decode("latin-1"), error.end


codecs.register_error("instar-latin-1", _latin_1)


def _not_utf8(content: bytes) -> int:
    return len(re.findall("[\udc80-\udcff]", content.decode("utf-8", errors="surrogateescape")))


def _foreign(content: bytes) -> bool:
    """Whether the text is not in western European letters, nor UTF-8 cut within characters."""
    sample = content[:SAMPLE]
    if b"\0" in sample:
        return True
    if len(re.findall(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}", sample)) > _not_utf8(sample):
        return False
    words = [word for word in re.findall(rb"[A-Za-z\x80-\xff]{4,}", sample) if not word.isascii()]
    high = sum(byte > 127 for word in words for byte in word)
    return bool(high > max(EVIDENCE, FOREIGN * len(b"".join(words))))
