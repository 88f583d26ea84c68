"""The chart of several backbones: what each is worth against what it costs."""

import math
from typing import Any, Literal, NamedTuple

import altair as alt
import polars as pl

from instar.charts.theme import ACCENT, GREY, HEIGHT, INK, LIGHT, WIDTH, Chart, fitted, plot, text_width
from instar.charts.wording import PER_CENT

ROOM = 0.08
"""Of the range of the scores, above and below."""
ACROSS, UP = WIDTH - 70, HEIGHT - 60
"""Units of the view itself, about: without its axes."""
LINE, BESIDE = 20, 12
"""Units: the height of a label, and how far it stands from its point or from the end of its interval."""
Row = dict[str, Any]


class Box(NamedTuple):
    """A rectangle in units from the upper left corner of the view."""

    left: float
    right: float
    top: float
    bottom: float

    def meets(self, other: "Box") -> bool:
        """Whether the two have a point in common."""
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )


def backbones(frame: pl.DataFrame) -> Chart:
    """Probe accuracy with its interval against milliseconds an example, the chosen one marked.

    frame: label, accuracy, low, high, ms_example, chosen; a row for each backbone that was probed.
    """
    rows = frame.sort("ms_example").to_dicts()
    low, high = min(r["low"] for r in rows), max(r["high"] for r in rows)
    room = ROOM * ((high - low) or 0.1)
    y = alt.Scale(domain=[max(0.0, low - room), min(1.0, high + room)], nice=False)
    x = alt.Scale(type="log", domain=_speeds(rows), nice=False)
    axis = alt.Axis(title="milliseconds an example, forward", grid=False, format="~g", tickCount=6)
    across = alt.X("ms_example:Q", scale=x, axis=axis)
    side = alt.Axis(title="right out of fold, linear probe", tickCount=5, format="~%", **PER_CENT)
    up = alt.Y("accuracy:Q", scale=y, axis=side)
    base = plot(rows)
    spans = base.mark_rule(strokeWidth=3).encode(
        across, alt.Y("low:Q", scale=y, axis=side), y2="high:Q", color=_tone(LIGHT)
    )
    points = base.mark_point(size=130).encode(across, up, color=_tone(GREY))
    names = [
        plot([{**row, "at": place.value}])
        .mark_text(
            align=place.align,
            dx=place.dx,
            dy=place.dy,
            color=ACCENT if row["chosen"] else INK,
            fontWeight="bold" if row["chosen"] else "normal",
        )
        .encode(across, alt.Y("at:Q", scale=y, axis=side), text="label:N")
        for row, place in zip(rows, _places(rows, x.domain, y.domain), strict=True)
    ]
    return fitted(spans, points, *names)


def _speeds(rows: list[Row]) -> list[float]:
    """The domain of the speeds: room for the longest name to the right of the slowest point."""
    fast, slow = (math.log(rows[i]["ms_example"]) for i in (0, -1))
    left = 0.08 * max(slow - fast, math.log(4))
    share = (max(text_width(row["label"]) for row in rows) + 2 * BESIDE) / ACROSS
    right = share / (1 - share) * (max(slow - fast, math.log(4)) + left)
    return [math.exp(fast - left), math.exp(max(slow, fast + math.log(4)) + right)]


def _tone(other: str) -> Any:
    return alt.condition("datum.chosen", alt.value(ACCENT), alt.value(other))


class Place(NamedTuple):
    """Where a label stands: against which value, and how far from it."""

    value: float
    align: Literal["left", "center", "right"]
    dx: int
    dy: int


def _places(rows: list[Row], x: Any, y: Any) -> list[Place]:
    """A place for each label: beside the point, above or below its interval, the first that is free; the chosen one
    has the first choice."""

    def at(row: Row, value: float) -> tuple[float, float]:
        right = math.log(row["ms_example"] / x[0]) / math.log(x[1] / x[0])
        return right * ACROSS, (y[1] - value) / (y[1] - y[0]) * UP

    taken = []
    for row in rows:
        middle, top = at(row, row["high"])
        taken.append(Box(middle - 6, middle + 6, top, at(row, row["low"])[1]))
    found: dict[int, Place] = {}
    for i in sorted(range(len(rows)), key=lambda i: not rows[i]["chosen"]):
        row, width = rows[i], text_width(rows[i]["label"])
        choices = (
            (Place(row["accuracy"], "left", BESIDE, 0), (0.0, 1.0)),
            (Place(row["accuracy"], "right", -BESIDE, 0), (-1.0, 0.0)),
            (Place(row["high"], "center", 0, -BESIDE), (-0.5, 0.5)),
            (Place(row["low"], "center", 0, BESIDE), (-0.5, 0.5)),
            (Place(row["high"], "center", 0, -BESIDE - LINE), (-0.5, 0.5)),
            (Place(row["low"], "center", 0, BESIDE + LINE), (-0.5, 0.5)),
        )
        for place, (left, right) in choices:
            middle, height = at(row, place.value)
            middle, height = middle + place.dx, height + place.dy
            box = Box(middle + left * width, middle + right * width, height - LINE / 2, height + LINE / 2)
            inside = box.left >= 0 and box.right <= ACROSS and box.top >= 0 and box.bottom <= UP
            if inside and not any(box.meets(other) for other in taken):
                break
        else:
            place, box = choices[0][0], Box(0, 0, 0, 0)
        taken.append(box)
        found[i] = place
    return [found[i] for i in range(len(rows))]
