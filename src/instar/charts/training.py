"""Charts of the training: its course, and the measured speeds (the network itself: `network`)."""

from dataclasses import dataclass
from typing import Any, Literal

import altair as alt
import numpy as np
import polars as pl

from instar.charts.network import network
from instar.charts.theme import (
    ACCENT,
    GREY,
    INK,
    LIGHT,
    PALE,
    WIDTH,
    Chart,
    plot,
    rows_height,
    text_width,
)
from instar.charts.wording import figure, metric_name

__all__ = ["curves", "network", "timings"]

HEAD = "head"
"""The stage whose rows are solutions of the head for several strengths of regularisation, not epochs."""
Row = dict[str, Any]


# --- the course ---------------------------------------------------------------------------------------------

COURSE_WIDTH, COURSE_HEIGHT = WIDTH - 190, 134
"""Units of one panel of the course, without its axis (left) and the names of its lines (right)."""


def curves(frame: pl.DataFrame, metric: str) -> Chart:
    """Loss and validation score over all stages on one time axis, the best checkpoint marked.

    frame: the fields of `records.Epoch` and minutes (cumulative, at the end of the epoch); metric: name of
    the score. The rows of the stage "head" are points without a line, for each is a solution for another
    strength of regularisation; where there is no other stage, that strength takes the place of time.
    """
    solved = frame["stage"].unique().to_list() == [HEAD]
    rows = frame.with_columns(at=pl.col("lr") if solved else pl.col("minutes")).sort("at", maintain_order=True)
    losses = rows.select("stage", "at", training="train_loss", validation="val_loss")
    losses = losses.unpivot(["training", "validation"], index=["stage", "at"], variable_name="part", value_name="y")
    scores = rows.select("stage", "at", "best", y="val_score", part=pl.lit("validation"))
    stages: list[Row] = []
    if solved:
        ends = (float(rows["at"][0]), float(rows["at"][-1]))
        x = alt.Scale(domain=ends, type="log" if ends[0] > 0 else "symlog", nice=False, padding=20)
        across = "strength of the regularisation (1/C)"
    else:
        end = float(rows["at"][-1])
        x = alt.Scale(domain=[0, end], nice=False)
        across, stages = "minutes", _stages(rows, end)
    ticks = rows["at"].unique(maintain_order=True).to_list() if solved else []
    values = frame["val_score"].to_numpy()
    room = float(np.ptp(values)) or 0.02
    domain = [float(values.min()) - 0.08 * room, float(values.max()) + 0.28 * room]
    upper = Panel(x, "", ticks, "loss", alt.Scale(zero=True, nice=True))
    lower = Panel(x, across, ticks, metric_name(metric), alt.Scale(domain=domain, nice=False))
    panels = (
        alt.layer(*upper.bands(stages), *_names(stages, upper), *upper.lines(losses)),
        alt.layer(*lower.bands(stages), *lower.lines(scores), *_best(scores, lower, metric)),
    )
    return alt.vconcat(*(p.properties(width=COURSE_WIDTH, height=COURSE_HEIGHT) for p in panels), spacing=14)


@dataclass(frozen=True)
class Panel:
    """One panel of the course: the scales and axes that all of its layers share."""

    scale: alt.Scale
    across: str
    """Title of the horizontal axis; empty: the panel below shows the axis."""
    ticks: list[float]
    """Strengths of regularisation, where they stand across; empty: time does."""
    up: str
    """Title of the vertical axis."""
    values: alt.Scale
    """The vertical scale."""

    def x(self, field: str = "at") -> alt.X:
        ticks = {"values": self.ticks} if self.ticks else {"tickCount": 8}
        axis = alt.Axis(title=self.across, grid=False, format="~r", **ticks) if self.across else None
        return alt.X(f"{field}:Q", scale=self.scale, axis=axis)

    def y(self) -> alt.Y:
        axis = alt.Axis(title=self.up, tickCount=4, minExtent=44)
        return alt.Y("y:Q", axis=axis, scale=self.values)

    def bands(self, stages: list[Row]) -> list[alt.Chart]:
        """The stages as bands, every other one shaded; without a scale, which the lines would have to share."""
        shaded = [row for row in stages if not row["shade"]]
        return [plot(shaded).mark_rect(color=PALE).encode(x=self.x("start"), x2="end:Q")] if shaded else []

    def lines(self, rows: pl.DataFrame) -> list[alt.Chart]:
        """A line per stage and part with a point per epoch, the parts named behind their last points."""
        tones = alt.Scale(domain=["training", "validation"], range=[GREY, ACCENT])
        color = alt.Color("part:N", scale=tones, legend=None)
        base = plot(rows).encode(x=self.x(), y=self.y(), color=color)
        joined = rows if self.ticks else rows.filter(pl.col("stage") != HEAD)
        lines = plot(joined).mark_line().encode(x=self.x(), y=self.y(), color=color, detail="stage:N")
        last = rows.group_by("part", maintain_order=True).last().sort("y", descending=True)
        shifts = [0] if last.height == 1 else [-8, 8]
        names = [
            plot(last[i : i + 1])
            .mark_text(align="left", dx=14, dy=shift)
            .encode(x=self.x(), y=self.y(), color=color, text="part:N")
            for i, shift in enumerate(shifts)
        ]
        return [lines, base.mark_point(size=45), *names]


def _stages(rows: pl.DataFrame, end: float) -> list[Row]:
    """Start and end of each stage in minutes, and the height of its name above the bands."""
    found: list[Row] = []
    start, used = 0.0, [-1.0, -1.0]
    for stage, last in rows.group_by("stage", maintain_order=True).agg(pl.col("at").max()).iter_rows():
        left = start / end * COURSE_WIDTH
        line = 0 if left >= used[0] else 1
        used[line] = left + text_width(stage) + 12
        found.append({"stage": stage, "start": start, "end": last, "shade": len(found) % 2, "place": -6 - 18 * line})
        start = last
    return found


def _names(stages: list[Row], panel: Panel) -> list[alt.Chart]:
    """The names of the stages above their bands."""
    style: dict[str, Any] = {"align": "left", "baseline": "bottom", "dx": 2, "fontWeight": "bold"}
    return [plot([row]).mark_text(y=row["place"], **style).encode(x=panel.x("start"), text="stage:N") for row in stages]


def _best(scores: pl.DataFrame, panel: Panel, metric: str) -> list[alt.Chart]:
    """A ring around the checkpoint that was kept, with its score."""
    row = scores.with_row_index("place").filter(pl.col("best")).sort("y", maintain_order=True).tail(1)
    mark = plot(row.with_columns(text=pl.lit(f"best: {figure(metric, row['y'][0])}"))).encode(x=panel.x(), y=panel.y())
    share = row["place"][0] / scores.height
    align: Literal["left", "center", "right"] = "left" if share < 0.1 else "right" if share > 0.85 else "center"
    label = mark.mark_text(dy=-19, align=align, fontWeight="bold").encode(text="text:N")
    return [mark.mark_point(size=260, filled=False, color=INK, strokeWidth=2), label]


# --- the machine --------------------------------------------------------------------------------------------


def timings(frame: pl.DataFrame) -> Chart:
    """Measured speed of each way to run the network, the fastest way to train marked.

    frame: precision, channels_last, threads, forward, training (examples a second).
    """
    threads = frame["threads"].n_unique() > 1
    rows = frame.with_columns(
        way=pl.concat_str(
            pl.col("precision"),
            pl.when(pl.col("channels_last")).then(pl.lit(", channels last")).otherwise(pl.lit("")),
            pl.format(
                ", {} thread{}",
                "threads",
                pl.when(pl.col("threads") == 1).then(pl.lit("")).otherwise(pl.lit("s")),
            )
            if threads
            else pl.lit(""),
        )
    ).sort("training", descending=True)
    panels = []
    for column, title in (
        ("training", "Training, examples a second"),
        ("forward", "Inference, examples a second"),
    ):
        end = float(rows[column].to_numpy().max()) * 1.2
        base = plot(rows.with_columns(best=pl.col(column) == pl.col(column).max())).encode(
            y=alt.Y("way:N", sort=None, title=None, axis=alt.Axis() if column == "training" else None),
            x=alt.X(f"{column}:Q", axis=None, scale=alt.Scale(domain=[0, end], nice=False)),
        )
        tone = alt.Color("best:N", scale=alt.Scale(domain=[True, False], range=[ACCENT, LIGHT]), legend=None)
        labels = base.mark_text(align="left", dx=6).encode(text=alt.Text(f"{column}:Q", format=",.0f"))
        left = max(text_width(way) for way in rows["way"])
        size = {"width": (WIDTH - left - 40) / 2, "height": rows_height(rows.height) - 30}
        panels.append(alt.layer(base.mark_bar(size=22).encode(color=tone), labels).properties(title=title, **size))
    return alt.hconcat(*panels)
