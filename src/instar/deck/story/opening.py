"""The first two slides: the result, and how the evidence for it hangs together."""

from instar import steps
from instar.deck.facts import Facts
from instar.deck.story import common
from instar.deck.story.chain import chain
from instar.deck.words import LEVEL, Words
from instar.records import Block, Headline, Points, Slide

ROW = 6
"""Pictures in the row below the result."""


def opening(facts: Facts, words: Words) -> tuple[Slide, ...]:
    """Result and chain."""
    return (result(facts, words), chain(facts, words))


def verdict(facts: Facts) -> str:
    """How the tuned network stands against its baselines: useless, alone, kept, better, same or worse."""
    majority, probe = facts.gain("majority"), facts.gain("probe")
    if majority is not None and common.against(majority) != "better":
        return "useless"
    if probe is not None and kept(facts):
        return "kept"
    return "alone" if probe is None else common.against(probe)


def kept(facts: Facts) -> bool:
    """Whether the checkpoint that was kept is the probe: the best of a stage in which the head alone learns."""
    heads = [stage.name for stage in facts.recipe.stages if stage.thaw == 0]
    return any(epoch.stage in heads for epoch in [e for e in facts.epochs if e.best][-1:])


def spoken(facts: Facts, words: Words) -> dict[str, str]:
    """What sentences about the result need: how the network was trained, and what the probe is."""
    score, probe, gain = facts.headline, facts.baseline("probe"), facts.gain("probe")
    kind = "tuned" if facts.card.pretrained else "scratch"
    return {
        "training": words(f"training.{kind}"),
        "probe_name": words(f"probe.{kind}"),
        "probe_short": words(f"probe.short.{kind}"),
        "metric": words.metric(score.metric),
        "value": words.score(score),
        "interval": words.interval(score),
        "n": words.whole(score.n),
        "many": facts.many,
        "backbone": facts.card.title,
        "cheap": facts.modality.cheap_name,
        "majority": words.name(facts.evaluation.majority),
        "probe": words.score(probe) if probe else "",
        "gain": words.gain(gain) if gain else "",
    }


def result(facts: Facts, words: Words) -> Slide:
    """The result in one sentence, with its interval and what it is compared with."""
    values = spoken(facts, words)
    found = [s for name in ("majority", "cheap", "probe") if (s := facts.baseline(name)) is not None]
    small = tuple(
        (words.score(s), words(f"result.{s.subject}", **{**values, "interval": words.interval(s)})) for s in found
    )
    caption = words("result.tuned", level=words.percent(LEVEL), **values)
    blocks: list[Block] = [Headline((values["value"], caption), small)]
    examples = common.typical(facts, ROW, ROW)
    blocks.append(common.show(facts, examples["id"].to_list(), examples["label"].to_list(), columns=ROW, quotes=3))
    blocks += [Points((says,)) for says in origin(facts, words)]
    title = words(f"result.title.{verdict(facts)}", **values)
    files = (steps.EVALUATION, steps.PREDICTIONS)
    lines = [
        words("notes.interval", level=words.percent(LEVEL), groups=words.whole(facts.evaluation.groups)),
        words("notes.opened", facts.evaluation.opened),
        *common.scores(words, facts.evaluation.scores),
        *common.gains(words, facts.evaluation.gains),
    ]
    return Slide(
        "result",
        words("result.kicker", dataset=facts.dataset.name, backbone=facts.card.title),
        title,
        tuple(blocks),
        common.notes(words, lines, files),
        files,
    )


def origin(facts: Facts, words: Words) -> list[str]:
    """That a network was trained from scratch, and why, said plainly; nothing for a pre-trained one."""
    if facts.card.pretrained:
        return []
    asked = facts.plan.live()["backbone"].basis == "asked"
    return [words("origin.asked" if asked else "origin.scratch")]
