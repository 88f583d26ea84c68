"""What the training sees of the examples, whatever they are."""

from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from instar.models.split import CUT

Batch = dict[str, torch.Tensor]
"""Keyword arguments of a network's body. Images: pixels (B, 3, H, W) float32, normalised. Texts: input_ids
and attention_mask (B, L) int64, padded to the longest of the batch only."""


class Prepared(Protocol):
    """Examples in the form in which a network takes them."""

    @property
    def key(self) -> str:
        """Digest of all that `batch` depends on besides its arguments: features are cached under it."""
        ...

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids of the data set, in the order of the rows here."""
        ...

    @property
    def costs(self) -> NDArray[np.int64]:
        """What an example costs relative to others: tokens of a text, 1 for a picture. Batches are bucketed
        by it."""
        ...

    def batch(self, rows: NDArray[np.int64], augment: tuple[str, ...], seed: int) -> Batch:
        """The examples at `rows`, augmented. The same arguments give the same tensors, bit for bit."""
        ...


def count(batch: Batch) -> int:
    """How many examples a batch holds."""
    return len(batch["attention_mask"] if "attention_mask" in batch else next(iter(batch.values())))


def taken(batch: Batch, some: slice) -> Batch:
    """Some examples of a batch, one after the other. Of texts, activations at a cut are a row for each token."""
    found = {name: value[some] for name, value in batch.items()}
    if CUT in batch and "attention_mask" in batch:
        ends = batch["attention_mask"].sum(1).cumsum(0).tolist()
        found[CUT] = batch[CUT][ends[some.start - 1] if some.start else 0 : ends[some.stop - 1]]
    return found
