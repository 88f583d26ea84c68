"""Checks of what only pictures have: size, colour, light."""

import polars as pl

from instar.audit.check import WORTH_KNOWING
from instar.audit.wording import DIGITS, listed, number, percent, several
from instar.data.look import FLAT
from instar.records import Dataset, Finding, Json, Verdict

TINY = 32
"""Pixels of the shorter side below which a picture shows little (our judgement)."""
CHANCE = 0.01
"""Probability, over all classes together, with which we accept calling a class grey that is so by chance."""
DARK, BRIGHT = 0.03, 0.97
"""Mean luma outside of which a picture is nearly black or nearly white."""


def sizes(dataset: Dataset) -> Finding:
    """Widths, heights and aspects (width / height; 5th and 95th percentile) of the labelled pictures."""
    pictures = dataset.part("train", "val", "test").select("id", width="measure.width", height="measure.height")
    rows = pictures.group_by("width", "height").len("n").sort("n", "width", "height", descending=True)
    aspect = pictures["width"] / pictures["height"]
    tiny = pictures.filter(pl.min_horizontal("width", "height") < TINY).height

    def figure(column: str, what: str) -> int:
        return int(getattr(pictures[column], what)())

    evidence: dict[str, Json] = {
        "min_width": figure("width", "min"),
        "max_width": figure("width", "max"),
        "min_height": figure("height", "min"),
        "max_height": figure("height", "max"),
        "median_width": figure("width", "median"),
        "median_height": figure("height", "median"),
        "share_one_size": round(rows["n"][0] / pictures.height, DIGITS),
        "aspect_low": round(float(aspect.quantile(0.05) or 0), 3),
        "aspect_high": round(float(aspect.quantile(0.95) or 0), 3),
        "sizes": rows.height,
        "tiny": tiny,
        "tiny_below": TINY,
    }
    if rows.height == 1:
        sentence = f"All pictures are {evidence['median_width']} × {evidence['median_height']} pixels."
    else:
        sentence = (
            f"The pictures have {several(rows.height, 'size')}, {evidence['min_width']} to "
            f"{evidence['max_width']} pixels wide and {evidence['min_height']} to {evidence['max_height']} "
            f"high (medians {evidence['median_width']} and {evidence['median_height']}); width to height "
            f"lies between {evidence['aspect_low']:.2f} and {evidence['aspect_high']:.2f} for nine in ten."
        )
    if tiny:
        sentence += f" On {several(tiny, 'picture')} the shorter side has fewer than {TINY} pixels."
    verdict: Verdict = "issue" if tiny else "note" if rows.height > 1 else "passed"
    return Finding("sizes", verdict, sentence, evidence, rows)


def colour(dataset: Dataset) -> Finding:
    """Grey pictures in train and val, and classes in which all are grey: a shortcut past the shape; and the colour
    modes (RGB, L, P, CMYK, RGBA, I;16 ...: Pillow's names) in which the labelled pictures are stored.

    Evidence: modes counts the labelled pictures by mode, stored by format and mode ([format, mode, n], most frequent
    first). The rows say of each class how those of train and val are stored.

    A class counts as grey where so many grey pictures in a row would hardly come about by chance at the rate
    of the other classes (p = rate ** n, against `CHANCE` shared by all classes: Bonferroni).
    """
    known = dataset.part("train", "val").select("id", "label", grey="measure.grey", mode="measure.mode")
    rows = (
        known.group_by(pl.col("label").alias("class"))
        .agg(pl.len().alias("n"), pl.col("grey").sum().cast(pl.Int64).alias("grey"))
        .with_columns(share=(pl.col("grey") / pl.col("n")).round(DIGITS))
        .join(_modes_by_class(known), on="class", how="left")
        .sort("share", "class", descending=[True, False])
    )
    grey = int(known["grey"].sum())
    stored = dataset.part("train", "val", "test").group_by(format="measure.format", mode="measure.mode").len("n")
    stored = stored.sort("n", "format", "mode", descending=[True, False, False])
    modes = stored.group_by("mode").agg(pl.col("n").sum()).sort("n", "mode", descending=[True, False])
    evidence: dict[str, Json] = {
        "grey": grey,
        "grey_share": round(grey / known.height, DIGITS),
        "of": known.height,
        "modes": dict(modes.iter_rows()),
        "stored": [list(row) for row in stored.iter_rows()],
    }
    classes: dict[str, float] = {}
    for name, n, n_grey, share in rows.drop("modes").iter_rows():
        elsewhere = max(grey - n_grey, 1) / max(known.height - n, 1)
        if n_grey == n and elsewhere**n < CHANCE / len(dataset.classes):
            classes[name] = share
    evidence["grey_classes"] = classes
    verdict: Verdict = "passed"
    if grey == 0:
        sentence = f"None of the {several(known.height, 'picture')} of train and val is grey."
    elif grey == known.height:
        sentence = f"All {several(known.height, 'picture')} of train and val are grey."
        verdict = "note"
    else:
        sentence = (
            f"{number(grey)} of {several(known.height, 'picture')} of train and val "
            f"({percent(evidence['grey_share'])}) {'is' if grey == 1 else 'are'} grey"
        )
        verdict = "note" if evidence["grey_share"] >= WORTH_KNOWING else "passed"
        if classes:
            sentence += f", among them all of {listed(list(classes))}: lack of colour alone gives the class away"
            verdict = "issue"
        sentence += "."
    if modes.height > 1:
        counted = ", ".join(f"{mode} ({number(n)})" for mode, n in modes.iter_rows())
        sentence += f" The labelled pictures are stored as {counted}; all are read as RGB."
    return Finding("colour", verdict, sentence, evidence, rows)


def _modes_by_class(known: pl.DataFrame) -> pl.DataFrame:
    """class, modes: "RGB 28, L 2", the most frequent first."""
    counts = known.group_by("label", "mode").len("n").sort("n", "mode", descending=[True, False])
    told = pl.format("{} {}", "mode", "n").str.join(", ").alias("modes")
    return counts.group_by(pl.col("label").alias("class"), maintain_order=True).agg(told)


def brightness(dataset: Dataset) -> Finding:
    """Mean luma of the labelled pictures (0 black, 1 white), and the pictures that show nothing.

    low and high are the 5th and the 95th percentile.
    """
    pictures = dataset.part("train", "val", "test").select(
        "id", "label", "input", brightness="measure.brightness", contrast="measure.contrast"
    )
    light = pictures["brightness"]
    flat = pl.col("contrast") < FLAT
    extreme = ~pl.col("brightness").is_between(DARK, BRIGHT)
    rows = pictures.filter(flat | extreme).sort("contrast", "id")
    evidence: dict[str, Json] = {
        "mean": round(float(light.mean() or 0), 3),  # type: ignore[arg-type]
        "low": round(float(light.quantile(0.05) or 0), 3),
        "high": round(float(light.quantile(0.95) or 0), 3),
        "flat": rows.filter(flat).height,
        "extreme": rows.filter(extreme & ~flat).height,
    }
    sentence = (
        f"The mean brightness of the pictures (0 black, 1 white) is {evidence['mean']:.2f}, for nine in ten "
        f"between {evidence['low']:.2f} and {evidence['high']:.2f}."
    )
    if evidence["flat"]:
        shows = "shows" if evidence["flat"] == 1 else "show"
        sentence += f" {several(evidence['flat'], 'picture')} {shows} one even tone and nothing else."
    if evidence["extreme"]:
        are = "is" if evidence["extreme"] == 1 else "are"
        sentence += f" {several(evidence['extreme'], 'picture')} {are} nearly black or nearly white."
    verdict: Verdict = "issue" if evidence["flat"] else "note" if evidence["extreme"] else "passed"
    return Finding("brightness", verdict, sentence, evidence, rows)
