"""A network with examples prepared for it, ready to be timed."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from prepare import recipe

from instar.data.opening import build
from instar.data.reading import read
from instar.modality.modalities import MODALITIES
from instar.models import sources
from instar.models.network import Network
from instar.pipeline.learning import rows_of
from instar.plan.engine import fastest
from instar.plan.measure import measure
from instar.prepare.passes import device, placed
from instar.records import Dataset, Recipe, Stage
from instar.train.checkpoint import Position
from instar.train.loop import Live, TrainingData, one_epoch
from instar.train.optim import optimiser
from instar.train.stages import enter

A_CLASS = 6
"""Examples a class, on average, below which a set is made of fewer classes."""
RATE = 1e-5
"""Low, so that hundreds of steps on few examples lead nowhere; it costs as much as any other."""


def dataset_of(source: Path, most: int, text: str | None = None, label: str | None = None) -> Dataset:
    """At most so many labelled examples, opened and split as instar does it; of fewer classes where each would have
    too few."""
    if not source.exists():
        raise SystemExit(f"{source} is not here; say with INSTAR_SHARED where the shared sets are")
    raw = read(str(source), text=text, image=None, label=label)
    known = raw.frame.filter(raw.frame["label"].is_not_null())
    known = known.filter(known["label"].is_in(sorted(known["label"].unique())[: max(2, most // A_CLASS)]))
    kept = known.sample(min(most, known.height), seed=0).sort("id")
    measured = MODALITIES[raw.modality].measure(kept.select("id", "input"), Path(raw.root))
    return build(replace(raw, frame=kept), measured, limit=None, seed=0, grouping="exact")[0]


@dataclass(frozen=True)
class Ready:
    """A network, the fastest way to run it here, and examples prepared for it."""

    network: Network
    recipe: Recipe
    data: TrainingData


def ready(dataset: Dataset, backbone: str, weights: Path | None, size: int | None, cache: Path) -> Ready:
    """Load, measure, prepare. The stages are those of a usual plan: the head, then half of the trunk."""
    network = sources.load(backbone, weights, classes=len(dataset.classes), dropout=0.2, seed=0, input_size=size)
    spec = network.card.spec
    size = size or spec.size
    timing = fastest(measure(network, extent=size))
    half = sum(group.role == "trunk" for group in network.card.groups) // 2
    augment = ("random_resized_crop", "horizontal_flip") if dataset.modality == "image" else ()
    made = replace(
        recipe(augment, size, timing.threads),
        fit="crop" if dataset.modality == "image" else "head",
        precision=timing.precision,
        channels_last=timing.channels_last,
        stages=(Stage("head", 0, 1, 1e-3, 1.0), Stage("top", half, 1, RATE, 0.8), Stage("all", -1, 1, RATE, 0.8)),
        warmup=0.1,
    )
    feed = MODALITIES[dataset.modality].feed()
    prepared = feed.open(feed.prepare(dataset, made, spec), made, spec)
    train, val = rows_of(dataset, prepared.ids, "train"), rows_of(dataset, prepared.ids, "val")
    return Ready(network, made, TrainingData(prepared, *train, *val, len(dataset.classes), cache))


def live_of(ready: Ready, stage: Stage, data: TrainingData | None = None) -> Live:
    """A stage of live training that is about to begin."""
    network = ready.network
    placed(network.model, ready.recipe, device())
    enter(network, stage.thaw)
    optimizer = optimiser(network, stage, ready.recipe)
    return Live(network, network.model, optimizer, stage, ready.recipe, data or ready.data, None)


def rate(n: int, work: Callable[[], object]) -> float:
    """Examples a second."""
    started = time.perf_counter()
    work()
    return n / (time.perf_counter() - started)


def epoch(live: Live) -> float:
    """Examples a second of an epoch of instar's loop."""
    at = Position(stage=0, epoch=1)
    return rate(len(live.data.train_rows), lambda: one_epoch(live, at, lambda _: None))
