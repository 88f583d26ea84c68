"""Text is measured wide enough, cut where it must be, and inert."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ImageFont

from instar.deck.text import POINTS, clean, cut, shorten, width, wrap

SAMPLES = (
    "The quick brown fox jumps over the lazy dog, 1,234 times (5.6 %)!",
    "WAVE Type AVATAR: “quoted” – dashed … ×·→",
    "Übergrößen naïve café Ångström ñandú",
    "iiiiillll||||....,,,,",
    "MMMMWWWW@@@@%%%%",
)


@pytest.mark.parametrize("bold", [False, True])
@pytest.mark.parametrize("text", SAMPLES)
def test_no_line_is_wider_than_measured(text: str, bold: bool) -> None:
    name = f"Carlito-{'Bold' if bold else 'Regular'}.ttf"
    try:
        font = ImageFont.truetype(name, 1000)
    except OSError:
        pytest.skip(f"{name} is not installed")
    real = font.getlength(text) / 1000 * 18 / POINTS
    assert real <= width(text, 18, bold) <= real * 1.12


@given(st.text(max_size=300), st.floats(0.5, 5), st.integers(1, 4))
def test_what_is_cut_fits(text: str, across: float, lines: int) -> None:
    text = clean(text)
    short = cut(text, across, lines, 18)
    assert len(wrap(short, across, 18)) <= lines
    assert short == text or short.endswith("…")


@given(st.text())
def test_wrapping_loses_nothing(text: str) -> None:
    text = clean(text)
    assert "".join(wrap(text, 2.0, 18)).replace(" ", "") == text.replace(" ", "")


@given(st.text(st.characters()))
def test_clean_text_can_stand_in_xml(text: str) -> None:
    for letter in clean(text):
        code = ord(letter)
        assert 0x20 <= code <= 0xD7FF or 0xE000 <= code <= 0xFFFD or 0x10000 <= code <= 0x10FFFF


def test_overrides_of_direction_are_dropped() -> None:
    assert clean("a\u202eb\x00c\ud800 d\n e") == "a b c d e"
    assert shorten("x" * 50, 10) == "x" * 9 + "…"
