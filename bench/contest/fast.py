"""fastai's `fine_tune` on the same network, for pictures. Where fastai is not installed, this cannot be imported."""

from typing import Any

import numpy as np
import torch
from fastai.vision.all import (
    Callback,
    CategoryBlock,
    CrossEntropyLossFlat,
    DataBlock,
    ImageBlock,
    IndexSplitter,
    ItemGetter,
    Learner,
    Normalize,
    Resize,
    accuracy,
    aug_transforms,
    params,
    set_seed,
)
from torch import Tensor, nn

from contest.task import Clock, Floats, Task

PRESIZED = 256
"""Pictures are brought to this size one by one, then augmented in batches down to the network's: fastai's presizing."""


class Pixels(nn.Module):
    """The shared network as fastai calls it: one tensor in, logits out."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, pixels: Tensor) -> Tensor:
        logits_BC: Tensor = self.model({"pixels": pixels.as_subclass(Tensor)})
        return logits_BC


def train(task: Task, clock: Clock) -> Floats:
    """`fine_tune`: the head for one epoch, then all layers, at fastai's own rates and with its own augmentation."""
    set_seed(task.seed)
    spec = task.card.spec
    items = [
        (path, task.dataset.classes[label])
        for part in (task.train, task.val)
        for path, label in zip(part.inputs, part.labels, strict=True)
    ]
    block = DataBlock(
        blocks=(ImageBlock, CategoryBlock(vocab=list(task.dataset.classes), sort=False)),
        get_x=ItemGetter(0),
        get_y=ItemGetter(1),
        splitter=IndexSplitter(list(range(len(task.train), len(items)))),
        item_tfms=Resize(PRESIZED),
        batch_tfms=[*aug_transforms(size=task.recipe.input_size), Normalize.from_stats(spec.mean, spec.std)],
    )
    dls = block.dataloaders(items, bs=task.recipe.batch_size, num_workers=task.options.workers)

    class Curve(Callback):  # type: ignore[misc]
        order = 60  # after the Recorder, which fills in the figures of the epoch

        def after_epoch(self) -> None:
            clock.point(f"epoch {len(clock.curve) + 1}", float(self.learn.recorder.values[-1][-1]))

    curve = Curve()
    learner = Learner(
        dls,
        Pixels(task.network().model),
        loss_func=CrossEntropyLossFlat(),
        splitter=lambda model: [params(model.model.body), params(model.model.head)],
        metrics=accuracy,
        cbs=[curve],
    )
    with learner.no_bar(), learner.no_logging():
        learner.fine_tune(task.epochs, **({"base_lr": task.options.rate} if task.options.rate else {}))
        clock.stop()
        learner.remove_cb(curve)  # which would take the test for an epoch
        test: Any = dls.test_dl([(path, "") for path in task.test.inputs], num_workers=task.options.workers)
        probabilities, _ = learner.get_preds(dl=test)
    return np.asarray(torch.as_tensor(probabilities).double())
