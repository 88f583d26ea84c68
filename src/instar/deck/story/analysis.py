"""Part one: what the data are, what is wrong with them, and what was not looked at."""

from instar import steps
from instar.audit.balance import UNEVEN, VERY_UNEVEN
from instar.deck.facts import Facts
from instar.deck.story import common
from instar.deck.story.chain import part
from instar.deck.story.common import FINDINGS
from instar.deck.story.copies import conflicts, twins
from instar.deck.story.extent import lengths, sizes
from instar.deck.story.hidden import hidden
from instar.deck.words import Words
from instar.records import Figure, Finding, Points, Slide, TableBlock

WIDE, ROWS = 7, 3
"""About how many pictures stand side by side on a contact sheet, and how many rows it has."""
UNCHECKED = ("near-twins", "suspect-labels", "shortcuts", "separability")
"""Checks that a person may expect; what the audit did not run of these is said on a slide."""
LINES = 14
"""Checks that a table has room for; with more, those that passed, could not run or stand last share a row each."""


def analysis(facts: Facts, words: Words) -> tuple[Slide, ...]:
    """The slides of the part."""
    made = (examples, balance, twins, conflicts, sizes, lengths)
    told = tuple(slide for make in made if (slide := make(facts, words)) is not None)
    return (*told, *hidden(facts, words), checks(facts, words))


def examples(facts: Facts, words: Words) -> Slide:
    """What one example looks like, class by class."""
    classes = len(facts.dataset.classes)
    columns = classes * max(round(WIDE / classes), 1) if classes <= WIDE + 1 else 0
    shown = columns * ROWS or common.PICTURES
    rows = common.typical(facts, max(shown // classes, 1), shown)
    quotes = common.QUOTES // classes * classes or common.QUOTES
    block = common.show(facts, rows["id"].to_list(), rows["label"].to_list(), columns=columns, quotes=quotes)
    table, opening = facts.dataset.table, facts.dataset.opening
    title = words("examples.title", n=words.whole(facts.labelled.height), many=facts.many, classes=words.whole(classes))
    lines = [
        words("examples.layout", layout=str(opening["layout"]), source=facts.dataset.source),
        words(
            "examples.rows",
            rows=words.whole(table.height),
            quarantined=words.whole(opening["quarantined"]),
            unlabelled=words.whole(facts.dataset.part("unlabelled").height),
        ),
        words("examples.choice"),
    ]
    if opening["limit"] is not None:
        lines.append(
            words(
                "examples.limit",
                limit=words.whole(opening["limit"]),
                left=words.whole(opening["left_out_by_limit"]),
            )
        )
    if opening["guessed"]:
        lines.append(str(opening["guessed"]))
    files = (steps.TABLE, steps.DATASET)
    return Slide("examples", part(facts, words, "data"), title, (block,), common.notes(words, lines, files), files)


def balance(facts: Facts, words: Words) -> Slide | None:
    """How the classes are filled, and what that forbids."""
    found, small = facts.finding("class-counts"), facts.finding("small-classes")
    if found is None:
        return None
    e = found.evidence
    figures = {
        "classes": words.whole(e["classes"]),
        "ratio": words.number(e["ratio"], 1),
        "many": facts.many,
        "largest": words.name(e["largest"]),
        "largest_n": words.whole(e["largest_n"]),
        "smallest": words.name(e["smallest"]),
        "smallest_n": words.whole(e["smallest_n"]),
        "effective": words.number(e["effective"], 1),
    }
    opening = facts.dataset.opening
    kind = "even" if e["ratio"] <= UNEVEN else "mixed" if e["ratio"] <= VERY_UNEVEN else "uneven"
    points = [words("balance.effective" if kind in ("mixed", "uneven") else "balance.range", **figures)]
    same = e["smallest_n"] == e["largest_n"]
    if same:
        kind, points = "same", []
    few = 0
    if facts.limited:
        kind = "limited-same" if same else "limited"
        figures["limit"] = words.whole(opening["limit"])
        points.append(words("balance.limited", left=words.whole(opening["left_out_by_limit"]), many=facts.many))
    elif small is not None and small.evidence["n"]:
        few = small.evidence["n"]
        figures["minimum"] = words.whole(small.evidence["minimum"])
        if few > e["classes"] / 2:
            kind = "small" if few < e["classes"] else "all-small"
        else:
            points.append(words("balance.small", few, **figures))
        points.append(words("balance.missing", missing=words.whole(small.evidence["missing"]), **figures))
    title = words(f"balance.title.{kind}", few, **figures)
    points.append(words("balance.metric", metric=words.metric(facts.metric)))
    block = Figure("01-class-counts", words("alt.class-counts", **figures))
    files = ("figures/01-class-counts.csv", FINDINGS.format("class-counts"))
    lines = [
        *common.evidence(facts, words, ("class-counts", "small-classes", "ordered-labels")),
        words("balance.definition"),
        facts.plan.live()["metric"].reason,
    ]
    return Slide(
        "balance",
        part(facts, words, "data", "class-counts", "small-classes"),
        title,
        (block, Points(tuple(points[:3]))),
        common.notes(words, lines, files),
        files,
    )


def checks(facts: Facts, words: Words) -> Slide:
    """What was checked and what was not."""
    findings = facts.audit.findings
    order = {"issue": 0, "note": 1, "skipped": 2, "passed": 3, "not applicable": 4}
    ranked = sorted(findings, key=lambda f: order[f.verdict])
    told = [f for f in ranked if f.verdict != "not applicable"] if len(ranked) > LINES else ranked
    rest: list[Finding] = []
    if len(told) > LINES:
        told, rest = told[: LINES - 4], told[LINES - 4 :]
        rest += [f for f in told if f.verdict in ("passed", "skipped")]
        told = [f for f in told if f.verdict in ("issue", "note")]
    alike = [[f for f in rest if f.verdict == verdict] for verdict in order]
    told += [f for same in alike if len(same) == 1 for f in same]
    rows = tuple((words.known(f"check.{f.code}", f.code), words(f"verdict.{f.verdict}"), f.sentence) for f in told)
    for same in alike:
        if len(same) > 1:
            said = words.listing([words.known(f"check.{f.code}", f.code) for f in same])
            what = words("checks.passed-what", len(same))
            rows = (*rows, (what, words(f"verdict.{same[0].verdict}"), said[0].upper() + said[1:]))
    n = {verdict: sum(f.verdict == verdict for f in findings) for verdict in order}
    ran = len(findings) - n["skipped"] - n["not applicable"]
    title = words("checks.title", n["issue"], ran=words.whole(ran), notes=words.whole(n["note"]))
    absent = [words(f"check.{code}") for code in UNCHECKED if facts.audit.get(code) is None]
    if absent:
        last = words("checks.absent", checks=words.listing(absent))
        rows = (
            *rows,
            (words("checks.absent-what"), words("checks.absent-verdict"), last[0].upper() + last[1:]),
        )
    header = tuple(words(f"checks.{c}") for c in ("what", "verdict", "sentence"))
    lines = common.evidence(facts, words, [f.code for f in findings])
    files = (steps.AUDIT,)
    return Slide(
        "checks",
        part(facts, words, "data"),
        title,
        (TableBlock(header, rows, (1.9, 1.4, 8.8)),),
        common.notes(words, lines, files),
        files,
    )
