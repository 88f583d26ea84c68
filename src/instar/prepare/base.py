"""What the training sees of the examples, whatever they are."""

from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

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
