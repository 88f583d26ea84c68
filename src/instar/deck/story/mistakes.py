"""Where the network fails: classes taken for each other, hardly known ones, its most confident mistakes."""

import polars as pl

from instar import steps
from instar.deck.facts import Facts
from instar.deck.story import common
from instar.deck.story.chain import part
from instar.deck.story.suspects import doubted
from instar.deck.words import LEVEL, Words
from instar.records import Figure, Points, Slide

MANY = 10
"""From so many classes on, the worst pairs and classes get slides of their own."""
FIRST = 6
"""Mistakes shown."""
WIDE = 0.25
"""An interval of a recall that is wider hides more than it says."""


def worst(facts: Facts) -> pl.DataFrame:
    """Classes taken for each other: label, predicted, n, of (test examples of the label); most first, as in the chart:
    of equals the largest share of its class."""
    table = facts.evaluation.confusion
    of = table.group_by("label").agg(pl.col("n").sum().alias("of"))
    wrong = table.filter((pl.col("label") != pl.col("predicted")) & (pl.col("n") > 0)).join(
        of, on="label", maintain_order="left"
    )
    return wrong.sort("n", pl.col("n") / pl.col("of"), "label", "predicted", descending=[True, True, False, False])


def confusion(facts: Facts, words: Words) -> Slide:
    """Which classes are taken for which."""
    wrong, score = worst(facts), facts.evaluation.score("accuracy")
    n = facts.evaluation.errors.height
    values = {"n": words.whole(n), "all": words.whole(score.n), "many": facts.many}
    points = [words("confusion.errors", share=words.percent(n / score.n, 1), **values)]
    if wrong.height:
        top = wrong.row(0, named=True)
        tied = wrong.height > 1 and wrong["n"][1] == top["n"]
        kind = "only" if n == 1 else "tied" if tied else "pair"
        title = words(
            f"confusion.title.{kind}",
            int(top["n"]),
            a=words.name(top["label"]),
            b=words.name(top["predicted"]),
            of=words.whole(top["of"]),
            **values,
        )
        points += [
            words(
                "confusion.next",
                a=words.name(r["label"]),
                b=words.name(r["predicted"]),
                n=words.whole(r["n"]),
                of=words.whole(r["of"]),
            )
            for r in wrong[1:2].iter_rows(named=True)
        ]
    else:
        title = words("confusion.title.none", **values)
    near = neighbours(facts)
    if near is not None and n:
        points.append(words("confusion.near", share=words.percent(near)))
    block = Figure("09-confusion", words("alt.confusion", **values))
    files = ("5-eval/confusion.csv", "figures/09-confusion.csv")
    lines = [words("confusion.definition")] + [
        words("confusion.line", a=r["label"], b=r["predicted"], n=words.whole(r["n"]), of=words.whole(r["of"]))
        for r in wrong[:12].iter_rows(named=True)
    ]
    return Slide(
        "confusion",
        part(facts, words, "result"),
        title,
        (block, Points(tuple(points))),
        common.notes(words, lines, files),
        files,
    )


def neighbours(facts: Facts) -> float | None:
    """Share of the mistakes that are one step off on an ordered scale; None without an order."""
    if not facts.dataset.ordered:
        return None
    place = {name: i for i, name in enumerate(facts.dataset.classes)}
    rows = facts.evaluation.errors.select("label", "predicted").iter_rows()
    distances = [abs(place[label] - place[predicted]) for label, predicted in rows]
    return sum(d == 1 for d in distances) / len(distances) if distances else None


def classes(facts: Facts, words: Words) -> Slide | None:
    """How well each class is found again."""
    table = facts.evaluation.per_class
    weak = table.filter(pl.col("n") > 0).sort("recall", "label")
    if weak.height < 3:
        return None
    low, best = weak.row(0, named=True), weak.row(-1, named=True)
    apart = low["recall_high"] < best["recall_low"]
    values = {
        "a": words.name(low["label"]),
        "recall": words.percent(low["recall"]),
        "b": words.name(best["label"]),
        "best": words.percent(best["recall"]),
        "interval": words(
            "format.interval", low=words.percent(low["recall_low"]), high=words.percent(low["recall_high"])
        ),
        "n": words.whole(low["n"]),
        "classes": words.whole(weak.height),
    }
    points = [words("classes.weakest", **values)]
    if low["confused_n"]:
        points.append(
            words("classes.confused", low["confused_n"], a=values["a"], b=words.name(low["most_confused_with"]))
        )
    smallest = words.whole(min(weak["n"].to_list()))
    widest = (weak["recall_high"] - weak["recall_low"]).to_numpy().max()
    points.append(words("classes.intervals" if widest > WIDE else "classes.narrow", smallest=smallest))
    title = words(f"classes.title.{'apart' if apart else 'close'}", **values)
    block = Figure("10-per-class", words("alt.per-class", **values))
    files = ("5-eval/per_class.csv", "figures/10-per-class.csv")
    lines = [words("classes.definition", level=words.percent(LEVEL), method=words("method.wilson"))]
    lines += [
        words(
            "classes.line",
            label=r["label"],
            recall=words.percent(r["recall"]),
            precision=words.percent(r["precision"]),
            n=words.whole(r["n"]),
        )
        for r in weak[:12].iter_rows(named=True)
    ]
    return Slide(
        "classes",
        part(facts, words, "result", "small-classes"),
        title,
        (block, Points(tuple(points))),
        common.notes(words, lines, files),
        files,
    )


def pairs(facts: Facts, words: Words) -> Slide | None:
    """With many classes: the pairs most often taken for each other, with an example of each side."""
    wrong = worst(facts)
    if len(facts.dataset.classes) < MANY or wrong.height < 3:
        return None
    errors = facts.evaluation.errors
    train = facts.dataset.part("train")
    ids, captions = [], []
    for row in wrong.head(4).iter_rows(named=True):
        taken = errors.filter((pl.col("label") == row["label"]) & (pl.col("predicted") == row["predicted"]))
        like = train.filter(pl.col("label") == row["predicted"])
        if not taken.height or not like.height:
            continue
        ids += [taken["id"][0], like["id"][0]]
        captions += [
            words("pairs.taken", label=row["label"], n=words.whole(row["n"]), of=words.whole(row["of"])),
            words("pairs.for", label=row["predicted"]),
        ]
    shown, every = int(wrong.head(4)["n"].sum()), words.whole(errors.height)
    title = words("pairs.title", n=words.whole(shown), all=every)
    files = ("5-eval/confusion.csv", "5-eval/errors.csv")
    return Slide(
        "pairs",
        part(facts, words, "result"),
        title,
        (common.show(facts, ids, captions, columns=4),),
        common.notes(words, [words("pairs.definition")], files),
        files,
    )


def mistakes(facts: Facts, words: Words) -> Slide | None:
    """The mistakes of which the network is most sure."""
    errors = facts.evaluation.errors
    if not errors.height:
        return None
    groups = facts.predictions.select("id", "group")
    shown = errors.join(groups, on="id", how="left", maintain_order="left")
    shown = shown.unique("group", keep="first", maintain_order=True).head(FIRST)
    captions = [
        words(
            "mistakes.caption",
            label=r["label"],
            predicted=r["predicted"],
            confidence=words.percent(r["confidence"]),
        )
        for r in shown.iter_rows(named=True)
    ]
    sure = errors.filter(pl.col("confidence") >= 0.9).height
    title = words(
        f"mistakes.title.{'sure' if sure else 'unsure'}",
        errors.height,
        sure=words.whole(sure),
        level=words.percent(0.9),
        top=words.percent(float(errors["confidence"][0]), 1),
    )
    block = common.show(facts, shown["id"].to_list(), captions, tone="bad")
    files = ("5-eval/errors.csv", steps.PREDICTIONS)
    return Slide(
        "mistakes",
        part(facts, words, "result"),
        title,
        (block, Points((words("mistakes.look" if doubted(facts).height else "mistakes.plain"),))),
        common.notes(words, [words("mistakes.definition")], files),
        files,
    )
