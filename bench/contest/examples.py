"""Examples as a plain PyTorch user feeds them: torchvision's transforms over files, token ids padded per batch."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, Sampler

from contest.task import Ints, Part, Task
from instar.prepare.words import words_of

WINDOW = 50
"""Batches whose texts are sorted by length together."""


class Pictures(Dataset[dict[str, Any]]):
    """Files read by torchvision's own Pillow loader: random crop and flip, or the middle of the resized picture."""

    def __init__(self, part: Part, task: Task, *, augment: bool) -> None:
        from torchvision.transforms import v2

        spec, size = task.card.spec, task.recipe.input_size
        mode = v2.InterpolationMode(spec.interpolation)
        self.part = part
        views = (
            [v2.RandomResizedCrop(size, interpolation=mode, antialias=True), v2.RandomHorizontalFlip()]
            if augment
            else [v2.Resize(round(size / spec.crop_share), interpolation=mode, antialias=True), v2.CenterCrop(size)]
        )
        tensors = [v2.ToImage(), v2.ToDtype(torch.float32, scale=True), v2.Normalize(spec.mean, spec.std)]
        self.transform = v2.Compose([*views, *tensors])

    def __len__(self) -> int:
        return len(self.part)

    def __getitem__(self, index: int) -> dict[str, Any]:
        from torchvision.datasets.folder import pil_loader

        pixels = self.transform(pil_loader(self.part.inputs[index])).as_subclass(Tensor)
        return {"pixels": pixels, "labels": int(self.part.labels[index])}


class Texts(Dataset[dict[str, Any]]):
    """Token ids of every text, made once and held in memory."""

    def __init__(self, part: Part, task: Task) -> None:
        words = words_of(task.card.spec, task.recipe.input_size, "head", ())
        self.part, self.tokens = part, words.encode(part.inputs)
        self.lengths = np.array([len(ids) for ids in self.tokens])

    def __len__(self) -> int:
        return len(self.part)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return {"input_ids": self.tokens[index], "labels": int(self.part.labels[index])}


class Padded:
    """Joins texts to a batch, padded to the longest of them: what transformers' DataCollatorWithPadding does."""

    def __init__(self, task: Task) -> None:
        self.pad = words_of(task.card.spec, task.recipe.input_size, "head", ()).pad

    def __call__(self, examples: Sequence[dict[str, Any]]) -> dict[str, Tensor]:
        longest = max(len(example["input_ids"]) for example in examples)
        ids = torch.full((len(examples), longest), self.pad)
        mask = torch.zeros_like(ids)
        for row, example in enumerate(examples):
            ids[row, : len(example["input_ids"])] = torch.tensor(example["input_ids"])
            mask[row, : len(example["input_ids"])] = 1
        labels = torch.tensor([example["labels"] for example in examples])
        return {"input_ids": ids, "attention_mask": mask, "labels": labels}


class ByLength(Sampler[list[int]]):
    """Random batches of similarly long texts: sorted within windows of `WINDOW` batches, in random order."""

    def __init__(self, lengths: Ints, size: int) -> None:
        self.lengths, self.size = lengths, size

    def __len__(self) -> int:
        return -(-len(self.lengths) // self.size)

    def __iter__(self) -> Iterator[list[int]]:
        order = torch.randperm(len(self.lengths)).numpy()
        window = WINDOW * self.size
        batches: list[list[int]] = []
        for start in range(0, len(order), window):
            part = order[start : start + window]
            part = part[np.argsort(self.lengths[part], kind="stable")]
            batches += [part[i : i + self.size].tolist() for i in range(0, len(part), self.size)]
        return iter([batches[i] for i in torch.randperm(len(batches)).tolist()])


def loaders(task: Task) -> tuple[DataLoader[Any], ...]:
    """Training batches, then those of validation and test in the order of the examples."""
    batch = task.recipe.batch_size
    if task.card.modality == "image":
        workers = task.options.workers

        def reader(part: Part, augment: bool) -> DataLoader[Any]:
            pictures = Pictures(part, task, augment=augment)
            return DataLoader(
                pictures, batch, shuffle=augment, num_workers=workers, persistent_workers=augment and workers > 0
            )

        return reader(task.train, True), reader(task.val, False), reader(task.test, False)
    join, train = Padded(task), Texts(task.train, task)
    held_out = [DataLoader(Texts(part, task), 2 * batch, collate_fn=join) for part in (task.val, task.test)]
    return DataLoader(train, batch_sampler=ByLength(train.lengths, batch), collate_fn=join), *held_out


class Labelled(nn.Module):
    """The shared network as transformers' Trainer calls it: keyword arguments in, loss and logits out."""

    accepts_loss_kwargs = False
    """The Trainer looks for this: the loss is the mean over the batch, and nothing beside the batch is to be given."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, labels: Tensor | None = None, **batch: Tensor) -> dict[str, Tensor]:
        logits_BC: Tensor = self.model(batch)
        if labels is None:
            return {"logits": logits_BC}
        return {"loss": nn.functional.cross_entropy(logits_BC, labels), "logits": logits_BC}
