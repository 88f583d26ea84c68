"""Does a picture mean the same in a mirror?"""

import numpy as np
import polars as pl

from instar.audit.frozen import Frozen, mean_interval
from instar.audit.shortcuts import percent_points
from instar.audit.wording import DIGITS, number, percent
from instar.records import Finding, Json, Verdict

HARM = 0.01
"""Loss of accuracy, surely exceeded, from which mirrored pictures are other pictures (our judgement)."""
SWAPPED = 0.5
"""Share of the pictures of a class, known as they are, that must become one other class in the mirror for a swap."""
FEWEST = 5


def mirror(frozen: Frozen) -> Finding:
    """Answers of the probe to pictures and to their mirror images, neither of them learnt from; paired.

    The interval is that of the mean difference over groups. A probe that has seen each class from one side only may
    lose accuracy too, though no label would become wrong: the swaps tell the two apart.
    """
    if frozen.mirrored is None:
        return Finding("mirror", "not applicable", f"{frozen.modality.capitalize()}s have no mirror images.")
    at, mirrored = frozen.mirrored.places, frozen.mirrored.answers
    labels, groups = frozen.labels[frozen.known[at]], frozen.groups[frozen.known[at]]
    plain = frozen.answers[at]
    right, still = plain == labels, mirrored == labels
    difference, low, high = mean_interval(still.astype(np.float64) - right.astype(np.float64), groups)
    rows = _classes(frozen, labels, plain, mirrored)
    swapped = rows.filter((pl.col("right") >= FEWEST) & (pl.col("turned") >= SWAPPED * pl.col("right")))
    evidence: dict[str, Json] = {
        "n": len(at),
        "changed": round(float((plain != mirrored).mean()), DIGITS),
        "accuracy": round(float(right.mean()), DIGITS),
        "mirrored_accuracy": round(float(still.mean()), DIGITS),
        "difference": difference,
        "low": low,
        "high": high,
        "swapped": swapped.select("class", "into").to_dicts(),
    }
    sentence = (
        f"A mirror changes the probe's answer to {percent(evidence['changed'])} of {number(len(at))} pictures; it gets "
        f"{percent(evidence['accuracy'])} of the pictures and {percent(evidence['mirrored_accuracy'])} of their mirror "
        f"images right (difference {percent_points(difference)}, 95 % interval {percent_points(low)} to "
        f"{percent_points(high)} points)"
    )
    verdict: Verdict = "passed"
    if high <= -HARM:
        verdict = "issue" if swapped.height else "note"
        sentence += ", so left and right matter here"
    if swapped.height and verdict != "passed":
        worst = evidence["swapped"][0]
        sentence += f": “{worst['class']}” becomes “{worst['into']}”"
    return Finding("mirror", verdict, sentence + ".", evidence, rows)


def _classes(frozen: Frozen, labels: np.ndarray, plain: np.ndarray, mirrored: np.ndarray) -> pl.DataFrame:
    """class, n, right (as they are), changed, into (what most of the right ones become), turned (how many do)."""
    found = []
    for code in np.unique(labels).tolist():
        own = labels == code
        right = own & (plain == code)
        turned = np.bincount(mirrored[right & (mirrored != code)], minlength=len(frozen.classes))
        found.append(
            {
                "class": frozen.classes[code],
                "n": int(own.sum()),
                "right": int(right.sum()),
                "changed": int((own & (plain != mirrored)).sum()),
                "into": frozen.classes[int(turned.argmax())] if turned.any() else None,
                "turned": int(turned.max()),
            }
        )
    schema = {"class": pl.String, "n": pl.Int64, "right": pl.Int64, "changed": pl.Int64, "into": pl.String,
              "turned": pl.Int64}  # fmt: skip
    return pl.DataFrame(found, schema=schema).sort("turned", "changed", "class", descending=[True, True, False])
