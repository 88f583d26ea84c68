"""The few forms that charts of findings take: bars, points with intervals, histograms, a map."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import numpy as np
import polars as pl

from instar.charts.theme import (
    ACCENT,
    GREY,
    HEIGHT,
    INK,
    LIGHT,
    WARN,
    WIDTH,
    Chart,
    fitted,
    plot,
    rows_height,
    shorten,
    text_width,
)
from instar.charts.wording import PER_CENT
from instar.records import Json

NAMED = 12
"""Rows that have room for a name each."""
BINS, FEWEST = 40, 8
"""Bars of a histogram, at most and at least; few examples get few bars."""
TONES = {"plain": ACCENT, "warn": WARN, "quiet": LIGHT}
LETTERS = 34
"""Letters of a name beside its row."""


@dataclass(frozen=True)
class Drawing:
    """A chart of a finding, the stem of its files below figures/, and the table behind it."""

    stem: str
    chart: Chart
    frame: pl.DataFrame


def percent(share: float) -> str:
    """0.0523 -> 5.2 %; whole per cent from 10 on; what is less than a tenth is not called nothing."""
    value = 100 * share
    if 0 < abs(value) < 0.1:
        return "<0.1 %"
    return f"{value:.0f} %" if abs(value) >= 9.95 or value == 0 else f"{value:.1f} %"


def unique_names(names: Sequence[str], letters: int = LETTERS) -> list[str]:
    """The names cut to so many letters; what the cut makes equal gets a number, so that no two rows become one."""
    seen: dict[str, int] = {}
    found = []
    for name in (shorten(name, letters) or "(empty)" for name in names):
        seen[name] = seen.get(name, 0) + 1
        found.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return found


def bars(
    rows: Sequence[dict[str, Json]],
    title: str,
    *,
    shares: bool = False,
    end: float = 0.0,
    line: tuple[float, str] | None = None,
) -> Chart:
    """A bar a row, in the given order, each with its name and its text.

    rows: name, value, text, and perhaps tone (a key of `TONES`), the first `NAMED` of them; shares: values are shares
    of 1; end: where the axis ends at least; line: a place to compare with, and what it is.
    """
    shown = [{"tone": "plain", **row} for row in rows[:NAMED]]
    shown = [
        {**row, "name": name} for row, name in zip(shown, unique_names([str(r["name"]) for r in shown]), strict=True)
    ]
    largest = max([end, *(row["value"] for row in shown), *([line[0]] if line else [])]) or 1.0
    widest = max(text_width(row["text"]) for row in shown)
    limit = 1.0 if shares and largest <= 1 and end == 1 else largest
    scale = alt.Scale(domain=[0, limit / (1 - min((widest + 14) / (WIDTH * 0.62), 0.5))], nice=False)
    whole = all(isinstance(row["value"], int) for row in shown)
    ticks = [t for t in _ticks(limit) if t <= limit * 1.001 and (t == int(t) or not whole)]
    axis = alt.Axis(values=ticks, **(PER_CENT if shares else {"format": ",~r"}))
    x = alt.X("value:Q", title=title, scale=scale, axis=axis)
    y = alt.Y("name:N", sort=None, title=None, scale=alt.Scale(paddingInner=0.3))
    base = plot(shown).encode(x=x, y=y)
    tone = alt.Color("tone:N", scale=alt.Scale(domain=list(TONES), range=list(TONES.values())), legend=None)
    layers = [base.mark_bar().encode(color=tone)]
    if line is not None:
        layers += _line(line, scale)
    labels = base.encode(text="text:N")
    style: dict[str, Any] = {"align": "left", "dx": 6}
    layers += [labels.mark_text(stroke="white", strokeWidth=5, **style), labels.mark_text(**style)]
    return fitted(*layers, height=rows_height(len(shown), 30 if len(shown) > 6 else 42, 76))


def _line(line: tuple[float, str], scale: alt.Scale) -> list[alt.Chart]:
    """An upright line at a value, named above the view."""
    at = plot([{"value": line[0], "text": line[1]}]).encode(x=alt.X("value:Q", scale=scale))
    return [
        at.mark_rule(strokeDash=[5, 4], color=INK),
        at.mark_text(y=-10, align="left" if line[0] < scale["domain"][1] / 2 else "right", color=GREY).encode(
            text="text:N"
        ),
    ]


def _ticks(end: float) -> list[float]:
    """Round values from 0 to at most `end`, three to six of them."""
    power = 10 ** np.floor(np.log10(max(end, 1e-6) / 3))
    step = next(power * m for m in (1, 2, 5, 10) if end / (power * m) <= 6)
    return [float(v) for v in np.arange(0, end + step * 1e-9, step)]


def dots(
    rows: Sequence[dict[str, Json]],
    title: str,
    domain: tuple[float, float],
    *,
    line: tuple[float, str] | None = None,
    shares: bool = True,
) -> Chart:
    """A point with its interval a row, in the given order.

    rows: name, value, low, high, text, and perhaps tone, the first `NAMED`; domain: ends of the axis.
    """
    shown = [{"tone": "plain", **row} for row in rows[:NAMED]]
    shown = [
        {**row, "name": name} for row, name in zip(shown, unique_names([str(r["name"]) for r in shown]), strict=True)
    ]
    scale = alt.Scale(domain=list(domain), nice=False)
    axis = alt.Axis(tickCount=6, **(PER_CENT if shares else {"format": "~r"}))

    def x(field: str) -> alt.X:
        return alt.X(f"{field}:Q", title=title, scale=scale, axis=axis)

    tone = alt.Color("tone:N", scale=alt.Scale(domain=list(TONES), range=[ACCENT, WARN, GREY]), legend=None)
    base = plot(shown).encode(y=alt.Y("name:N", sort=None, title=None, axis=alt.Axis(labelPadding=12)), color=tone)
    layers = _line(line, scale) if line else []
    layers += [
        base.mark_rule(strokeWidth=3, opacity=0.5).encode(x=x("low"), x2="high:Q"),
        base.mark_point().encode(x=x("value")),
        base.mark_text(align="left", x="width", dx=12, color=INK).encode(text="text:N", color=alt.value(INK)),
    ]
    height = rows_height(len(shown), 32 if len(shown) > 6 else 44, 80)
    return fitted(*layers, height=height)


def histogram(
    values: dict[str, np.ndarray],
    title: str,
    many: str,
    *,
    tones: Sequence[str] = ("plain",),
    line: tuple[float, str] | None = None,
    whole: bool = False,
    shares: bool = False,
    domain: tuple[float, float] | None = None,
    width: int = WIDTH,
) -> tuple[Chart, pl.DataFrame]:
    """How many examples have which value, in bars of equal width, one tone for each kind of examples.

    values: numbers by kind, in the order in which they are stacked; tones: a key of `TONES` for each kind; whole:
    values are whole numbers, each with a bar of its own as far as there is room; domain: ends of the axis. Returns the
    chart and its frame (low, high, kind, n).
    """
    every = np.concatenate(list(values.values()))
    low, high = domain or (float(every.min()), float(every.max()))
    if whole:
        step = int(np.ceil((high - low + 1) / BINS))
        edges = np.arange(low - 0.5, high + 0.5 + step, step)
    else:
        edges = np.linspace(low, high if high > low else low + 1e-3, _bins(len(every)) + 1)
    rows: list[dict[str, Json]] = []
    floor = np.zeros(len(edges) - 1)
    for kind, numbers in values.items():
        counts = np.histogram(np.clip(numbers, edges[0], edges[-1]), edges)[0]
        for i in np.flatnonzero(counts):
            start, stop = float(edges[i]), float(edges[i + 1])
            rows.append({"low": start, "high": stop, "kind": kind, "n": int(counts[i]),
                         "from": float(floor[i]), "to": float(floor[i] + counts[i])})  # fmt: skip
        floor += counts
    top = float(floor.max()) * 1.12

    def x(field: str) -> alt.X:
        axis = alt.Axis(grid=False, tickCount=8, **(PER_CENT if shares else {"format": ",~r"}))
        return alt.X(f"{field}:Q", title=title, axis=axis,
                     scale=alt.Scale(domain=[float(edges[0]), float(edges[-1])], nice=False))  # fmt: skip

    ticks = [t for t in _ticks(top / 1.12) if t == int(t)]
    y = alt.Y(
        "from:Q",
        title=many,
        scale=alt.Scale(domain=[0, top], nice=False),
        axis=alt.Axis(values=ticks, format=",~r"),
    )
    kinds, colours = list(values), [TONES[tone] for tone in tones]
    color = alt.Color("kind:N", scale=alt.Scale(domain=kinds, range=colours), legend=None)
    drawn = plot(rows).mark_bar(stroke="white", strokeWidth=1)
    layers = [drawn.encode(x("low"), y, x2="high:Q", y2="to:Q", color=color)]
    if line is not None:
        layers += _line(line, alt.Scale(domain=[float(edges[0]), float(edges[-1])], nice=False))
    if len(kinds) > 1:
        layers += legend(kinds, colours)
    frame = pl.DataFrame(rows).select("low", "high", "kind", "n")
    return fitted(*layers, width=width, height=HEIGHT - 60), frame


def _bins(n: int) -> int:
    """Bars for so many numbers."""
    return int(min(BINS, max(FEWEST, 3 * n**0.5)))


def legend(kinds: Sequence[str], tones: Sequence[str]) -> list[alt.Chart]:
    """Names of kinds in their colours, in a row above the view."""
    found, left = [], 0.0
    for kind, tone in zip(kinds, tones, strict=True):
        spot = plot([{"kind": kind}])
        found.append(spot.mark_point(x=left + 6, y=-16, color=tone, shape="square", size=110))
        found.append(spot.mark_text(x=left + 18, y=-16, align="left").encode(text="kind:N"))
        left += text_width(kind) + 44
    return found
