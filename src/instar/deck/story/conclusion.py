"""Part five: what was found, what the network may not be used for, and what to do next."""

import polars as pl

from instar import steps
from instar.deck.facts import Facts
from instar.deck.story import common
from instar.deck.story.brief import brief
from instar.deck.story.chain import numbers, part, resting
from instar.deck.story.confidence import mean_confidence, trust
from instar.deck.story.mistakes import worst
from instar.deck.story.opening import spoken, verdict
from instar.deck.story.suspects import doubted
from instar.deck.words import Words
from instar.records import Points, Slide

MATTER = (
    "exact-twins",
    "conflicting-labels",
    "class-counts",
    "small-classes",
    "colour",
    "mojibake",
    "encoding",
    "unreadable",
    "ordered-labels",
    "sizes",
    "lengths",
)
"""Findings that the next person who works with the data should know."""
WEAK = 0.5
"""A class found again less often than this is called weak."""


def conclusion(facts: Facts, words: Words) -> tuple[Slide, ...]:
    """The slides of the part."""
    return (learned(facts, words), limits(facts, words), following(facts, words))


def learned(facts: Facts, words: Words) -> Slide:
    """Three findings that matter to the next person: the result, and the two findings that changed most."""
    values = spoken(facts, words)
    points = [words(f"learned.{verdict(facts)}", **values)]
    told = [code for code in dict.fromkeys((*numbers(facts), *resting(facts))) if code in MATTER]
    chosen = [code for code in told if facts.audit[code].verdict != "passed"]
    if facts.limited and "small-classes" in chosen:
        chosen.remove("small-classes")
    points += [brief(facts, words, facts.audit[code]) for code in chosen[:2]]
    if len(points) < 3:
        points.append(
            words(
                "learned.trust",
                mean=words.percent(mean_confidence(facts), 1),
                accuracy=words.score(facts.evaluation.score("accuracy")),
            )
        )
    lines = [*common.scores(words, [facts.headline]), *common.evidence(facts, words, chosen)]
    files = (steps.EVALUATION, steps.AUDIT)
    title = words(f"learned.title.{verdict(facts)}", **values)
    return Slide(
        "learned",
        part(facts, words, "end"),
        title,
        (Points(tuple(points[:3])),),
        common.notes(words, lines, files),
        files,
    )


def weak_classes(facts: Facts) -> pl.DataFrame:
    """Classes that are surely found again less often than `WEAK`: the whole interval lies below."""
    return facts.evaluation.per_class.filter((pl.col("n") > 0) & (pl.col("recall_high") < WEAK)).sort("recall")


def limits(facts: Facts, words: Words) -> Slide:
    """What the network may not be used for; each limit follows from a finding or a score."""
    score, weak, conflicts = facts.headline, weak_classes(facts), facts.finding("conflicting-labels")
    points = []
    if verdict(facts) == "useless":
        points.append(words("limits.useless", majority=words.name(facts.evaluation.majority)))
    if weak.height:
        points.append(
            words(
                "limits.weak",
                weak.height,
                share=words.percent(WEAK),
                classes=words.listing([words.name(c) for c in weak["label"][:3]]),
            )
        )
    if trust(facts) == "over":
        points.append(
            words(
                "limits.over",
                mean=words.percent(mean_confidence(facts), 1),
                accuracy=words.score(facts.evaluation.score("accuracy")),
            )
        )
    if conflicts is not None and conflicts.evidence["groups"]:
        points.append(words("limits.conflicts", ceiling=words.percent(conflicts.evidence["ceiling"], 1)))
    points.append(
        words(
            "limits.width",
            interval=words.interval(score),
            n=words.whole(score.n),
            many=facts.many,
            metric=words.metric(score.metric),
        )
    )
    points.append(words("limits.closed", classes=words.whole(len(facts.dataset.classes)), many=facts.many))
    points.append(words("limits.source", many=facts.many))
    title = words(
        "limits.title.weak" if weak.height else "limits.title.plain",
        weak.height,
        classes=words.whole(len(facts.dataset.classes)),
    )
    files = (steps.EVALUATION, steps.AUDIT)
    return Slide(
        "limits",
        part(facts, words, "end"),
        title,
        (Points(tuple(points[:3])),),
        common.notes(words, points[3:] or [words("limits.all")], files),
        files,
    )


def following(facts: Facts, words: Words) -> Slide:
    """What to do next; each step follows from what was found."""
    small, conflicts = facts.finding("small-classes"), facts.finding("conflicting-labels")
    wrong, errors = worst(facts), facts.evaluation.errors
    todo: list[tuple[str, str]] = []

    def step(key: str, count: int | None = None, **values: str) -> None:
        todo.append((words(f"next.short.{key}"), words(f"next.{key}", count, **values)))

    if not facts.card.pretrained:
        step("pretrained")
    if facts.limited:
        opening = facts.dataset.opening
        left = words.whole(opening["left_out_by_limit"])
        step("unlimited", limit=words.whole(opening["limit"]), left=left, many=facts.many)
    elif small is not None and small.evidence["missing"]:
        rows = small.rows.sort("missing", descending=True)
        step(
            "collect",
            missing=words.whole(small.evidence["missing"]),
            minimum=words.whole(small.evidence["minimum"]),
            many=facts.many,
            classes=words.listing([words.name(c) for c in rows["class"][:3]]),
        )
    if conflicts is not None and conflicts.evidence["groups"]:
        step("settle", conflicts.evidence["groups"], many=facts.many)
    if facts.card.pretrained and verdict(facts) in ("same", "worse", "kept"):
        step("larger")
    if wrong.height:
        step("pair", int(wrong["n"][0]), a=words.name(wrong["label"][0]), b=words.name(wrong["predicted"][0]))
    if trust(facts) != "fair":
        step("calibrate")
    if suspect := doubted(facts).height:
        step("suspects", suspect)
    elif errors.height:
        step("labels", errors.height)
    if len(todo) < 3:
        step("field", many=facts.many)
    title = words("next.title", len(todo[:3]), first=todo[0][0])
    files = (steps.EVALUATION, steps.AUDIT)
    lines = [words("next.order"), *(text for _, text in todo[3:])]
    return Slide(
        "next",
        part(facts, words, "end"),
        title,
        (Points(tuple(text for _, text in todo[:3])),),
        common.notes(words, lines, files),
        files,
    )
