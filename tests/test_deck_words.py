"""The words of the slides: templates without figures, none of them idle, none of them missing."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from instar.deck.words import Words, read_words
from instar.records import Score

TEMPLATES = read_words().templates
DECK = Path(__file__).resolve().parents[1] / "src" / "instar" / "deck"


def spoken() -> Iterator[tuple[str, str]]:
    for key, entry in TEMPLATES.items():
        for text in [entry] if isinstance(entry, str) else entry.values():
            yield key, text


def literals() -> tuple[set[str], set[str]]:
    """String constants of the deck's code, and beginnings of its f-strings."""
    whole, begun = set(), set()
    for path in DECK.rglob("*.py"):
        nodes = list(ast.walk(ast.parse(path.read_text())))
        parts = {id(part) for node in nodes if isinstance(node, ast.JoinedStr) for part in node.values}
        for node in nodes:
            if isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
                begun.add(str(node.values[0].value))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in parts:
                whole.add(node.value)
    return whole, {start for start in begun if re.fullmatch(r"[a-z]+\.[a-z.-]*", start)}


def test_no_figure_is_typed_into_a_template() -> None:
    assert [(key, text) for key, text in spoken() if re.search(r"\d", text)] == []


def test_counted_templates_have_both_variants() -> None:
    for key, entry in TEMPLATES.items():
        assert isinstance(entry, str) or set(entry) == {"one", "other"}, key


def test_every_template_is_used() -> None:
    whole, begun = literals()
    idle = [k for k in TEMPLATES if k not in whole and not any(k.startswith(b) for b in begun)]
    assert idle == []


def test_every_key_in_the_code_has_a_template() -> None:
    groups = {key.partition(".")[0] for key in TEMPLATES}
    whole, begun = literals()
    named = re.compile(rf"({'|'.join(groups)})\.[a-z.-]+")
    keys = {k for k in whole if named.fullmatch(k)} - {
        "deck.pptx",
        "deck.html",
        "deck.pdf",
        "deck.css",
        "deck.js",
        "report.md",
    }
    assert keys and keys <= set(TEMPLATES)
    assert [b for b in begun if not any(k.startswith(b) for k in TEMPLATES)] == []


def test_values_are_never_read_as_templates() -> None:
    words = Words({"a.b": "{name} stays"})
    assert words("a.b", name="{0.__class__} {evil}") == "{0.__class__} {evil} stays"


@pytest.mark.parametrize(("seconds", "said"), [(0.42, "0.4_s"), (59, "59_s"), (61, "1_min 1_s"), (3725, "1_h 2_min")])
def test_durations(seconds: float, said: str) -> None:
    assert read_words().duration(seconds).replace("\xa0", "_") == said


def test_figures() -> None:
    words = read_words()
    assert words.whole(1234567) == "1,234,567"
    assert words.percent(0.0523, 1) == "5.2\xa0%"
    assert words.listing([]) == ""
    assert words.listing(["a", "b", "c"]) == "a, b and c"
    score = Score("tuned", "accuracy", 0.9, 0.85, 0.94, 100, "wilson")
    assert words.interval(score) == "85.0\xa0% to 94.0\xa0%"
    assert words.score(Score("tuned", "macro_f1", 0.9, 0.85, 0.94, 100, "wilson")) == "0.900"
    assert words.name("x" * 60) == "“" + "x" * 27 + "…”"
