"""One step of the training: the gradients of a batch, computed in as many parts as memory asks for."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from instar.prepare.base import Batch, taken
from instar.prepare.memory import as_memory_allows, in_parts
from instar.prepare.passes import autocast, brought
from instar.records import Recipe
from instar.train.loss import loss_of, mass
from instar.train.stages import learning_norms


@dataclass(frozen=True)
class Part:
    """The examples of a step's batch that this process computes: all of them where there is one process."""

    batch: Batch
    labels_B: Tensor
    mass: float
    """What all examples of the step together count in its loss, those of other processes included (`loss.mass`)."""
    seed: int
    """Of dropout."""


def add_gradients(
    model: nn.Module, part: Part, weights_C: Tensor | None, recipe: Recipe, *, size: int, least: int, doing: str
) -> tuple[float, int]:
    """Set the gradients of the parameters to those of the batch's mean loss, as far as `part` contributes to it.

    `size` examples are computed at once, and half of that wherever memory does not suffice. The gradients of the parts
    are summed, each with the share of the batch's mass that it has, so they equal those of the whole batch up to
    rounding, class weights and smoothed labels included. Two things depend on the parts: dropout draws for each of them
    in turn, and BatchNorm that learns its statistics takes them from each (`least` examples or more).

    Returns:
        The contribution to the loss of the step, and how many examples at once went into memory.
    """

    moving = [buffer for norm in learning_norms(model) for buffer in norm.buffers()]
    before = [buffer.clone() for buffer in moving]

    def attempt(size: int) -> float:
        model.zero_grad()
        for buffer, value in zip(moving, before, strict=True):
            buffer.copy_(value)
        torch.manual_seed(part.seed)
        where, total = next(model.parameters()).device, 0.0
        for some in in_parts(len(part.labels_B), size, least):
            labels_B = part.labels_B[some]
            batch = brought(taken(part.batch, some), where)
            with autocast(recipe, where):
                given = model(batch)
            mean = loss_of(given, labels_B.to(where), weights_C, recipe.label_smoothing)
            loss = mean * (mass(labels_B, weights_C) / part.mass)
            total += loss.item()
            loss.backward()
        return total

    if len(part.labels_B) == 0:  # of a batch with fewer examples than processes
        model.zero_grad()
        return 0.0, size
    return as_memory_allows(attempt, size, least, doing)
