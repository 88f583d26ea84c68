"""Charts of the data: how many, how large, how long and how split."""

from typing import Any

import altair as alt
import numpy as np
import polars as pl

from instar.charts.measures import lengths, sizes
from instar.charts.theme import (
    ACCENT,
    CLASSES,
    GREY,
    INK,
    SOFT,
    WARN,
    WIDTH,
    Chart,
    fitted,
    note,
    plot,
    rows_height,
    shorten,
)

__all__ = ["class_counts", "lengths", "sizes", "splits"]

NAMED = 16
"""Up to so many classes have room for a row with a name each."""
COLOURED = len(CLASSES)
"""Up to so many classes have a colour each."""
EXTREMES = 4
DARK_TEXT = ("#E69F00", "#56B4E9", "#CC79A7")
"""Colours on which white is hard to read."""


# --- how many -----------------------------------------------------------------------------------------------


def class_counts(frame: pl.DataFrame, minimum: int = 100) -> Chart:
    """Examples per class, largest first, with the number that a class should have.

    frame: class, n. Classes below `minimum` stand in a warning colour. With many classes only the
    extremes are named.
    """
    rows = frame.sort("n", "class", descending=[True, False]).with_row_index("rank")
    name = pl.col("class").map_elements(lambda c: shorten(c, 40), pl.String)
    rows = rows.with_columns(low=pl.col("n") < minimum, name=name)
    return _named_counts(rows, minimum) if rows.height <= NAMED else _many_counts(rows, minimum)


def _named_counts(rows: pl.DataFrame, minimum: int) -> Chart:
    largest = int(rows["n"][0])
    end = max(largest * 1.12, minimum * 1.05) if _within_reach(largest, minimum) else largest * 1.12
    axis = alt.Axis(values=[minimum], labelExpr=f"'at least {minimum:,}'", gridColor=INK, gridDash=[5, 4], zindex=0)
    x = alt.X("n:Q", title=None, axis=axis, scale=alt.Scale(domain=[0, end], nice=False))
    y = alt.Y("name:N", sort=None, title=None, scale=alt.Scale(paddingInner=0.3))
    base = plot(rows).encode(y=y, x=x)
    labels = base.encode(text=alt.Text("n:Q", format=","))
    style: dict[str, Any] = {"align": "left", "dx": 6}
    halo = labels.mark_text(stroke="white", strokeWidth=5, **style)  # keeps the dashed line off the figure
    bars = base.mark_bar().encode(color=_tone())
    return fitted(bars, halo, labels.mark_text(**style), height=rows_height(rows.height, 60))


def _many_counts(rows: pl.DataFrame, minimum: int) -> Chart:
    largest, smallest = int(rows["n"][0]), int(rows["n"][-1])
    reached = _within_reach(largest, minimum)
    top = max(largest, minimum if reached else 0) * 1.5
    ticks = _ticks(top / 1.5)
    scale = alt.Scale(domain=[0, top], nice=False)
    y = alt.Y("n:Q", title="examples per class", scale=scale, axis=alt.Axis(values=ticks))
    x = alt.X("rank:O", axis=None, scale=alt.Scale(paddingInner=0.3))
    layers = [plot(rows).mark_bar().encode(x=x, y=y, color=_tone())]
    if reached:
        line = plot([{"n": minimum, "text": f"at least {minimum:,}"}]).encode(y=y)
        layers.append(line.mark_rule(strokeDash=[5, 4], color=INK))
        if smallest < minimum * 0.9:
            layers.append(line.mark_text(align="right", x="width", dy=-10).encode(text="text:N"))
    edge = alt.ExprRef("width")
    first, last = _lines(rows.head(EXTREMES)), _lines(rows.tail(EXTREMES).reverse())
    layers += [note("largest", 8, 0, fontWeight="bold"), note(first, 8, 20)]
    layers += [
        note("smallest", edge, 0, fontWeight="bold", align="right"),
        note(last, edge, 20, align="right"),
    ]
    return fitted(*layers)


def _lines(rows: pl.DataFrame) -> list[str]:
    return [f"{name}  {n:,}" for name, n in rows.select("name", "n").iter_rows()]


def _within_reach(largest: int, minimum: int) -> bool:
    """Whether the line at `minimum` can be drawn without dwarfing the bars."""
    return minimum <= largest * 3


def _ticks(end: float) -> list[float]:
    """Round values from 0 to at most `end`, four to eight of them."""
    power = 10 ** np.floor(np.log10(max(end, 1) / 4))
    step = next(power * m for m in (1, 2, 5, 10) if end / (power * m) <= 7)
    return [float(v) for v in np.arange(0, end + step * 1e-9, step)]


def _tone() -> alt.Color:
    return alt.Color("low:N", scale=alt.Scale(domain=[False, True], range=[ACCENT, WARN]), legend=None)


# --- how split ----------------------------------------------------------------------------------------------

STRIPS = WIDTH - 120
"""Units across of the strips, without the names of the splits."""


def splits(frame: pl.DataFrame) -> Chart:
    """A strip per split with the shares of its classes: equal cuts show that the split is stratified.

    frame: split, class, n. Few classes have a colour and a name each; many alternate between two tones.
    """
    names = list(dict.fromkeys(frame["class"].drop_nulls()))
    few = len(names) <= COLOURED
    tones = CLASSES if few else (ACCENT, SOFT)
    rows: list[dict[str, Any]] = []
    splits_ = list(dict.fromkeys(frame["split"]))
    for split in splits_:
        part = frame.filter(pl.col("split") == split)
        total = int(part["n"].sum())
        start = 0.0
        for name, n in part.select("class", "n").iter_rows():
            share, tone = n / max(total, 1), tones[names.index(name) % len(tones)]
            text = f"{share * 100:.0f} %" if few and share * STRIPS > 40 else ""
            ink = INK if tone in DARK_TEXT else "white"
            place = {"start": start, "end": start + share, "middle": start + share / 2}
            rows.append(
                {
                    "split": f"{split}\n{total:,}",
                    "class": name,
                    **place,
                    "tone": tone,
                    "ink": ink,
                    "text": text,
                }
            )
            start += share
    scale = alt.Scale(domain=[0, 1], nice=False)
    axis = alt.Axis(labelExpr="split(datum.label, '\\n')", labelLineHeight=19)
    y = alt.Y("split:N", sort=None, title=None, axis=axis, scale=alt.Scale(paddingInner=0.25))
    base = plot(rows).encode(y=y)
    height = rows_height(len(splits_), 88, 40)
    strips = base.mark_bar(stroke="white", strokeWidth=1 if few else 0).encode(
        x=alt.X("start:Q", scale=scale, axis=None), x2="end:Q", color=alt.Color("tone:N", scale=None)
    )
    x = alt.X("middle:Q", scale=scale, axis=None)
    shares = base.mark_text().encode(x=x, text="text:N", color=alt.Color("ink:N", scale=None))
    layers = [strips, shares]
    if few:
        layers += _class_names([r for r in rows if r["split"] == rows[0]["split"]], scale)
    else:
        layers.append(note(f"{len(names)} classes, one after the other", 0, -24, color=GREY))
    return fitted(*layers, height=height)


def _class_names(first: list[dict[str, Any]], scale: alt.Scale) -> list[alt.Chart]:
    """The names of the classes above the first strip, each as long as its part has room for."""
    return [
        plot([{**row, "name": shorten(row["class"], int((row["end"] - row["start"]) * STRIPS / 8))}])
        .mark_text(y=-12, color=row["tone"] if row["tone"] not in DARK_TEXT else INK, fontWeight="bold")
        .encode(x=alt.X("middle:Q", scale=scale, axis=None), text="name:N")
        for row in first
    ]
