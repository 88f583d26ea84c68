"""Part three: the network, when which part of it learns, and why everything was chosen as it was."""

from dataclasses import replace

from instar import steps
from instar.deck import theme
from instar.deck.facts import Facts
from instar.deck.story import common
from instar.deck.story.backbones import backbones
from instar.deck.story.chain import part
from instar.deck.story.opening import origin
from instar.deck.story.values import noted, value
from instar.deck.tables import parted
from instar.deck.words import Words
from instar.records import Block, Decision, Figure, Points, Slide, Stage, TableBlock

TELLING = (
    "backbone",
    "grouping",
    "metric",
    "stages",
    "input_size",
    "fit",
    "clean",
    "exclude",
    "augment",
    "loss_weights",
    "label_smoothing",
    "decode",
    "batch_size",
    "precision",
)
"""The fields that a listener asks about first; what has no room beside them stands in the appendix."""
STEPS = 24
"""Heights that are tried for tables of about the same height."""
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


def row(facts: Facts, words: Words, decision: Decision) -> tuple[str, str, str, str]:
    """A line of the table of decisions."""
    because = words.listing([words.inside(words.known(f"check.{code}", code)) for code in decision.because])
    return (
        words.known(f"field.{decision.field}", decision.field),
        facts.card.title if decision.field == "backbone" else value(words, decision),
        words(f"basis.{decision.basis}"),
        decision.reason if not because else words("decisions.because", reason=decision.reason, findings=because),
    )


def table(facts: Facts, words: Words, found: list[Decision]) -> TableBlock:
    """Decisions as a table."""
    header = tuple(words(f"decisions.{c}") for c in ("field", "value", "basis", "reason"))
    return TableBlock(header, tuple(row(facts, words, d) for d in found), (1.9, 2.2, 1.3, 6.6))


def every(facts: Facts, words: Words) -> list[str]:
    """Every decision with its source, for notes."""
    return [noted(words, d) for d in facts.plan.live().values()]


def pages(facts: Facts, words: Words) -> list[TableBlock]:
    """All decisions, those that tell most first, on as many tables as it takes to cut no reason short; the tables after
    the first are about equally tall."""
    live, tall = facts.plan.live(), theme.BOTTOM - theme.TOP
    found = table(facts, words, [live[name] for name in dict.fromkeys((*TELLING, *live)) if name in live])
    first, *more = parted(found, theme.ACROSS, tall)
    if not more:
        return [first]
    rest = replace(found, rows=found.rows[len(first.rows) :])
    shares = (parted(rest, theme.ACROSS, tall * share / STEPS) for share in range(1, STEPS + 1))
    return [first, *next(parts for parts in shares if len(parts) == len(more))]


def decisions(facts: Facts, words: Words) -> Slide:
    """The decisions that matter most, and their reasons."""
    live = facts.plan.live()
    made = [d.basis for d in live.values()]
    bases = [
        words(f"decisions.basis.{basis}", n=words.whole(made.count(basis)))
        for basis in ("asked", "rule", "measured", "fixed")
        if basis in made
    ]
    title = words("decisions.title", n=words.whole(len(live)), bases=words.listing(bases))
    files = (steps.PLAN,)
    return Slide(
        "decisions",
        part(facts, words, "model"),
        title,
        (pages(facts, words)[0],),
        common.notes(words, [*every(facts, words), words("decisions.more")], files),
        files,
    )


def appendix(facts: Facts, words: Words) -> tuple[Slide, ...]:
    """The remaining decisions."""
    rest, files = pages(facts, words)[1:], (steps.PLAN,)
    remaining = sum(len(block.rows) for block in rest)
    slides = []
    for number, block in enumerate(rest, start=1):
        title = words("appendix.title", remaining) if number == 1 else words("appendix.continued")
        key = "appendix" if number == 1 else f"appendix-{number}"
        notes = common.notes(words, every(facts, words), files)
        slides.append(Slide(key, words("part.appendix"), title, (block,), notes, files))
    return tuple(slides)
