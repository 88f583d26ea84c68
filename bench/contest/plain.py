"""The plain loop: PyTorch's transfer-learning tutorial with AdamW and a one-cycle rate, for pictures and for texts."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import OneCycleLR
from torch.utils.data import DataLoader

from contest.examples import loaders
from contest.task import Clock, Floats, Task, accuracy
from instar.prepare.passes import device

HEAD_RATE = 3e-3
"""Peak rate of the epoch in which only the new head of a network for pictures learns."""
WEIGHT_DECAY = 0.01
"""AdamW's own default."""


def train(task: Task, clock: Clock) -> Floats:
    """Pictures: the head for one epoch, then all layers. Texts: all layers at once, in batches of similar length."""
    torch.manual_seed(task.seed)
    model = task.network().model.to(device())
    if task.channels_last:
        model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    training, validation, test = loaders(task)
    if task.card.modality == "image":
        model.body.requires_grad_(False)
        learn(task, clock, model, training, validation, model.head.parameters(), 1, HEAD_RATE, "head")
        model.body.requires_grad_(True)
    learn(task, clock, model, training, validation, model.parameters(), task.epochs, task.rate, "all layers")
    clock.stop()
    return np.exp(log_probabilities(task, model, test))


def learn(
    task: Task,
    clock: Clock,
    model: nn.Module,
    training: DataLoader[Any],
    validation: DataLoader[Any],
    parameters: Iterable[nn.Parameter],
    epochs: int,
    rate: float,
    what: str,
) -> None:
    """So many epochs with one cycle of the rate over them, each followed by a validation."""
    optimizer = torch.optim.AdamW(parameters, lr=rate, weight_decay=WEIGHT_DECAY)
    scheduler = OneCycleLR(optimizer, max_lr=rate, total_steps=epochs * len(training))
    for epoch in range(1, epochs + 1):
        model.train()
        for batch in training:
            labels = batch.pop("labels").to(device())
            with torch.autocast(device().type, torch.bfloat16, enabled=task.bf16):
                loss = nn.functional.cross_entropy(model(placed(task, batch)), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            scheduler.step()
        clock.point(f"{what}, epoch {epoch}", accuracy(log_probabilities(task, model, validation), task.val.labels))


def placed(task: Task, batch: dict[str, Tensor]) -> dict[str, Tensor]:
    """The batch on the device, pictures laid out as the model is."""
    if not task.channels_last:
        return {name: value.to(device()) for name, value in batch.items()}
    layout = torch.channels_last
    return {k: v.to(device(), memory_format=layout) if v.ndim == 4 else v.to(device()) for k, v in batch.items()}


@torch.inference_mode()
def log_probabilities(task: Task, model: nn.Module, loader: DataLoader[Any]) -> Floats:
    """Of every example (N, C), averaged with those of its mirror image where the options say so."""
    model.eval()
    parts = []
    for batch in loader:
        batch.pop("labels")
        with torch.autocast(device().type, torch.bfloat16, enabled=task.bf16):
            found = model(placed(task, batch)).float().log_softmax(1)
            if task.options.flip and "pixels" in batch:
                mirrored = {"pixels": batch["pixels"].flip(3)}
                found = torch.stack([found, model(placed(task, mirrored)).float().log_softmax(1)]).logsumexp(0)
                found = found.log_softmax(1)
        parts.append(found.cpu().double().numpy())
    return np.concatenate(parts)
