"""Seven species drawn after well-known butterflies, as marks on a fore and a hind wing.

Monarch and viceroy are the look-alikes: the black line across the hind wing of the viceroy is the one
difference. Swallowtail and zebra long wing share yellow and black, adonis and blue morpho share blue: colour
alone does not tell the species apart.
"""

from collections.abc import Callable
from itertools import pairwise
from random import Random

import numpy as np

from instar.demo.wings import Colour, Mark, Points, Wing, mix

Wings = tuple[list[Mark], list[Mark]]
"""Marks of the fore and of the hind wing, each in the order in which they are painted."""

INK: Colour = (26, 20, 20)
WHITE: Colour = (246, 243, 234)


def grown(rng: Random, knots: str) -> Points:
    """Knots of an outline, "x y, x y" in hundredths, each moved a little: no two animals have equal wings."""
    moved = [float(value) / 100 + rng.gauss(0, 0.011) for value in knots.replace(",", " ").split()]
    return np.array(moved).reshape(-1, 2)


def dots(wing: Wing, count: int, t: float, radius: float, colour: Colour, stretch: float = 1.0) -> list[Mark]:
    """A row of spots along the outer margin."""
    return [(spot, colour) for spot in wing.spots(np.linspace(0.02, 0.98, count), t, radius, stretch)]


def stained_glass(rng: Random, across: bool) -> Wings:
    """Orange cells between black veins, white dots on the border; `across`: a line over the hind wing."""
    fire: Colour = (226 + rng.randint(-12, 12), 112 + rng.randint(-22, 18), 26)
    glow = mix(fire, (255, 190, 80), 0.35)
    fore = Wing.through(
        grown(rng, "0 -11, 36 -47, 74 -73, 100 -75, 98 -52, 86 -24, 79 0, 42 2"),
        3,
        6,
    )
    hind = Wing.through(
        grown(rng, "0 -6, 40 -7, 72 0, 81 24, 70 52, 45 68, 20 60, 8 30"),
        2,
        6,
    )
    front: list[Mark] = [(fore.rim, INK)]
    front += [
        (fore.band((-0.62, -0.12), (0.16, 0.62), 0.05), fire),
        (fore.band((-0.05, 0.5), (0.2, 0.52), 0.06), fire),
    ]
    front += [(fore.band((m, m + 0.2), (0.58, 0.84), 0.04), mix(fire, glow, m)) for m in (0.27, 0.52, 0.77)]
    front += [
        (fore.band((1.03, 1.3), (0.2, 0.84), 0.05), fire),
        (fore.band((0.57, 0.97), (0.2, 0.53), 0.05), fire),
    ]
    front += [
        (fore.spot(m, t, 0.026, 1.7), mix(glow, WHITE, 0.5)) for m, t in ((-0.2, 0.8), (-0.04, 0.74), (0.13, 0.7))
    ]
    front += dots(fore, 9, 0.95, 0.015, WHITE) + dots(fore, 8, 0.895, 0.012, WHITE)
    back: list[Mark] = [(hind.rim, INK), (hind.band((0.12, 0.78), (0.13, 0.45), 0.04), glow)]
    edges = np.linspace(-0.22, 1.12, 8).tolist()
    for left, right in pairwise(edges):
        back.append((hind.band((left + 0.014, right - 0.014), (0.49, 0.85), 0.03), fire))
    back += dots(hind, 11, 0.955, 0.014, WHITE) + dots(hind, 10, 0.9, 0.011, WHITE)
    width, faded = rng.uniform(0.017, 0.031), mix(INK, fire, rng.uniform(0, 0.4))
    if across:
        arc = [(m, 0.66 + 0.03 * np.sin(3 * m)) for m in np.linspace(-0.25, 1.13, 7).tolist()]
        back.append((hind.stroke(arc, (width, width)), faded))
    return front, back


def monarch(rng: Random) -> Wings:
    """Orange stained glass."""
    return stained_glass(rng, across=False)


def viceroy(rng: Random) -> Wings:
    """The monarch's double, with a black line across the hind wing."""
    return stained_glass(rng, across=True)


def swallowtail(rng: Random) -> Wings:
    """Yellow with black wedges from the leading edge, a blue-dusted border and tails."""
    sun: Colour = (244 + rng.randint(-10, 8), 208 + rng.randint(-24, 14), 82 + rng.randint(-30, 40))
    pale = mix(sun, WHITE, 0.25)
    fore = Wing.through(
        grown(rng, "0 -11, 38 -50, 76 -76, 100 -80, 95 -55, 86 -28, 78 -6, 40 -2"),
        3,
        6,
    )
    hind = Wing.through(
        grown(
            rng,
            "0 -6, 42 -8, 68 0, 72 20, 66 40, 60 50, 63 70, 66 86, 59 91, 53 76, 46 58, 30 60, 16 56, 9 28",
        ),
        2,
        12,
        7,
        0.035,
    )
    front: list[Mark] = [(fore.rim, INK), *fore.shaded(sun, pale, 0.95, 0.3)]
    front += [(fore.band((-0.06, 1.1), (0.84, 1.0)), INK)]
    front += dots(fore, 8, 0.915, 0.024, sun, 0.8)
    for m, t, width in ((-0.82, 0.34, 0.07), (-0.58, 0.56, 0.085), (-0.36, 0.74, 0.075), (-0.16, 0.87, 0.06)):
        end = (0.95 - 0.55 * t, t * 0.86)
        front.append((fore.stroke(((m, 0.99), ((m + end[0]) / 2, t), end), (width, width * 0.9, 0.012)), INK))
    front += [(vein, mix(INK, sun, 0.25)) for vein in fore.veins(8, 0.011)]
    back: list[Mark] = [(hind.rim, INK), *hind.shaded(pale, sun, 0.8, 0.3)]
    back.append((hind.stroke(((0.02, 0.55), (0.6, 0.42), (1.1, 0.7)), (0.05, 0.035, 0.05)), INK))
    back += [(vein, mix(INK, sun, 0.3)) for vein in hind.veins(7, 0.010, 0.8)]
    back += [(hind.spot(m, 0.8, 0.036, 0.7), (92, 130, 205)) for m in (0.12, 0.24, 0.36, 0.68, 0.8, 0.9)]
    back += [(hind.spot(m, 0.925, 0.026, 0.6), sun) for m in (0.03, 0.15, 0.27, 0.76, 0.87)]
    back.append((hind.spot(1.0, 0.78, 0.05, 0.8), (214, 84, 40)))
    return front, back


def zebra_long_wing(rng: Random) -> Wings:
    """Long narrow black wings with pale yellow bars."""
    lemon: Colour = (248 + rng.randint(-12, 6), 226 + rng.randint(-26, 14), 120 + rng.randint(-50, 40))
    coal = mix(INK, (58, 42, 34), rng.random())
    fore = Wing.through(
        grown(rng, "0 -12, 40 -42, 78 -60, 108 -62, 110 -46, 92 -26, 70 -6, 38 0"),
        3,
        6,
    )
    hind = Wing.through(
        grown(rng, "0 -7, 38 -7, 68 -2, 76 14, 64 34, 42 46, 20 42, 8 22"),
        2,
        6,
    )
    front: list[Mark] = [(fore.rim, coal), *fore.shaded(mix(coal, (90, 70, 50), 0.4), coal, 0.95)]
    for start, end, width in (
        ((0.5, 0.1), (0.84, 0.86), 0.052),
        ((-0.6, 0.8), (0.7, 0.84), 0.085),
        ((-0.28, 0.95), (0.36, 0.92), 0.07),
    ):
        front.append((fore.stroke((start, end), (width * 0.5, width, width * 0.6)), lemon))
    back: list[Mark] = [(hind.rim, coal), *hind.shaded(mix(coal, (90, 70, 50), 0.4), coal, 0.95)]
    back.append(
        (
            hind.stroke(((1.25, 0.5), (0.75, 0.42), (0.3, 0.5), (-0.05, 0.86)), (0.05, 0.09, 0.085, 0.03)),
            lemon,
        )
    )
    back += dots(hind, 9, 0.77, 0.019, lemon) + dots(hind, 12, 0.93, 0.011, lemon)
    return front, back


def eye(wing: Wing, m: float, t: float, size: float, rings: tuple[Colour, ...]) -> list[Mark]:
    """An eye-spot: rings from the outside in, the innermost a glint."""
    shares = np.linspace(1, 0.22, len(rings)).tolist()
    return [(wing.spot(m, t + 0.06 * (1 - s), size * s), ring) for s, ring in zip(shares, rings, strict=True)]


def peacock(rng: Random) -> Wings:
    """Rust red with four eye-spots and scalloped, smoky edges."""
    rust: Colour = (176 + rng.randint(-14, 24), 62 + rng.randint(-16, 22), 34)
    smoke: Colour = (96, 78, 66)
    fore = Wing.through(
        grown(rng, "0 -11, 36 -50, 70 -72, 95 -70, 88 -50, 80 -26, 76 -2, 40 2"),
        3,
        6,
        5,
        0.05,
    )
    hind = Wing.through(
        grown(rng, "0 -6, 40 -8, 70 2, 78 24, 70 48, 46 62, 20 54, 8 28"),
        2,
        6,
        6,
        0.06,
    )
    front: list[Mark] = [(fore.rim, smoke), *fore.shaded(mix(rust, INK, 0.35), rust, 0.92)]
    front.append((fore.band((-0.62, -0.42), (0.6, 0.99), 0.03), INK))
    front.append((fore.band((-0.4, -0.24), (0.72, 0.99), 0.02), (228, 190, 110)))
    front += eye(fore, 0.12, 0.76, 0.145, ((232, 196, 96), INK, (150, 50, 50), (120, 150, 214), WHITE))
    front += [(fore.spot(m, 0.74, 0.022), WHITE) for m in (0.52, 0.68, 0.84)]
    back: list[Mark] = [(hind.rim, smoke), *hind.shaded(mix(rust, smoke, 0.6), rust, 0.9)]
    back += eye(hind, 0.22, 0.7, 0.165, ((204, 190, 160), INK, INK, (84, 130, 216), (170, 200, 240)))
    return front, back


def adonis(rng: Random) -> Wings:
    """Sky blue to the edge, then a thin black line and a chequered white fringe."""
    sky: Colour = (58 + rng.randint(-20, 40), 134 + rng.randint(-28, 22), 226 + rng.randint(-24, 14))
    fore = Wing.through(
        grown(rng, "0 -11, 36 -46, 70 -64, 90 -60, 88 -40, 80 -18, 70 2, 40 4"),
        3,
        6,
    )
    hind = Wing.through(
        grown(rng, "0 -6, 40 -5, 68 4, 75 26, 64 50, 42 60, 20 52, 8 28"),
        2,
        6,
    )
    painted: list[list[Mark]] = []
    for wing in (fore, hind):
        marks: list[Mark] = [(wing.rim, WHITE), (wing.scaled(0.95), INK)]
        marks += wing.shaded(mix(sky, INK, 0.3), sky, 0.925)
        marks += [(vein, mix(sky, INK, 0.28)) for vein in wing.veins(9, 0.009, 0.93)]
        marks += [(wing.band((m, m + 0.03), (0.94, 1.0)), INK) for m in np.linspace(0.0, 0.97, 9).tolist()]
        painted.append(marks)
    painted[1] += dots(hind, 7, 0.86, 0.016, INK)
    return painted[0], painted[1]


def blue_morpho(rng: Random) -> Wings:
    """Broad shining blue wings in a wide black frame with white specks."""
    shine: Colour = (34 + rng.randint(-20, 40), 128 + rng.randint(-28, 26), 222 + rng.randint(-24, 18))
    fore = Wing.through(
        grown(rng, "0 -11, 34 -56, 68 -78, 96 -76, 95 -50, 88 -24, 84 4, 42 8"),
        3,
        6,
    )
    hind = Wing.through(
        grown(rng, "0 -6, 42 -4, 76 4, 86 28, 76 56, 48 72, 20 64, 7 32"),
        2,
        6,
        6,
        0.03,
    )
    painted: list[list[Mark]] = []
    for wing, width in ((fore, 0.74), (hind, 0.8)):
        marks: list[Mark] = [
            (wing.rim, INK),
            *wing.shaded(mix(shine, (150, 220, 255), 0.36), shine, width, 0.1),
        ]
        marks += [(vein, mix(shine, INK, 0.4)) for vein in wing.veins(7, 0.012, width)]
        marks += dots(wing, 7, 0.92, 0.014, WHITE)
        painted.append(marks)
    painted[0] += [(fore.band((-0.7, -0.05), (0.9, 1.0)), INK), (fore.spot(-0.12, 0.84, 0.02, 1.5), WHITE)]
    return painted[0], painted[1]


SPECIES: dict[str, Callable[[Random], Wings]] = {
    "ADONIS": adonis,
    "BLUE MORPHO": blue_morpho,
    "MONARCH": monarch,
    "PEACOCK": peacock,
    "SWALLOWTAIL": swallowtail,
    "VICEROY": viceroy,
    "ZEBRA LONG WING": zebra_long_wing,
}
