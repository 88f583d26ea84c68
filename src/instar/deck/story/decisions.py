"""Every decision with its reason, and with what it was worth where that is known: tables that cut no reason short."""

from collections.abc import Mapping
from dataclasses import replace

from instar import steps
from instar.deck import theme
from instar.deck.facts import Facts
from instar.deck.story import common
from instar.deck.story.chain import part
from instar.deck.story.values import noted, value
from instar.deck.story.worth import by_field, reason
from instar.deck.tables import parted
from instar.deck.words import Words
from instar.records import Decision, Slide, TableBlock

TELLING = (
    "backbone",
    "grouping",
    "metric",
    "stages",
    "input_size",
    "fit",
    "clean",
    "exclude",
    "augment",
    "loss_weights",
    "label_smoothing",
    "decode",
    "batch_size",
    "precision",
)
"""The fields that a listener asks about first; what has no room beside them stands in the appendix."""
STEPS = 24
"""Heights that are tried for tables of about the same height."""


def row(facts: Facts, words: Words, decision: Decision, known: Mapping[str, str]) -> tuple[str, ...]:
    """A line of the table of decisions; with what they were worth, where that is known of some."""
    because = words.listing([words.inside(words.known(f"check.{code}", code)) for code in decision.because])
    why = reason(facts, decision)
    return (
        words.known(f"field.{decision.field}", decision.field),
        facts.card.title if decision.field == "backbone" else value(words, decision),
        words(f"basis.{decision.basis}"),
        *([known.get(decision.field, words("decisions.unknown"))] if known else []),
        why if not because else words("decisions.because", reason=why, findings=because),
    )


def table(facts: Facts, words: Words, found: list[Decision]) -> TableBlock:
    """Decisions as a table."""
    known = by_field(facts, words)
    columns = ("field", "value", "basis", *(["worth"] if known else []), "reason")
    widths = (1.7, 1.9, 1.1, 1.9, 5.4) if known else (1.9, 2.2, 1.3, 6.6)
    header = tuple(words(f"decisions.{c}") for c in columns)
    return TableBlock(header, tuple(row(facts, words, d, known) for d in found), widths)


def every(facts: Facts, words: Words) -> list[str]:
    """Every decision with its source, for notes."""
    return [noted(words, d) for d in facts.plan.live().values()]


def pages(facts: Facts, words: Words) -> list[TableBlock]:
    """All decisions, those that tell most first, on as many tables as it takes to cut no reason short; the tables after
    the first are about equally tall."""
    live, tall = facts.plan.live(), theme.BOTTOM - theme.TOP
    found = table(facts, words, [live[name] for name in dict.fromkeys((*TELLING, *live)) if name in live])
    first, *more = parted(found, theme.ACROSS, tall)
    if not more:
        return [first]
    rest = replace(found, rows=found.rows[len(first.rows) :])
    shares = (parted(rest, theme.ACROSS, tall * share / STEPS) for share in range(1, STEPS + 1))
    return [first, *next(parts for parts in shares if len(parts) == len(more))]


def decisions(facts: Facts, words: Words) -> Slide:
    """The decisions that matter most, and their reasons."""
    live = facts.plan.live()
    made = [d.basis for d in live.values()]
    bases = [
        words(f"decisions.basis.{basis}", n=words.whole(made.count(basis)))
        for basis in ("asked", "rule", "measured", "fixed")
        if basis in made
    ]
    title = words("decisions.title", n=words.whole(len(live)), bases=words.listing(bases))
    files = (steps.PLAN,)
    return Slide(
        "decisions",
        part(facts, words, "model"),
        title,
        (pages(facts, words)[0],),
        common.notes(words, [*every(facts, words), words("decisions.more")], files),
        files,
    )


def appendix(facts: Facts, words: Words) -> tuple[Slide, ...]:
    """The remaining decisions."""
    rest, files = pages(facts, words)[1:], (steps.PLAN,)
    remaining = sum(len(block.rows) for block in rest)
    slides = []
    for number, block in enumerate(rest, start=1):
        title = words("appendix.title", remaining) if number == 1 else words("appendix.continued")
        key = "appendix" if number == 1 else f"appendix-{number}"
        notes = common.notes(words, every(facts, words), files)
        slides.append(Slide(key, words("part.appendix"), title, (block,), notes, files))
    return tuple(slides)
