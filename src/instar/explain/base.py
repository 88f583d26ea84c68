"""What reasons of all kinds of data share: an example has units (cells of a picture, words of a text), each with a
weight, and any of them can be taken out."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from instar.metrics import Floats, Ints
from instar.models.network import Classifier
from instar.prepare.base import Batch
from instar.prepare.passes import brought, device, laid_out
from instar.records import Recipe

Bools = NDArray[np.bool_]
SIZE = 16
"""Examples at once: gradients need room."""


class Unexplained(Exception):
    """Why a network gives no reasons of this kind: one sentence."""


class Reader(Protocol):
    """Reads the reasons of one network for the examples that it was made for."""

    method: str
    """Name of the method, a key of the deck's words."""
    place: str
    """Module below the body, where activations are weighed."""

    def weights(self, rows: Ints, classes: Ints) -> list[Floats]:
        """For each example a weight per unit: above 0 what speaks for the class, below 0 what speaks against it."""
        ...

    def elsewhere(self, weights: Floats, rng: np.random.Generator) -> Floats:
        """The weights of an example at random places: what marks compete with."""
        ...

    def probabilities(self, rows: Ints, gone: Sequence[Bools]) -> Floats:
        """Probabilities (N, C) when the units that are marked are taken out of each example."""
        ...


def margin(logits_BC: Tensor, classes_B: Tensor) -> Tensor:
    """How far the logit of each class stands above the mean of all (B,): what is explained. As the probabilities do,
    it does not change when all logits rise alike."""
    own_B = logits_BC.gather(1, classes_B[:, None])[:, 0]
    return own_B - logits_BC.mean(1)


@contextmanager
def at_rest(model: nn.Module) -> Iterator[None]:
    """In evaluation mode and without gradients of parameters; afterwards everything is as it was."""
    training = [(module, module.training) for module in model.modules()]
    learning = [(parameter, parameter.requires_grad) for parameter in model.parameters()]
    model.eval().requires_grad_(False)
    try:
        yield
    finally:
        for module, was in training:
            module.training = was
        for parameter, wanted in learning:
            parameter.requires_grad_(wanted)


def onto_device(batch: Batch, recipe: Recipe) -> Batch:
    """A batch where the network is."""
    return brought(laid_out(batch, recipe, device()), device())


def answers(model: Classifier, batch: Batch) -> Floats:
    """Probabilities (B, C), without gradients."""
    with torch.inference_mode():
        found: Floats = model(batch).softmax(1).double().cpu().numpy()
    return found


def parts(costs: Ints) -> list[Ints]:
    """The places 0 ... N - 1 in batches of `SIZE`, examples of like cost together."""
    order = np.argsort(costs, kind="stable")
    return [order[start : start + SIZE] for start in range(0, len(order), SIZE)]
