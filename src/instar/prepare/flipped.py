"""Mirror images of prepared pictures. torch is needed by whoever prepared them, not here."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from instar.prepare.base import Batch, Prepared

FLIP = "horizontal_flip"
"""The augmentation that a modality knows where its examples have mirror images."""


@dataclass(frozen=True)
class Flipped:
    """Prepared pictures, each mirrored left to right."""

    plain: "Prepared"

    @property
    def key(self) -> str:
        return f"{self.plain.key} mirrored"

    @property
    def ids(self) -> tuple[str, ...]:
        return self.plain.ids

    @property
    def costs(self) -> NDArray[np.int64]:
        return self.plain.costs

    def batch(self, rows: NDArray[np.int64], augment: tuple[str, ...], seed: int) -> "Batch":
        """The batch with its last axis, the width, turned round."""
        return {name: pixels.flip(-1) for name, pixels in self.plain.batch(rows, augment, seed).items()}
