"""Part three: the network, when which part of it learns, and why everything was chosen as it was."""

from instar import steps
from instar.deck.facts import Facts
from instar.deck.story import common
from instar.deck.story.backbones import backbones
from instar.deck.story.chain import part
from instar.deck.story.decisions import decisions
from instar.deck.story.opening import origin
from instar.deck.story.values import noted
from instar.deck.words import Words
from instar.records import Block, Figure, Points, Slide, Stage

SMALL_SHARE = 0.001
"""Shares of parameters below it are written with more places: some do learn."""


def architecture(facts: Facts, words: Words) -> tuple[Slide, ...]:
    """The slides of the part."""
    slides = (network(facts, words), backbone(facts, words), backbones(facts, words), decisions(facts, words))
    return tuple(slide for slide in slides if slide is not None)


def learning(facts: Facts, stage: Stage) -> int:
    """Parameters that learn in a stage: head, neck and so many groups of the trunk from the head down."""
    groups = facts.card.groups
    if stage.thaw < 0:
        return facts.card.parameters
    trunk = [g for g in groups if g.role == "trunk"]
    thawed = trunk[len(trunk) - stage.thaw :] if stage.thaw else []
    neck = [g for g in groups if g.role == "neck"] if stage.thaw else []
    return head(facts) + sum(g.parameters for g in (*thawed, *neck))


def head(facts: Facts) -> int:
    """Parameters of the head: what the body does not have."""
    return facts.card.parameters - sum(g.parameters for g in facts.card.groups)


def network(facts: Facts, words: Words) -> Slide:
    """The network drawn: what it is made of and when each part is thawed."""
    card, stages = facts.card, facts.recipe.stages
    most = max((learning(facts, s) for s in stages), default=head(facts))
    whole = words.whole(card.parameters)
    share = words.percent(most / card.parameters, 1 if most / card.parameters < 0.1 else 0)
    key = "network.title.pretrained" if card.pretrained else "network.title.scratch"
    title = words(key, title=card.title, parameters=whole, share=share)
    points = origin(facts, words) or [words("network.weights", weights=card.weights)]
    for stage in stages[:2]:
        n = learning(facts, stage)
        points.append(
            words(
                "network.stage",
                stage=stage.name,
                n=words.whole(n),
                parameters=whole,
                share=words.percent(n / card.parameters, 1 if n / card.parameters >= SMALL_SHARE else 3),
            )
        )
    block = Figure(
        "05-network",
        words("alt.network", title=card.title, parameters=whole, groups=words.whole(len(card.groups))),
    )
    lines = [
        words("network.groups", groups=words.whole(len(card.groups)), features=words.whole(card.features)),
        *(
            words(
                "network.stage-note",
                stage=s.name,
                thaw=thawed(words, s),
                epochs=words.whole(s.epochs),
                lr=f"{s.lr:g}",
                decay=f"{s.layer_decay:g}",
            )
            for s in stages
        ),
        facts.plan.live()["stages"].reason,
    ]
    files = (steps.CARD, steps.PLAN, "figures/05-network.csv")
    return Slide(
        "network",
        part(facts, words, "model"),
        title,
        (block, Points(tuple(points[:3]))),
        common.notes(words, lines, files),
        files,
    )


def thawed(words: Words, stage: Stage) -> str:
    """How much of the trunk learns in a stage."""
    if stage.thaw < 0:
        return words("network.thaw.all")
    return words("network.thaw.some", stage.thaw) if stage.thaw else words("network.thaw.none")


def backbone(facts: Facts, words: Words) -> Slide:
    """Why this network on this machine."""
    card, decision, timing = facts.card, facts.plan.live()["backbone"], facts.timing
    blocks: list[Block] = []
    points = [words("backbone.asked") if decision.basis == "asked" else common.first_sentence(decision.reason)]
    files: tuple[str, ...] = (steps.CARD, steps.PLAN)
    if facts.measurements.timings:
        blocks.append(Figure("06-timings", words("alt.timings", title=card.title)))
        files = (*files, steps.MEASUREMENTS, "figures/06-timings.csv")
    if timing is not None:
        title = words(
            "backbone.title.timed",
            title=card.title,
            forward=words.whole(timing.forward),
            training=words.whole(timing.training),
            many=facts.many,
        )
        points.append(
            words(
                "backbone.way",
                timing.threads,
                precision=timing.precision,
                layout=words("backbone.last" if timing.channels_last else "backbone.first"),
            )
        )
    else:
        title = words("backbone.title.plain", title=card.title, basis=words(f"basis.{decision.basis}"))
    device = facts.measurements
    points.append(
        words(
            "backbone.machine",
            device.cores,
            device=words.known(f"device.{device.device}", device.device),
            memory=words.whole(device.memory_gb),
        )
    )
    lines = [
        noted(words, decision),
        *(
            words(
                "backbone.timing",
                t.threads,
                precision=t.precision,
                layout=words("backbone.last" if t.channels_last else "backbone.first"),
                forward=words.whole(t.forward),
                training=words.whole(t.training),
            )
            for t in facts.measurements.timings
        ),
    ]
    return Slide(
        "backbone",
        part(facts, words, "model"),
        title,
        (*blocks, Points(tuple(points[:3]))),
        common.notes(words, lines, files),
        files,
    )
