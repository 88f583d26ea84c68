"""Stages that train the upper part of a network only, from activations at the cut.

What is frozen below the cut gives the same activations in every epoch, so each view of an example runs through it once
(bottleneck features: Yosinski et al. 2014, arXiv 1411.1792, and many after them). The stage sees the views that were
drawn then, and no others.
"""

import hashlib
import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from instar import machine, processes, store
from instar.models.depth import belongs
from instar.models.network import Network
from instar.models.split import CUT, Split, Unsplittable, lower, split, upper
from instar.prepare.activations import Activations, View, opened, rows_needed, written
from instar.prepare.base import Batch
from instar.prepare.chunks import SPARE_BYTES
from instar.prepare.memory import is_out_of_memory
from instar.prepare.passes import autocast, brought, device, laid_out
from instar.progress import say
from instar.records import Recipe, Stage
from instar.train.batches import seed_of
from instar.train.loop import TrainingData
from instar.train.stages import thawed_groups

EXACT = 1e-6
"""Difference of two features that counts as none, in units of the largest feature."""
HARMLESS = 0.01
"""Difference of two features that rounding to float16 may make, in the same units; our judgement."""
ROOM = 2.0
"""Times the size of the activations that must be free on the disk."""
VIEW = 7
"""Keeps the seeds of the views apart from those of the steps."""
DECIDED = "decided.json"


@dataclass(frozen=True)
class Way:
    """What was found at the start of a stage; kept, so that a resumed stage does not decide otherwise."""

    digest: str
    """Of the cut and the weights of the frozen part."""
    asked: int
    """Views that the stage asks for."""
    views: int
    """0: the stage is trained live after all."""
    half: bool = False


@contextmanager
def source(folder: Path, network: Network, recipe: Recipe, data: TrainingData, stage: Stage) -> Iterator[TrainingData]:
    """What a stage is trained on as long as the block lasts: `data` itself, or its activations at the cut.

    In the second case the network takes such activations until the block ends, and nothing else. `folder` belongs to
    this training alone; `forget` removes it. `train.stages.enter` must have frozen and thawed what the stage says.
    Several processes are trained live: each would have to come to the same cut, disk and rounding.
    """
    if not stage.views:
        yield data
        return
    if processes.number() > 1:
        say(f"stage {stage.name}: views={stage.views} is for one process; {processes.number()} are trained live")
        yield data
        return
    probes = [brought(laid_out(batch, recipe, device()), device()) for batch in _probes(data)]
    try:
        at = _cut(network, recipe, stage, probes)
    except Unsplittable as reason:
        say(f"stage {stage.name}: views={stage.views}, but this network cannot be cut here ({reason}); training live")
        yield data
        return
    activations = _activations(folder, network, recipe, data, stage, at, probes)
    if activations is None:
        yield data
        return
    with upper(network.model, at):
        yield replace(data, prepared=activations)


def place(folder: Path, data: TrainingData) -> Path:
    """Where the activations of the training in `folder` are kept: in the cache, apart from those of other trainings."""
    return data.cache / f"cut-{hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:12]}"


def in_epoch(data: TrainingData, epoch: int) -> TrainingData:
    """The data with the views of an epoch, where they have any."""
    if isinstance(data.prepared, Activations):
        return replace(data, prepared=replace(data.prepared, epoch=epoch))
    return data


def forget(folder: Path) -> None:
    """Remove the activations: the stage is over, or what follows is another training."""
    if processes.first():
        shutil.rmtree(folder, ignore_errors=True)


def _cut(network: Network, recipe: Recipe, stage: Stage, probes: Sequence[Batch]) -> Split:
    """Where the network is cut, verified: the parts together say what the whole network says.

    Raises:
        Unsplittable: they do not, or there is no such place.
    """
    thawed = thawed_groups(network.card.groups, stage.thaw)
    frozen = [group for group in network.card.groups if group not in thawed]
    if not frozen:
        raise Unsplittable("nothing is frozen")
    with autocast(recipe, device()):
        try:
            at = split(network.model, frozen, probes)
            for batch in probes:
                if (found := _difference(network, at, batch, half=False)) > EXACT:
                    raise Unsplittable(f"its parts differ from the whole by {found:.1e}")
        except (RuntimeError, TypeError, ValueError, KeyError, AttributeError) as error:  # libraries differ
            if is_out_of_memory(error):
                raise
            raise Unsplittable(next(iter(str(error).splitlines()), type(error).__name__)) from error
    return at


def _probes(data: TrainingData) -> list[Batch]:
    """Two and three examples, the cheapest and the dearest ones, so that length and number differ."""
    rows = np.concatenate([data.train_rows, data.val_rows])
    order = rows[np.argsort(data.prepared.costs[rows], kind="stable")]
    return [data.prepared.batch(part, (), 0) for part in (np.resize(order, 2), np.resize(order[::-1], 3))]


@torch.no_grad()
def _difference(network: Network, at: Split, batch: Batch, *, half: bool) -> float:
    """Largest difference between the features of the whole network and of its parts, in units of the largest one."""
    model = network.model
    whole = model.features(batch).float()
    rows = lower(model, at, batch)
    others = {name: value for name, value in batch.items() if name not in at.inputs}
    with upper(model, at):
        parts = model.features({CUT: rows.half() if half else rows, **others}).float()
    found = (whole - parts).abs().max() / whole.abs().max().clamp(min=torch.finfo(torch.float32).tiny)
    return float(found.nan_to_num(torch.inf))


def _activations(
    folder: Path,
    network: Network,
    recipe: Recipe,
    data: TrainingData,
    stage: Stage,
    at: Split,
    probes: Sequence[Batch],
) -> Activations | None:
    """The written views, or None where the disk does not take them."""
    digest = _digest(network, stage)
    way = _decided(folder, digest, stage.views)
    if way is None:
        with autocast(recipe, device()):
            rounded = max(_difference(network, at, batch, half=True) for batch in probes)
        way = _decide(folder, data, stage, at, digest, half=rounded <= HARMLESS)
    if not way.views:
        return None
    try:
        return _written(folder, network, recipe, data, stage, at, way)
    except OverflowError:
        say(f"stage {stage.name}: activations too large for float16; writing them anew in float32")
        shutil.rmtree(folder, ignore_errors=True)
        way = replace(way, half=False)
        _keep(folder, way)
        return _written(folder, network, recipe, data, stage, at, way)


def _written(
    folder: Path, network: Network, recipe: Recipe, data: TrainingData, stage: Stage, at: Split, way: Way
) -> Activations:
    def one(rows: NDArray[np.int64], augment: tuple[str, ...], view: int, what: str) -> View:
        return written(
            folder, network, at, data.prepared, rows, augment=augment, seed=seed_of(recipe.seed, VIEW, view),
            half=way.half, digest=way.digest, what=f"{stage.name}, activations of {what}", recipe=recipe,
        )  # fmt: skip

    centre = one(data.val_rows, (), 0, "validation")
    train = [one(data.train_rows, recipe.augment, view, f"view {view + 1} of {way.views}") for view in range(way.views)]
    return opened(network, at, data.prepared, train, centre, way.digest)


def _digest(network: Network, stage: Stage) -> str:
    """Of what the activations depend on besides the examples: the cut, and all weights below it."""
    thawed = thawed_groups(network.card.groups, stage.thaw)
    digest = hashlib.sha256(f"{network.card.backbone} {stage.thaw}".encode())
    for name, tensor in network.model.body.state_dict().items():
        if not any(belongs(name, group) for group in thawed):
            digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
            digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _decided(folder: Path, digest: str, asked: int) -> Way | None:
    try:
        way = Way(**json.loads((folder / DECIDED).read_text()))
    except (OSError, ValueError, TypeError):
        return None
    return way if (way.digest, way.asked) == (digest, asked) else None


def _keep(folder: Path, way: Way) -> None:
    store.write_text(folder / DECIDED, json.dumps(asdict(way)))


def _decide(folder: Path, data: TrainingData, stage: Stage, at: Split, digest: str, *, half: bool) -> Way:
    """How many views the disk takes."""
    shutil.rmtree(folder, ignore_errors=True)
    a_row = sum(at.widths) * (2 if half else 4)
    once, fixed = (rows_needed(data.prepared, at, rows) * a_row for rows in (data.train_rows, data.val_rows))
    folder.mkdir(parents=True, exist_ok=True)
    free = machine.free_gb(folder) * 2**30
    views = max(0, min(stage.views, int((max(free - SPARE_BYTES, 0.0) / ROOM - fixed) // once)))
    size = f"{(views * once + fixed) / 1e6:,.0f} MB"
    if views == stage.views:
        say(f"stage {stage.name}: activations at the cut take {size} ({views} views, float{16 if half else 32})")
    else:
        asked = f"{(stage.views * once + fixed) / 1e6:,.0f} MB"
        then = f"{views} views ({size})" if views else "no activations are kept: training live"
        say(f"stage {stage.name}: {stage.views} views take {asked} and {free / 1e6:,.0f} MB are free; {then}")
    way = Way(digest, stage.views, views, half)
    _keep(folder, way)
    return way
