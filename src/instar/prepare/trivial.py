"""TrivialAugment: one random change of random strength a picture (Müller and Hutter 2021, arXiv
2103.10158)."""

from collections.abc import Callable

import torch
from torch import Generator, Tensor
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2 import functional as F

Change = Callable[[Tensor, float], Tensor]
"""(pixels (3, H, W) uint8, strength -1 to 1) -> pixels"""
BINS = 31


def _affine(
    picture: Tensor, angle: float = 0, x: float = 0, y: float = 0, shear: tuple[float, float] = (0, 0)
) -> Tensor:
    changed: Tensor = F.affine(
        picture, angle=angle, translate=[round(x), round(y)], scale=1, shear=list(shear),
        interpolation=InterpolationMode.BILINEAR,
    )  # fmt: skip
    return changed


CHANGES: tuple[Change, ...] = (
    lambda p, s: p,
    lambda p, s: _affine(p, shear=(45 * s, 0)),
    lambda p, s: _affine(p, shear=(0, 45 * s)),
    lambda p, s: _affine(p, x=32 * s),
    lambda p, s: _affine(p, y=32 * s),
    lambda p, s: _affine(p, angle=135 * s),
    lambda p, s: F.adjust_brightness(p, 1 + 0.99 * s),
    lambda p, s: F.adjust_saturation(p, 1 + 0.99 * s),
    lambda p, s: F.adjust_contrast(p, 1 + 0.99 * s),
    lambda p, s: F.adjust_sharpness(p, 1 + 0.99 * s),
    lambda p, s: F.posterize(p, 8 - round(6 * abs(s))),
    lambda p, s: F.solarize(p, 255 * (1 - abs(s))),
    lambda p, s: F.autocontrast(p),
    lambda p, s: F.equalize(p),
)
"""The wide space of the paper: shear to 45 degrees, shift by 32 pixels, turn to 135 degrees, colours to 0.01
.. 1.99."""


def trivial_augment(pixels_BHWC: Tensor, generator: Generator) -> Tensor:
    """Change every picture (uint8) in one of 14 ways; which, how much and in which direction is drawn
    evenly."""
    b = len(pixels_BHWC)
    which = torch.randint(len(CHANGES), (b,), generator=generator).tolist()
    strength = torch.randint(BINS, (b,), generator=generator) / (BINS - 1)
    sign = torch.randint(2, (b,), generator=generator) * 2 - 1
    changed = [
        CHANGES[i](picture.permute(2, 0, 1), s).permute(1, 2, 0)
        for picture, i, s in zip(pixels_BHWC, which, (strength * sign).tolist(), strict=True)
    ]
    return torch.stack(changed)
