"""What each decision was worth, where `instar ablate` has switched them off one by one."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from instar.charts.worth import HARMS, HELPS, OPEN
from instar.deck.facts import Facts
from instar.deck.story import common
from instar.deck.story.chain import part
from instar.deck.words import LEVEL, Words
from instar.evaluate.worth import ABOUT, WORTH
from instar.plan.worth import SURE, before
from instar.records import Decision, Figure, Points, Score, Slide

STEM = "18-worth"
Row = Mapping[str, Any]


def main_rows(facts: Facts) -> list[Row]:
    """A row for each decision in the metric of the plan, the most helpful first; none where none was switched off."""
    if not facts.worth.height:
        return []
    return list(facts.worth.filter(pl.col("metric") == facts.worth["metric"][0]).iter_rows(named=True))


def verdict(row: Row) -> str:
    """Whether it helps, harms, or is open once all decisions have been looked at."""
    if row["p_holm"] >= SURE:
        return OPEN
    return HELPS if row["worth"] > 0 else HARMS


def gain(words: Words, row: Row) -> str:
    """The worth with its interval."""
    score = Score("tuned", row["metric"], row["worth"], row["low"], row["high"], row["n"], "paired")
    return words.gain(score)


def charted(facts: Facts, words: Words) -> pl.DataFrame:
    """The rows of the chart, with what stands beside each."""
    rows = [
        {
            **row,
            "name": words(f"worth.name.{row['decision']}"),
            "verdict": verdict(row),
            "beside": words("worth.beside", p=p_value(row["p_holm"]), time=_time(words, row)),
        }
        for row in main_rows(facts)
    ]
    return pl.DataFrame(rows, infer_schema_length=None)


def p_value(p: float) -> str:
    """Two digits are all that a p-value is good for."""
    return f"{p:.2g}" if p >= 0.001 else "<0.001"


def _time(words: Words, row: Row) -> str:
    """What the decision costs in training."""
    more = row["seconds_with"] - row["seconds"]
    if abs(more) < 0.02 * row["seconds_with"]:
        return words("worth.time.same")
    return words("worth.time.more" if more > 0 else "worth.time.less", time=words.duration(abs(more)))


def worth(facts: Facts, words: Words) -> Slide | None:
    """The decisions in the order of their worth; nothing where none was switched off."""
    rows = main_rows(facts)
    if not rows:
        return None
    found = {kind: [row for row in rows if verdict(row) == kind] for kind in (HELPS, HARMS, OPEN)}
    first = (found[HELPS] or found[HARMS][::-1] or rows)[0]
    kind = HELPS if found[HELPS] else HARMS if found[HARMS] else OPEN
    values = {
        "name": words(f"worth.name.{first['decision']}"),
        "gain": gain(words, first),
        "all": words.whole(len(rows)),
        "metric": words.metric(first["metric"]),
    }
    title = words(f"worth.title.{kind}", len(found[kind]), **values)
    about = {"n": words.whole(first["n"]), "many": facts.many, "groups": words.whole(first["groups"])}
    points = [words("worth.split", **about), _seeds(words, rows)]
    if kind == HELPS and found[HARMS]:
        points.append(words("worth.harms", names=_names(words, found[HARMS])))
    elif found[OPEN] and kind != OPEN:
        points.append(words("worth.open", names=_names(words, found[OPEN])))
    files = (WORTH, ABOUT, f"figures/{STEM}.csv")
    lines = [words("worth.definition", level=words.percent(LEVEL), **about), *(_noted(words, row) for row in rows)]
    block = Figure(STEM, words("alt.worth", **values))
    return Slide(
        "worth",
        part(facts, words, "result"),
        title,
        (block, Points(tuple(points[:3]))),
        common.notes(words, lines, files),
        files,
    )


def _names(words: Words, rows: list[Row]) -> str:
    return words.listing([words.inside(words(f"worth.name.{row['decision']}")) for row in rows])


def _seeds(words: Words, rows: list[Row]) -> str:
    """What the intervals do not hold, or how far apart seeds are."""
    if max(row["seeds"] for row in rows) == 1:
        return words("worth.seed")
    noisy = [row for row in rows if row["seeds"] > 1 and row["spread"] > abs(row["worth"])]
    seeds = words.whole(max(row["seeds"] for row in rows))
    return words("worth.noise", seeds=seeds, names=_names(words, noisy)) if noisy else words("worth.seeds", seeds=seeds)


def _noted(words: Words, row: Row) -> str:
    value, without = (words.value(row["metric"], row[key]) for key in ("with", "without"))
    return words(
        "worth.note",
        row["seeds"],
        name=words(f"worth.name.{row['decision']}"),
        value=value,
        without=without,
        gain=gain(words, row),
        p=p_value(row["p"]),
        corrected=p_value(row["p_holm"]),
        time=_time(words, row),
        how=words(f"worth.how.{row['how']}"),
    )


def by_field(facts: Facts, words: Words) -> dict[str, str]:
    """What is known of the worth of each field's decision, for the table of decisions."""
    told: dict[str, list[str]] = {}
    for row in main_rows(facts):
        name = words.inside(words(f"worth.name.{row['decision']}"))
        text = gain(words, row)
        told.setdefault(row["field"], []).append(f"{name}: {text}" if row["field"] == "stages" else text)
    return {field: "; ".join(texts) for field, texts in told.items()}


def reason(facts: Facts, decision: Decision) -> str:
    """The reason of a decision without the figures that stand beside it."""
    return before(facts.plan, decision.field).reason if facts.worth.height else decision.reason
