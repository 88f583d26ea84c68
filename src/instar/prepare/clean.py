"""Repairs of a text before it is tokenised: in training, evaluation and prediction alike. Torch is not needed here."""

import html
from collections.abc import Callable, Sequence

import ftfy

from instar.data.lost import DEBRIS

VERSION = 1
"""Goes up when a repair makes something else of the same text."""


def mojibake(text: str) -> str:
    """Undo a wrong encoding where it can be undone (Ã© -> é), by ftfy (Speer 2019, doi 10.5281/zenodo.2591652).

    What cannot be undone becomes a blank. A character that is lost is misread anew with every further conversion (27
    times "ï¿½" for one apostrophe), and each piece of that costs tokens which the rest of the text then lacks. No mark
    is left in its place: a mark tells how a text was typed and copied, not what it says, and new texts have none.
    """
    fixed = ftfy.fix_encoding(text)
    return fixed if fixed.isascii() else DEBRIS.sub(" ", fixed)


def entities(text: str) -> str:
    """HTML entities as the characters that they stand for (&amp; -> &). Tags stay: what they hold may matter."""
    return html.unescape(text)


def whitespace(text: str) -> str:
    """No white space at the ends, and a single blank for each run of it."""
    return " ".join(text.split())


REPAIRS: dict[str, tuple[Callable[[str], str], str]] = {
    "mojibake": (mojibake, "a wrong encoding undone; what is left of lost characters becomes a blank"),
    "entities": (entities, "HTML entities as the characters that they stand for"),
    "whitespace": (whitespace, "no blanks at the ends, one blank for each run of white space"),
}
"""Name -> the repair and what it does, in the order in which repairs are applied."""
NAMES: dict[str, str] = {name: what for name, (_, what) in REPAIRS.items()}


def cleaned(texts: Sequence[str], repairs: Sequence[str]) -> list[str]:
    """The texts after the named repairs, in the order of `REPAIRS` whatever the order of the names."""
    for name, (repair, _) in REPAIRS.items():
        if name in repairs:
            texts = [repair(text) for text in texts]
    return list(texts)


def digest(repairs: Sequence[str]) -> str:
    """Of everything that `cleaned` depends on but the texts."""
    return f"clean {VERSION} ftfy {ftfy.__version__} {' '.join(name for name in REPAIRS if name in repairs)}"
