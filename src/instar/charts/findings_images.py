"""Charts of what only pictures have, and of what a class can be told by without being looked at."""

import numpy as np
import polars as pl

from instar.audit.image_quality import BORDER, CHANNELS, IMAGENET
from instar.audit.shortcuts import GIVEN_AWAY
from instar.charts.audit import sizes as size_chart
from instar.charts.findings_common import Row, gains
from instar.charts.findings_forms import NAMED, Drawing, bars, dots, histogram, percent
from instar.records import Finding


def shortcuts(found: Finding, _: pl.DataFrame) -> tuple[Drawing, ...]:
    """What each trait alone tells, and how surely it gives which class away."""
    single = found.evidence["single"]
    frame = pl.DataFrame([{"trait": trait, **figures} for trait, figures in single.items()])
    together = {key: found.evidence[key] for key in ("accuracy", "majority", "gain", "low", "high")}
    frame = pl.concat([pl.DataFrame([{"trait": "all together", **together}]), frame], how="vertical_relaxed")
    traits = Drawing("02-shortcuts", gains(frame.rename({"trait": "name"})), frame)
    classes = found.rows.select("class", "trait", "n", "recall", "elsewhere", "informedness", "low")
    best = classes.sort("informedness", "n", descending=True, maintain_order=True)
    best = best.unique("class", keep="first", maintain_order=True).head(NAMED)
    rows: list[Row] = [
        {"name": f"{row['class']}: {row['trait']}", "value": row["informedness"], "low": max(row["low"], -0.2),
         "high": row["informedness"], "text": f"{percent(row['recall'])} found, {percent(row['elsewhere'])} alarms",
         "tone": "warn" if row["low"] >= GIVEN_AWAY else "plain"}
        for row in best.iter_rows(named=True)
    ]  # fmt: skip
    low = min(0.0, *(row["low"] for row in rows))
    chart = dots(
        rows,
        "informedness: found of the class − called so elsewhere; the line goes down to the lower bound",
        (low * 1.05, 1.0),
        line=(GIVEN_AWAY, "gives the class away"),
    )
    return (traits, Drawing("02-shortcuts-classes", chart, classes))


def sizes(found: Finding, _: pl.DataFrame) -> tuple[Drawing, ...]:
    """Width against height; nothing where all pictures have one size."""
    if found.rows.height < 2:
        return ()
    frame = found.rows.select("width", "height", "n")
    return (Drawing("03-sizes", size_chart(frame), frame),)


def colour(found: Finding, _: pl.DataFrame) -> tuple[Drawing, ...]:
    """Classes with the largest share of grey pictures, and how the files store colour."""
    drawn = []
    grey = found.rows.filter(pl.col("grey") > 0).sort("share", "grey", descending=True, maintain_order=True)
    whole = found.evidence["grey_classes"]
    if grey.height:
        rows: list[Row] = [
            {"name": row["class"], "value": row["share"], "text": f"{row['grey']:,} of {row['n']:,}",
             "tone": "warn" if row["class"] in whole else "plain"}
            for row in grey.head(NAMED).iter_rows(named=True)
        ]  # fmt: skip
        share = found.evidence["grey_share"]
        chart = bars(rows, "grey pictures of the class", shares=True, end=1, line=(share, f"of all: {percent(share)}"))
        drawn.append(Drawing("02-colour", chart, found.rows))
    stored = pl.DataFrame(found.evidence["stored"], ["format", "mode", "n"], orient="row")
    if stored.height > 1:
        total = int(stored["n"].sum())
        rows = [
            {"name": f"{form}, {mode}", "value": n, "text": f"{n:,} ({percent(n / total)})"}
            for form, mode, n in stored.iter_rows()
        ]
        drawn.append(Drawing("02-colour-modes", bars(rows, "pictures, by format and colour mode"), stored))
    return tuple(drawn)


def brightness(_: Finding, table: pl.DataFrame) -> tuple[Drawing, ...]:
    """How bright the pictures are, and how much of contrast they have."""
    drawn = []
    for name, title in (
        ("brightness", "mean brightness of a picture (0 black, 1 white)"),
        ("contrast", "contrast of a picture (standard deviation of the brightness)"),
    ):
        values = table[f"measure.{name}"].drop_nulls().to_numpy()
        domain = (0.0, 1.0) if name == "brightness" else (0.0, max(0.4, float(values.max())))
        chart, frame = histogram({"pictures": values}, title, "pictures", domain=domain)
        drawn.append(Drawing(f"02-{name}", chart, frame))
    return tuple(drawn)


def channels(found: Finding, _: pl.DataFrame) -> tuple[Drawing, ...]:
    """Mean and deviation of each channel beside those of ImageNet."""
    rows: list[Row] = []
    frame: list[Row] = []
    for name in CHANNELS:
        mean, deviation = found.evidence[name]
        pairs = (("here", (mean, deviation), "plain"), ("ImageNet", IMAGENET[name], "quiet"))
        for whose, (middle, spread), tone in pairs:
            frame.append({"channel": name, "set": whose, "mean": middle, "deviation": spread})
            rows.append({"name": f"{name}, {whose}", "value": middle, "low": middle - spread, "high": middle + spread,
                         "text": f"{middle:.2f} ± {spread:.2f}", "tone": tone})  # fmt: skip
    chart = dots(rows, "mean and standard deviation (0 to 1)", (0.0, 1.0), shares=False)
    return (Drawing("02-channels", chart, pl.DataFrame(frame)),)


def blur(found: Finding, table: pl.DataFrame) -> tuple[Drawing, ...]:
    """How sharp the pictures are, on a log scale, with the limit below which they are called blurred."""
    if "measure.sharpness" not in table.columns:
        return ()
    sharp = table.filter(pl.col("measure.sharpness") > 0)["measure.sharpness"].to_numpy()
    if not len(sharp):
        return ()
    limit = float(np.log10(max(found.evidence["below"], 1e-9)))
    values = np.log10(sharp)
    low = min(float(values.min()), limit) - 0.1
    chart, frame = histogram(
        {"pictures": values},
        "sharpness (variance of the Laplacian over that of the luma), powers of ten",
        "pictures",
        domain=(low, float(values.max()) + 0.01),
        line=(limit, "blurred"),
    )
    return (Drawing("02-blur", chart, frame),)


def borders(found: Finding, table: pl.DataFrame) -> tuple[Drawing, ...]:
    """How much of the area an even border takes, where there is one that counts."""
    if "measure.border" not in table.columns:
        return ()
    values = table.filter(pl.col("measure.border") > 0)["measure.border"].to_numpy()
    chart, frame = histogram(
        {"pictures": values}, "even border, share of the area", "pictures with a border", domain=(0.0, 1.0),
        line=(BORDER, "counted from here"), shares=True,
    )  # fmt: skip
    return (Drawing("02-borders", chart, frame),)
