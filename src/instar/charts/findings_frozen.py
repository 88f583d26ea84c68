"""Charts of what frozen features of a pre-trained network tell of a data set."""

import altair as alt
import numpy as np
import polars as pl

from instar.charts.findings_common import Row, pairs_by
from instar.charts.findings_forms import NAMED, Drawing, bars, dots, legend, percent
from instar.charts.theme import (
    ACCENT,
    CLASSES,
    GREY,
    HEIGHT,
    INK,
    LIGHT,
    WIDTH,
    Chart,
    fitted,
    note,
    plot,
    shorten,
    text_width,
)
from instar.charts.wording import PER_CENT
from instar.records import Finding

POINTS = 2500
"""Points of a map: more hide each other and make a large file."""
COLOURED = len(CLASSES)
NUMBERED, LETTERS = 12, 22
"""Classes of a map of many whose places are named, and letters of their names."""


def separability(found: Finding, _: pl.DataFrame) -> tuple[Drawing, ...]:
    """The probe on frozen features against a cheap baseline and the largest class, by what the finding was judged by:
    the accuracy, or the mean of the classes' recalls."""
    e = found.evidence
    balanced = e["judged_by"] == "balanced accuracy"
    own, by = ("balanced", "balanced_") if balanced else ("accuracy", "")
    floor = e[f"{by}majority"]
    subjects = [
        ("linear probe on frozen features", e[own], e[f"{by}low"], e[f"{by}high"], e["n"], "plain"),
        ("always the largest class", floor, floor, floor, e["n"], "quiet"),
    ]
    if f"cheap_{own}" in e:
        cheap = (e[f"cheap_{own}"], e[f"cheap_{by}low"], e[f"cheap_{by}high"], e["cheap_n"])
        subjects.insert(1, ("cheap baseline", *cheap, "quiet"))
    measure = "balanced_accuracy" if balanced else "accuracy"
    frame = pl.DataFrame(
        [{"subject": s, measure: value, "low": low, "high": high, "n": n} for s, value, low, high, n, _ in subjects]
    )
    rows: list[Row] = [
        {"name": s, "value": value, "low": low, "high": high, "tone": tone,
         "text": percent(value) if low == high else f"{percent(value)}  ({percent(low)} to {percent(high)})"}
        for s, value, low, high, _, tone in subjects
    ]  # fmt: skip
    what = "mean of the classes' recalls" if balanced else "right"
    title = f"{what} out of fold, {e['n']:,} examples, with 95 % interval"
    drawn = [Drawing("02-separability", dots(rows, title, (0.0, 1.0)), frame)]
    if found.rows.height:
        classes = found.rows.sort("recall", "class").head(NAMED)
        hardest: list[Row] = [
            {"name": row["class"], "value": row["recall"], "text": f"{percent(row['recall'])} of {row['n']:,}",
             "tone": "warn" if row["recall"] < 0.5 else "plain"}
            for row in classes.iter_rows(named=True)
        ]  # fmt: skip
        more = f", the {NAMED} hardest of {found.rows.height} classes" if found.rows.height > NAMED else ""
        chart = bars(hardest, f"found again by the probe{more}", shares=True, end=1)
        drawn.append(Drawing("02-separability-classes", chart, found.rows))
    return tuple(drawn)


def learning_curve(found: Finding, _: pl.DataFrame) -> tuple[Drawing, ...]:
    """Accuracy of the probe against the number of examples that it learnt from, and what twice as many may bring."""
    frame = found.rows.select("n", "accuracy", "low", "high").sort("n")
    if frame.height < 2:
        return ()
    e = found.evidence
    last = frame.row(-1, named=True)
    ends = [max(0.0, float(frame["low"].to_numpy().min()) - 0.05), 1.0]
    doubled = {"n": 2 * last["n"], "accuracy": min(last["accuracy"] + e["gain_if_doubled"], 1.0)}
    span = {"low": min(last["accuracy"] + e["low"], 1.0), "high": min(last["accuracy"] + e["high"], 1.0)}
    ticks = [*frame["n"].to_list(), doubled["n"]]
    x = alt.X(
        "n:Q",
        title="examples to learn from (logarithmic)",
        scale=alt.Scale(type="log", nice=False),
        axis=alt.Axis(values=ticks, format=",d", grid=False, labelOverlap=True),
    )

    def y(field: str) -> alt.Y:
        scale = alt.Scale(domain=ends, nice=False)
        return alt.Y(f"{field}:Q", title="right out of fold", scale=scale, axis=alt.Axis(**PER_CENT, tickCount=5))

    base = plot(frame).encode(x=x)
    ahead = plot([{"n": last["n"], "accuracy": last["accuracy"]}, doubled]).encode(x=x, y=y("accuracy"))
    text = f"twice the data: about {e['gain_if_doubled'] * 100:+.1f} points".replace("-", "−")
    said = plot([{**doubled, "text": text}]).mark_text(align="right", dy=-22, fontWeight="bold").encode(
        x=x, y=y("accuracy"), text="text:N"
    )  # fmt: skip
    chart = fitted(
        base.mark_area(color=ACCENT, opacity=0.15).encode(y=y("low"), y2="high:Q"),
        plot([{**doubled, **span}])
        .mark_rule(strokeWidth=3, color=GREY, opacity=0.5)
        .encode(x=x, y=y("low"), y2="high:Q"),
        ahead.mark_line(color=GREY, strokeDash=[5, 4], strokeWidth=2),
        plot([doubled]).mark_point(color=GREY).encode(x=x, y=y("accuracy")),
        base.mark_line().encode(y=y("accuracy")),
        base.mark_point().encode(y=y("accuracy")),
        said,
    )
    return (Drawing("02-learning-curve", chart, frame),)


def confusable_classes(found: Finding, _: pl.DataFrame) -> tuple[Drawing, ...]:
    """The pairs of classes that the probe mixes up most."""
    frame = found.rows.select("first", "second", "share", "n")
    rows: list[Row] = [
        {"name": f"{shorten(a, 20)} as {shorten(b, 20)}", "value": share, "text": f"{percent(share)}  ({n:,})",
         "tone": "warn"}
        for a, b, share, n in frame.sort("share", "n", descending=True, maintain_order=True).iter_rows()
    ]  # fmt: skip
    title = "of the first class, taken for the second by the probe"
    return (Drawing("02-confusable-classes", bars(rows, title, shares=True), frame),)


def suspect_labels(found: Finding, table: pl.DataFrame) -> tuple[Drawing, ...]:
    """Suspicious labels of each class."""
    return listed("02-suspect-labels", "labels under suspicion", found, table)


def outliers(found: Finding, table: pl.DataFrame) -> tuple[Drawing, ...]:
    """Examples far from all others, of each class."""
    return listed("02-outliers", "examples like no others of their class", found, table)


def listed(stem: str, title: str, found: Finding, table: pl.DataFrame) -> tuple[Drawing, ...]:
    """How many examples of each class a finding lists, most first."""
    counts = found.rows.drop_nulls("label").group_by(pl.col("label").alias("class")).len("n")
    if not counts.height:
        return ()
    of = table.drop_nulls("label").group_by(pl.col("label").alias("class")).len("of")
    frame = counts.join(of, on="class", how="left").sort("n", "class", descending=[True, False])
    rows: list[Row] = [
        {"name": name, "value": n, "text": f"{n:,} of {all_:,}", "tone": "warn"} for name, n, all_ in frame.iter_rows()
    ]
    more = f", {NAMED} of {len(rows)} classes" if len(rows) > NAMED else ""
    return (Drawing(stem, bars(rows, title + more), frame),)


def feature_twins(found: Finding, _: pl.DataFrame) -> tuple[Drawing, ...]:
    """How alike the pairs are whose features nearly agree."""
    least = float(found.rows["similarity"].to_numpy().min())
    title = "similarity of the features (cosine)"
    return (pairs_by("02-feature-twins", found.rows, "similarity", title, (min(least, 0.99), 1.0)),)


def mirror(found: Finding, _: pl.DataFrame) -> tuple[Drawing, ...]:
    """What the probe gets right on pictures and on their mirror images."""
    e = found.evidence
    frame = pl.DataFrame(
        [
            {"pictures": "as they are", "accuracy": e["accuracy"], "n": e["n"]},
            {"pictures": "mirrored", "accuracy": e["mirrored_accuracy"], "n": e["n"]},
        ]
    )
    span = f"{e['difference'] * 100:+.1f} points ({e['low'] * 100:+.1f} to {e['high'] * 100:+.1f})".replace("-", "−")
    texts = (percent(e["accuracy"]), f"{percent(e['mirrored_accuracy'])}, a difference of {span}")
    rows: list[Row] = [
        {"name": name, "value": value, "text": text, "tone": tone}
        for (name, value, _), text, tone in zip(frame.iter_rows(), texts, ("plain", "quiet"), strict=True)
    ]
    return (Drawing("02-mirror", bars(rows, "right out of fold", shares=True, end=1), frame),)


def feature_map(found: Finding, _: pl.DataFrame) -> tuple[Drawing, ...]:
    """Where the examples lie on a map of their features, coloured by class as far as colours can be told apart.

    With more classes than colours, the tightest ones, which have a place of their own, are coloured and named.
    """
    frame = found.rows.select("id", "label", "x", "y")
    known = frame.drop_nulls("label")
    if not known.height:
        return ()
    shown = known.gather_every(-(-known.height // POINTS))
    places = known.group_by("label").agg(pl.col("x", "y").median(), pl.len().alias("n"),
                                         spread=_spread("x") + _spread("y"))  # fmt: skip
    few = places.height <= COLOURED
    named = places.sort("label") if few else _apart(places.filter(pl.col("n") > 2).sort("spread", "label"), shown)
    return (Drawing("02-feature-map", _map(shown, named, few, places.height), frame),)


def _spread(axis: str) -> pl.Expr:
    return (pl.col(axis) - pl.col(axis).median()).abs().median()


def _apart(places: pl.DataFrame, points: pl.DataFrame) -> pl.DataFrame:
    """The first places whose names do not lie on each other."""
    across, down = (float(np.ptp(points[axis].to_numpy())) or 1.0 for axis in ("x", "y"))
    taken: list[tuple[float, float, float]] = []
    kept: list[int] = []
    for i, row in enumerate(places.iter_rows(named=True)):
        x, y = row["x"] / across * WIDTH, row["y"] / down * HEIGHT
        half = text_width(shorten(row["label"], LETTERS)) / 2 + 8
        if len(kept) < NUMBERED and all(abs(x - u) > half + h or abs(y - v) > 22 for u, v, h in taken):
            taken.append((x, y, half))
            kept.append(i)
    return places[kept]


def _map(points: pl.DataFrame, named: pl.DataFrame, few: bool, classes: int) -> Chart:
    names = named["label"].to_list()
    tones = [CLASSES[i % len(CLASSES)] for i in range(len(names))]
    place = points.with_columns(
        pl.col("x").round(3), pl.col("y").round(3), tone=pl.col("label").replace_strict(names, tones, default=LIGHT)
    ).select("x", "y", "tone")
    axes = {
        axis: alt.Scale(domain=[float(v.min()), float(v.max())], nice=False, zero=False, padding=6)
        for axis, v in (("x", points["x"].to_numpy()), ("y", points["y"].to_numpy()))
    }
    x, y = alt.X("x:Q", scale=axes["x"], axis=None), alt.Y("y:Q", scale=axes["y"], axis=None)
    size = 26 if points.height > 600 else 50
    layers = [
        plot(place.filter(which)).mark_point(size=size, opacity=0.75, aria=False).encode(
            x=x, y=y, color=alt.Color("tone:N", scale=None)
        )
        for which in (pl.col("tone") == LIGHT, pl.col("tone") != LIGHT)
        if place.filter(which).height
    ]  # fmt: skip
    if few:
        layers += legend([shorten(n, 110 // len(names)) for n in names], tones)
    else:
        spots = plot(named.with_columns(name=pl.col("label").map_elements(lambda n: shorten(n, LETTERS), pl.String)))
        text = spots.encode(x=x, y=y, text="name:N")
        layers += [text.mark_text(stroke="white", strokeWidth=5), text.mark_text(fontWeight="bold", color=INK)]
        layers.append(
            note(
                f"{classes} classes; the {named.height} tightest that have room for a name are coloured",
                0,
                -24,
                color=GREY,
            )
        )
    return fitted(*layers, height=HEIGHT)
