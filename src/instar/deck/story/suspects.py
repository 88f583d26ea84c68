"""Mistakes that look like wrong labels: shown first, called a suspicion."""

import polars as pl

from instar import steps
from instar.deck.facts import BASELINES, Facts
from instar.deck.story import common
from instar.deck.story.chain import part
from instar.deck.words import Words
from instar.records import Block, Gallery, Points, Slide

FIRST, PAIRED = 6, 2
"""Suspects shown, and up to how many there is room for an example of the other class beside each picture."""


def doubted(facts: Facts) -> pl.DataFrame:
    """The mistakes whose label is suspect, the least believed first."""
    errors = facts.evaluation.errors
    return errors.filter("suspect").sort("belief", "id") if errors.height else errors


def suspects(facts: Facts, words: Words) -> Slide | None:
    """Mistakes where the label may be wrong and not the network; nothing where none is suspect."""
    found, errors = doubted(facts), facts.evaluation.errors
    if not found.height:
        return None
    groups = facts.predictions.select("id", "group")
    first = found.join(groups, on="id", how="left", maintain_order="left")
    first = first.unique("group", keep="first", maintain_order=True).head(FIRST)
    captions = [
        words("mistakes.caption", label=a, predicted=b, confidence=words.percent(c))
        for a, b, c in first.select("label", "predicted", "confidence").iter_rows()
    ]
    title = words("suspects.title", found.height, n=words.whole(errors.height))
    points = [words("suspects.caution")]
    copied = found.filter(pl.col("why").str.contains("copies")).height
    points += [words("suspects.copies", copied)] if copied else []
    lines = [words("suspects.definition")]
    lines += [
        words(
            "suspects.line",
            id=row["id"],
            label=row["label"],
            predicted=row["predicted"],
            belief=words.number(row["belief"], 5),
            why=words.listing([words(f"suspects.why.{voice}") for voice in row["why"].split(", ")]),
        )
        for row in found[:12].iter_rows(named=True)
    ]
    block = common.show(facts, first["id"].to_list(), captions, tone="bad")
    if isinstance(block, Gallery) and first.height <= PAIRED:
        block = _beside(facts, words, first, captions)
    files = ("5-eval/errors.csv", steps.PREDICTIONS, BASELINES)
    return Slide(
        "suspects",
        part(facts, words, "result", "suspect-labels"),
        title,
        (block, Points(tuple(points))),
        common.notes(words, lines, files),
        files,
    )


def _beside(facts: Facts, words: Words, first: pl.DataFrame, captions: list[str]) -> Block:
    """Each suspect with a training example of the class that was answered."""
    train, ids, told = facts.dataset.part("train"), [], []
    for row, caption in zip(first.iter_rows(named=True), captions, strict=True):
        like = train.filter(pl.col("label") == row["predicted"])["id"].head(1).to_list()
        ids += [row["id"], *like]
        told += [caption, *(words("suspects.like", label=row["predicted"]) for _ in like)]
    return common.show(facts, ids, told, columns=4)
