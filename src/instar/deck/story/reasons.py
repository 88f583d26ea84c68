"""Why the network answers as it does: pictures and texts with what speaks for the answer, and whether that holds."""

from typing import Any, Literal

import polars as pl

from instar.deck.facts import Facts
from instar.deck.story import common
from instar.deck.story.chain import part
from instar.deck.words import LEVEL, Words
from instar.records import (
    Block,
    Figure,
    Gallery,
    MarkedQuote,
    MarkedQuotes,
    Picture,
    Points,
    Reasons,
    Score,
    Slide,
)
from instar.steps import REASONS

ALIKE = 0.5
"""A rank correlation with a network that has forgotten all, up to which reasons count as other ones; our judgement."""
STRENGTHS = (0.12, 0.35, 0.65)
"""Shares of the heaviest word of a text from which a word is marked faintly, clearly and strongly; our judgement."""
ROWS = 3
"""Pictures side by side: the right answers above, the mistakes below."""


def standing(found: Reasons) -> str:
    """proven, open (that they matter is not) or doubtful (they do not depend on what was learned)."""
    assert found.gain is not None
    if found.sanity[-1].high > ALIKE:
        return "doubtful"
    return "proven" if found.gain.low > 0 else "open"


def reasons(facts: Facts, words: Words) -> Slide | None:
    """The surest right and wrong answers, with what speaks for them."""
    found = facts.reasons
    if found is None or found.gain is None:
        return None
    marked, random = (words.percent(score.value) for score in found.kept)
    points = [
        words(f"reasons.legend.{found.method}"),
        words(f"reasons.strength.{found.method}"),
        words("reasons.test", marked=marked, random=random),
    ]
    lines = [words("reasons.class"), words(f"reasons.method.{found.method}", place=found.place)]
    lines += tests(found, words)
    files = [f"{REASONS}reasons.yaml", f"{REASONS}examples.csv"]
    files.append(f"{REASONS}tokens.csv" if found.tokens.height else "figures/16-heatmaps.csv")
    return Slide(
        "reasons",
        part(facts, words, "result"),
        words(f"reasons.title.{standing(found)}", gain=words.points(found.gain.value)),
        (_quotes(found, words) if found.tokens.height else _pictures(found, words), Points(tuple(points))),
        common.notes(words, lines, files),
        tuple(files),
    )


def deletion(facts: Facts, words: Words) -> Slide | None:
    """Whether the reasons hold: two tests."""
    found = facts.reasons
    if found is None or found.gain is None:
        return None
    gain, whole = found.gain, found.sanity[-1]
    points = [
        words("deletion.gain", gain=words.points(gain.value), low=words.points(gain.low), high=words.points(gain.high)),
        words("deletion.sanity", all=_signed(whole.value, words), **_ends(whole, words)),
        words("deletion.head", head=_signed(found.sanity[0].value, words)),
    ]
    lines = [words(f"deletion.how.{found.method}"), *tests(found, words)]
    files = (f"{REASONS}reasons.yaml", f"{REASONS}deletion.csv", "figures/17-deletion.csv")
    return Slide(
        "deletion",
        part(facts, words, "result"),
        words(f"deletion.title.{standing(found)}"),
        (Figure("17-deletion", words("deletion.alt")), Points(tuple(points))),
        common.notes(words, lines, files),
        files,
    )


def tests(found: Reasons, words: Words) -> list[str]:
    """How the reasons were tested, for notes."""
    assert found.gain is not None
    named = {score.subject: f"{_signed(score.value, words)} ({_between(score, words)})" for score in found.sanity}
    return [
        words("deletion.curve", n=words.whole(found.gain.n), level=words.percent(LEVEL)),
        words("deletion.randomised", **named),
    ]


def _ends(score: Score, words: Words) -> dict[str, str]:
    return {end: _signed(value, words) for end, value in (("low", score.low), ("high", score.high))}


def _signed(value: float, words: Words) -> str:
    """A correlation, with a true minus sign, at which no line breaks."""
    return words.number(value).replace("-", "−")


def _between(score: Score, words: Words) -> str:
    return words("format.interval", **_ends(score, words))


def _pictures(found: Reasons, words: Words) -> Block:
    pictures = [
        Picture(
            row["path"],
            words(f"reasons.{row['kind']}", **_said(row, words)),
            words("reasons.alt", predicted=row["predicted"], other=row["other"]),
            _tone(row),
        )
        for row in found.examples.iter_rows(named=True)
    ]
    return Gallery(tuple(pictures), ROWS)


def _quotes(found: Reasons, words: Words) -> Block:
    """Right answers at the left, mistakes at the right."""
    kinds = [found.examples.filter(pl.col("kind") == kind).to_dicts() for kind in ("right", "wrong")]
    turns = [row for turn in range(max(map(len, kinds))) for kind in kinds for row in kind[turn : turn + 1]]
    quotes = [
        MarkedQuote(
            runs(found.tokens.filter((pl.col("id") == row["id"]) & (pl.col("class") == row["predicted"]))),
            words(f"reasons.text.{row['kind']}", **_said(row, words)),
            _tone(row),
        )
        for row in turns
    ]
    return MarkedQuotes(tuple(quotes))


def runs(tokens: pl.DataFrame) -> tuple[tuple[str, int], ...]:
    """A text as pieces with their strengths, from the rows of tokens.csv of one text and class."""
    heaviest = float(tokens["weight"].abs().fill_null(0.0).to_numpy().max(initial=0.0)) or 1.0
    found: list[tuple[str, int]] = []
    for word, joined, weight in tokens.sort("place").select("word", "joined", "weight").iter_rows():
        share = (weight or 0.0) / heaviest
        strength = sum(abs(share) >= bound for bound in STRENGTHS)
        found += [(" ", 0)] * (bool(found) and not joined) + [(word, strength if share > 0 else -strength)]
    return tuple(found)


def _said(row: dict[str, Any], words: Words) -> dict[str, str]:
    names = {name: row[name] for name in ("label", "predicted", "other")}
    return {**names, "confidence": words.percent(row["confidence"])}


def _tone(row: dict[str, Any]) -> Literal["good", "bad"]:
    return "good" if row["kind"] == "right" else "bad"
