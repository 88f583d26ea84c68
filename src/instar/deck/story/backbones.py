"""Why this backbone for these data on this machine: what several candidates were worth, and what they cost."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from instar import steps
from instar.deck.facts import Facts
from instar.deck.story import common
from instar.deck.story.chain import part
from instar.deck.words import LEVEL, Words
from instar.records import Figure, Points, Slide

STEM = "20-backbones"
Row = Mapping[str, Any]


def probed(facts: Facts) -> pl.DataFrame:
    """The candidates that were probed, from cheap to dear, with a name to tell each by (label); empty where no others
    were scored."""
    if not facts.candidates.height:
        return facts.candidates
    rows = facts.candidates.filter(pl.col("accuracy").is_not_null())
    source = pl.col("backbone").str.split(":").list.first()
    twice = pl.col("title").is_duplicated()
    return rows.with_columns(label=pl.when(twice).then(pl.format("{} ({})", "title", source)).otherwise("title"))


def drawn(facts: Facts) -> pl.DataFrame:
    """The table behind the figure."""
    rows = probed(facts)
    if not rows.height:
        return rows
    chosen = pl.col("verdict") == "chosen"
    return rows.select("label", "accuracy", "low", "high", "ms_example", "epoch_seconds", "n", chosen=chosen)


def backbones(facts: Facts, words: Words) -> Slide | None:
    """The scores of several backbones; None where there is nothing to compare."""
    rows = probed(facts)
    if rows.height < 2:
        return None
    taken = rows.row(by_predicate=pl.col("verdict") == "chosen", named=True)
    first = rows.row(by_predicate=pl.col("default"), named=True)
    able = rows.filter(pl.col("verdict") != "too slow")
    best = able.sort("accuracy", descending=True, maintain_order=True).row(0, named=True)
    among = "backbones.among.able" if able.height < rows.height else "backbones.among.all"
    n = words(among, able.height)
    right = words.percent(taken["accuracy"], 1)
    if taken["backbone"] != facts.recipe.backbone:
        title = words(
            "backbones.title.other",
            taken=taken["label"],
            planned=first["label"],
            gain=gain(words, taken, "gain"),
            times=words.number(taken["epoch_seconds"] / first["epoch_seconds"], 1),
        )
    elif best["backbone"] == taken["backbone"]:
        title = words("backbones.title.best", taken=taken["label"], n=n, right=right, many=facts.many)
    else:
        title = words("backbones.title.enough", taken=taken["label"], n=n, right=right)
    points = [
        words("backbones.how", n=words.whole(taken["n"]), most=words.whole(taken["a_class"]), many=facts.many),
        *compared(facts, words, taken, first, best),
        words("backbones.rule"),
    ]
    files = (steps.SCORES, f"figures/{STEM}.csv")
    alt = words("alt.backbones", n=words.whole(rows.height), taken=taken["label"], right=right)
    return Slide(
        "backbones",
        part(facts, words, "model"),
        title,
        (Figure(STEM, alt), Points(tuple(points[:3]))),
        common.notes(words, [line(words, row) for row in facts.candidates.iter_rows(named=True)], files),
        files,
    )


def compared(facts: Facts, words: Words, taken: Row, first: Row, best: Row) -> list[str]:
    """What the choice gains and costs against another candidate that a listener would ask about."""
    planned = taken["backbone"] == facts.recipe.backbone
    if planned and first["backbone"] != taken["backbone"]:
        one = "backbones.gain.more" if taken["epoch_seconds"] > first["epoch_seconds"] else "backbones.gain.less"
        seconds = words.duration(abs(taken["epoch_seconds"] - first["epoch_seconds"]))
        return [words(one, first=first["label"], gain=gain(words, taken, "gain"), seconds=seconds)]
    if best["backbone"] != taken["backbone"]:
        times = words.number(best["epoch_seconds"] / taken["epoch_seconds"], 1)
        return [words("backbones.dearer", best=best["label"], right=words.percent(best["accuracy"], 1), times=times)]
    return []


def gain(words: Words, row: Row, what: str) -> str:
    """Points against the default, with the interval."""
    ends = (row[what], row[f"{what}_low"], row[f"{what}_high"])
    value, low, high = (f"{100 * end:+.1f}" for end in ends)
    return words("format.gain.points", value=value, low=low, high=high)


def line(words: Words, row: Row) -> str:
    """A candidate, for the notes."""
    if row["accuracy"] is None:
        return words("backbones.note.left", backbone=row["backbone"], reason=row["reason"])
    return words(
        "backbones.note.scored",
        backbone=row["backbone"],
        right=words.percent(row["accuracy"], 1),
        low=words.percent(row["low"], 1),
        high=words.percent(row["high"], 1),
        level=words.percent(LEVEL),
        n=words.whole(row["n"]),
        logme=words.number(row["logme"], 3),
        size=words.whole(row["input_size"]),
        parameters=words.whole(row["parameters"]),
        ms=words.number(row["ms_example"], 1),
        seconds=words.duration(row["epoch_seconds"]),
        reason=row["reason"],
    )
