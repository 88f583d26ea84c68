"""How every chart looks and how it is written: one font, one accent, greys, colours that all can tell apart.

Charts are drawn at the size of the place that a slide has for them (11.5 x 5 inches, 72 units an inch), so a
font size of 15 units is 15 points on the slide.
"""

import textwrap
from pathlib import Path
from typing import Any

import altair as alt
import polars as pl
import vl_convert

from instar import files
from instar.charts.tips import described

WIDTH, HEIGHT = 828, 360
"""Units of 1/72 inch: 11.5 x 5 inches."""
PNG_WIDTH = 2400
"""Pixels: 13.3 inches at 180 dots an inch, sharp on a projector and in print."""
FONT = "Carlito, Calibri, Arial, sans-serif"
"""Carlito has the metrics of Calibri, so an SVG that is shown where only Calibri is installed still fits."""
SIZE = 15
ACCENT, INK, GREY, LIGHT, PALE = "#0B6E99", "#24292E", "#6E7781", "#C9D1D9", "#EEF1F4"
WARN, SOFT = "#C4501B", "#8FBDD2"
CLASSES = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#8C6D00", "#6E7781")
"""After Okabe and Ito (2008, jfly.uni-koeln.de/color), yellow darkened for a white ground, black greyed."""

CONFIG: dict[str, Any] = {
    "font": FONT,
    "background": "white",
    "padding": 4,
    "view": {"stroke": None},
    "axis": {
        "labelFontSize": SIZE,
        "titleFontSize": SIZE,
        "titleFontWeight": "normal",
        "labelColor": INK,
        "titleColor": GREY,
        "titlePadding": 8,
        "labelLimit": 300,
        "gridColor": PALE,
        "domain": False,
        "ticks": False,
        "labelPadding": 6,
    },
    "header": {"labelFontSize": SIZE, "labelColor": INK, "title": None},
    "title": {"fontSize": SIZE, "fontWeight": "bold", "color": INK, "anchor": "start", "offset": 8},
    "text": {"fontSize": SIZE, "color": INK},
    "bar": {"color": ACCENT},
    "point": {"color": ACCENT, "filled": True, "size": 110, "opacity": 1},
    "line": {"color": ACCENT, "strokeWidth": 2.5},
    "rule": {"color": GREY},
    "concat": {"spacing": 24},
}

Chart = alt.Chart | alt.LayerChart | alt.FacetChart | alt.HConcatChart | alt.VConcatChart


def plot(rows: pl.DataFrame | list[dict[str, Any]]) -> alt.Chart:
    """A chart over rows that stand in the chart itself; encodings must name their types ("n:Q")."""
    return alt.Chart(alt.InlineData(rows.to_dicts() if isinstance(rows, pl.DataFrame) else rows))


def fitted(*layers: alt.Chart | alt.LayerChart, width: int = WIDTH, height: int = HEIGHT) -> Chart:
    """Layers in one view that takes `width` x `height` with its axes and titles."""
    size = alt.AutoSizeParams(type="fit", contains="padding")
    return alt.layer(*layers).properties(width=width, height=height, autosize=size)


def note(text: str | list[str], x: float | alt.ExprRef, y: float | alt.ExprRef, **mark: Any) -> alt.Chart:
    """A text at a place of the view, in units from its upper left corner."""
    lines = text if isinstance(text, list) else [text]
    style: dict[str, Any] = {"align": "left", "baseline": "top", "lineHeight": 20, **mark}
    chart: alt.Chart = plot([{"note": "\n".join(lines)}]).encode(text="note:N")
    style |= {"lineBreak": "\n", "x": x, "y": y}
    marked: alt.Chart = chart.mark_text(**style)
    return marked


def ranked(rows: list[tuple[str, str, str]], left: int, height: int) -> Chart:
    """A list to stand beside a chart: a key, a name in bold, and what is to be said of it on a second line.

    left: units that the chart beside it takes; the rows spread over `height`.
    """
    keys = max((text_width(key) for key, _, _ in rows), default=0) + 14
    step = height / max(len(rows), 6)
    data = [{"key": k, "name": n, "about": a, "y": i * step + 12} for i, (k, n, a) in enumerate(rows)]
    y = alt.Y("y:Q", scale=alt.Scale(domain=[height, 0], nice=False), axis=None)
    base = plot(data).encode(y=y)
    style: dict[str, Any] = {"align": "left", "fontWeight": "bold"}
    key = base.mark_text(x=0, **style).encode(text="key:N")
    name = base.mark_text(x=keys, **style).encode(text="name:N")
    about = base.mark_text(x=keys, dy=19, align="left", color=GREY).encode(text="about:N")
    return alt.layer(key, name, about).properties(width=WIDTH - left, height=height)


def rows_height(rows: int, each: int = 46, besides: int = 30) -> int:
    """Height of a chart with one row per thing: as much as the rows need, at most the whole place."""
    return min(HEIGHT, rows * each + besides)


def text_width(text: str) -> float:
    """About how wide a text of the normal size is."""
    return len(text) * SIZE * 0.52


def shorten(name: str, length: int) -> str:
    """The name, cut in its middle where it has more than `length` characters: the end tells classes apart."""
    if len(name) <= length:
        return name
    head = (length - 1) * 2 // 3
    return f"{name[:head].rstrip()}…{name[len(name) - (length - 1 - head) :].lstrip()}"


def wrap(name: str, length: int, lines: int = 2) -> str:
    """The name on at most `lines` lines of `length` characters, joined by line breaks."""
    parts = textwrap.wrap(name, length, break_long_words=True)
    if len(parts) > lines:
        parts = [*parts[: lines - 1], shorten(" ".join(parts[lines - 1 :]), length)]
    return "\n".join(parts)


def save(chart: Chart, frame: pl.DataFrame, folder: Path, stem: str) -> None:
    """Write `stem`.svg, `stem`.png (`PNG_WIDTH` pixels wide) and `stem`.csv, the table behind the chart.

    The same chart gives the same bytes.
    """
    spec = {**described(chart.to_dict(), frame), "config": CONFIG}
    svg = vl_convert.vegalite_to_svg(spec)
    files.write_text(folder / f"{stem}.svg", svg)
    files.write_bytes(folder / f"{stem}.png", vl_convert.svg_to_png(svg, scale=PNG_WIDTH / _width(svg)))
    files.write_frame(folder / f"{stem}.csv", frame)


def _width(svg: str) -> float:
    """The width that the root element of an SVG states."""
    return float(svg.partition('width="')[2].partition('"')[0])
