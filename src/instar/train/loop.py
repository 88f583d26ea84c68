"""The loop: one epoch of live training."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator
from numpy.typing import NDArray
from torch import Tensor, nn

from instar.errors import UserError
from instar.models.network import Network
from instar.prepare.ahead import ahead
from instar.prepare.base import Batch, Prepared
from instar.prepare.passes import autocast, moved
from instar.progress import bar
from instar.records import Recipe, Stage
from instar.train.batches import batches, seed_of
from instar.train.checkpoint import SECONDS, Position
from instar.train.loss import loss_of
from instar.train.optim import set_rates, share
from instar.train.stages import enter, least_batch


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
    """The network's model, as Accelerate wrapped it."""
    optimizer: torch.optim.Optimizer
    accelerator: Accelerator
    stage: Stage
    recipe: Recipe
    data: TrainingData
    weights_C: Tensor | None


def one_epoch(live: Live, at: Position, save: Callable[[Position], None]) -> Position:
    """Train from step `at.step` to the end of epoch `at.epoch`; returns the position after its last step.

    The order of the examples, their augmentation and dropout depend on (seed, stage, epoch, step) alone, so a
    resumed epoch needs no random state. `save` is called with the position after a step now and then.

    Raises:
        UserError: the loss is not a number, or a batch holds fewer examples than the network can learn from.
    """
    recipe, data = live.recipe, live.data
    seed = (recipe.seed, at.stage, at.epoch)
    enter(live.network, live.stage.thaw)
    least = least_batch(live.network.model)
    if min(recipe.batch_size, len(data.train_rows)) < least:
        raise UserError(
            f"{live.network.card.title} has BatchNorm that learns, whose statistics need {least} examples a batch, and "
            f"here are batch_size={recipe.batch_size} and {len(data.train_rows)} to train on: --set batch_size=8, or "
            "add examples"
        )
    parts = batches(data.prepared.costs[data.train_rows], recipe.batch_size, seed_of(*seed), least)
    total = live.stage.epochs * len(parts)
    saved = started = time.monotonic()
    begun = at.seconds

    def load(step: int) -> tuple[int, Batch]:
        rows = data.train_rows[parts[step]]
        batch = data.prepared.batch(rows, recipe.augment, seed_of(*seed, step, 1))
        return step, moved(batch, recipe, live.accelerator.device)

    with bar(f"{live.stage.name}, epoch {at.epoch} of {live.stage.epochs}", len(data.train_rows)) as advance:
        advance(at.examples, "")
        for step, batch in ahead(load, range(at.step, len(parts))):
            labels_B = torch.from_numpy(data.train_labels[parts[step]]).to(live.accelerator.device)
            set_rates(live.optimizer, share((at.epoch - 1) * len(parts) + step, total, recipe.warmup))
            torch.manual_seed(seed_of(*seed, step, 2))
            with live.accelerator.accumulate(live.model):
                with autocast(recipe, live.accelerator.device):
                    logits_BC = live.model(batch)
                loss = loss_of(logits_BC, labels_B, live.weights_C, recipe.label_smoothing)
                value = loss.item()
                if not math.isfinite(value):
                    raise UserError(_not_a_number(live, at, data.train_rows[parts[step]]))
                live.accelerator.backward(loss)
                if live.accelerator.sync_gradients:
                    live.accelerator.clip_grad_norm_(live.model.parameters(), recipe.clip_norm)
                live.optimizer.step()
                live.optimizer.zero_grad()
            now = time.monotonic()
            at = replace(
                at,
                step=step + 1,
                loss=at.loss + value * len(labels_B),
                examples=at.examples + len(labels_B),
                seconds=begun + now - started,
            )
            advance(len(labels_B), f"loss {at.loss / at.examples:.3f}")
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
