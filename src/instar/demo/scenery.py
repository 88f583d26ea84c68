"""What stands behind and below a drawn butterfly: light through leaves, meadow, sky, stone, and a perch."""

from collections.abc import Callable
from random import Random

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from instar.demo.wings import Colour, Points, mix, ribbon, smooth

GREENS: tuple[Colour, ...] = ((48, 88, 40), (74, 118, 50), (104, 146, 66), (36, 66, 44), (138, 168, 84))
PETALS: tuple[Colour, ...] = (
    (226, 130, 176),
    (178, 122, 206),
    (246, 238, 228),
    (250, 206, 70),
    (232, 92, 84),
    (240, 160, 70),
    (120, 140, 220),
)


ALONG = np.linspace(0, 1, 18)
BLADE = np.clip(np.sin(np.pi * ALONG**0.8), 0, 1) ** 0.9
"""Width of a leaf along its midrib."""


def polygon(draw: ImageDraw.ImageDraw, points: Points, colour: Colour) -> None:
    """Fill the polygon through `points`, shape (n, 2), in pixels."""
    draw.polygon(points.ravel().tolist(), fill=colour)


def leaf(base: tuple[float, float], length: float, width: float, angle: float, bend: float) -> tuple[Points, Points]:
    """Outline and midrib of a leaf that grows from `base` at `angle`, in radians."""
    x = ALONG
    middle = np.stack([length * x, bend * length * x**2], 1)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    line = middle @ turn + np.array(base)
    return ribbon(line, width * BLADE), ribbon(line, (0.05 - 0.04 * x) * width)


def blobs(
    draw: ImageDraw.ImageDraw, rng: Random, size: int, colours: tuple[Colour, ...], count: int, radius: float
) -> None:
    """Discs of light and shade, to be blurred into a background that is out of focus."""
    for _ in range(count):
        x, y = rng.uniform(-10, size + 10), rng.uniform(-10, size + 10)
        r = radius * rng.uniform(0.4, 1.5)
        draw.ellipse((x - r, y - r, x + r, y + r), fill=mix(rng.choice(colours), rng.choice(colours), rng.random()))


def foliage(draw: ImageDraw.ImageDraw, rng: Random, size: int) -> None:
    """Leaves and bokeh."""
    blobs(draw, rng, size, GREENS, 26, size / 7)
    for _ in range(9):
        place = rng.uniform(0, size), rng.uniform(0, size)
        shape, _ = leaf(place, size * rng.uniform(0.3, 0.7), size * 0.16, rng.uniform(0, 6.3), rng.uniform(-0.4, 0.4))
        polygon(draw, shape, mix(rng.choice(GREENS), (190, 214, 130), rng.uniform(0, 0.5)))


def meadow(draw: ImageDraw.ImageDraw, rng: Random, size: int) -> None:
    """Grass with flowers of one or two colours."""
    blobs(draw, rng, size, GREENS[1:], 22, size / 8)
    for _ in range(14):
        x = rng.uniform(0, size)
        shape, _ = leaf(
            (x, size + 4),
            size * rng.uniform(0.5, 1.1),
            size * 0.05,
            -1.57 + rng.gauss(0, 0.25),
            rng.gauss(0, 0.2),
        )
        polygon(draw, shape, mix(rng.choice(GREENS), (210, 220, 120), rng.uniform(0, 0.4)))
    flowers = tuple(rng.sample(PETALS, 2))
    blobs(draw, rng, size, flowers, rng.randint(6, 14), size / 16)


def sky(draw: ImageDraw.ImageDraw, rng: Random, size: int) -> None:
    """Blue to pale, with clouds."""
    top, low = mix((86, 142, 214), (150, 176, 206), rng.random()), (222, 232, 238)
    for row in range(size):
        draw.line((0, row, size, row), fill=mix(top, low, row / size))
    for _ in range(rng.randint(1, 4)):
        x, y, length = rng.uniform(0, size), rng.uniform(0, size), size * rng.uniform(0.2, 0.5)
        for _ in range(14):
            across = rng.uniform(-1, 1)
            r = size * 0.11 * (1.1 - abs(across)) * rng.uniform(0.5, 1.2)
            left, low_edge = x + length * across, y + size * 0.02 * rng.random()
            draw.ellipse((left - 1.5 * r, low_edge - 1.4 * r, left + 1.5 * r, low_edge + 0.5 * r), fill=(243, 246, 249))


def ground(draw: ImageDraw.ImageDraw, rng: Random, size: int) -> None:
    """Sand or stone."""
    stone: Colour = rng.choice(((172, 152, 124), (142, 136, 130), (188, 170, 136), (112, 96, 82)))
    draw.rectangle((0, 0, size, size), fill=stone)
    for share, count, radius in ((0.2, 30, 8), (0.3, 60, 26), (0.4, 150, 60)):
        tones = mix(stone, (58, 50, 42), share), mix(stone, (240, 230, 212), share)
        blobs(draw, rng, size, tones, count, size / radius)


def blossom_wall(draw: ImageDraw.ImageDraw, rng: Random, size: int) -> None:
    """A shrub in flower, close behind."""
    petals: Colour = rng.choice(PETALS)
    blobs(draw, rng, size, GREENS, 20, size / 8)
    blobs(
        draw,
        rng,
        size,
        (petals, mix(petals, (255, 255, 255), 0.4), mix(petals, (60, 30, 60), 0.35)),
        46,
        size / 18,
    )


SCENES: tuple[tuple[Callable[[ImageDraw.ImageDraw, Random, int], None], float], ...] = (
    (foliage, 2.4),
    (meadow, 1.6),
    (blossom_wall, 2.0),
    (sky, 1.5),
    (ground, 1.0),
)
"""Each scene and its blur, in hundredths of the width."""


def backdrop(rng: Random, size: int) -> Image.Image:
    """A background of size x size pixels, out of focus: drawn at half size, blurred and enlarged."""
    half = size // 2
    picture = Image.new("RGB", (half, half), rng.choice(GREENS))
    scene, blur = rng.choices(SCENES, (4, 3, 3, 2, 2))[0]
    scene(ImageDraw.Draw(picture), rng, half)
    picture = picture.filter(ImageFilter.GaussianBlur(blur * half / 100 * rng.uniform(0.7, 1.6)))
    return picture.resize((size, size), Image.Resampling.BILINEAR)


def perch(draw: ImageDraw.ImageDraw, rng: Random, at: tuple[float, float], size: int) -> None:
    """A leaf or a flower, in focus, that the butterfly sits on; sometimes nothing."""
    kind = rng.random()
    if kind < 0.42:
        for _ in range(rng.randint(1, 2)):
            angle = rng.uniform(0, 6.3)
            length = size * rng.uniform(0.7, 1.0)
            base = at[0] - 0.5 * length * np.cos(angle), at[1] - 0.5 * length * np.sin(angle)
            shape, rib = leaf(base, length, size * rng.uniform(0.24, 0.4), angle, rng.uniform(-0.25, 0.25))
            green = mix(rng.choice(GREENS), (168, 196, 96), rng.uniform(0.1, 0.6))
            polygon(draw, shape, green)
            polygon(draw, rib, mix(green, (236, 240, 190), 0.4))
    elif kind < 0.8:
        petal, count = rng.choice(PETALS), rng.randint(7, 13)
        stem = smooth(
            np.array(
                [
                    at,
                    (at[0] + rng.gauss(0, size / 12), at[1] + size * 0.4),
                    (at[0] + rng.gauss(0, size / 6), size * 1.1),
                ]
            )
        )
        polygon(draw, ribbon(stem, np.full(len(stem), size * 0.022)), (86, 124, 58))
        reach, turn = size * rng.uniform(0.2, 0.36), rng.uniform(0, 6.3)
        for index in range(count):
            angle = turn + index * 2 * np.pi / count
            shape, rib = leaf(at, reach * rng.uniform(0.9, 1.1), reach * 3.4 / count, angle, rng.gauss(0, 0.05))
            polygon(draw, shape, mix(petal, (255, 255, 255) if index % 2 else (120, 60, 90), 0.18))
            polygon(draw, rib, mix(petal, (90, 50, 70), 0.25))
        r = reach * 0.27
        draw.ellipse((at[0] - r, at[1] - r, at[0] + r, at[1] + r), fill=(214, 158, 48))
