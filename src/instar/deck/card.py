"""MODEL_CARD.md and DATA_CARD.md in the form of the Hugging Face hub: a header for machines, then sections.

Keys of the headers: https://github.com/huggingface/hub-docs, modelcard.md and datasetcard.md. Named README.md, each
serves on the hub as it is.
"""

from collections.abc import Iterable
from typing import Any

import polars as pl
import yaml

from instar.deck.card_header import UNKNOWN, backbone_licence, data_header, model_header
from instar.deck.facts import Facts
from instar.deck.markdown import bullets, md, table
from instar.deck.story.analysis import UNCHECKED
from instar.deck.story.conclusion import limits
from instar.deck.story.values import value
from instar.deck.text import clean
from instar.deck.words import LEVEL, Words
from instar.records import Points


def model_card(facts: Facts, words: Words) -> str:
    """The card of the network: what it is for, what it learned from and how, how good it is, what it may not do."""
    card, timing = facts.card, facts.timing
    values = {
        "backbone": card.title,
        "weights": card.weights,
        "dataset": facts.dataset.name,
        "many": facts.many,
        "classes": words.whole(len(facts.dataset.classes)),
        "parameters": words.whole(card.parameters),
        "size": words.whole(facts.recipe.input_size),
        "unit": facts.modality.unit,
        "run": facts.run,
        "metric": words.metric(facts.metric),
    }
    kind = "tuned" if card.pretrained else "scratch"
    evaluation = facts.evaluation
    views = 1 + len(facts.recipe.test_augment)
    cost = (
        []
        if timing is None
        else [words("card.speed", forward=words.number(timing.forward / views, 1), many=facts.many)]
    )
    return _card(
        model_header(facts, words),
        (
            (words("card.model.title", **values), words(f"card.model.lead.{kind}", **values)),
            (words("card.use"), _said(words("card.use.meant", **values), words("card.use.run", **values))),
            (words("card.limits"), bullets(_limits(facts, words))),
            (words("card.data"), _said(*_data_lines(facts, words))),
            (words("card.procedure"), _procedure(facts, words)),
            (
                words("card.evaluation"),
                _said(
                    words("card.evaluation.how", level=words.percent(LEVEL), groups=words.whole(evaluation.groups)),
                    words("notes.opened", evaluation.opened),
                )
                + "\n\n"
                + _scores(facts, words),
            ),
            (words("card.technical"), _said(words("card.technical.size", **values), *cost)),
            (words("card.licence"), _said(*_licences(facts, words))),
        ),
    )


def data_card(facts: Facts, words: Words) -> str:
    """The card of the data: where from, what in it, how split, what was found and not looked at."""
    dataset = facts.dataset
    parts = ("train", "val", "test")
    counts = facts.labelled.group_by("label", "split").len().pivot("split", index="label", values="len").fill_null(0)
    for part in parts:
        if part not in counts.columns:
            counts = counts.with_columns(pl.lit(0).alias(part))
    by_label = {row["label"]: row for row in counts.iter_rows(named=True)}
    rows = [(label, *(words.whole(by_label.get(label, {}).get(p, 0)) for p in parts)) for label in dataset.classes]
    source = facts.machine.get("source", {})
    cited = clean(str(source.get("citation") or ""))
    return _card(
        data_header(facts),
        (
            (words("card.data.title", dataset=dataset.name), _said(*_data_lines(facts, words))),
            (
                words("card.classes"),
                table(("", *(words(f"split.{p}") for p in parts)), rows),
            ),
            (words("card.split"), _said(facts.plan.live()["grouping"].reason, words("card.split.sealed"))),
            (words("card.found"), _found(facts, words)),
            (words("card.unchecked"), bullets(_unchecked(facts, words)) or _said(words("card.unchecked.none"))),
            (words("card.data.limits"), bullets(_limits(facts, words))),
            (words("card.licence"), _said(_data_licence(facts, words), *([cited] if cited else []))),
        ),
    )


def _found(facts: Facts, words: Words) -> str:
    """Findings with something to say, the grave ones first."""
    order = {"issue": 0, "note": 1}
    found = sorted((f for f in facts.audit.findings if f.verdict in order), key=lambda f: order[f.verdict])
    rows = [
        (words.known(f"check.{f.code}", f.code), words.known(f"verdict.{f.verdict}", f.verdict), f.sentence)
        for f in found
    ]
    return table((words("checks.what"), words("checks.verdict"), words("checks.sentence")), rows)


def _unchecked(facts: Facts, words: Words) -> list[str]:
    """Checks that could not run, with the reason, and such as a person may expect and this audit did not have."""
    skipped = [
        words(
            "notes.finding",
            check=words.known(f"check.{f.code}", f.code),
            verdict=words(f"verdict.{f.verdict}"),
            sentence=f.sentence,
        )
        for f in facts.audit.findings
        if f.verdict == "skipped"
    ]
    absent = [words.known(f"check.{code}", code) for code in UNCHECKED if facts.audit.get(code) is None]
    return [*skipped, *(words("card.absent", check=check) for check in absent)]


def _card(header: dict[str, Any], sections: Iterable[tuple[str, str]]) -> str:
    """A header, a title, and sections; the first one stands below the title."""
    text = yaml.safe_dump(header, sort_keys=False, allow_unicode=True, width=110)
    parts = [
        f"{'#' if i == 0 else '##'} {md(title)}\n\n{body}" for i, (title, body) in enumerate(sections) if body.strip()
    ]
    return f"---\n{text}---\n\n" + "\n\n".join(parts) + "\n"


def _said(*lines: str) -> str:
    return " ".join(md(line) for line in lines if line.strip())


def _limits(facts: Facts, words: Words) -> list[str]:
    """What the slide of the limits says, and its notes where not all had room."""
    slide = limits(facts, words)
    points = [text for block in slide.blocks if isinstance(block, Points) for text in block.items]
    dropped = {words("limits.all")}
    notes = [line for line in slide.notes.splitlines()[:-1] if line not in dropped]
    return [*points, *notes]


def _data_lines(facts: Facts, words: Words) -> list[str]:
    dataset = facts.dataset
    n = {part: words.whole(dataset.part(part).height) for part in ("train", "val", "test")}
    return [
        words(
            "examples.title",
            n=words.whole(facts.labelled.height),
            many=facts.many,
            classes=words.whole(len(dataset.classes)),
        )
        + ".",
        words("examples.layout", layout=str(dataset.opening["layout"]), source=dataset.source),
        words("card.parts", **n),
        words(
            "examples.rows",
            rows=words.whole(dataset.table.height),
            quarantined=words.whole(dataset.opening["quarantined"]),
            unlabelled=words.whole(dataset.part("unlabelled").height),
        ),
    ]


def _procedure(facts: Facts, words: Words) -> str:
    """Every decision that holds, with its basis and its reason."""
    rows = [
        (
            words.known(f"field.{d.field}", d.field),
            value(words, d),
            words.known(f"basis.{d.basis}", d.basis),
            d.reason,
        )
        for d in facts.plan.live().values()
    ]
    return table(tuple(words(f"decisions.{key}") for key in ("field", "value", "basis", "reason")), rows)


def _scores(facts: Facts, words: Words) -> str:
    rows = [
        (
            words(f"subject.{s.subject}"),
            words.metric(s.metric),
            words.score(s),
            words.interval(s),
            words.whole(s.n),
            words(f"method.{s.method}"),
        )
        for s in facts.evaluation.scores
    ]
    return table(tuple(words(f"card.{key}") for key in ("whose", "metric", "value", "interval", "n", "by")), rows)


def _data_licence(facts: Facts, words: Words) -> str:
    licence = clean(str(facts.machine.get("source", {}).get("licence") or ""))
    return words("card.licence.data", licence=licence) if licence else words("card.licence.silent")


def _licences(facts: Facts, words: Words) -> list[str]:
    known = backbone_licence(facts)
    own = words("card.licence.unknown") if known == UNKNOWN else words("card.licence.backbone", licence=known)
    return [own if facts.card.pretrained else "", _data_licence(facts, words), words("card.licence.yours")]
