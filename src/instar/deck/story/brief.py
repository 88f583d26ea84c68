"""What a finding says in a few words, for cards and conclusions. Its figures are its evidence."""

from instar.audit.balance import UNEVEN
from instar.deck.facts import Facts
from instar.deck.words import Words
from instar.records import Finding

NAME = 12
"""Letters of a class name that has room on a card."""
LEAST = 0.0005
"""Share of a test part that rounds to nothing on a card."""
UTF8 = "UTF-8"
"""What a text file is expected to be."""


def brief(facts: Facts, words: Words, finding: Finding) -> str:
    """A finding in one short sentence; its own where we have none."""
    e, many = finding.evidence, facts.many
    match finding.code:
        case "unreadable" if e["n"]:
            return words("brief.unreadable", e["n"], many=many)
        case "class-counts" if e["ratio"] <= UNEVEN:
            return words("brief.class-counts.even", classes=words.whole(e["classes"]))
        case "class-counts" if max(len(e["largest"]), len(e["smallest"])) > NAME:
            return words(
                "brief.class-counts.long", classes=words.whole(e["classes"]), ratio=words.number(e["ratio"], 1)
            )
        case "class-counts":
            return words(
                "brief.class-counts",
                classes=words.whole(e["classes"]),
                ratio=words.number(e["ratio"], 1),
                largest=words.name(e["largest"], NAME),
                smallest=words.name(e["smallest"], NAME),
            )
        case "small-classes" if e["n"]:
            return words("brief.small-classes", e["n"], minimum=words.whole(e["minimum"]), many=many)
        case "exact-twins" if e["groups"]:
            return words(
                "brief.exact-twins",
                rows=words.whole(e["rows"]),
                many=many,
                leak=words.percent(e["random_leak"], 1),
            )
        case "conflicting-labels" if e["groups"]:
            return words("brief.conflicting-labels", e["groups"], many=many)
        case "ordered-labels" if e["ordered"]:
            return words("brief.ordered-labels")
        case "sizes" if e["share_one_size"] >= 1:
            width, height = words.whole(e["median_width"]), words.whole(e["median_height"])
            return words("brief.sizes.same", width=width, height=height, many=many)
        case "sizes":
            return words(
                "brief.sizes",
                width=words.whole(e["median_width"]),
                height=words.whole(e["median_height"]),
                many=many,
            )
        case "lengths":
            return words("brief.lengths", median=words.whole(e["median"]), most=words.whole(e["p95"]), many=many)
        case "encoding" if e.get("not_utf8"):
            return words("brief.encoding", e["not_utf8"], standard=UTF8, encoding=e["encoding"])
        case "colour" if e["grey"]:
            return words("brief.colour", share=words.percent(e["grey_share"]), many=many)
        case "mojibake" if e["rows"]:
            return words("brief.mojibake", e["rows"], many=many)
        case "near-twins" if e.get("pairs") and e["random_leak_near"] < LEAST:
            return words("brief.near-twins.few", e["pairs"])
        case "near-twins" if e.get("pairs"):
            return words("brief.near-twins", e["pairs"], many=many, leak=words.percent(e["random_leak_near"], 1))
        case "shortcuts" if "best" in e and e["low"] > 0:
            gained = {key: words.percent(e[key]) for key in ("accuracy", "majority")}
            return words("brief.shortcuts", **gained, many=many)
        case "separability" if e.get("judged_by") == "accuracy":
            return words("brief.separability", share=words.percent(e["accuracy"]), many=many)
        case "separability" if "balanced" in e:
            return words("brief.separability.balanced", share=words.percent(e["balanced"]), many=many)
        case "suspect-labels" if e.get("suspects"):
            return words("brief.suspect-labels", e["suspects"], n=words.whole(e["n"]))
        case "mirror" if "changed" in e:
            return words("brief.mirror", share=words.percent(e["changed"], 1))
        case "markup" if e.get("rows"):
            return words("brief.markup", e["rows"], many=many)
        case _:
            return finding.sentence
