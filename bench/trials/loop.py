"""A training with one technique, and what it answers."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from instar.models.network import Answers, Network
from instar.prepare.ahead import ahead
from instar.prepare.flipped import Flipped
from instar.prepare.passes import autocast, brought, device, laid_out, logits, placed, running
from instar.records import Recipe, Stage
from instar.train.batches import batches, seed_of
from instar.train.loop import TrainingData
from instar.train.optim import optimiser, set_rates, share
from instar.train.probe import Examples, solve
from instar.train.stages import enter
from trials import tricks
from trials.tricks import Ints, Trial

Floats = NDArray[np.float32]
States = dict[str, dict[str, Tensor]]


def solved_head(network: Network, train: Floats, val: Floats, data: TrainingData, recipe: Recipe) -> None:
    """Put the head at its optimum on features of the frozen body."""
    examples = Examples(train, data.train_labels, val, data.val_labels, None, data.classes)
    best = max(solve(examples, recipe.metric, recipe.decode), key=lambda s: (s.val_score, -s.val_loss))
    with torch.no_grad():
        network.model.head.weight.copy_(best.weight_CD)
        network.model.head.bias.copy_(best.bias_C)


def trained(network: Network, trial: Trial, base: Stage, recipe: Recipe, data: TrainingData, seed: int) -> States:
    """Train as planned but for the technique; returns the weights at the end and what can be made of them."""
    torch.manual_seed(seed)
    if trial.fresh_top:
        tricks.forget_top(network, trial.fresh_top)
    if trial.plain_head or trial.fresh_top:
        nn.init.normal_(network.model.head.weight, std=0.01)
        nn.init.zeros_(network.model.head.bias)
    before = tricks.copied(network.model)
    stage = replace(
        base,
        thaw=base.thaw if trial.thaw is None else trial.thaw,
        epochs=max(1, round(base.epochs * trial.epochs)),
        lr=base.lr * trial.rate,
        layer_decay=base.layer_decay if trial.layer_decay is None else trial.layer_decay,
    )
    if trial.weight_decay is not None:
        recipe = replace(recipe, weight_decay=trial.weight_decay)
    where = device()
    placed(network.model, recipe, where)
    enter(network, stage.thaw)
    optimizer = optimiser(network, stage, recipe)
    steps = len(batches(data.prepared.costs[data.train_rows], recipe.batch_size, 0))
    average = tricks.Average(network.model, steps)
    smoothing = recipe.label_smoothing if trial.smoothing is None else trial.smoothing
    loss = tricks.loss_of(trial, np.bincount(data.train_labels, minlength=data.classes), smoothing)
    ends, done = [], 0
    with running(recipe):
        for epoch in range(1, stage.epochs + 1):
            enter(network, stage.thaw)
            total, started = 0.0, time.monotonic()
            for number, (batch, soft_BC) in enumerate(_batches(trial, recipe, data, seed, epoch, stage.epochs)):
                set_rates(optimizer, share(done, stage.epochs * steps, recipe.warmup))
                torch.manual_seed(seed_of(seed, epoch, number))
                with autocast(recipe, where):
                    given = network.model(brought(batch, where))
                if isinstance(given, Answers):
                    given = given.logits_BC
                value = loss(given.float(), soft_BC)
                value.backward()
                nn.utils.clip_grad_norm_(network.model.parameters(), recipe.clip_norm)
                optimizer.step()
                optimizer.zero_grad()
                average.update(network.model)
                total, done = total + value.item(), done + 1
            ends.append(tricks.copied(network.model))
            print(f"    epoch {epoch}: loss {total / steps:.3f}, {time.monotonic() - started:.0f} s", flush=True)
    last = ends[-1]
    return {
        "last": last,
        "ema": average.state,
        "wise50": tricks.between(before, last, 0.5),
        "wise75": tricks.between(before, last, 0.75),
        "soup": tricks.mean_of(ends[-max(2, len(ends) // 3) :]),
    }


def _batches(
    trial: Trial, recipe: Recipe, data: TrainingData, seed: int, epoch: int, epochs: int
) -> Iterator[tuple[dict[str, Tensor], Tensor]]:
    """The batches of an epoch with their labels as shares."""
    rows = tricks.drawn(trial, data.train_labels, seed_of(seed, epoch, 3))
    prepared = data.prepared
    if trial.last_size != 1 and epoch > epochs - max(1, epochs // 3):
        prepared = tricks.sized(prepared, round(recipe.input_size * trial.last_size / 16) * 16)
    parts = batches(data.prepared.costs[data.train_rows[rows]], recipe.batch_size, seed_of(seed, 1, epoch))
    augment = recipe.augment if trial.augment is None else trial.augment

    def load(number: int) -> tuple[dict[str, Tensor], Tensor]:
        mine = rows[parts[number]]
        batch = prepared.batch(data.train_rows[mine], augment, seed_of(seed, epoch, number, 1))
        soft_BC = tricks.soft(torch.from_numpy(data.train_labels[mine]), data.classes)
        if trial.mix:
            generator = torch.Generator().manual_seed(seed_of(seed, epoch, number, 2))
            batch, soft_BC = tricks.mixed(batch, soft_BC, trial.mix, generator)
        return laid_out(batch, recipe, device()), soft_BC

    return ahead(load, range(len(parts)))


def answers(
    network: Network, states: States, recipe: Recipe, data: TrainingData, rows: Ints, cache: Path, *, every: bool
) -> dict[str, Floats]:
    """Logits (N, C) by weights and view: "last/centre", "ema/centre", "last/mirror", "last/whole" ...

    every: whether all weights are asked, or those of the end alone.
    """
    views = {"centre": data.prepared}
    if recipe.augment:
        whole = tricks.sized(data.prepared, data.prepared.shape.side // 16 * 16)  # type: ignore[attr-defined]
        views |= {"mirror": Flipped(data.prepared), "whole": whole, "whole-mirror": Flipped(whole)}
    found = {}
    for weights, state in states.items():
        if weights != "last" and not every:
            continue
        network.model.load_state_dict(state)
        for view, prepared in views.items():
            if weights == "last" or view == "centre":
                found[f"{weights}/{view}"] = logits(network, prepared, rows, recipe, f"{weights}, {view}")
    return found
