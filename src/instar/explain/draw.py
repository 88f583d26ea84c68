"""A picture beside what speaks for a class in it."""

from collections.abc import Sequence
from math import isqrt

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from instar.metrics import Floats

SIDE = 224
"""Pixels a side of each panel."""
GAP = 6
STRONGEST = 0.6
"""How much of the picture the strongest mark covers: it is never hidden."""
FADED = 0.75
"""Contrast of the grey picture below the marks."""
RAMP = ((0.55, 0.17, 350.0), (0.70, 0.19, 35.0), (0.88, 0.19, 95.0))
"""From weak to strong marks, in OKLCH (Ottosson 2020, bottosson.github.io/posts/oklab): lightness, which rises in even
steps so that every kind of colour vision sees the order, chroma and hue in degrees (crimson, orange, yellow)."""

Pixels = NDArray[np.uint8]


def panels(picture_HWC: Pixels, maps: Sequence[Floats]) -> Pixels:
    """The picture, and beside it the picture in grey with the marks of each map.

    maps: weights of cells (S * S,), row by row. What is below 0, and so speaks against the class, is not marked. All
    maps of a picture have one scale, from 0 to the heaviest cell of them all.
    """
    heaviest = max(float(weights.max()) for weights in maps)
    shown = [resized(picture_HWC)]
    for weights in maps:
        share = np.clip(weights / heaviest, 0, 1) if heaviest > 0 else np.zeros_like(weights)
        shown.append(marked(shown[0], share.reshape(isqrt(weights.size), -1)))
    gap = np.full((SIDE, GAP, 3), 255, np.uint8)
    return np.concatenate([part for panel in shown for part in (gap, panel)][1:], axis=1)


def resized(picture_HWC: Pixels) -> Pixels:
    """A picture at the size of a panel."""
    return np.asarray(Image.fromarray(picture_HWC).resize((SIDE, SIDE), Image.Resampling.LANCZOS))


def marked(picture_HWC: Pixels, share_SS: Floats) -> Pixels:
    """The picture in grey below the marks, which cover it the more the stronger they are."""
    smooth = Image.fromarray(share_SS.astype(np.float32)).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    share = np.clip(np.asarray(smooth, np.float64), 0, 1)[..., None]
    grey = np.asarray(Image.fromarray(picture_HWC).convert("L"), np.float64)[..., None] / 255
    faded = 0.5 + (grey - 0.5) * FADED
    cover = STRONGEST * share
    mixed = (1 - cover) * faded + cover * _colours(share[..., 0])
    pixels: Pixels = np.round(255 * mixed).astype(np.uint8)
    return pixels


def _colours(share: Floats) -> Floats:
    """Colours (..., 3) from 0 to 1 of shares of the strongest mark."""
    at = np.linspace(0, 1, len(RAMP))
    lightness, chroma, hue = (np.interp(share, at, column) for column in zip(*_unwound(), strict=True))
    return _rgb(lightness, chroma * np.cos(np.radians(hue)), chroma * np.sin(np.radians(hue)))


def _unwound() -> list[tuple[float, float, float]]:
    """The ramp with hues that rise, so that red is not passed backwards."""
    first = RAMP[0][2]
    return [(lightness, chroma, hue + 360 * (hue < first)) for lightness, chroma, hue in RAMP]


def _rgb(lightness: Floats, a: Floats, b: Floats) -> Floats:
    """OKLab to sRGB, by the matrices of its author."""
    long, medium, short = (
        (lightness + x * a + y * b) ** 3
        for x, y in ((0.3963377774, 0.2158037573), (-0.1055613458, -0.0638541728), (-0.0894841775, -1.2914855480))
    )
    linear = np.stack(
        [
            x * long + y * medium + z * short
            for x, y, z in (
                (4.0767416621, -3.3077115913, 0.2309699292),
                (-1.2684380046, 2.6097574011, -0.3413193965),
                (-0.0041960863, -0.7034186147, 1.7076147010),
            )
        ],
        axis=-1,
    )
    linear = np.clip(linear, 0, 1)
    colours: Floats = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return colours
