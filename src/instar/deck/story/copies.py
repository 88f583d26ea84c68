"""Part one: equal examples, which leak from training to test, and those with different labels."""

import polars as pl

from instar import steps
from instar.deck.facts import Facts
from instar.deck.story import common
from instar.deck.story.chain import part
from instar.deck.story.common import FINDINGS
from instar.deck.words import Words
from instar.records import Block, Headline, Points, Slide

LEAK = 0.005
"""A leak below this share of the test part is not worth a title."""


def twins(facts: Facts, words: Words) -> Slide | None:
    """What would have leaked from training to test, with some of the twins."""
    found = facts.finding("exact-twins")
    if found is None:
        return None
    e = found.evidence
    name = part(facts, words, "data", "exact-twins")
    lines = [*common.evidence(facts, words, ("exact-twins",)), words("twins.definition"), words("twins.leak")]
    leak = words.percent(e["random_leak"], 1)
    if not e["groups"]:
        files: tuple[str, ...] = (steps.AUDIT,)
        points = Points(
            (words("twins.none", n=words.whole(facts.labelled.height), many=facts.many), words("twins.near"))
        )
        title = words("twins.title.none", many=facts.many)
        return Slide("twins", name, title, (points,), common.notes(words, lines, files), files)
    if e.get("across"):
        title = words("twins.title.across", e["across"])
    else:
        title = words(f"twins.title.{'leak' if e['random_leak'] >= LEAK else 'few'}", e["groups"], leak=leak)
    head = Headline(
        (leak, words("twins.leak-what")),
        (
            (
                words.whole(e["rows"]),
                words("twins.rows-what", many=facts.many, share=words.percent(e["share"], 1)),
            ),
            (words.whole(e["groups"]), words("twins.groups-what")),
            (words.percent(0.0), words("twins.ours-what")),
        ),
    )
    files = (FINDINGS.format("exact-twins"), steps.TABLE)
    return Slide(
        "twins",
        name,
        title,
        (head, twin_examples(facts, words, found.rows)),
        common.notes(words, lines, files),
        files,
    )


def twin_examples(facts: Facts, words: Words, rows: pl.DataFrame) -> Block:
    """Pairs of twins, those with different labels first; twins that look alike on a page are shown once, and the number
    is that of the copies with the label of the one shown."""
    seen = pl.col("input").str.to_lowercase().str.replace_all(r"\s+", " ").str.strip_chars()
    rows = rows.with_columns(copies=pl.len().over("group", "label"))
    groups = (
        rows.group_by("group", maintain_order=True)
        .agg(
            pl.col("id", "label", "copies").filter(seen.is_first_distinct()),
            pl.len().alias("n"),
            pl.col("label").drop_nulls().n_unique().alias("labels"),
        )
        .sort("labels", "n", descending=True, maintain_order=True)
        .head(3)
    )
    ids, captions = [], []
    for row in groups.iter_rows(named=True):
        for id_, label, copies in list(zip(row["id"], row["label"], row["copies"], strict=True))[:2]:
            ids.append(id_)
            captions.append(words("twins.caption", copies, label=label or words("twins.sealed")))
    return common.show(facts, ids, captions, columns=6, pictures=6, quotes=3)


def conflicts(facts: Facts, words: Words) -> Slide | None:
    """Equal examples with different labels; no slide where there are none."""
    found = facts.finding("conflicting-labels")
    if found is None or not found.evidence["groups"]:
        return None
    e = found.evidence
    ranked = (
        found.rows.drop_nulls("label")
        .group_by("group", maintain_order=True)
        .agg(
            pl.col("id").first(),
            pl.col("label").value_counts(sort=True),
            pl.len().alias("n"),
            pl.col("label").n_unique().alias("k"),
        )
        .filter(pl.col("k") > 1)
        .sort("n", descending=True, maintain_order=True)
        .head(6)
    )
    captions = [
        words.listing(
            [words("conflicts.caption", label=c["label"], times=words.whole(c["count"])) for c in row["label"]][:5]
        )
        for row in ranked.iter_rows(named=True)
    ]
    title = words("conflicts.title", e["groups"], many=facts.many, ceiling=words.percent(e["ceiling"], 1))
    block = common.show(facts, ranked["id"].to_list(), captions)
    files = (FINDINGS.format("conflicting-labels"),)
    lines = [*common.evidence(facts, words, ("conflicting-labels",)), words("conflicts.definition")]
    return Slide(
        "conflicts",
        part(facts, words, "data", "conflicting-labels"),
        title,
        (block,),
        common.notes(words, lines, files),
        files,
    )
