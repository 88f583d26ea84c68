"""The chart of what single decisions were worth."""

from typing import Any

import altair as alt
import polars as pl

from instar.charts.theme import ACCENT, GREY, INK, WARN, Chart, fitted, plot, rows_height
from instar.charts.wording import SHARES, metric_name

HELPS, HARMS, OPEN = "helps", "harms", "open"
"""What is known of a decision once all have been looked at."""


def worth(frame: pl.DataFrame, metric: str) -> Chart:
    """A point with its 95 % interval for each decision around 0, the most helpful first, its cost beside it.

    frame: name, worth, low, high, verdict (`HELPS`, `HARMS` or `OPEN`), beside (what stands at the right of the row).
    """
    share = metric in SHARES
    what = metric_name(metric) + (" in percentage points" if share else "")
    scaled = frame.with_columns(pl.col("worth", "low", "high") * (100 if share else 1))
    rows = scaled.with_columns(
        text=pl.struct("worth").map_elements(
            lambda r: f"{r['worth']:+.{1 if share else 3}f}".replace("-", "−"), pl.String
        )
    )
    ends = rows.select(low=pl.min_horizontal("low", 0.0).min(), high=pl.max_horizontal("high", 0.0).max()).row(0)
    room = 0.06 * (ends[1] - ends[0]) or 1.0
    scale = alt.Scale(domain=[ends[0] - room, ends[1] + room], nice=False)
    signed = "datum.value == 0 ? '0' : format(datum.value, '+~r')"
    axis = alt.Axis(title=f"{what}: with the decision less without it", labelExpr=signed, tickCount=7)
    y = alt.Y("name:N", sort=None, title=None, axis=alt.Axis(labelLimit=260))
    tone = alt.Scale(domain=[HELPS, HARMS, OPEN], range=[ACCENT, WARN, GREY])
    base = plot(rows).encode(y=y, color=alt.Color("verdict:N", scale=tone, legend=None))
    zero = plot([{"zero": 0.0}]).mark_rule(color=INK, strokeWidth=1.5).encode(x=alt.X("zero:Q", scale=scale))
    interval = base.mark_rule(strokeWidth=3).encode(x=alt.X("low:Q", scale=scale, axis=axis), x2="high:Q")
    point = base.mark_point(size=130).encode(x=alt.X("worth:Q", scale=scale))
    above: dict[str, Any] = {"dy": -14, "fontWeight": "bold"}
    text = plot(rows).encode(y=y, x=alt.X("worth:Q", scale=scale), text="text:N")
    halo = text.mark_text(**above, stroke="white", strokeWidth=5, color="white")
    value = text.mark_text(**above).encode(color=base.encoding.color)
    beside = plot(rows).mark_text(align="left", x="width", dx=14, color=GREY).encode(y=y, text="beside:N")
    return fitted(zero, interval, point, halo, value, beside, height=rows_height(rows.height, 48, 70))
