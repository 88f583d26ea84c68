"""Wings as outlines with coordinates of their own, so that a pattern follows any shape of wing.

A place on a wing is (m, t): `m` runs along the outer margin, 0 at the tip and 1 at the corner by the body
(below 0 it lies on the leading edge, above 1 on the trailing edge); `t` runs from 0 at the hinge to 1 at the
outline. A mark with t <= 1 therefore never leaves the wing and nothing has to be clipped. Lengths are in half
wingspans, x to the right and y down, the middle of the body at the origin; only right wings are described.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
"""Corners of a polygon, shape (n, 2)."""
Colour = tuple[int, int, int]
Mark = tuple[Points, Colour]

CIRCLE = np.stack([np.cos(np.linspace(0, 2 * np.pi, 14)[:-1]), np.sin(np.linspace(0, 2 * np.pi, 14)[:-1])], 1)
STEPS = 9


def smooth(knots: Points, per_span: int = 8) -> Points:
    """A Catmull-Rom spline through `knots`, open, with `per_span` points between two knots."""
    padded = np.concatenate([2 * knots[:1] - knots[1:2], knots, 2 * knots[-1:] - knots[-2:-1]])
    a, b, c, d = (padded[i : len(padded) - 3 + i, None] for i in range(4))
    s = np.linspace(0, 1, per_span, endpoint=False)[None, :, None]
    spans = b + s * (c - a) / 2 + s**2 * (a - 2.5 * b + 2 * c - d / 2) + s**3 * (1.5 * (b - c) + (d - a) / 2)
    return np.concatenate([spans.reshape(-1, 2), knots[-1:]])


def mix(a: Colour, b: Colour, share: float) -> Colour:
    """The colour that lies `share` of the way from `a` to `b`."""
    left = 1 - share
    return (
        round(a[0] * left + b[0] * share),
        round(a[1] * left + b[1] * share),
        round(a[2] * left + b[2] * share),
    )


@dataclass(frozen=True)
class Wing:
    """An outline, closed at the hinge, and the stretch of it that is the outer margin."""

    rim: Points
    places: Points
    """How far along the outline each point of `rim` lies, 0 to 1; shape (n,)."""
    margin: tuple[float, float]

    @staticmethod
    def through(knots: Points, tip: int, corner: int, scallops: int = 0, depth: float = 0.0) -> "Wing":
        """The wing through `knots`, the first of which is the hinge; `tip` and `corner` are indices of knots.

        `scallops` bays of `depth` (a share of the distance to the hinge) are cut into the outer margin.
        """
        rim = smooth(np.concatenate([knots, knots[:1]]))
        walked = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(rim, axis=0).T))])
        places = walked / walked[-1]
        start, end = float(places[8 * tip]), float(places[8 * corner])
        if scallops:
            fine = np.linspace(0, 1, 141)
            rim = np.stack([np.interp(fine, places, rim[:, axis]) for axis in (0, 1)], 1)
            along = np.clip((fine - start) / (end - start), 0, 1)
            bays = depth * (np.cos(2 * np.pi * scallops * along) - 1) / 2
            rim, places = rim[0] + (rim - rim[0]) * (1 + bays)[:, None], fine
        return Wing(rim, places, (start, end))

    @property
    def hinge(self) -> Points:
        """Where the wing is hung, shape (2,)."""
        return np.array(self.rim[0])

    def at(self, m: Points, t: Points) -> Points:
        """The points at (m, t); both of shape (n,)."""
        u = np.clip(self.margin[0] + m * (self.margin[1] - self.margin[0]), 0, 1)
        edge = np.stack([np.interp(u, self.places, self.rim[:, axis]) for axis in (0, 1)], 1)
        return self.hinge + t[:, None] * (edge - self.hinge)

    def scaled(self, t: float) -> Points:
        """The outline drawn in towards the hinge."""
        return self.hinge + t * (self.rim - self.hinge)

    def shaded(self, root: Colour, edge: Colour, outer: float = 1.0, inner: float = 0.15) -> list[Mark]:
        """The wing within `outer`, its colour passing from `edge` to `root`."""
        levels = np.linspace(0, 1, STEPS)
        return [(self.scaled(outer + (inner - outer) * x), mix(edge, root, x)) for x in levels.tolist()]

    def band(self, m: tuple[float, float], t: tuple[float, float], bulge: float = 0.0) -> Points:
        """The field between two places on the margin and two distances, its ends rounded by `bulge`."""
        x = np.linspace(0, 1, max(7, round(20 * abs(m[1] - m[0]))))
        curve = bulge * (2 * x - 1) ** 2
        along = m[0] + (m[1] - m[0]) * x
        return np.concatenate([self.at(along, t[1] - curve), self.at(along, t[0] + curve)[::-1]])

    def spot(self, m: float, t: float, radius: float, stretch: float = 1.0) -> Points:
        """A spot round (m, t), `stretch` times as long towards the hinge as across."""
        return self.spots(np.array([m]), t, radius, stretch)[0]

    def spots(self, m: Points, t: float, radius: float, stretch: float = 1.0) -> list[Points]:
        """A spot at each of the places `m`."""
        drawn = []
        for centre in self.at(m, np.full(len(m), t)):
            x, y = (centre - self.hinge).tolist()
            scale = radius / math.hypot(x, y)
            drawn.append(
                centre + CIRCLE @ np.array([[stretch * scale * x, stretch * scale * y], [-scale * y, scale * x]])
            )
        return drawn

    def stroke(self, places: Sequence[tuple[float, float]], widths: Sequence[float]) -> Points:
        """A line through places (m, t) whose width changes evenly through `widths`."""
        m, t = np.array(places, float).T
        line = smooth(self.at(m, t), 6)
        return ribbon(line, np.interp(np.linspace(0, 1, len(line)), np.linspace(0, 1, len(widths)), widths))

    def veins(self, count: int, width: float, reach: float = 0.97) -> list[Points]:
        """Fine lines from near the hinge to the outer margin."""
        m = np.linspace(-0.25, 1.1, count)
        starts, ends = self.at(0.4 + 0.5 * m, np.full(count, 0.2)), self.at(m, np.full(count, reach))
        tapered = np.array([width, width * 0.7])
        return [ribbon(np.stack(line), tapered) for line in zip(starts, ends, strict=True)]


def ribbon(line: Points, widths: Points) -> Points:
    """The polygon round a line, shape (n, 2), that is `widths`, shape (n,), wide."""
    steps = line[1:] - line[:-1]
    slope = np.concatenate([steps[:1], steps[1:] + steps[:-1], steps[-1:]])
    normal = slope[:, ::-1] * (-1.0, 1.0)
    side = normal * (widths / 2 / np.maximum(np.hypot(slope[:, 0], slope[:, 1]), 1e-9))[:, None]
    return np.concatenate([line + side, (line - side)[::-1]])
