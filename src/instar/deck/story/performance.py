"""Part four: how training went, how good the network is and against what, where it fails, what it costs."""

from instar import steps
from instar.deck.facts import Facts
from instar.deck.story import common
from instar.deck.story.chain import part
from instar.deck.story.confidence import calibration, risk, sets
from instar.deck.story.mistakes import classes, confusion, mistakes, pairs
from instar.deck.story.reasons import deletion, reasons
from instar.deck.story.repeated import repeated
from instar.deck.story.scores import scores
from instar.deck.story.slices import slices
from instar.deck.story.subsets import subsets
from instar.deck.story.suspects import suspects
from instar.deck.story.worth import worth
from instar.deck.words import Words
from instar.records import Figure, Headline, Points, Slide, TableBlock


def performance(facts: Facts, words: Words) -> tuple[Slide, ...]:
    """The slides of the part."""
    made = (
        *(curves, scores, subsets, confusion, classes, pairs, slices, calibration, risk, sets),
        *(reasons, deletion, mistakes, suspects, worth, repeated, cost),
    )
    return tuple(slide for make in made if (slide := make(facts, words)) is not None)


def curves(facts: Facts, words: Words) -> Slide:
    """How training went over all stages."""
    best: dict[str, float] = {}
    for epoch in facts.epochs:
        best[epoch.stage] = max(best.get(epoch.stage, epoch.val_score), epoch.val_score)
    metric = facts.recipe.metric
    (first, start), *later = best.items()
    values = {
        "metric": words.metric(metric),
        "first": first,
        "start": words.value(metric, start),
        "seconds": words.duration(sum(e.seconds for e in facts.epochs)),
    }
    kind = "alone"
    if later:
        last, top = max(later, key=lambda item: item[1])
        values |= {"last": last, "top": words.value(metric, top)}
        kind = "rose" if top > start else "flat"
    points = [
        words(
            "curves.best",
            metric=words.metric(metric),
            stage=e.stage,
            epoch=words.whole(e.epoch),
            value=words.value(metric, e.val_score),
        )
        for e in [e for e in facts.epochs if e.best][-1:]
    ]
    ends = facts.epochs[-1]
    lines = [words("curves.definition", n=words.whole(facts.dataset.part("val").height))]
    losses = {"train": words.number(ends.train_loss), "val": words.number(ends.val_loss)}
    heads = [stage.name for stage in facts.recipe.stages if stage.thaw == 0]
    if facts.recipe.label_smoothing and ends.stage not in heads:
        smoothing = f"{facts.recipe.label_smoothing:g}"
        points.append(words("curves.smoothed", smoothing=smoothing, **losses))
        lines.append(words("curves.smoothing", smoothing=smoothing))
    else:
        points.append(words("curves.losses", **losses))
    solved = sum(e.stage in heads for e in facts.epochs)
    passes = [words("curves.solved", solved)] if solved else []
    if solved < len(facts.epochs):
        passes.append(words("curves.passes", len(facts.epochs) - solved))
    points.append(words("curves.time", passes=words.listing(passes), **values))
    files = (steps.EPOCHS, "figures/07-curves.csv")
    block = Figure("07-curves", words("alt.curves", **values))
    return Slide(
        "curves",
        part(facts, words, "result"),
        words(f"curves.title.{kind}", **values),
        (block, Points(tuple(points))),
        common.notes(words, lines, files),
        files,
    )


BYTES = 4
"""Bytes of a parameter in the file of weights (float32)."""


def cost(facts: Facts, words: Words) -> Slide:
    """What it costs: time by step, time an item, size."""
    seconds = {name: stamp["seconds"] for name, stamp in facts.machine["steps"].items() if name != "deck"}
    total = words.duration(sum(seconds.values()))
    size = words("cost.size", size=words.number(facts.card.parameters * BYTES / 1e6, 1))
    small = [(size, words("cost.size-what", parameters=words.whole(facts.card.parameters)))]
    timing = facts.timing
    if timing is not None:
        small.insert(
            0,
            (
                words("cost.item", ms=words.number(1000 * (1 + len(facts.recipe.test_augment)) / timing.forward, 1)),
                words("cost.item-what", many=facts.many),
            ),
        )
    device = words.known(f"device.{facts.measurements.device}", facts.measurements.device)
    values = {"total": total, "device": device, "memory": words.whole(facts.measurements.memory_gb)}
    title = words("cost.title", facts.measurements.cores, **values)
    head = Headline((total, words("cost.total")), tuple(small))
    table = TableBlock(
        tuple(words.known(f"step.{name}", name) for name in seconds),
        (tuple(map(words.duration, seconds.values())),),
    )
    longest = max(seconds, key=lambda name: seconds[name])
    points = [
        words(
            "cost.longest",
            step=words.known(f"step.{longest}", longest),
            share=words.percent(seconds[longest] / sum(seconds.values())),
        ),
        words("backbone.machine", facts.measurements.cores, device=device, memory=values["memory"]),
    ]
    lines = [words("cost.definition", many=facts.many)]
    lines += [
        words(
            "cost.stamp",
            step=name,
            entry=", ".join(f"{k} {v}" for k, v in stamp.items() if k not in ("reads", "writes")),
        )
        for name, stamp in facts.machine["steps"].items()
    ]
    files = (steps.MACHINE, steps.MEASUREMENTS)
    return Slide(
        "cost",
        part(facts, words, "result"),
        title,
        (head, table, Points(tuple(points))),
        common.notes(words, lines, files),
        files,
    )
