"""Charts of several runs: those of a study, and any that are compared."""

import altair as alt
import polars as pl

from instar.charts.theme import ACCENT, GREY, HEIGHT, INK, Chart, fitted, plot, rows_height, shorten
from instar.charts.wording import PER_CENT, SHARES, figure, metric_name
from instar.metrics import LOWER_IS_BETTER

ROOM = 0.12
"""Of what is shown, left free on either side."""
NAME = 36


def runs(frame: pl.DataFrame, metric: str) -> Chart:
    """A row for each run: its value in one metric with its 95 % interval; joint rows are told apart by colour.

    frame: name, value, low, high, joint (whether the row is of several runs). The axis does not begin at 0: runs that
    are compared differ by little, and nothing but places on it is read.
    """
    low, high = float(frame["low"].to_numpy().min()), float(frame["high"].to_numpy().max())
    room = max(high - low, 0.01) * ROOM
    most = 1.0 if metric not in LOWER_IS_BETTER else high + room
    scale = alt.Scale(domain=[max(low - room, min(low, 0.0)), min(high + room, max(most, high))], nice=False)
    better = " (lower is better)" if metric in LOWER_IS_BETTER else ""
    axis = alt.Axis(**PER_CENT, tickCount=6) if metric in SHARES else alt.Axis(format="~r", tickCount=6)

    def x(field: str) -> alt.X:
        return alt.X(f"{field}:Q", scale=scale, title=metric_name(metric) + better, axis=axis)

    rows = frame.with_columns(
        pl.col("name").map_elements(lambda name: shorten(name, NAME), pl.String),
        text=pl.struct("value", "low", "high").map_elements(lambda row: _spoken(metric, row), pl.String),
    )
    tone = alt.Color("joint:N", scale=alt.Scale(domain=[False, True], range=[GREY, ACCENT]), legend=None)
    base = plot(rows).encode(y=alt.Y("name:N", sort=None, title=None), color=tone)
    layers = [
        base.mark_rule(strokeWidth=3, opacity=0.6).encode(x=x("low"), x2="high:Q"),
        base.mark_point(size=130).encode(x=x("value")),
        base.mark_text(align="left", x="width", dx=12).encode(text="text:N"),
    ]
    joint = rows.filter("joint")
    if joint.height == 1:
        line = plot(joint).mark_rule(color=ACCENT, strokeDash=[4, 4], opacity=0.6).encode(x=x("value"))
        layers.insert(0, line)
    return fitted(*layers, height=rows_height(frame.height, 40, 70))


def _spoken(metric: str, row: dict[str, float]) -> str:
    low, high = (figure(metric, row[k]).removesuffix(" %") for k in ("low", "high"))
    return f"{figure(metric, row['value'])}  ({low} to {high})"


def cost(frame: pl.DataFrame, metric: str) -> Chart:
    """Quality against the seconds that it cost to train: value with interval, seconds on a logarithmic axis.

    frame: name, seconds (above 0), value, low, high.
    """
    x = alt.X("seconds:Q", scale=alt.Scale(type="log", nice=True), title="seconds from raw data to a trained network")
    low, high = float(frame["low"].to_numpy().min()), float(frame["high"].to_numpy().max())
    room = max(high - low, 0.01) * ROOM
    scale = alt.Scale(domain=[low - room, high + room], nice=False)
    axis = alt.Axis(**PER_CENT, tickCount=5) if metric in SHARES else alt.Axis(format="~r", tickCount=5)

    def y(field: str) -> alt.Y:
        return alt.Y(f"{field}:Q", scale=scale, title=metric_name(metric), axis=axis)

    rows = frame.with_columns(pl.col("name").map_elements(lambda name: shorten(name, NAME), pl.String))
    right = rows["seconds"] > float(rows["seconds"].to_numpy().max() * rows["seconds"].to_numpy().min()) ** 0.5
    base = plot(rows.with_columns(right=right)).encode(x=x)
    named = base.encode(y=y("value"), text="name:N")
    return fitted(
        base.mark_rule(strokeWidth=3, opacity=0.45, color=ACCENT).encode(y=y("low"), y2="high:Q"),
        base.mark_point(size=130).encode(y=y("value")),
        named.transform_filter("!datum.right").mark_text(align="left", dx=12, color=INK),
        named.transform_filter("datum.right").mark_text(align="right", dx=-12, color=INK),
        height=HEIGHT,
    )
