"""What the training minimises."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import cross_entropy

from instar.models.network import Answers, summed
from instar.records import Recipe


def class_weights(labels: NDArray[np.int64], classes: int, recipe: Recipe) -> Tensor | None:
    """Weights (C,) in inverse proportion to the classes' frequency, 1 on average over the examples; or
    None."""
    if recipe.loss_weights == "none":
        return None
    counts = np.bincount(labels, minlength=classes)
    return torch.tensor(len(labels) / (classes * np.maximum(counts, 1)), dtype=torch.float32)


def loss_of(given: Tensor | Answers, labels_B: Tensor, weights_C: Tensor | None, smoothing: float) -> Tensor:
    """Cross-entropy of logits (B, C), averaged over the examples by the weights of their classes, with smoothed labels;
    in training, second classifiers add theirs by their weights (`models.network.Answers`).

    Smoothing: Szegedy et al. 2015, arXiv 1512.00567.
    """
    weights_C = weights_C if weights_C is None else weights_C.to(labels_B.device)
    return summed(
        given, lambda logits_BC: cross_entropy(logits_BC.float(), labels_B, weights_C, label_smoothing=smoothing)
    )


def mass(labels_B: Tensor, weights_C: Tensor | None) -> float:
    """What examples count in the mean that `loss_of` takes: the weights of their classes, else 1 each. The loss of a
    batch is the mean of its parts' losses by their mass."""
    return float(len(labels_B)) if weights_C is None else weights_C[labels_B].double().sum().item()
