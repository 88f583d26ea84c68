"""Bytes to text: nothing lost, and what did not fit counted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instar.data.encoding import decode_text

GERMAN = "Größe, Müller, süß; das Café kostet 5 € – „schön“ ist es über Ähren. " * 20
RUSSIAN = "Отличный ресторан, вкусная еда и приятное обслуживание, всем советую. " * 20
JAPANESE = "とても美味しいレストランでした。また行きたいと思います。" * 20


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_utf8_comes_back(text: str) -> None:
    found = decode_text(text.encode())
    assert found.text.removeprefix("\ufeff") == text.removeprefix("\ufeff")
    assert found.not_utf8 == 0


@pytest.mark.parametrize(
    ("text", "encoding", "named"),
    [
        (GERMAN, "cp1252", "cp1252"),
        (GERMAN, "utf-8-sig", "utf-8-sig"),
        (GERMAN, "utf-16", "utf-16"),
        (RUSSIAN, "cp1251", "cp1251"),
        (JAPANESE, "shift_jis", "cp932"),
        ("plain ascii", "ascii", "utf-8"),
    ],
)
def test_encodings(text: str, encoding: str, named: str) -> None:
    found = decode_text(text.encode(encoding))
    assert (found.text, found.encoding) == (text, named)


def test_every_byte_becomes_one_character() -> None:
    """Also the five that cp1252 leaves undefined."""
    content = b"caf\xe9 \x80 5 " + bytes([0x81, 0x8D, 0x8F, 0x90, 0x9D]) + b" and so on, and so on"
    found = decode_text(content)
    assert found.encoding == "cp1252"
    assert found.text == "café € 5 \x81\x8d\x8f\x90\x9d and so on, and so on"
    assert found.not_utf8 == 7


def test_utf8_cut_within_characters_is_no_foreign_code_page() -> None:
    """As in McDonald's: lost characters, saved as U+FFFD in UTF-8, then cut at a number of bytes."""
    lost = ("I" + "\ufffd" * 9).encode()
    content = b"\n".join([b"a review of some length", lost * 3, lost[:-1], lost[:-2]] * 50)
    found = decode_text(content)
    assert found.encoding == "cp1252"
    assert found.not_utf8 == 50 * 3
    assert len(found.text) == len(content)
