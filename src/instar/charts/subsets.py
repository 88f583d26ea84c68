"""Chart of the test rows that the audit doubts, beside the rest of them."""

from collections.abc import Collection, Mapping
from typing import Any

import altair as alt
import polars as pl

from instar.charts.theme import ACCENT, GREY, INK, LIGHT, SIZE, WARN, WIDTH, Chart, note, plot, rows_height, text_width
from instar.charts.wording import PER_CENT, SHARES, figure, metric_name

SIDES = {"doubted": WARN, "rest": ACCENT}
KEY = {"doubted": "doubted rows", "rest": "all others"}


def subsets(frame: pl.DataFrame, called: Mapping[str, str]) -> Chart:
    """For each ground a row: the metric on the doubted test rows and on all others, with 95 % intervals.

    A line marks the value over all test rows. Of a part with too few rows only its number is told.

    Args:
        frame: subset, part (all, doubted, rest), metric, value (null: too few), low, high, n; one metric.
        called: names of the grounds, as they stand in the frame.
    """
    metric = str(frame["metric"][0])
    parts = frame.filter(pl.col("part").is_in(list(SIDES)))
    order = [called[name] for name in parts["subset"].unique(maintain_order=True)]
    told = parts.filter(pl.col("value").is_not_null())
    whole = frame.filter(pl.col("part") == "all").row(0, named=True)
    low = min(float(told["low"].to_numpy().min()), whole["low"])
    high = max(float(told["high"].to_numpy().max()), whole["high"])
    margin = (high - low) * 0.08
    domain = [max(low - margin, 0.0) if low >= 0 else low - margin, min(high + margin, 1.0)]
    height = rows_height(len(order), 62, 70) - 70
    counts = [_counts(rows) for _, rows in parts.group_by("subset", maintain_order=True)]
    left, right = max(map(text_width, order)) + 20, max(map(text_width, counts)) + 20
    width = WIDTH - left - right
    axis = alt.Axis(**(PER_CENT if metric in SHARES else {"format": "~r"}), tickCount=6)
    scale = alt.Scale(domain=domain, nice=False)

    def x(field: str) -> alt.X:
        return alt.X(f"{field}:Q", scale=scale, axis=axis, title=metric_name(metric))

    y = alt.Y(
        "name:N", sort=order, title=None, scale=alt.Scale(domain=order), axis=alt.Axis(labelPadding=14, labelLimit=left)
    )
    tone = alt.Color("part:N", scale=alt.Scale(domain=list(SIDES), range=list(SIDES.values())), legend=None)
    side = alt.YOffset("part:N", scale=alt.Scale(domain=list(SIDES), paddingOuter=0.6))
    named = told.with_columns(name=pl.col("subset").replace_strict(dict(called)))
    base = plot(named.select("name", "part", "value", "low", "high")).encode(y=y, color=tone, yOffset=side)
    line = (
        plot([{"value": whole["value"]}]).mark_rule(color=LIGHT, strokeWidth=2, strokeDash=[6, 4]).encode(x=x("value"))
    )
    numbers: list[dict[str, Any]] = [{"name": n, "text": t} for n, t in zip(order, counts, strict=True)]
    beside = plot(numbers).encode(y=y, text="text:N").mark_text(align="left", x="width", dx=14, color=GREY)
    drawn = alt.layer(
        line,
        base.mark_rule(strokeWidth=3, opacity=0.5).encode(x=x("low"), x2="high:Q"),
        base.mark_point(size=110).encode(x=x("value")),
        beside,
    ).properties(width=width, height=height)
    return alt.vconcat(_key(metric, whole, left, set(told["part"])), drawn, spacing=6)


def _counts(rows: pl.DataFrame) -> str:
    n = dict(rows.select("part", "n").iter_rows())
    few = rows.filter(pl.col("value").is_null(), pl.col("part") == "doubted").height
    return f"{n['doubted']:,} of {n['doubted'] + n['rest']:,}" + (", too few" if few else "")


def _key(metric: str, whole: Mapping[str, Any], left: float, sides: Collection[str]) -> Chart:
    """What the colours of the sides that are drawn mean, and the line."""
    layers, at = [], 0.0
    for text, colour in (*((KEY[side], tone) for side, tone in SIDES.items() if side in sides), ("", LIGHT)):
        told = text or f"all together: {figure(metric, whole['value'])}"
        layers.append(note("●" if text else "┆", left + at, 0, color=colour, fontWeight="bold"))
        layers.append(note(told, left + at + SIZE, 0, color=INK))
        at += text_width(told) + 3 * SIZE
    return alt.layer(*layers).properties(width=WIDTH - 20, height=20)
