"""The chart of slices: how often the model is wrong on each, and on the rest."""

from typing import Any

import altair as alt
import polars as pl

from instar.charts.theme import ACCENT, GREY, INK, WARN, Chart, fitted, plot, rows_height, text_width
from instar.charts.wording import PER_CENT

LETTERS = 42
"""Letters of the name of a slice."""


def slices(frame: pl.DataFrame) -> Chart:
    """A row per slice: its share of mistakes with its 95 % interval, that of the rest, and what its classes let expect.

    frame: name, n, wrong, wrong_low, wrong_high, rest, expected, sure (whether it is surely worse), in the order of the
    rows.
    """
    end = min(1.0, float(frame.select(pl.max_horizontal("wrong_high", "rest", "expected").max()).item()) * 1.08)
    axis = alt.Axis(**PER_CENT, tickCount=6)

    def x(field: str) -> alt.X:
        scale = alt.Scale(domain=[0, max(end, 0.02)], nice=False)
        return alt.X(f"{field}:Q", title="wrong answers", scale=scale, axis=axis)

    rows = frame.with_columns(text=pl.col("n").map_elements(lambda n: f"n = {n:,}", pl.String))
    y = alt.Y("name:N", sort=None, title=None, axis=alt.Axis(labelPadding=12, labelLimit=text_width("m" * LETTERS)))
    base = plot(rows).encode(y=y)
    tone = alt.Color("sure:N", scale=alt.Scale(domain=[True, False], range=[WARN, ACCENT]), legend=None)
    layers = [
        base.mark_rule(strokeWidth=3, opacity=0.45).encode(x=x("wrong_low"), x2="wrong_high:Q", color=tone),
        base.mark_tick(color=INK, thickness=2, height=20, size=20).encode(x=x("expected")),
        base.mark_point(filled=False, color=GREY, size=90, strokeWidth=2).encode(x=x("rest")),
        base.mark_point().encode(x=x("wrong"), color=tone),
        base.mark_text(align="left", x="width", dx=12, color=GREY).encode(text="text:N"),
    ]
    widest = max(text_width(name) for name in frame["name"].to_list())
    legend = _legend([kind for kind in (True, False) if kind in frame["sure"].to_list()], -min(widest, 160.0))
    return fitted(*layers, *legend, height=rows_height(rows.height, 34 if rows.height > 5 else 44, 90))


def _legend(kinds: list[bool], left: float) -> list[alt.Chart]:
    """What the marks are, in a row above the view, from `left` on."""
    named = {True: ("surely worse, 95 % interval", WARN), False: ("not surely worse", ACCENT)}
    marks: list[tuple[str, dict[str, Any]]] = [
        *((named[kind][0], {"color": named[kind][1]}) for kind in kinds),
        ("others", {"color": GREY, "filled": False, "size": 90, "strokeWidth": 2}),
        ("what its classes explain", {"shape": "stroke", "stroke": INK, "angle": 90, "size": 300, "strokeWidth": 2}),
    ]
    found = []
    for text, style in marks:
        spot = plot([{"text": text}])
        found.append(spot.mark_point(x=left + 6, y=-16, **style))
        found.append(spot.mark_text(x=left + 18, y=-16, align="left").encode(text="text:N"))
        left += text_width(text) + 36
    return found
