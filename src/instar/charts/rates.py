"""The chart of the rate finder."""

import altair as alt
import polars as pl

from instar.charts.theme import ACCENT, GREY, HEIGHT, INK, LIGHT, Chart, fitted, plot


def rates(frame: pl.DataFrame, planned: float, suggested: float | None) -> Chart:
    """Loss against a growing rate, with the planned and the suggested rate.

    frame: lr, loss, smoothed; a row per step.
    """
    x = alt.X("lr:Q", scale=alt.Scale(type="log", nice=False), axis=alt.Axis(title="rate", grid=False, format="~g"))
    low, high = float(frame["smoothed"].to_numpy().min()), float(frame["smoothed"].to_numpy().max())
    room = (high - low) or 1.0
    scale = alt.Scale(domain=[low - 0.3 * room, high + 0.3 * room], clamp=True, nice=False)
    single = plot(frame).mark_point(size=30, color=LIGHT).encode(x=x, y=alt.Y("loss:Q", scale=scale, title="loss"))
    line = plot(frame).mark_line(color=ACCENT).encode(x=x, y=alt.Y("smoothed:Q", scale=scale, title="loss"))
    layers: list[alt.Chart] = [single, line]
    for name, rate, colour, place in (("planned", planned, GREY, 4), ("suggested", suggested, INK, 24)):
        if rate:
            mark = plot([{"lr": rate, "name": f"{name}: {rate:g}"}]).encode(x=x)
            layers.append(mark.mark_rule(color=colour, strokeDash=[4, 3]))
            layers.append(mark.mark_text(align="left", dx=6, y=place, color=colour).encode(text="name:N"))
    return fitted(*layers, height=HEIGHT)
