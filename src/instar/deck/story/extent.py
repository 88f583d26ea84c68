"""Part one: how large the pictures are, how long the texts."""

from instar.deck.facts import Facts
from instar.deck.story import common
from instar.deck.story.brief import UTF8
from instar.deck.story.chain import part
from instar.deck.story.common import FINDINGS
from instar.deck.words import Words
from instar.records import Block, Figure, Points, Slide

GREY = 6
"""Grey pictures to show where sizes have nothing to say."""


def sizes(facts: Facts, words: Words) -> Slide | None:
    """How large the pictures are and whether they have colour; no slide where all are alike."""
    found = facts.finding("sizes")
    if found is None:
        return None
    colour = facts.finding("colour")
    grey = colour is not None and bool(colour.evidence["grey"])
    if found.rows.height == 1 and not grey:
        return None
    e = found.evidence
    figures = {
        k: words.whole(e[k])
        for k in ("min_width", "max_width", "min_height", "max_height", "median_width", "median_height")
    }
    same = e["share_one_size"] >= 1
    title = words(
        f"sizes.title.{'same' if same else 'mixed'}",
        many=facts.many,
        size=words.whole(facts.recipe.input_size),
        **figures,
    )
    points = [
        words(
            "sizes.aspect",
            low=words.number(e["aspect_low"], 2),
            high=words.number(e["aspect_high"], 2),
            many=facts.many,
        )
    ]
    if colour is not None and grey:
        classes = colour.evidence["grey_classes"]
        key = "sizes.grey-classes" if classes else "sizes.grey"
        points.append(
            words(
                key,
                len(classes),
                share=words.percent(colour.evidence["grey_share"]),
                many=facts.many,
                classes=words.listing([words.name(c) for c in list(classes)[:3]]),
            )
        )
    points.append(
        words(
            "sizes.decision",
            fit=words.known(f"fit.{facts.recipe.fit}", facts.recipe.fit),
            size=words.whole(facts.recipe.input_size),
        )
    )
    if found.rows.height > 1:
        proof: Block = Figure("03-sizes", words("alt.sizes", **figures))
        files = ("figures/03-sizes.csv", FINDINGS.format("sizes"))
    else:
        seen = facts.dataset.part("train", "val").filter("measure.grey").sample(fraction=1.0, shuffle=True, seed=0)
        proof = common.show(facts, seen["id"].to_list(), seen["label"].to_list(), columns=GREY, pictures=GREY)
        files = (FINDINGS.format("colour"), FINDINGS.format("sizes"))
        title, points = points[1], [title, *points[2:]]
    lines = common.evidence(facts, words, ("sizes", "colour", "brightness"))
    return Slide(
        "sizes",
        part(facts, words, "data", "sizes", "colour"),
        title,
        (proof, Points(tuple(points))),
        common.notes(words, lines, files),
        files,
    )


def lengths(facts: Facts, words: Words) -> Slide | None:
    """How long the texts are, and what is wrong with their letters."""
    found = facts.finding("lengths")
    if found is None:
        return None
    e = found.evidence
    figures = {
        "median": words.whole(e["median"]),
        "most": words.whole(e["p95"]),
        "max": words.whole(e["max"]),
    }
    points = [
        words(
            "lengths.decision",
            size=words.whole(facts.recipe.input_size),
            fit=words.known(f"fit.{facts.recipe.fit}", facts.recipe.fit),
        )
    ]
    encoding, mojibake, short = (facts.finding(c) for c in ("encoding", "mojibake", "short-texts"))
    if encoding is not None and encoding.evidence.get("not_utf8"):
        points.append(
            words(
                "lengths.encoding",
                encoding.evidence["not_utf8"],
                standard=UTF8,
                encoding=str(encoding.evidence["encoding"]),
            )
        )
    if mojibake is not None and mojibake.evidence["rows"]:
        points.append(
            words(
                "lengths.mojibake",
                mojibake.evidence["rows"],
                share=words.percent(mojibake.evidence["share"], 1),
            )
        )
    if short is not None and short.evidence["n"]:
        points.append(words("lengths.short", short.evidence["n"]))
    files = ("figures/03-lengths.csv", FINDINGS.format("lengths"))
    lines = [
        *common.evidence(facts, words, ("lengths", "encoding", "mojibake", "short-texts")),
        words("lengths.definition"),
    ]
    return Slide(
        "lengths",
        part(facts, words, "data", "lengths", "encoding", "mojibake"),
        words("lengths.title", many=facts.many, **figures),
        (Figure("03-lengths", words("alt.lengths", **figures)), Points(tuple(points[:3]))),
        common.notes(words, lines, files),
        files,
    )
