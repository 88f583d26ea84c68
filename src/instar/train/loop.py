"""The loop: one epoch of live training."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from instar import processes
from instar.models.network import Network
from instar.prepare.ahead import ahead
from instar.prepare.base import Prepared
from instar.prepare.passes import device, laid_out
from instar.progress import bar
from instar.records import Recipe, Stage
from instar.train.batches import batches, seed_of
from instar.train.checkpoint import SECONDS, Position
from instar.train.loss import mass
from instar.train.optim import set_rates, share
from instar.train.stages import enter, least_batch
from instar.train.step import Part, add_gradients
from instar.train.team import summed


@dataclass(frozen=True)
class TrainingData:
    """Rows of `prepared` with their labels (indices of classes), and a folder for features."""

    prepared: Prepared
    train_rows: NDArray[np.int64]
    train_labels: NDArray[np.int64]
    val_rows: NDArray[np.int64]
    val_labels: NDArray[np.int64]
    classes: int
    cache: Path


@dataclass(frozen=True)
class Live:
    """What one stage of live training works with."""

    network: Network
    model: nn.Module
    """What is trained: the network's model."""
    optimizer: torch.optim.Optimizer
    stage: Stage
    recipe: Recipe
    data: TrainingData
    weights_C: Tensor | None


def one_epoch(live: Live, at: Position, save: Callable[[Position], None]) -> Position:
    """Train from step `at.step` to the end of epoch `at.epoch`; returns the position after its last step.

    The order of the examples, their augmentation and dropout depend on (seed, stage, epoch, step) alone, so a
    resumed epoch needs no random state. `save` is called with the position after a step now and then.

    Several processes make the same steps with the same batches, of which each computes its part; its augmentation and
    dropout are drawn for itself.

    Raises:
        UserError: the loss is not a number, a batch holds fewer examples than the network can learn from, or memory
            does not suffice for the smallest part of a batch.
    """
    recipe, data, where = live.recipe, live.data, device()
    seed, rank = (recipe.seed, at.stage, at.epoch), processes.rank()
    own = (rank,) if rank else ()
    enter(live.network, live.stage.thaw)
    least = least_batch(live.network.model)
    together = least * processes.number() if least > 1 else 1
    if min(recipe.batch_size, len(data.train_rows)) < together:
        raise processes.fault(
            f"{live.network.card.title} has BatchNorm that learns, whose statistics need {together} examples a batch, "
            f"and here are batch_size={recipe.batch_size} and {len(data.train_rows)} to train on: --set "
            f"batch_size={max(8, together)}, or add examples"
        )
    parts = batches(data.prepared.costs[data.train_rows], recipe.batch_size, seed_of(*seed), together)
    total = live.stage.epochs * len(parts)
    saved = started = time.monotonic()
    begun = at.seconds
    doing = f"stage {live.stage.name}, epoch {at.epoch}"

    def load(step: int) -> tuple[int, Part]:
        mine = parts[step][rank :: processes.number()]
        labels_B, all_B = (torch.from_numpy(data.train_labels[rows]) for rows in (mine, parts[step]))
        batch = {}
        if len(mine):
            views = data.prepared.batch(data.train_rows[mine], recipe.augment, seed_of(*seed, step, 1, *own))
            batch = laid_out(views, recipe, where)
        return step, Part(batch, labels_B, mass(all_B, live.weights_C), seed_of(*seed, step, 2, *own))

    with bar(f"{live.stage.name}, epoch {at.epoch} of {live.stage.epochs}", len(data.train_rows)) as advance:
        advance(at.examples, "")
        for step, part in ahead(load, range(at.step, len(parts))):
            set_rates(live.optimizer, share((at.epoch - 1) * len(parts) + step, total, recipe.warmup))
            size = at.at_once or len(part.labels_B)
            value, fitted = add_gradients(live.model, part, live.weights_C, recipe, size=size, least=least, doing=doing)
            value = summed(live.model, value)
            if not math.isfinite(value):
                raise processes.fault(_not_a_number(live, at, data.train_rows[parts[step]]))
            nn.utils.clip_grad_norm_(live.model.parameters(), recipe.clip_norm)
            live.optimizer.step()
            live.optimizer.zero_grad()
            now, n = time.monotonic(), len(parts[step])
            at = replace(
                at,
                step=step + 1,
                loss=at.loss + value * n,
                examples=at.examples + n,
                seconds=begun + now - started,
                at_once=at.at_once if fitted == size else fitted,
            )
            advance(n, f"loss {at.loss / at.examples:.3f}")
            if now - saved > SECONDS and step + 1 < len(parts):
                save(at)
                saved = time.monotonic()
    return at


def _not_a_number(live: Live, at: Position, rows: NDArray[np.int64]) -> str:
    ids = [live.data.prepared.ids[row] for row in rows]
    shown = ", ".join(ids[:8]) + (f" and {len(ids) - 8} more" if len(ids) > 8 else "")
    return (
        f"the loss is not a number in stage {live.stage.name}, epoch {at.epoch}, batch {at.step + 1} "
        f"({shown}): try a lower rate than {live.stage.lr:g}, or --set precision=fp32"
    )
