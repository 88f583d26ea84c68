"""Part one: what a person would have missed: how hard it is, wrong labels, shortcuts, near copies, look-alikes."""

import polars as pl

from instar import steps
from instar.deck.facts import Facts
from instar.deck.story import common
from instar.deck.story.chain import part
from instar.deck.story.common import FINDINGS
from instar.deck.words import Words
from instar.records import Block, Figure, Finding, Points, Slide

SLIDES = 3
"""Most slides on what is hidden; the first ones that have something to say."""
CHARTED = ("separability", "learning-curve", "shortcuts", "feature-map")
"""Findings whose charts stand on these slides."""
SHOWN, PAIRS, QUOTES = 12, 6, 6
WORTH = 0.005
"""Share of suspect labels from which they are worth a title."""


def hidden(facts: Facts, words: Words) -> tuple[Slide, ...]:
    """The slides, the most telling first; none where nothing was found."""
    made = (difficulty, suspects, shortcuts, near, alike)
    return tuple(slide for make in made if (slide := make(facts, words)) is not None)[:SLIDES]


def difficulty(facts: Facts, words: Words) -> Slide | None:
    """How far frozen features go, and whether more data would help."""
    found, curve = facts.finding("separability"), facts.finding("learning-curve")
    if found is None:
        return None
    values = _told(found, words, "") | {"n": words.whole(found.evidence["n"]), "many": facts.many}
    points = [words("hard.against", **values)]
    low, cheap_high = found.evidence["low"], found.evidence.get("cheap_high")
    if found.evidence.get("judged_by") == "balanced accuracy":
        values |= _told(found, words, "balanced")
        points.append(words("hard.balanced", **values))
        low, cheap_high = found.evidence["balanced_low"], found.evidence.get("cheap_balanced_high")
    if found.verdict == "issue":
        kind = "weak"
    else:
        kind = "alone" if cheap_high is None else "close" if low <= cheap_high else "far"
    stem, codes = "02-separability", ["separability"]
    if curve is not None and curve.rows.height > 1:
        c = curve.evidence
        values["gain"] = words.points(c["gain_if_doubled"])
        low, high = words.points(c["low"]), words.points(c["high"])
        values["gain_span"] = words("format.interval", low=low, high=high)
        kind += "-rising" if c["low"] >= c["worth"] else "-flat" if c["high"] < c["worth"] else "-open"
        points.append(words("hard.curve", **values))
        stem, codes = "02-learning-curve", [*codes, "learning-curve"]
    if found.rows.height:
        worst = found.rows.sort("recall", "class").row(0, named=True)
        if worst["recall"] < 1:
            points.append(words("hard.worst", label=words.name(worst["class"]), recall=words.percent(worst["recall"])))
    lines = [*common.evidence(facts, words, codes), words("hard.definition")]
    block = Figure(stem, words("hard.alt", **values))
    return _slide(facts, words, "difficulty", words(f"hard.title.{kind}", **values), (block, points), lines, codes)


def _told(found: Finding, words: Words, by: str) -> dict[str, str]:
    """Figures of separability, by accuracy or ("balanced") by the mean of the classes' recalls."""
    prefix, e = f"{by}_" if by else "", found.evidence
    low, high = (words.percent(e[f"{prefix}{end}"], 1) for end in ("low", "high"))
    return {
        "accuracy": words.percent(e[by or "accuracy"], 1),
        "right": words(f"hard.right.{by or 'accuracy'}"),
        "span": words("format.interval", low=low, high=high),
        "cheap": words.percent(e.get(f"cheap_{by or 'accuracy'}", 0.0), 1),
        "majority": words.percent(e[f"{prefix}majority"], 1),
    }


def suspects(facts: Facts, words: Words) -> Slide | None:
    """The labels that are most surely wrong, as examples."""
    found = facts.finding("suspect-labels")
    if found is None or found.verdict == "passed" or found.evidence["share"] < WORTH:
        return None
    e = found.evidence
    first = found.rows.head(SHOWN)
    captions = [
        words(
            "suspect.caption",
            label=row["label"],
            suggested=row["suggested"],
            probability=words.percent(row["probability"]),
        )
        for row in first.iter_rows(named=True)
    ]
    block = common.show(facts, first["id"].to_list(), captions, "bad", 6, SHOWN, QUOTES)
    title = words("suspect.title", e["suspects"], share=words.percent(e["share"], 1), n=words.whole(e["n"]))
    lines = [*common.evidence(facts, words, ["suspect-labels"]), words("suspect.definition")]
    return _slide(facts, words, "suspects", title, (block, []), lines, ["suspect-labels"])


def shortcuts(facts: Facts, words: Words) -> Slide | None:
    """What gives the label away that should not; no slide where it is no issue."""
    found = facts.finding("shortcuts")
    if found is None or found.verdict != "issue":
        return None
    e = found.evidence
    names = [words.name(name) for name, _ in e["classes_given_away"]]
    values = {
        "label": words.name(e["class"]),
        "trait": words.known(f"trait.{e['class_trait']}", e["class_trait"]),
        "recall": words.percent(e["class_recall"]),
        "elsewhere": words.percent(e["class_elsewhere"], 1),
        "accuracy": words.percent(e["accuracy"], 1),
        "majority": words.percent(e["majority"], 1),
        "best": words.known(f"trait.{e['best']}", e["best"]),
        "classes": words.listing(names[:4]),
    }
    kind = "class" if names else "all"
    points = [words("shortcut.together", **values)]
    if len(names) > 1:
        points.append(words("shortcut.classes", len(names), **values))
    lines = [*common.evidence(facts, words, ["shortcuts", "colour"]), words("shortcut.definition")]
    block = Figure("02-shortcuts-classes" if names else "02-shortcuts", words("shortcut.alt", **values))
    title = words(f"shortcut.title.{kind}", **values)
    return _slide(facts, words, "shortcuts", title, (block, points), lines, ["shortcuts"])


def near(facts: Facts, words: Words) -> Slide | None:
    """Pairs that are nearly the same, by features where these were computed, else by hashes or shingles."""
    for code in ("feature-twins", "near-twins"):
        found = facts.finding(code)
        if found is not None and found.verdict == "issue" and found.rows.height:
            return _near(facts, words, code, found)
    return None


def _near(facts: Facts, words: Words, code: str, found: Finding) -> Slide:
    e = found.evidence
    apart = (pl.col("label") != pl.col("other_label")).fill_null(False)
    garbled = pl.any_horizontal(pl.col("id", "other_id").is_in(common.broken(facts)))
    first = found.rows.sort(garbled, ~apart, maintain_order=True).head(PAIRS)
    ids, captions = [], []
    for number, row in enumerate(first.iter_rows(named=True), 1):
        for prefix in ("", "other_"):
            ids.append(row[f"{prefix}id"])
            label = row[f"{prefix}label"]
            label = label if label is not None else words("near.sealed")
            captions.append(words("near.caption", pair=words.whole(number), label=label))
    kind = "labels" if e["across_classes"] else "plain"
    values = {"across": words.whole(e["across_classes"]), "many": facts.many}
    title = words(f"near.title.{kind}", e["pairs"], **values)
    points = [words("near.leak", e["test_with_near_copy"], **values)] if e["test_with_near_copy"] else []
    block = common.show(facts, ids, captions, "plain", 6, 2 * PAIRS, QUOTES)
    lines = [*common.evidence(facts, words, ["near-twins", "feature-twins"]), words(f"near.definition.{code}")]
    return _slide(facts, words, "near", title, (block, points), lines, [code])


def alike(facts: Facts, words: Words) -> Slide | None:
    """The map of the features, with the pair of classes that is taken for each other most."""
    found, pairs = facts.finding("feature-map"), facts.finding("confusable-classes")
    if found is None or pairs is None or pairs.verdict != "note":
        return None
    top = pairs.rows.sort("share", "n", descending=True, maintain_order=True).row(0, named=True)
    values = {
        "first": words.name(top["first"]),
        "second": words.name(top["second"]),
        "share": words.percent(top["share"]),
        "classes": words.whole(len(facts.dataset.classes)),
    }
    lines = [*common.evidence(facts, words, ["feature-map", "confusable-classes"]), words("alike.definition")]
    block = Figure("02-feature-map", words("alike.alt", **values))
    title = words("alike.title", **values)
    return _slide(facts, words, "alike", title, (block, []), lines, ["feature-map", "confusable-classes"])


def _slide(
    facts: Facts,
    words: Words,
    key: str,
    title: str,
    shown: tuple[Block, list[str]],
    lines: list[str],
    codes: list[str],
) -> Slide:
    """A slide of this part: a block, points if there are any, and the findings that it rests on."""
    block, points = shown
    blocks: tuple[Block, ...] = (block, Points(tuple(points[:3]))) if points else (block,)
    charts = tuple(f"figures/{b.stem}.csv" for b in blocks if isinstance(b, Figure))
    rows = tuple(FINDINGS.format(code) for code in codes if facts.audit[code].rows.width)
    files = (*charts, *rows, steps.AUDIT)
    return Slide(key, part(facts, words, "data", *codes), title, blocks, common.notes(words, lines, files), files)
