"""From stored squares to what the network sees: the centre view, and random views for the training.

Everything works on whole batches of uint8 pixels (B, H, W, 3), where that is possible, and draws from a
generator of its own: the same seed gives the same views bit for bit, in any thread.
"""

import math
from collections.abc import Sequence

import torch
from torch import Generator, Tensor
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2 import functional as F

from instar.prepare.trivial import trivial_augment

MODES = {"bilinear": InterpolationMode.BILINEAR, "bicubic": InterpolationMode.BICUBIC}
AREA = (0.35, 1.0)
"""Share of the stored square that a random crop covers. ImageNet training from scratch takes 0.08 to 1
(Szegedy et al. 2014, arXiv 1409.4842); a pre-trained network needs less change, and small data sets suffer
from views that miss the object: our judgement."""
LOG_RATIO = (math.log(3 / 4), math.log(4 / 3))
"""Width to height of a random crop, as in the same paper."""
JITTER = 0.3
"""Brightness, contrast and saturation are multiplied by 1 - JITTER to 1 + JITTER; our judgement."""
GRAYSCALE = 0.1
"""Share of the pictures that lose their colours; our judgement."""
LUMA = (0.299, 0.587, 0.114)
"""ITU-R BT.601."""


def centre(stored_BSSC: Tensor, size: int) -> Tensor:
    """The middle `size` x `size` pixels: what evaluation sees."""
    start = (stored_BSSC.shape[1] - size) // 2
    return stored_BSSC[:, start : start + size, start : start + size]


def normalised(pixels_BHWC: Tensor, mean: Sequence[float], std: Sequence[float]) -> Tensor:
    """Pixels of 0 to 255 as float32 (B, 3, H, W) with the network's mean and deviation (in units of 0 to 1).

    The result is laid out channels last. Rows are treated as vectors of W * 3 values: three times as fast as
    broadcasting over a last dimension of three.
    """
    b, h, w, c = pixels_BHWC.shape
    mean_R = (torch.tensor(mean) * 255).repeat(w)
    scale_R = (1 / (torch.tensor(std) * 255)).repeat(w)
    rows_BHR = pixels_BHWC.reshape(b, h, w * c).to(torch.float32, copy=True)
    return rows_BHR.sub_(mean_R).mul_(scale_R).view(b, h, w, c).permute(0, 3, 1, 2)


def augmented(stored_BSSC: Tensor, size: int, names: Sequence[str], interpolation: str, seed: int) -> Tensor:
    """Random views (B, size, size, 3) of stored squares, values 0 to 255, uint8 or float32.

    `names` are keys of `augment_names.AUGMENTATIONS`; their order does not matter.
    """
    generator = Generator().manual_seed(seed)
    if "random_resized_crop" in names:
        pixels = random_resized_crop(stored_BSSC, size, MODES[interpolation], generator)
    else:
        pixels = centre(stored_BSSC, size).contiguous()
    if "horizontal_flip" in names:
        chosen = torch.rand(len(pixels), generator=generator) < 0.5
        pixels[chosen] = pixels[chosen].flip(2)
    if "trivial_augment" in names:
        pixels = trivial_augment(pixels, generator)
    if "color_jitter" in names or "grayscale" in names:
        jitter = JITTER if "color_jitter" in names else 0.0
        grayscale = GRAYSCALE if "grayscale" in names else 0.0
        pixels = recoloured(pixels, jitter, grayscale, generator)
    return pixels


def random_resized_crop(stored_BSSC: Tensor, size: int, mode: InterpolationMode, generator: Generator) -> Tensor:
    """A random rectangle of each square, scaled to `size`. A side longer than the square is cut to it."""
    b, side = stored_BSSC.shape[:2]
    area_B, ratio_B, x_B, y_B = torch.rand(4, b, generator=generator, dtype=torch.float64)
    area_B = side**2 * (AREA[0] + (AREA[1] - AREA[0]) * area_B)
    ratio_B = torch.exp(LOG_RATIO[0] + (LOG_RATIO[1] - LOG_RATIO[0]) * ratio_B)
    width_B = (area_B * ratio_B).sqrt().round().clamp(1, side)
    height_B = (area_B / ratio_B).sqrt().round().clamp(1, side)
    left_B, top_B = (x_B * (side - width_B)).floor(), (y_B * (side - height_B)).floor()
    boxes = torch.stack([top_B, left_B, height_B, width_B], 1).long().tolist()
    views = [
        F.resized_crop(square.permute(2, 0, 1), *box, [size, size], interpolation=mode, antialias=True)
        for square, box in zip(stored_BSSC, boxes, strict=True)
    ]
    return torch.stack([view.permute(1, 2, 0) for view in views])


def recoloured(pixels_BHWC: Tensor, jitter: float, grayscale: float, generator: Generator) -> Tensor:
    """Change brightness, contrast and saturation of each picture by up to `jitter`, all as one affine map of
    RGB.

    A share `grayscale` of the pictures loses its saturation altogether. float32, values 0 to 255.
    """
    b, h, w, c = pixels_BHWC.shape
    draw_4B = torch.rand(4, b, generator=generator)
    brightness_B, contrast_B, saturation_B = 1 + jitter * (2 * draw_4B[:3] - 1)
    saturation_B = torch.where(draw_4B[3] < grayscale, 0.0, saturation_B)
    luma_C = torch.tensor(LUMA)
    to_grey_CC = luma_C.view(c, 1).expand(c, c)
    mix_BCC = torch.eye(c) * saturation_B.view(b, 1, 1) + to_grey_CC * (1 - saturation_B).view(b, 1, 1)
    mix_BCC = mix_BCC * (brightness_B * contrast_B).view(b, 1, 1)
    grey_B = (pixels_BHWC[:, ::4, ::4].float() @ luma_C).mean((1, 2)) * brightness_B
    offset_B11 = (grey_B * (1 - contrast_B)).view(b, 1, 1)
    mixed = torch.baddbmm(offset_B11, pixels_BHWC.reshape(b, h * w, c).float(), mix_BCC)
    return mixed.clamp_(0, 255).view(b, h, w, c)
