"""Which classes does the probe take for each other?"""

import numpy as np
import polars as pl

from instar.audit.association import wilson_low
from instar.audit.frozen import Frozen
from instar.audit.wording import DIGITS, number, percent, several
from instar.records import Finding, Json

SURELY = 0.1
"""Share of a class that is taken for another one, surely exceeded, from which both are confusable (our judgement)."""
Z = 3.0
"""Deviations of the bound: one of many pairs."""
MOST = 200
"""Pairs that are listed."""


def confusable_classes(frozen: Frozen) -> Finding:
    """Pairs of classes of which the probe, out of fold, takes one for the other more than now and then.

    `share` is the share of the first class that is called the second, `n` their number; `back` and `back_n` the
    other way round. A pair counts when the Wilson bound of `share` is at least `SURELY`, and more than the share of the
    second class among all answers: a probe that guesses confuses everything alike.
    """
    labels, answers, classes = frozen.labels[frozen.known], frozen.answers, len(frozen.classes)
    counts = np.bincount(labels * classes + answers, minlength=classes**2).reshape(classes, classes)
    sizes, usual = counts.sum(1), counts.sum(0) / counts.sum()
    found = []
    for a, b in np.argwhere(np.triu(counts + counts.T, 1)).tolist():
        first, second = max((a, b), (b, a), key=lambda p: (counts[p] / max(sizes[p[0]], 1), -p[0]))
        n, back = int(counts[first, second]), int(counts[second, first])
        found.append(
            {
                "first": frozen.classes[first],
                "second": frozen.classes[second],
                "share": round(n / int(sizes[first]), DIGITS),
                "n": n,
                "back": round(back / max(int(sizes[second]), 1), DIGITS),
                "back_n": back,
                "usual": round(float(usual[second]), DIGITS),
                "low": round(wilson_low(n, int(sizes[first]), Z), DIGITS),
            }
        )
    schema = {"first": pl.String, "second": pl.String, "share": pl.Float64, "n": pl.Int64, "back": pl.Float64,
              "back_n": pl.Int64, "usual": pl.Float64, "low": pl.Float64}  # fmt: skip
    table = pl.DataFrame(found, schema=schema).sort(
        "low", "share", "first", "second", descending=[True, True, False, False]
    )
    sure = table.filter((pl.col("low") >= SURELY) & (pl.col("low") > pl.col("usual"))).drop("low", "usual")
    evidence: dict[str, Json] = {
        "pairs": sure.height,
        "surely": SURELY,
        "worst": sure.head(3).select("first", "second", "share", "back").to_dicts(),
        "classes": classes,
    }
    if not sure.height:
        sentence = f"Out of fold the probe takes no class for one other in surely {percent(SURELY)} of its examples."
        return Finding("confusable-classes", "passed", sentence, evidence, table.drop("low", "usual").head(MOST))
    named = "; ".join(
        f"“{row['first']}” is taken for “{row['second']}” in {percent(row['share'])} of its examples"
        + (f" ({percent(row['back'])} the other way round)" if row["back"] else "")
        for row in evidence["worst"]
    )
    more = f" and {number(sure.height - 3)} more" if sure.height > 3 else ""
    sentence = f"The probe confuses {several(sure.height, 'pair')} of classes: {named}{more}."
    return Finding("confusable-classes", "note", sentence, evidence, sure.head(MOST))
