"""Charts of what was measured on the examples: the sizes of pictures and the lengths of texts."""

from typing import Any

import altair as alt
import numpy as np
import polars as pl

from instar.charts.theme import ACCENT, GREY, INK, LIGHT, Chart, fitted, plot

SPOKEN = 0.2
"""Share of the pictures from which on the most frequent size is named."""


def sizes(frame: pl.DataFrame) -> Chart:
    """Width against height of the pictures, an area per size that occurs, with the line of square pictures.

    frame: width, height, n.
    """
    right, top = (float(frame[c].to_numpy().max()) * 1.08 for c in ("width", "height"))

    axis = alt.Axis(tickCount=6)

    def x() -> alt.X:
        return alt.X("width:Q", title="width, pixels", axis=axis, scale=alt.Scale(domain=[0, right], nice=False))

    def y() -> alt.Y:
        return alt.Y("height:Q", title="height, pixels", axis=axis, scale=alt.Scale(domain=[0, top], nice=False))

    end = min(right, top)
    square = plot([{"width": 0, "height": 0}, {"width": end, "height": end}])
    line = square.mark_line(color=LIGHT, strokeWidth=2).encode(x=x(), y=y())
    corner = plot([{"width": end * 0.1, "height": end * 0.1, "text": "square"}])
    label = corner.mark_text(align="left", dx=12, dy=6, color=GREY).encode(x=x(), y=y(), text="text:N")
    most = frame.sort("n", "width", "height", descending=[True, False, False]).head(1)
    largest = float(most["n"][0])
    share = largest / float(frame["n"].sum())
    area = alt.Size("n:Q", scale=alt.Scale(domain=[0, largest], range=[30, 40 + 1500 * share]), legend=None)
    points = plot(frame).mark_point(opacity=0.4, stroke="white").encode(x=x(), y=y(), size=area)
    text = f"{most['width'][0]} × {most['height'][0]}: {most['n'][0]:,} of {int(frame['n'].sum()):,}"
    late = float(most["width"][0]) > right * 0.6
    place: dict[str, Any] = {"align": "right", "dx": -22} if late else {"align": "left", "dx": 22}
    named = plot(most.with_columns(text=pl.lit(text))).mark_text(fontWeight="bold", **place)
    if share < SPOKEN:
        return fitted(line, label, points)
    return fitted(line, label, points, named.encode(x=x(), y=y(), text="text:N"))


BARS = 50
"""Bars of a histogram, at most."""


def lengths(frame: pl.DataFrame) -> Chart:
    """How many texts have how many words, the median marked; the longest hundredth is one last, grey bar.

    frame: words, n.
    """
    words, n = frame["words"].to_numpy(), frame["n"].to_numpy()
    order = np.argsort(words)
    words, n = words[order], n[order]
    below = np.cumsum(n) / n.sum()
    median, end = (int(words[np.searchsorted(below, q)]) for q in (0.5, 0.99))
    step = int(np.ceil((end + 1) / BARS))
    last = end // step + 1
    index = np.minimum(words // step, last)
    counts = np.bincount(index, weights=n, minlength=last + 1)
    bars = [
        {"left": i * step - 0.5, "right": (i + 1) * step - 0.5, "n": int(c), "rest": i == last}
        for i, c in enumerate(counts)
        if c
    ]
    domain = [min(b["left"] for b in bars), max(b["right"] for b in bars)]

    def x(field: str) -> alt.X:
        axis = alt.Axis(grid=False, tickMinStep=1, format=",d")
        return alt.X(f"{field}:Q", title="words", scale=alt.Scale(domain=domain, nice=False), axis=axis)

    top = float(counts.max()) * 1.12
    y = alt.Y(
        "n:Q",
        title="texts",
        scale=alt.Scale(domain=[0, top], nice=False),
        axis=alt.Axis(tickCount=5, format=",d"),
    )
    tone = alt.Color("rest:N", scale=alt.Scale(domain=[False, True], range=[ACCENT, LIGHT]), legend=None)
    gap: dict[str, Any] = {"stroke": "white", "strokeWidth": 1}
    drawn = plot(bars).mark_bar(**gap).encode(x=x("left"), x2="right:Q", y=y, y2=alt.datum(0), color=tone)
    line = plot([{"at": median, "n": top, "text": f"median: {median} words"}])
    rule = line.mark_rule(color=INK, strokeDash=[5, 4]).encode(x=x("at"))
    label = line.mark_text(align="left", dx=8, dy=10, fontWeight="bold").encode(x=x("at"), y=y, text="text:N")
    layers = [drawn, rule, label]
    if counts[last]:
        rest = plot(
            [
                {
                    "at": domain[1],
                    "n": int(counts[last]),
                    "text": f"{last * step:,} or more: {int(counts[last]):,}",
                }
            ]
        )
        layers.append(rest.mark_text(align="right", dy=-12, color=GREY).encode(x=x("at"), y=y, text="text:N"))
    return fitted(*layers)
