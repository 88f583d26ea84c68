"""Which rate a stage stands: the loss of few steps in which the rate grows (Smith 2015, arXiv 1506.01186)."""

import copy
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from instar.errors import UserError
from instar.models.network import Network
from instar.prepare.passes import device, laid_out, placed, running
from instar.progress import bar
from instar.records import Recipe, Stage
from instar.train.batches import batches, seed_of
from instar.train.loop import TrainingData
from instar.train.loss import class_weights, mass
from instar.train.optim import optimiser, set_rates
from instar.train.stages import enter, least_batch
from instar.train.step import Part, add_gradients
from instar.train.training import Fit, best_of, solutions

STEPS, LOWEST, HIGHEST = 100, 1e-6, 1.0
"""Steps, and the rates of the first and the last one."""
MEMORY = 0.9
"""Of the running mean that smooths the losses of single batches."""
DIVERGED = 4.0
"""Times the least smoothed loss at which nothing more is to be learnt."""
SETTLED = 10
"""Steps after which the running mean means something."""
SHARE = 0.1
"""Of the rate with the least loss, which is at the brink already; our judgement, as that of others."""
EPOCH = 1 << 20
"""Where the seeds of the finder begin, far from those of a training."""


@dataclass(frozen=True)
class Trial:
    """One step: its rate (of the head; deeper layers have their share), its loss, and the running mean of losses."""

    lr: float
    loss: float
    smoothed: float


def trials(
    network: Network, stage: Stage, recipe: Recipe, data: TrainingData, weights_C: Tensor | None
) -> tuple[Trial, ...]:
    """Train a copy of `network` as `stage` would, at a rate that grows by the same factor in every step.

    Ends early where the loss has left all bounds. The network stays as it is.

    Raises:
        UserError: memory does not suffice for the least part of a batch.
    """
    tried = replace(network, model=copy.deepcopy(network.model))
    found: list[Trial] = []
    mean, least = 0.0, math.inf
    with running(recipe), torch.random.fork_rng(devices=[]), bar(f"rates for {stage.name}", STEPS) as advance:
        placed(tried.model, recipe, device())
        enter(tried, stage.thaw)
        optimizer = optimiser(tried, replace(stage, lr=1.0), recipe)
        smallest, size = least_batch(tried.model), 0
        for step, rows in zip(range(STEPS), _endless(data, recipe, smallest), strict=False):
            lr = LOWEST * (HIGHEST / LOWEST) ** (step / (STEPS - 1))
            set_rates(optimizer, lr)
            seed = (recipe.seed, EPOCH, step)
            views = data.prepared.batch(data.train_rows[rows], recipe.augment, seed_of(*seed, 1))
            labels_B = torch.from_numpy(data.train_labels[rows])
            part = Part(laid_out(views, recipe, device()), labels_B, mass(labels_B, weights_C), seed_of(*seed, 2))
            size = size or len(rows)
            loss, size = add_gradients(
                tried.model, part, weights_C, recipe, size=size, least=smallest, doing=f"rates for {stage.name}"
            )
            mean = MEMORY * mean + (1 - MEMORY) * loss
            smoothed = mean / (1 - MEMORY ** (step + 1))
            if not math.isfinite(loss) or smoothed > DIVERGED * least:
                break
            found.append(Trial(lr, loss, smoothed))
            least = min(least, smoothed) if step >= SETTLED else math.inf
            nn.utils.clip_grad_norm_(tried.model.parameters(), recipe.clip_norm)
            optimizer.step()
            advance(1, f"loss {smoothed:.3f}")
    if len(found) <= SETTLED:
        raise UserError(f"rates: the loss of stage {stage.name} is not a number from the start; look at the examples")
    return tuple(found)


def with_solved_head(network: Network, recipe: Recipe, data: TrainingData) -> None:
    """Give a network as it came the head that the first stage would give it; one that starts at random stays so."""
    if network.card.pretrained:
        weights_C = class_weights(data.train_labels, data.classes, recipe)
        found = best_of(solutions(Fit(data.cache, network, recipe, data, "", weights_C)))
        network.model.head.load_state_dict({"weight": found.weight_CD, "bias": found.bias_C})


def suggestion(found: tuple[Trial, ...]) -> float | None:
    """A tenth of the rate at which the smoothed loss is least, or the rate at which it falls fastest where that is less
    (few examples are soon known by heart, and then no rate is too high); two digits. None where no rate brought it
    down."""
    best = min(range(SETTLED, len(found)), key=lambda step: found[step].smoothed)
    if best == SETTLED:
        return None
    steepest = min(range(SETTLED + 1, best + 1), key=lambda step: found[step].smoothed - found[step - 1].smoothed)
    return float(f"{min(found[best].lr * SHARE, found[steepest].lr):.2g}")


def _endless(data: TrainingData, recipe: Recipe, least: int) -> Iterator[NDArray[np.int64]]:
    """Batches, epoch after epoch."""
    epoch = 0
    while True:
        seed = seed_of(recipe.seed, EPOCH + epoch)
        yield from batches(data.prepared.costs[data.train_rows], recipe.batch_size, seed, least)
        epoch += 1
