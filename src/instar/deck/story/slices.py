"""On which parts of the test rows the network is surely worse, and whether their classes explain it."""

from typing import Any

import polars as pl

from instar import steps
from instar.deck.facts import Facts
from instar.deck.story import common
from instar.deck.story.chain import part
from instar.deck.text import embedded, shorten
from instar.deck.words import LEVEL, NAME, Words
from instar.evaluate.slices import SURE, sure
from instar.records import Figure, Points, Slide

ROWS = 8
"""Slices in the chart."""
EXPLAINED = 0.8
"""Share of the difference that the classes of a slice explain, from which they are said to be the reason (our
judgement)."""
SMALLEST_P = 0.001
TABLE, COLUMNS = "5-eval/slices.csv", "5-eval/slice_columns.csv"
Row = dict[str, Any]


def slices(facts: Facts, words: Words) -> Slide | None:
    """Where the network is surely worse than elsewhere; nothing where there is no column to look at."""
    frame = shown(facts, words)
    if not frame.height:
        return None
    worse, columns = sure(facts.evaluation.slices), facts.evaluation.slice_columns
    looks = int(columns["looks"].sum())
    first = (worse if worse.height else frame).row(0, named=True)
    values = said(first, facts, words)
    points = []
    if worse.height:
        kind = _kind(first)
        title = words(f"slices.title.{kind}", **values)
        points.append(words(f"slices.point.{kind}", **values))
        points.append(words("slices.looked", looks, p=values["p"]))
        points += [words("slices.also", **said(r, facts, words)) for r in worse[1:2].iter_rows(named=True)]
    else:
        title = words("slices.title.none", looks)
        points.append(words("slices.strongest", **values))
        points.append(words("slices.chance", looks, least=words.whole(facts.evaluation.slices["n"].to_numpy().min())))
    block = Figure("13-slices", words("alt.slices", **values))
    files = (TABLE, COLUMNS, "figures/13-slices.csv")
    lines = [words("slices.definition", level=words.percent(LEVEL), sure=words.percent(SURE))]
    told = facts.evaluation.slices.filter(pl.col("p") < SURE)[:12]
    lines += [words("slices.line", **said(r, facts, words)) for r in told.iter_rows(named=True)]
    left = [words("slices.left", column=_bare(c), why=w) for c, w in columns.select("column", "why").iter_rows() if w]
    lines += [words("slices.left-out", columns=words.listing(left))] if left else []
    return Slide(
        "slices",
        part(facts, words, "result"),
        title,
        (block, Points(tuple(points))),
        common.notes(words, lines, (*files, steps.PREDICTIONS)),
        files,
    )


def shown(facts: Facts, words: Words) -> pl.DataFrame:
    """The slices of the chart: those surely worse, then those nearest to it; without a name for each that is told."""
    table = facts.evaluation.slices
    if not table.height:
        return table
    apart = table.filter(pl.col("like").is_null() & (pl.col("difference") > 0))
    rows = apart.with_columns(sure=pl.col("p") < SURE).head(ROWS)
    names = [words("slices.name", slice=name(r, words)) for r in rows.iter_rows(named=True)]
    return rows.with_columns(pl.Series("name", names, pl.String))


def said(row: Row, facts: Facts, words: Words) -> dict[str, str]:
    """What a sentence about a slice may name."""
    p = float(row["p"])
    small = p < SMALLEST_P
    return {
        "slice": name(row, words),
        "many": facts.many,
        "wrong": words.percent(row["wrong"]),
        "rest": words.percent(row["rest"]),
        "expected": words.percent(row["expected"]),
        "n": words.whole(row["n"]),
        "interval": words(
            "format.interval", low=words.percent(row["wrong_low"]), high=words.percent(row["wrong_high"])
        ),
        "difference": words.points(row["difference"]),
        "span": words(
            "format.interval", low=words.points(row["difference_low"]), high=words.points(row["difference_high"])
        ),
        "p": words("slices.below" if small else "slices.equal", p=words.number(SMALLEST_P if small else p, 3)),
        "within": words.number(row["p_within"], 3),
    }


def name(row: Row, words: Words) -> str:
    """A slice in a sentence that begins “images with”: its column, and where it was cut or which value it is."""
    bare = _bare(row["column"])
    code = bare.replace("_", "-")
    measured = row["column"].startswith("measure.")
    column = words.known(f"measured.{code}", bare) if measured else embedded(shorten(bare, NAME))
    relation, value = str(row["relation"]).replace(" ", "-"), str(row["slice"])
    if relation in ("at-most", "more-than"):
        number = float(value)
        whole = number == int(number) or abs(number) >= 1000
        told = words.whole(number) if whole else words.number(number, 2 if abs(number) >= 0.1 else 3)
        told, unit = told.replace("-", "−"), f"unit.{code}"
        value = words(unit, value=told) if measured and unit in words.templates else told
    elif value in ("True", "False") and measured:
        relation = "yes" if value == "True" else "no"
    else:
        value = words.name(value)
    return words(f"slice.{relation}", column=column, value=value)


def _kind(row: Row) -> str:
    """sure: worse beyond its classes; classes: these explain it; open: neither is shown."""
    if row["p_within"] < SURE:
        return "sure"
    explained = (row["expected"] - row["rest"]) / row["difference"]
    return "classes" if explained >= EXPLAINED else "open"


def _bare(column: str) -> str:
    return column.partition(".")[2]
