"""What the parts of the story share: examples to show, comparisons that respect intervals, notes."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import polars as pl

from instar.deck.facts import Facts
from instar.deck.words import LEVEL, Words
from instar.records import Block, Gallery, Quotes, Score

FINDINGS = "2-audit/findings/{}.csv"
PICTURES, QUOTES = 24, 8
"""Most examples on one slide."""
POINT = 110
"""Letters that a point beside pictures has room for."""


def typical(facts: Facts, per_class: int, most: int) -> pl.DataFrame:
    """Training examples of middling length, class by class in turn: all first ones, then all second ones.

    Texts of which letters were lost are shown where that is the matter, not as typical ones. With more classes than
    `most`, classes are taken at equal distances of the list.
    """
    classes = facts.dataset.classes
    step = max(len(classes) / most, 1.0)
    chosen = [classes[int(i * step)] for i in range(min(len(classes), most))]
    rows = (
        facts.dataset.part("train")
        .filter(pl.col("label").is_in(chosen), ~pl.col("id").is_in(broken(facts)))
        .unique("group", keep="first", maintain_order=True)
    )
    length = pl.col("input").str.len_chars()
    middling = (length - length.median().over("label")).abs()
    ranked = rows.with_columns(middling.rank("ordinal").over("label").alias("turn"))
    place = pl.col("label").replace_strict(list(classes), list(range(len(classes))), return_dtype=pl.Int64)
    return ranked.filter(pl.col("turn") <= per_class).sort("turn", place).head(most)


def broken(facts: Facts) -> list[str]:
    """Ids of texts of which letters were lost."""
    lost = facts.finding("mojibake")
    return lost.rows["id"].to_list() if lost is not None and lost.rows.width else []


def show(
    facts: Facts,
    ids: Sequence[str],
    captions: Sequence[str],
    tone: str = "plain",
    columns: int = 0,
    pictures: int = PICTURES,
    quotes: int = QUOTES,
) -> Block:
    """Examples as the modality shows them, the first so many; a gallery with 0 columns finds its own."""
    block = facts.modality.show(facts.dataset, ids, captions, [tone] * len(ids))
    match block:
        case Gallery():
            return replace(block, pictures=block.pictures[:pictures], columns=columns)
        case Quotes():
            return replace(block, items=block.items[:quotes])
        case _:
            return block


def first_sentence(reason: str) -> str:
    """The first sentence of a reason, without its full stop: reasons may go on for lines."""
    return reason.partition(". ")[0].rstrip(".")


def brief(reason: str) -> str:
    """The first sentence of a reason, or as much of it as stands before its colon where it is too long for a point."""
    sentence = first_sentence(reason)
    return sentence if len(sentence) <= POINT else sentence.partition(":")[0]


def against(gain: Score) -> str:
    """better, same or worse: told apart only where the interval of the gain leaves out zero."""
    if gain.low > 0:
        return "better"
    return "worse" if gain.high < 0 else "same"


def evidence(facts: Facts, words: Words, codes: Iterable[str]) -> list[str]:
    """The sentences of the findings behind a slide, for its notes."""
    found = [facts.audit.get(code) for code in codes]
    return [
        words(
            "notes.finding",
            check=words.known(f"check.{f.code}", f.code),
            verdict=words.known(f"verdict.{f.verdict}", f.verdict),
            sentence=f.sentence,
        )
        for f in found
        if f is not None
    ]


def scores(words: Words, found: Iterable[Score]) -> list[str]:
    """Scores with interval and n, for notes."""
    return [
        words(
            "notes.score",
            subject=words(f"subject.{s.subject}"),
            metric=words.metric(s.metric),
            value=words.score(s),
            interval=words.interval(s),
            level=words.percent(LEVEL),
            method=words(f"method.{s.method}"),
            n=words.whole(s.n),
        )
        for s in found
    ]


def gains(words: Words, found: Iterable[Score]) -> list[str]:
    """What the network gains over its baselines, for notes."""
    return [
        words(
            "notes.gain",
            subject=words.inside(words(f"subject.{s.subject}")),
            metric=words.metric(s.metric),
            gain=words.gain(s),
            level=words.percent(LEVEL),
            method=words(f"method.{s.method}"),
        )
        for s in found
    ]


def notes(words: Words, lines: Iterable[str], sources: Sequence[str]) -> str:
    """Notes of a slide: what the speaker may need, then the files that the figures come from."""
    return "\n".join([*lines, words("notes.sources", files=words.listing(sources))])
