"""How the evidence hangs together: finding, decision, step, result, each link numbered."""

from instar import steps
from instar.deck.facts import Facts
from instar.deck.story import common
from instar.deck.story.brief import brief
from instar.deck.story.values import noted, value
from instar.deck.words import Words
from instar.records import Chain, Decision, Finding, Slide

LINKS = 4
USED = {
    "grouping": "split",
    "exclude": "train",
    "clean": "prepare",
    "decode": "answer",
    "test_augment": "answer",
    "loss_weights": "train",
    "metric": "choose",
    "label_smoothing": "train",
    "dropout": "train",
    "batch_size": "train",
    "stages": "train",
    "weight_decay": "train",
    "augment": "train",
    "input_size": "prepare",
    "fit": "prepare",
    "backbone": "model",
    "precision": "run",
    "channels_last": "run",
    "threads": "run",
}
"""The step in which a field of the recipe does its work."""


def chain(facts: Facts, words: Words) -> Slide:
    """Finding, decision, step, result: a row for each finding that changed something."""
    rows = tuple(
        (brief(facts, words, finding), decision, step, outcome(facts, words))
        for finding, decision, step in links(facts, words)
    )
    header = tuple(words(f"chain.{column}") for column in ("finding", "decision", "step", "result"))
    lines = common.evidence(facts, words, numbers(facts))
    lines += [noted(words, d) for d in facts.plan.live().values() if set(d.because) & set(numbers(facts))]
    files = (steps.AUDIT, steps.PLAN, steps.EVALUATION)
    title = words("chain.title", len(rows))
    return Slide("chain", words("part.chain"), title, (Chain(header, rows),), common.notes(words, lines, files), files)


def resting(facts: Facts) -> dict[str, list[Decision]]:
    """The live decisions that rest on each finding, issues first; what leaves all as it was is no consequence."""
    order = {"issue": 0, "note": 1, "passed": 2}
    found = sorted((f for f in facts.audit.findings if f.verdict in order), key=lambda f: order[f.verdict])
    acting = [d for d in facts.plan.live().values() if d.value not in (None, [], ())]
    return {f.code: [d for d in acting if f.code in d.because] for f in found}


def numbers(facts: Facts) -> dict[str, int]:
    """The number of each link of the chain, by the code of its finding."""
    chosen = [code for code, decisions in resting(facts).items() if decisions or _splits(facts, code)]
    return {code: i + 1 for i, code in enumerate(chosen[:LINKS])}


def _splits(facts: Facts, code: str) -> bool:
    """Twins decide the split, which is part of opening the data and no field of the recipe."""
    found = facts.audit.get(code)
    return code == "exact-twins" and found is not None and found.evidence["groups"] > 0


def links(facts: Facts, words: Words) -> list[tuple[Finding, str, str]]:
    """(finding, decision, step) for each link of the chain."""
    found: list[tuple[Finding, str, str]] = []
    used: list[str] = []
    order = [*USED, *facts.plan.live()]
    for code in numbers(facts):
        decisions = resting(facts)[code]
        if _splits(facts, code) or not decisions:
            found.append((facts.audit[code], words("chain.split"), words("chain.step.split")))
            continue
        fresh = [d for d in decisions if d.field not in used] or decisions
        made = min(fresh, key=lambda d: order.index(d.field))
        used.append(made.field)
        decision = words("chain.made", field=words.known(f"field.{made.field}", made.field), value=value(words, made))
        step = words(f"chain.step.{USED.get(made.field, 'run')}")
        found.append((facts.audit[code], decision, step))
    return found


def outcome(facts: Facts, words: Words) -> str:
    """The last card of the chain."""
    score = facts.headline
    return words(
        "chain.outcome",
        metric=words.metric(score.metric),
        value=words.score(score),
        interval=words.interval(score),
        n=words.whole(score.n),
        many=facts.many,
    )


def part(facts: Facts, words: Words, key: str, *codes: str) -> str:
    """Name of a part, with the number of the link of the chain that a slide belongs to."""
    found = [str(numbers(facts)[code]) for code in codes if code in numbers(facts)]
    name = words(f"part.{key}")
    return words("part.link", part=name, number=found[0]) if found else name
