"""Does a picture mean the same in a mirror?"""

from collections.abc import Mapping

import numpy as np
import polars as pl
from scipy.special import ndtri

from instar.audit.association import ALPHA, wilson_low
from instar.audit.frozen import Frozen, Ints, mean_interval
from instar.audit.shortcuts import percent_points
from instar.audit.wording import DIGITS, number, percent, several
from instar.records import Finding, Json, Verdict

HARM = 0.01
"""Loss of accuracy, surely exceeded, from which mirrored pictures are other pictures (our judgement)."""
SWAPPED = 0.5
"""Share of the pictures of a class, known as they are, that surely become one other class in the mirror where the
mirror swaps the two: of classes that nothing tells apart half would."""


def mirror(frozen: Frozen) -> Finding:
    """Answers of the probe to pictures and to their mirror images, neither of them learnt from; paired.

    The interval is that of the mean difference over groups. A probe that has seen each class from one side only may
    lose accuracy too, though no label would become wrong: the swaps tell the two apart. One class that surely turns
    into another is an issue of its own, as among many classes it hardly moves the mean.
    """
    if frozen.mirrored is None:
        return Finding("mirror", "not applicable", f"{frozen.modality.capitalize()}s have no mirror images.")
    at, mirrored = frozen.mirrored.places, frozen.mirrored.answers
    labels, groups = frozen.labels[frozen.known[at]], frozen.groups[frozen.known[at]]
    plain = frozen.answers[at]
    right, still = plain == labels, mirrored == labels
    difference, low, high = mean_interval(still.astype(np.float64) - right.astype(np.float64), groups)
    rows = _classes(frozen, labels, plain, mirrored, groups)
    swapped = rows.filter(pl.col("surely") >= SWAPPED)
    evidence: dict[str, Json] = {
        "n": len(at),
        "changed": round(float((plain != mirrored).mean()), DIGITS),
        "accuracy": round(float(right.mean()), DIGITS),
        "mirrored_accuracy": round(float(still.mean()), DIGITS),
        "difference": difference,
        "low": low,
        "high": high,
        "swapped": swapped.select("class", "into", "right", "turned", "surely").to_dicts(),
        "swap": SWAPPED,
    }
    sentence = (
        f"A mirror changes the probe's answer to {percent(evidence['changed'])} of {number(len(at))} pictures; it gets "
        f"{percent(evidence['accuracy'])} of the pictures and {percent(evidence['mirrored_accuracy'])} of their mirror "
        f"images right (difference {percent_points(difference)}, 95 % interval {percent_points(low)} to "
        f"{percent_points(high)} points)"
    )
    verdict: Verdict = "issue" if swapped.height else "note" if high <= -HARM else "passed"
    if verdict != "passed":
        sentence += ", so left and right matter here"
    if swapped.height:
        sentence += f": {turned(evidence['swapped'][0])}"
        if swapped.height > 1:
            sentence += f", and {several(swapped.height - 1, 'more class', 'more classes')} likewise"
    return Finding("mirror", verdict, sentence + ".", evidence, rows)


def turned(swap: Mapping[str, Json]) -> str:
    """What became of the class that most surely turns."""
    return (
        f"“{swap['class']}” becomes “{swap['into']}” in {number(swap['turned'])} of {number(swap['right'])} pictures "
        "that the probe knows as they are"
    )


def _classes(frozen: Frozen, labels: Ints, plain: Ints, mirrored: Ints, groups: Ints) -> pl.DataFrame:
    """class, n, changed, and of one example of each group: right (as they are), into (what most of these become),
    turned (how many do), surely (lower bound of that share).

    The bound is Wilson's, for all classes together (Bonferroni), from the class itself or with that which it becomes,
    if that becomes it: what a mirror turns it turns back.
    """
    found = []
    counts = np.zeros((len(frozen.classes), len(frozen.classes)), dtype=np.int64)
    _, first = np.unique(groups, return_index=True)
    known = first[plain[first] == labels[first]]
    np.add.at(counts, (labels[known], mirrored[known]), 1)
    right_of = counts.sum(1)
    others = counts - np.diag(np.diag(counts))
    z = float(-ndtri(ALPHA / 2 / (2 * len(np.unique(labels)))))
    for code in np.unique(labels).tolist():
        own = labels == code
        into, right = int(others[code].argmax()), int(right_of[code])
        became, back, right_back = int(others[code, into]), int(others[into, code]), int(right_of[into])
        bounds = [wilson_low(became, right, z)] if right else [0.0]
        if became >= SWAPPED * right and back >= SWAPPED * right_back and right and right_back:
            bounds.append(wilson_low(became + back, right + right_back, z))
        found.append(
            {
                "class": frozen.classes[code],
                "n": int(own.sum()),
                "right": right,
                "changed": int((own & (plain != mirrored)).sum()),
                "into": frozen.classes[into] if became else None,
                "turned": became,
                "surely": round(max(bounds), DIGITS),
            }
        )
    schema = {"class": pl.String, "n": pl.Int64, "right": pl.Int64, "changed": pl.Int64, "into": pl.String,
              "turned": pl.Int64, "surely": pl.Float64}  # fmt: skip
    order = ("surely", "turned", "changed", "class")
    return pl.DataFrame(found, schema=schema).sort(order, descending=[True, True, True, False])
