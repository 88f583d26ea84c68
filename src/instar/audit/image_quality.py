"""Pictures that are blurred or framed, and the colours of the set as a whole."""

import numpy as np
import polars as pl

from instar.audit.check import WORTH_KNOWING
from instar.audit.wording import DIGITS, number, percent, several
from instar.data.look import FLAT
from instar.records import Dataset, Finding, Json

FAR_OUT = 5.0
"""Robust standard deviations below the median, on a log scale, from which a picture is blurred beyond the others."""
BORDER = 0.1
"""Share of the area that a border must take to be counted."""
CHANNELS = ("red", "green", "blue")
IMAGENET = {"red": (0.485, 0.229), "green": (0.456, 0.224), "blue": (0.406, 0.225)}
"""Mean and deviation of the channels of ImageNet, on which most networks were trained (torchvision's documentation)."""
OLD = "The set was opened before this was measured; open it anew."


def blur(dataset: Dataset) -> Finding:
    """Pictures far less sharp than the others; the deviation is 1.4826 times the median absolute one."""
    pictures = dataset.part("train", "val", "test")
    if "measure.sharpness" not in pictures.columns:
        return Finding("blur", "skipped", OLD)
    seen = pictures.filter((pl.col("measure.contrast") >= FLAT) & (pl.col("measure.sharpness") > 0))
    sharp = np.log(seen["measure.sharpness"].to_numpy())
    middle = float(np.median(sharp)) if len(sharp) else 0.0
    spread = 1.4826 * float(np.median(np.abs(sharp - middle))) if len(sharp) else 0.0
    far = sharp < middle - FAR_OUT * spread if spread else np.zeros(len(sharp), dtype=bool)
    rows = seen.filter(far).select("id", "label", "input", sharpness="measure.sharpness").sort("sharpness", "id")
    evidence: dict[str, Json] = {
        "n": rows.height,
        "of": pictures.height,
        "median": round(float(np.exp(middle)), DIGITS),
        "below": round(float(np.exp(middle - FAR_OUT * spread)), DIGITS),
        "deviations": FAR_OUT,
    }
    if not rows.height:
        return Finding("blur", "passed", "No picture is far more blurred than the others.", evidence, rows)
    sentence = f"{number(rows.height)} of {several(pictures.height, 'picture')} {'is' if rows.height == 1 else 'are'}"
    return Finding("blur", "note", f"{sentence} far more blurred, or smoother, than the others.", evidence, rows)


def borders(dataset: Dataset) -> Finding:
    """Pictures within an even frame (bars, plain background): the network looks at less of the thing itself."""
    pictures = dataset.part("train", "val", "test")
    if "measure.border" not in pictures.columns:
        return Finding("borders", "skipped", OLD)
    rows = (
        pictures.filter(pl.col("measure.border") >= BORDER)
        .select("id", "label", "input", border=pl.col("measure.border").round(3))
        .sort("border", "id", descending=[True, False])
    )
    share = round(rows.height / pictures.height, DIGITS)
    evidence: dict[str, Json] = {"n": rows.height, "of": pictures.height, "share": share, "border": BORDER}
    if not rows.height:
        sentence = f"No picture has an even border of {percent(BORDER)} of its area or more."
        return Finding("borders", "passed", sentence, evidence, rows)
    sentence = (
        f"{number(rows.height)} of {several(pictures.height, 'picture')} ({percent(share)}) "
        f"{'has' if rows.height == 1 else 'have'} an even border, bars or plain background, of "
        f"{percent(BORDER)} of the area or more."
    )
    return Finding("borders", "note" if share >= WORTH_KNOWING else "passed", sentence, evidence, rows)


def channels(dataset: Dataset) -> Finding:
    """Mean and deviation of each colour channel, against the pictures that most networks were trained on."""
    pictures = dataset.part("train", "val", "test")
    if "measure.red" not in pictures.columns:
        return Finding("channels", "skipped", OLD)
    found: list[dict[str, Json]] = []
    for name in CHANNELS:
        means, deviations = pictures[f"measure.{name}"].to_numpy(), pictures[f"measure.{name}_deviation"].to_numpy()
        mean = float(means.mean())
        deviation = float(np.sqrt((deviations**2).mean() + means.var()))  # within the pictures and between them
        found.append({"channel": name, "mean": round(mean, 3), "deviation": round(deviation, 3)})
    rows = pl.DataFrame(found)
    evidence: dict[str, Json] = {row["channel"]: [row["mean"], row["deviation"]] for row in found}
    off = {
        row["channel"]: round((row["mean"] - IMAGENET[row["channel"]][0]) / IMAGENET[row["channel"]][1], 2)
        for row in found
    }
    evidence["off"] = off
    figures = ", ".join(f"{row['channel']} {row['mean']:.2f} ± {row['deviation']:.2f}" for row in found)
    sentence = f"Mean and deviation of the channels (0 to 1): {figures}"
    worst = max(off, key=lambda name: abs(off[name]))
    if abs(off[worst]) < 1:
        sentence += "; that is within one deviation of ImageNet."
        return Finding("channels", "passed", sentence, evidence, rows)
    sentence += (
        f"; {worst} is {abs(off[worst]):.2f} deviations away from ImageNet, on which most networks were trained."
    )
    return Finding("channels", "note", sentence, evidence, rows)
