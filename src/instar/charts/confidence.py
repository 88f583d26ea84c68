"""Charts of the confidence: is it true, what does it leave unanswered, and how many classes must be named?"""

import altair as alt
import polars as pl

from instar.charts.theme import (
    ACCENT,
    GREY,
    HEIGHT,
    INK,
    LIGHT,
    SOFT,
    WIDTH,
    Chart,
    fitted,
    note,
    plot,
    ranked,
    shorten,
)
from instar.charts.wording import PER_CENT

AFTER = "after"
MOST = 8
"""Sizes of sets that have a bar of their own; larger ones share the last."""
WORST = 6


def reliability(frame: pl.DataFrame) -> Chart:
    """Accuracy against confidence before and after the temperature, the latter with 95 % intervals, beside the line on
    which confidence keeps its word.

    frame: probabilities (before, after), confidence, accuracy, low, high, n.
    """
    least = min(float(frame[name].to_numpy().min()) for name in ("confidence", "low"))
    start = max(0.0, least // 0.1 / 10)
    scale = alt.Scale(domain=[start, 1], nice=False)
    x = alt.X("confidence:Q", scale=scale, title="confidence", axis=alt.Axis(**PER_CENT, tickCount=6, grid=False))

    def y(field: str) -> alt.Y:
        return alt.Y(f"{field}:Q", scale=scale, title="answers that are right", axis=alt.Axis(**PER_CENT, tickCount=6))

    ends = plot([{"confidence": start, "accuracy": start}, {"confidence": 1, "accuracy": 1}])
    ideal = ends.mark_line(color=LIGHT, strokeWidth=2).encode(x=x, y=y("accuracy"))
    before, after = (
        plot(frame.filter((pl.col("probabilities") == AFTER) == wanted)).encode(x=x) for wanted in (False, True)
    )
    layers = [
        ideal,
        before.mark_line(strokeWidth=1.5, color=GREY, strokeDash=[4, 3]).encode(y=y("accuracy")),
        before.mark_point(color=GREY, size=60).encode(y=y("accuracy")),
        after.mark_rule(strokeWidth=3, color=ACCENT, opacity=0.45).encode(y=y("low"), y2="high:Q"),
        after.mark_line(strokeWidth=1.5).encode(y=y("accuracy")),
        after.mark_point().encode(y=y("accuracy")),
    ]
    n = frame.filter(pl.col("probabilities") == AFTER)["n"].to_numpy().mean()
    below = note(
        "below the line: too sure of itself",
        alt.ExprRef("width - 4"),
        alt.ExprRef("height - 24"),
        align="right",
        color=GREY,
    )
    above = note("above the line: better than it believes", 8, 4, color=GREY)
    calm = note(f"● with the temperature (each about {n:,.0f} answers, 95 % interval)", 8, 26, color=ACCENT)
    raw = note("● as the network came out of training", 8, 48, color=GREY)
    return fitted(*layers, below, above, calm, raw)


def risk_coverage(frame: pl.DataFrame, thresholds: pl.DataFrame) -> Chart:
    """Right answers among the surest ones, against the share of the examples that are answered.

    frame: the columns of `Evaluation.risk_coverage`; thresholds: wished, coverage, accuracy, a point each.
    """
    whole = frame.sort("coverage").tail(1)
    start = max(0.0, (float(whole["low"][0]) - 0.02) // 0.05 / 20)
    x = alt.X(
        "coverage:Q",
        scale=alt.Scale(domain=[0, 1], nice=False),
        title="share of the examples that is answered, the surest first",
        axis=alt.Axis(**PER_CENT, tickCount=6, grid=False),
    )

    def y(field: str) -> alt.Y:
        scale = alt.Scale(domain=[start, 1], nice=False)
        return alt.Y(f"{field}:Q", scale=scale, title="answers that are right", axis=alt.Axis(**PER_CENT, tickCount=6))

    base = plot(frame.sort("coverage")).encode(x=x)
    band = base.mark_area(color=SOFT, opacity=0.35, clip=True).encode(y=y("low"), y2="high:Q")
    line = base.mark_line(clip=True).encode(y=y("accuracy"))
    rows = thresholds.with_columns(
        name=pl.col("wished").map_elements(lambda w: f"for {w * 100:.3g} %", pl.String),
        right=pl.col("coverage") > 0.85,
    )
    points = plot(rows).encode(x=x, y=y("accuracy"))
    mark = points.mark_point(color=INK, size=120)
    named = points.encode(text="name:N")
    left = named.transform_filter("!datum.right").mark_text(align="left", dx=4, dy=-16, fontWeight="bold")
    right = named.transform_filter("datum.right").mark_text(align="right", dx=24, dy=-16, fontWeight="bold")
    interval = note("with 95 % interval", 8, alt.ExprRef("height - 24"), color=GREY)
    return fitted(band, line, mark, left, right, interval)


def sets(sizes: pl.DataFrame, classes: pl.DataFrame) -> Chart:
    """How many classes the sets hold, and the classes that are held least often.

    sizes, classes: the rows of one level of `Evaluation.conformal` and `Evaluation.conformal_classes`.
    """
    width, height = 420, HEIGHT - 60
    total = int(sizes["n"].to_numpy().sum())
    rows = (
        sizes.with_columns(held=pl.col("n") * pl.col("coverage"), bin=pl.col("size").clip(0, MOST))
        .group_by("bin")
        .agg(pl.col("n").sum(), pl.col("held").sum())
        .sort("bin")
        .with_columns(
            share=pl.col("n") / total,
            name=pl.col("bin").map_elements(lambda k: f"{k}+" if k == MOST else str(k), pl.String),
            text=(pl.col("n") / total).map_elements(lambda s: f"{s * 100:.{0 if s >= 0.01 else 1}f} %", pl.String),
        )
    )
    top = float(rows["share"].to_numpy().max()) * 1.12
    base = plot(rows).encode(
        x=alt.X("name:N", sort=None, title="classes in the set", axis=alt.Axis(labelAngle=0)),
        y=alt.Y("share:Q", scale=alt.Scale(domain=[0, top], nice=False), title=None, axis=None),
    )
    bars = base.mark_bar(size=min(60, width / rows.height * 0.7))
    text = base.mark_text(dy=-10, fontWeight="bold").encode(text="text:N")
    drawn = alt.layer(bars, text).properties(width=width, height=height, title="Share of the examples")
    least = classes.sort("coverage", "n", descending=[False, True]).head(WORST)
    named = [
        (
            f"{row['coverage'] * 100:.0f} %",
            shorten(row["label"], 34),
            f"of {row['n']:,}, with {row['size']:.1f} classes",
        )
        for row in least.iter_rows(named=True)
    ]
    side = ranked(named, width + 60, height).properties(title="Class held least often")
    return alt.hconcat(drawn, side, spacing=min(40, WIDTH - width))
