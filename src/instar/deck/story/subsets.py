"""What the result is worth without the test rows that the audit doubts."""

import polars as pl

from instar import steps
from instar.deck.facts import Facts
from instar.deck.story import common
from instar.deck.story.chain import part
from instar.deck.words import LEVEL, Words
from instar.records import Figure, Points, Score, Slide

FILE = "5-eval/subsets.csv"
ACCURACY = "accuracy"


def shown(facts: Facts) -> pl.DataFrame:
    """What the chart draws: the network on all test rows, and on the doubted ones and the rest for each ground.

    In the metric of the headline, where both parts of each ground hold all classes, so that it means the same on both;
    else in accuracy. Nothing where too few rows are left of every ground.
    """
    table = facts.evaluation.subsets
    if not table.height:
        return table
    own = table.filter(pl.col("subject") == "tuned")
    parts = own.filter(pl.col("part").is_in(["doubted", "rest"]), pl.col("value").is_not_null())
    whole = bool((parts["classes"] == len(facts.dataset.classes)).all())
    metric = facts.metric if whole and facts.metric in own["metric"].unique() else ACCURACY
    found = own.filter(pl.col("metric") == metric)
    return found if (found["value"].is_not_null() & (found["part"] == "rest")).any() else found.clear()


def subsets(facts: Facts, words: Words) -> Slide | None:
    """What the result is without the rows that are doubted, for each ground; None where nothing is."""
    table = shown(facts)
    grounds = [name for name in table["subset"].unique(maintain_order=True) if name != "all"] if table.height else []
    if not grounds:
        return None
    rows = {(row["subset"], row["part"]): row for row in table.iter_rows(named=True)}
    score = _score(rows["all", "all"])
    told = [name for name in grounds if rows[name, "rest"]["value"] is not None]
    if not told:
        return None

    def without(name: str) -> Score:
        return _score(rows[name, "rest"])

    sure = [n for n in told if (apart := rows[n, "apart"])["value"] is not None and apart["low"] * apart["high"] > 0]
    chosen = max(sure or told, key=lambda name: abs(without(name).value - score.value))
    values = {
        "metric": words.metric(score.metric),
        "all": words.score(score),
        "rest": words.score(without(chosen)),
        "n": words.whole(rows[chosen, "doubted"]["n"]),
        "what": words(f"subset.{chosen}", many=facts.many),
    }
    kind = "moves" if sure else "holds"
    points = [_point(words, facts, rows, name) for name in dict.fromkeys([chosen, *sure, *told])]
    few = [name for name in grounds if rows[name, "doubted"]["value"] is None]
    if few:
        listed = [_said(words, facts, "listed", rows[name, "doubted"]["n"], name) for name in few]
        points = [*points[:2], words("subsets.few", listed=words.listing(listed))]
    lines = [words("subsets.definition", level=words.percent(LEVEL), metric=words.metric(score.metric))]
    lines += [words(f"subset.definition.{name}", many=facts.many) for name in grounds]
    lines += [
        words(
            "subsets.line",
            what=words(f"subset.{name}", many=facts.many),
            part=words(f"subsets.part.{side}"),
            value=words.score(found),
            interval=words.interval(found),
            n=words.whole(found.n),
        )
        for name in grounds
        for side in ("doubted", "rest")
        if rows[name, side]["value"] is not None
        for found in [_score(rows[name, side])]
    ]
    files = (FILE, steps.PREDICTIONS, steps.AUDIT, "figures/12-subsets.csv")
    return Slide(
        "subsets",
        part(facts, words, "result"),
        words(f"subsets.title.{kind}", **values),
        (
            Figure("12-subsets", words("alt.subsets", metric=values["metric"], all=values["all"])),
            Points(tuple(points[:3])),
        ),
        common.notes(words, lines, files),
        files,
    )


def _score(row: dict[str, object]) -> Score:
    return Score(*(row[key] for key in ("subject", "metric", "value", "low", "high", "n", "method")))  # type: ignore[arg-type]


def _said(words: Words, facts: Facts, how: str, n: object, name: str) -> str:
    """So many rows of a ground, within a sentence or in a list."""
    return words(f"subsets.{how}", n=words.whole(int(str(n))), what=words(f"subset.{name}", many=facts.many))


def _point(words: Words, facts: Facts, rows: dict[tuple[str, str], dict[str, object]], name: str) -> str:
    """How the doubted rows fare against the rest."""
    rest = _score(rows[name, "rest"])
    n = rows[name, "doubted"]["n"]
    if rows[name, "doubted"]["value"] is None:
        listed = _said(words, facts, "listed", n, name)
        return words("subsets.without", listed=listed, rest=words.score(rest), interval=words.interval(rest))
    counted = _said(words, facts, "counted", n, name)
    on = words.score(_score(rows[name, "doubted"]))
    if rows[name, "apart"]["value"] is None:
        return words("subsets.both", counted=counted, on=on, rest=words.score(rest))
    apart = _score(rows[name, "apart"])
    return words(
        f"subsets.apart.{common.against(apart)}", counted=counted, on=on, rest=words.score(rest), gain=words.gain(apart)
    )
