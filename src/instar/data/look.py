"""What a picture looks like, in a few figures: light, colour, sharpness, borders, and a hash that near copies share."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.fft import dctn

from instar.records import Json

LATTICE = 64
"""Brightness, contrast and colour are taken from about 64 x 64 pixels on a regular lattice."""
GREY_LEVELS = 4
"""Largest difference between two channels of 0..255 in a grey picture; JPEG's own rounding reaches 3."""
LUMA = (0.299, 0.587, 0.114)
"""ITU-R BT.601, as in JPEG."""
HASH_SIDE, HASH_SAMPLE = 16, 64
"""The hash holds 16 x 16 signs of the discrete cosine transform of 64 x 64 pixels."""
FLAT = 0.01
"""Deviation of the luma (0 to 1) below which a picture shows nothing, so that its hash would be noise: 2.5 of 255
levels."""
SHARP_SIDE = 256
"""Sharpness is taken at this longer side, so that pictures of different sizes compare."""
BORDER_LEVELS = 12
"""Largest difference from the colour of the corner that still counts as border: compression makes that much."""


def look(pixels: NDArray[np.uint8]) -> dict[str, Json]:
    """Measures of a picture (H, W, 3), without the prefix `measure.`.

    brightness and contrast: mean and standard deviation of luma, 0..1. red, green, blue and red_deviation ...: the
    same of each channel. grey: no colour. sharpness: variance of the Laplacian over the variance of luma, at
    `SHARP_SIDE` (Pech-Pacheco et al. 2000, ICPR; divided so that a low contrast is not taken for blur). border: share
    of the area outside of what differs from one even frame. phash: see `perceptual_hash`; null for a flat picture.
    """
    height, width, _ = pixels.shape
    sample = pixels[:: max(1, height // LATTICE), :: max(1, width // LATTICE)].astype(np.float64)
    luma = (sample @ np.array(LUMA)) / 255
    spread = sample.max(axis=2) - sample.min(axis=2)
    means, deviations = sample.mean(axis=(0, 1)) / 255, sample.std(axis=(0, 1)) / 255
    contrast = float(luma.std())
    grey = Image.fromarray(pixels).convert("L")
    return {
        "brightness": float(luma.mean()),
        "contrast": contrast,
        "grey": bool(spread.max() <= GREY_LEVELS),
        **dict(zip(("red", "green", "blue"), map(float, means), strict=True)),
        **dict(zip(("red_deviation", "green_deviation", "blue_deviation"), map(float, deviations), strict=True)),
        "sharpness": _sharpness(grey),
        "border": border(pixels),
        "phash": perceptual_hash(grey) if contrast >= FLAT else None,
    }


def perceptual_hash(grey: Image.Image) -> str:
    """256 bits as 64 hexadecimal digits; near copies differ in few of them.

    The signs, against their median, of the lowest 16 x 16 frequencies of the picture squeezed to 64 x 64 pixels
    (pHash: Zauner 2010, "Implementation and benchmarking of perceptual image hash functions"; there 8 x 8, which on
    centred objects takes different pictures for copies).
    """
    small = grey.resize((HASH_SAMPLE, HASH_SAMPLE), Image.Resampling.BOX)
    frequencies = dctn(np.asarray(small, dtype=np.float64), norm="ortho")[:HASH_SIDE, :HASH_SIDE]
    return np.packbits(frequencies > np.median(frequencies)).tobytes().hex()


def _sharpness(grey: Image.Image) -> float:
    scale = SHARP_SIDE / max(grey.size)
    if scale < 1:
        size = (max(3, round(grey.width * scale)), max(3, round(grey.height * scale)))
        grey = grey.resize(size, Image.Resampling.BOX)
    if min(grey.size) < 3:
        return 0.0
    p = np.asarray(grey, dtype=np.float32)
    laplacian = p[:-2, 1:-1] + p[2:, 1:-1] + p[1:-1, :-2] + p[1:-1, 2:] - 4 * p[1:-1, 1:-1]
    return float(laplacian.var() / max(float(p.var()), 1.0))


def border(pixels: NDArray[np.uint8]) -> float:
    """Share of the area outside the smallest box that holds all that differs from the colour of the first corner."""
    height, width, _ = pixels.shape
    corner = pixels[0, 0].astype(np.int16)
    edges = (pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1])
    even = [bool((np.abs(edge - corner) <= BORDER_LEVELS).all()) for edge in edges]
    if not any(even):
        return 0.0
    differs = (np.abs(pixels - corner) > BORDER_LEVELS).any(axis=2)
    rows, columns = np.flatnonzero(differs.any(axis=1)), np.flatnonzero(differs.any(axis=0))
    if not len(rows):
        return 1.0
    inside = (rows[-1] - rows[0] + 1) * (columns[-1] - columns[0] + 1)
    return float(1 - inside / (height * width))
