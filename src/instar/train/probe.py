"""The head, solved to its optimum on features of the frozen body.

A linear probe is the cheapest model that the features allow, and the best start for fine-tuning: a random
head would spoil the features before it has learnt anything (LP-FT: Kumar et al. 2022, arXiv 2202.10054).
"""

import time
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from instar.metrics import decoded
from instar.metrics import score as metric_of
from instar.progress import bar
from instar.train.loss import loss_of

STRENGTHS = (3000.0, 1000.0, 300.0, 100.0, 30.0, 10.0, 3.0)
"""1/C, strongest first: each solution is the start of the next. The best on the validation split was 10 of
0.740, 0.819, 0.865, 0.878, 0.880, 0.886, 0.884 for 2,943 butterflies of 75 species (MobileNetV2, two views),
and 300 or more for 210 reviews (MiniLM): small sets need more."""
SMALLEST = 0.1
"""Deviation of a feature that counts as its least, as a share of the mean deviation: hardly used features shall not
get huge weights."""
ITERATIONS = 100


@dataclass(frozen=True)
class Examples:
    """Features (N, D) and labels (N,) of the training examples and of the validation split."""

    train: NDArray[np.float32]
    train_labels: NDArray[np.int64]
    val: NDArray[np.float32]
    val_labels: NDArray[np.int64]
    weights_C: Tensor | None
    classes: int


@dataclass(frozen=True)
class Solution:
    """A solved head for features as they are, and how good it is."""

    weight_CD: Tensor
    bias_C: Tensor
    strength: float
    train_loss: float
    val_loss: float
    val_score: float
    seconds: float


def solve(examples: Examples, metric: str, decode: str = "argmax") -> tuple[Solution, ...]:
    """Multinomial logistic regression at each strength of regularisation, by L-BFGS from start to optimum.

    Minimised is the mean (weighted) cross-entropy plus `strength` / (2 N) times the squared weights for features
    of mean 0 and deviation 1, with N training examples. Scaling and shift are folded back into the head. float32
    throughout. `decode` says how probabilities become the answers that `metric` judges on the validation split
    (`metrics.decoded`).
    """
    x_ND = torch.from_numpy(examples.train)
    y_N = torch.from_numpy(examples.train_labels)
    mean_D, std_D = x_ND.mean(0), x_ND.std(0)
    std_D = std_D.clamp(min=max(SMALLEST * std_D.mean().item(), 1e-6))
    x_ND = x_ND.sub(mean_D).div_(std_D)
    val_MD = torch.from_numpy(examples.val).sub(mean_D).div_(std_D)
    parameters = torch.zeros(examples.classes, x_ND.shape[1] + 1, requires_grad=True)
    solutions = []
    with bar("solving the head", len(STRENGTHS)) as advance:
        for strength in STRENGTHS:
            started = time.monotonic()
            decay = strength / len(examples.train_labels)
            train_loss = _minimise(parameters, x_ND, y_N, examples.weights_C, decay)
            with torch.no_grad():
                weight_CD, bias_C = parameters[:, :-1] / std_D, parameters[:, -1]
                logits_MC = val_MD @ parameters[:, :-1].T + bias_C
                val_loss = loss_of(logits_MC, torch.from_numpy(examples.val_labels), examples.weights_C, 0.0).item()
                predicted = decoded(logits_MC.double().softmax(1).numpy(), decode)
                bias_C = bias_C - weight_CD @ mean_D
            score = metric_of(metric, examples.val_labels, predicted, examples.classes)
            seconds = time.monotonic() - started
            solutions.append(Solution(weight_CD, bias_C, strength, train_loss, val_loss, score, seconds))
            advance(1, f"loss {train_loss:.3f}, {metric} {score:.3f}")
    return tuple(solutions)


def _minimise(parameters: Tensor, x_ND: Tensor, y_N: Tensor, weights_C: Tensor | None, decay: float) -> float:
    """Bring `parameters` (C, D + 1), the last column the bias, to the optimum; returns the loss without the
    decay."""
    optimizer = torch.optim.LBFGS([parameters], max_iter=ITERATIONS, line_search_fn="strong_wolfe")
    plain = 0.0

    def closure() -> Tensor:
        nonlocal plain
        optimizer.zero_grad()
        weight_CD, bias_C = parameters[:, :-1], parameters[:, -1]
        loss = loss_of(torch.addmm(bias_C, x_ND, weight_CD.T), y_N, weights_C, 0.0)
        plain = loss.item()
        total = loss + decay / 2 * weight_CD.square().sum()
        total.backward()
        return total

    optimizer.step(closure)
    return plain
