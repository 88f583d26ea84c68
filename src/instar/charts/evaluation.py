"""Charts of the evaluation: how good, against what, and on which classes?"""

from collections.abc import Mapping
from typing import Any

import altair as alt
import polars as pl

from instar.charts.confusion import confusion
from instar.charts.theme import (
    ACCENT,
    GREY,
    HEIGHT,
    INK,
    WARN,
    WIDTH,
    Chart,
    fitted,
    plot,
    ranked,
    rows_height,
    shorten,
    text_width,
)
from instar.charts.wording import PER_CENT, SHARES, SUBJECTS, figure, metric_name
from instar.metrics import LOWER_IS_BETTER

__all__ = ["confusion", "per_class", "scores"]

NAMED = 14
"""Up to so many classes have room for a row with a name each."""
PANELS = 4
"""Metrics side by side."""
WORST = 7


# --- scores -------------------------------------------------------------------------------------------------


def scores(frame: pl.DataFrame, called: Mapping[str, str] = SUBJECTS) -> Chart:
    """A point with its 95 % interval per subject, one panel per metric that all subjects have.

    frame: subject, metric, value, low, high, n; called: the subjects' names, in the order of the rows. Shares start
    at 0 and end at 1, so that no gap is blown up.
    """
    subjects = [s for s in called if s in frame["subject"].unique()]
    metrics = [
        m for m, rows in frame.group_by("metric", maintain_order=True) if rows["subject"].n_unique() == len(subjects)
    ]
    names = [str(m[0]) for m in metrics]
    left = max(text_width(called[s]) for s in subjects) + 20
    rows = [names[i : i + PANELS] for i in range(0, len(names), PANELS)]
    columns = max(len(row) for row in rows)
    width = (WIDTH - left) / columns - 24
    height = len(subjects) * (44 if len(rows) == 1 else 29)
    charts = [
        alt.hconcat(*(_score_panel(frame, m, called, subjects, width, height, first=m == row[0]) for m in row))
        for row in rows
    ]
    return charts[0] if len(charts) == 1 else alt.vconcat(*charts, spacing=14)


def _score_panel(
    frame: pl.DataFrame,
    metric: str,
    called: Mapping[str, str],
    subjects: list[str],
    width: float,
    height: float,
    *,
    first: bool,
) -> Chart:
    """One metric: a row per subject, the value beside its interval, and the interval where it has room."""
    rows = frame.filter(pl.col("metric") == metric)
    wide = width > 300
    end = float(rows["high"].to_numpy().max()) * 1.08 if metric in LOWER_IS_BETTER else 1.0
    start = min(0.0, float(rows["low"].to_numpy().min()))
    axis = alt.Axis(**(PER_CENT if metric in SHARES else {"format": "~r"}), tickCount=6 if wide else 3, labelFlush=True)
    names = alt.Axis(labelPadding=14) if first else None

    def x(field: str) -> alt.X:
        return alt.X(f"{field}:Q", scale=alt.Scale(domain=[start, end], nice=False), title=None, axis=axis)

    y = alt.Y("name:N", sort=[called[s] for s in subjects], title=None, axis=names)
    tone = alt.Scale(domain=list(called.values()), range=[GREY, GREY, INK, ACCENT])
    data: list[dict[str, Any]] = []
    for row in rows.iter_rows(named=True):
        text = _with_interval(metric, row) if wide else figure(metric, row["value"])
        right = (end - row["high"]) / (end - start) * width > text_width(text) * 1.1 + 12
        beside = row["high" if right else "low"]
        data.append({**row, "name": called[row["subject"]], "text": text, "right": right, "beside": beside})
    base = plot(data).encode(y=y, color=alt.Color("name:N", scale=tone, legend=None))
    labels = base.encode(x=x("beside"), text="text:N")
    layers = [
        base.mark_rule(strokeWidth=3).encode(x=x("low"), x2="high:Q"),
        base.mark_point(size=130).encode(x=x("value")),
        labels.transform_filter("datum.right").mark_text(fontWeight="bold", align="left", dx=12),
        labels.transform_filter("!datum.right").mark_text(fontWeight="bold", align="right", dx=-12),
    ]
    better = " (lower is better)" if metric in LOWER_IS_BETTER and width > 300 else ""
    return alt.layer(*layers).properties(title=metric_name(metric) + better, width=width, height=height)


def _with_interval(metric: str, row: dict[str, float]) -> str:
    low, high = (figure(metric, row[k]).removesuffix(" %") for k in ("low", "high"))
    return f"{figure(metric, row['value'])}  ({low} to {high})"


# --- classes ------------------------------------------------------------------------------------------------


def per_class(frame: pl.DataFrame) -> Chart:
    """Recall of each class with its 95 % interval, worst first; with many classes only the worst are named.

    frame: the columns of `Evaluation.per_class`.
    """
    rows = frame.filter(pl.col("n") > 0).sort("recall", "label").with_row_index("rank")
    rows = rows.with_columns(
        name=pl.col("label").map_elements(lambda c: shorten(c, 40), pl.String),
        poor=(pl.col("rank") < WORST) & (pl.col("recall") < 1),
        taken=pl.struct("most_confused_with", "confused_n", "n").map_elements(_taken, pl.String),
    )
    return _named_classes(rows) if rows.height <= NAMED else _many_classes(rows)


def _taken(row: dict[str, Any]) -> str:
    """What the class was most often taken for, in words."""
    other = row["most_confused_with"]
    return f"{row['confused_n']:,} of {row['n']:,} taken for {shorten(str(other), 26)}" if other is not None else ""


def _named_classes(rows: pl.DataFrame) -> Chart:
    y = alt.Y("name:N", sort=None, title=None)
    x = alt.Scale(domain=[0, 1], nice=False)
    axis = alt.Axis(**PER_CENT, tickCount=6)
    base = plot(rows).encode(y=y)
    interval = base.mark_rule(strokeWidth=3, color=ACCENT, opacity=0.45).encode(
        x=alt.X("recall_low:Q", scale=x, title="recall: share of the class that was recognised", axis=axis),
        x2="recall_high:Q",
    )
    point = base.mark_point().encode(x="recall:Q")
    taken = base.mark_text(align="left", baseline="middle", x="width", dx=12, color=GREY).encode(text="taken:N")
    return fitted(interval, point, taken, height=rows_height(rows.height, 44, 60))


def _many_classes(rows: pl.DataFrame) -> Chart:
    width, height = 400, HEIGHT - 20
    x = alt.X("rank:O", axis=None, scale=alt.Scale(paddingInner=0.2))
    tone = alt.Color("poor:N", scale=alt.Scale(domain=[False, True], range=[ACCENT, WARN]), legend=None)
    axis = alt.Axis(**PER_CENT, tickCount=5)

    def y(field: str) -> alt.Y:
        return alt.Y(f"{field}:Q", scale=alt.Scale(domain=[0, 1], nice=False), axis=axis, title="recall of each class")

    base = plot(rows).encode(x=x, color=tone)
    interval = base.mark_rule(strokeWidth=2, opacity=0.35).encode(y=y("recall_low"), y2="recall_high:Q")
    drawn = alt.layer(interval, base.mark_point(size=32).encode(y=y("recall"))).properties(width=width, height=height)
    worst = rows.filter(pl.col("poor")).select("recall", "name", "taken").iter_rows()
    return alt.hconcat(
        drawn, ranked([(f"{r * 100:.0f} %", n, t) for r, n, t in worst], width + 100, height), spacing=24
    )
