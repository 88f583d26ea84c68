"""The torch side of images."""

import torch

from instar.modality.base import Feed
from instar.modality.image_previews import previews
from instar.prepare.base import Batch
from instar.prepare.images import example_images, open_images, prepare_images
from instar.records import InputSpec


def sample(spec: InputSpec, extent: int, n: int) -> Batch:
    """Pictures of normal noise, `extent` pixels a side, as if normalised."""
    return {"pixels": torch.randn(n, 3, extent, extent, generator=torch.Generator().manual_seed(0))}


FEED = Feed(prepare=prepare_images, open=open_images, examples=example_images, previews=previews, sample=sample)
