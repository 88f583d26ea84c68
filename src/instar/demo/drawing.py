"""One picture of one butterfly: pose, body, light, lens."""

from itertools import chain
from math import cos, radians, sin
from random import Random

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from instar.demo.scenery import backdrop, perch, polygon
from instar.demo.species import SPECIES
from instar.demo.wings import CIRCLE, Colour, Mark, Points, mix, ribbon, smooth

SIZE = 224
"""Pixels a side."""
FINE = 2
"""The animal is drawn this many times larger and then reduced, which smooths its edges."""
FUR: tuple[Colour, ...] = ((52, 42, 36), (74, 58, 44), (38, 34, 40))

Frame = tuple[NDArray[np.float64], NDArray[np.float64]]
"""A map from half wingspans to pixels: points @ matrix + offset."""


def turned(degrees: float) -> NDArray[np.float64]:
    """The matrix that turns row vectors clockwise on the screen."""
    a = radians(degrees)
    return np.array([[cos(a), sin(a)], [-sin(a), cos(a)]])


def placed(marks: list[Mark], frame: Frame, light: float, haze: float) -> list[Mark]:
    """The marks in pixels; `light` multiplies their colours, `haze` blends them towards a dull brown."""
    points = np.concatenate([points for points, _ in marks]) @ frame[0] + frame[1]
    parts = np.split(points, np.cumsum([len(points) for points, _ in marks])[:-1])
    lit = []
    for part, (_, colour) in zip(parts, marks, strict=True):
        red, green, blue = mix(colour, (150, 126, 96), haze)
        lit.append((part, (round(red * light), round(green * light), round(blue * light))))
    return lit


def body(rng: Random, seen_from_above: bool) -> list[Mark]:
    """Abdomen, thorax, head, antennae and, from the side, legs; the head is up."""
    fur = rng.choice(FUR)
    soft = mix(fur, (190, 170, 140), 0.35)
    along = np.linspace(0, 1, 20)
    marks: list[Mark] = []
    for side in (-1, 1) if seen_from_above else (1, 0.72):
        lean = side * rng.uniform(0.15, 0.3) if seen_from_above else rng.uniform(0.0, 0.25) * side
        feeler = smooth(np.array([(0.02 * side, -0.3), (0.08 * side + lean * 0.4, -0.5), (lean + 0.06 * side, -0.68)]))
        marks += [(ribbon(feeler, np.full(len(feeler), 0.014)), fur), (feeler[-1] + 0.02 * CIRCLE, fur)]
    if not seen_from_above:
        for place in (-0.16, -0.06, 0.03):
            leg = np.array([(0.0, place), (-0.09, place - 0.03), (-0.17, place + 0.03)])
            marks.append((ribbon(smooth(leg), np.full(17, 0.015)), fur))
    tail = np.stack([0.0 * along, -0.05 + 0.5 * along], 1)
    marks.append((ribbon(tail, 0.085 * (1 - along**3) ** 0.5 + 0.012), fur))
    marks += [(np.array([0.0, 0.1 + 0.06 * k]) + CIRCLE * np.array([0.03, 0.008]), soft) for k in range(5)]
    marks += [
        (np.array([0.0, -0.1]) + CIRCLE * np.array([r, 1.6 * r]), mix(fur, soft, (0.075 - r) * 20))
        for r in (0.075, 0.055, 0.035)
    ]
    marks += [(np.array([0.0, -0.25]) + 0.05 * CIRCLE, fur)]
    marks += [(np.array([x, -0.27]) + 0.017 * CIRCLE, (16, 14, 16)) for x in (-0.03, 0.03)]
    return marks


def animal(rng: Random, label: str, at: Points, unit: float) -> list[list[Mark]]:
    """The parts of a butterfly round the pixel `at`, as they are painted; a wing begins with its rim.

    `unit` pixels are half a wingspan.
    """
    fore, hind = SPECIES[label](rng)
    facing = rng.gauss(0, 38)
    light = rng.uniform(-0.14, 0.14)
    sweep, spread = rng.gauss(0, 6), rng.gauss(2, 5)
    if rng.random() < 0.24:
        matrix = unit * turned(-90 + facing * 0.5) @ np.diag([rng.choice((-1.0, 1.0)), 1.0])
        at = at + np.array([0.0, 0.35 * unit])
        haze, fold = rng.uniform(0.1, 0.3), np.array([rng.uniform(0.85, 1.0), 1.0])
        return [
            placed(body(rng, False), (matrix, at), 0.95, 0.0),
            placed(fore, (turned(18 + sweep) * fold @ matrix, at), 0.86 + light, haze),
            placed(hind, (turned(-4 + spread) * fold @ matrix, at), 0.98 + light, haze),
        ]
    opening = rng.uniform(0.55, 1.0)
    matrix = unit * turned(facing)
    sides = []
    for side in (-1.0, 1.0):
        fold = np.array([side * min(1.0, max(0.42, opening + rng.gauss(0, 0.07))), 1.0])
        sides.append((fold, min(1.0, 1.0 + side * light)))
    wings = [
        placed(wing, (turned(turn) * fold @ matrix, at), shine, 0.0)
        for wing, turn in ((hind, spread), (fore, sweep))
        for fold, shine in sides
    ]
    return [*wings, placed(body(rng, True), (matrix, at), 1.0, 0.0)]


def shadow(parts: list[list[Mark]]) -> Image.Image:
    """How dark the butterfly's shadow lies on what is below it; SIZE x SIZE, grey."""
    small = Image.new("L", (SIZE // 2, SIZE // 2))
    draw = ImageDraw.Draw(small)
    for part in parts:
        draw.polygon((part[0][0] / (2 * FINE) + (2.5, 4.0)).ravel().tolist(), fill=110)
    return small.filter(ImageFilter.GaussianBlur(3)).resize((SIZE, SIZE))


def exposure(rng: Random) -> list[int]:
    """A table of 3 x 256 values: brightness, contrast and the colour of the light."""
    gamma, gain, lift = rng.uniform(0.8, 1.3), rng.uniform(0.86, 1.1), rng.uniform(0, 14)
    warmth = rng.gauss(0, 0.045)
    tones = (np.linspace(0, 1, 256) ** gamma * gain * 255 + lift)[None, :]
    lit = np.clip(tones * np.array([[1 + warmth], [1.0], [1 - warmth]]), 0, 255)
    return [int(value) for value in lit.ravel()]


def portrait(seed: str, label: str) -> Image.Image:
    """A picture, SIZE x SIZE, RGB, of a butterfly of the species `label`; the same for the same `seed`."""
    rng = Random(seed)
    fine = SIZE * FINE
    at = np.array([fine / 2 + rng.gauss(0, fine / 26), fine / 2 + rng.gauss(0, fine / 26)])
    parts = animal(rng, label, at, fine * rng.uniform(0.3, 0.48))
    picture = backdrop(rng, SIZE).resize((fine, fine), Image.Resampling.NEAREST)
    perch(ImageDraw.Draw(picture), rng, (at[0] + rng.gauss(0, fine / 16), at[1] + fine / 12), fine)
    picture = picture.reduce(FINE)
    picture.paste((22, 26, 18), mask=shadow(parts))
    picture = picture.resize((fine, fine), Image.Resampling.NEAREST)
    draw = ImageDraw.Draw(picture)
    for points, colour in chain(*parts):
        polygon(draw, points, colour)
    picture = picture.reduce(FINE)
    if rng.random() < 0.4:
        picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 1.5)))
    grain = np.random.default_rng(rng.getrandbits(32)).standard_normal((SIZE, SIZE, 1), np.float32)
    noisy = np.asarray(picture.point(exposure(rng))) + grain * rng.uniform(1.0, 9.0)
    return Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))
