"""How well does a linear probe on frozen features tell the classes, against what is cheap?"""

import numpy as np
import polars as pl

from instar.audit.frozen import Frozen, Ints, labelled, share_interval
from instar.audit.frozen_probe import FOLDS
from instar.audit.wording import DIGITS, number, percent
from instar.records import Finding, Json, Verdict


def separability(frozen: Frozen) -> Finding:
    """A linear probe out of fold against a cheap baseline and the most frequent label, whole groups in one fold.

    A linear probe says how much a representation tells of the labels (Alain and Bengio 2016, arXiv 1610.01644). The
    strength of its regularisation was chosen on one of the folds, one figure out of five.
    """
    labels, groups = frozen.labels[frozen.known], frozen.groups[frozen.known]
    right = frozen.answers == labels
    low, high = share_interval(right, groups)
    sizes = np.bincount(labels, minlength=len(frozen.classes))
    recall = np.bincount(labels, weights=right, minlength=len(sizes)) / np.maximum(sizes, 1)
    called = np.bincount(frozen.answers, minlength=len(sizes))
    hits = np.bincount(labels, weights=right, minlength=len(sizes))
    f1 = (2 * hits / np.maximum(sizes + called, 1))[sizes > 0]
    columns: dict[str, list[Json]] = {
        "class": [name for name, n in zip(frozen.classes, sizes, strict=True) if n],
        "n": sizes[sizes > 0].tolist(),
        "recall": recall[sizes > 0].round(DIGITS).tolist(),
        "cheap_recall": [None] * int((sizes > 0).sum()),
    }
    evidence: dict[str, Json] = {
        "backbone": frozen.backbone,
        "n": len(labels),
        "folds": FOLDS,
        "accuracy": round(float(right.mean()), DIGITS),
        "low": low,
        "high": high,
        "macro_f1": round(float(f1.mean()), DIGITS),
        "majority": round(float(sizes.max() / len(labels)), DIGITS),
        "seconds": round(frozen.seconds, 1),
        "left_out": frozen.left_out,
    }
    sentence = (
        f"A linear probe on frozen features of {frozen.backbone} gets {percent(evidence['accuracy'])} of "
        f"{number(len(labels))} {labelled(frozen)} right out of fold (95 % interval {percent(low)} to {percent(high)}, "
        f"{FOLDS} folds); the most frequent label is {percent(evidence['majority'])} of them"
    )
    floor = evidence["majority"]
    if frozen.cheap is not None:
        cheap, recalls = _cheap(frozen.cheap, labels, groups, len(sizes))
        evidence |= {**cheap, "cheap": frozen.cheap_name}
        columns["cheap_recall"] = [recalls.get(int(code)) for code in np.flatnonzero(sizes)]
        sentence += (
            f", and {frozen.cheap_name} gets {percent(cheap['cheap_accuracy'])} of {number(cheap['cheap_n'])} right"
        )
        floor = max(floor, cheap["cheap_high"])
    schema = {"class": pl.String, "n": pl.Int64, "recall": pl.Float64, "cheap_recall": pl.Float64}
    table = pl.DataFrame(columns, schema=schema).sort("recall", "class")
    hardest = table.row(0, named=True)
    evidence |= {"hardest": hardest["class"], "hardest_recall": hardest["recall"], "hardest_n": hardest["n"]}
    if hardest["recall"] < 1:
        sentence += (
            f". Hardest is “{hardest['class']}”: {percent(hardest['recall'])} of its {number(hardest['n'])} are found"
        )
    verdict: Verdict = "issue" if low <= evidence["majority"] else "note" if low <= floor else "passed"
    if verdict == "issue":
        sentence += ". So these features tell the labels no better than a guess"
    elif verdict == "note":
        sentence += ". So the features are not clearly better than what is cheap"
    if frozen.left_out:
        sentence += f". {number(frozen.left_out)} more were not looked at"
    return Finding("separability", verdict, sentence + ".", evidence, table)


def _cheap(answers: Ints, labels: Ints, groups: Ints, classes: int) -> tuple[dict[str, Json], dict[int, float]]:
    """Figures of the baseline on the examples that it was asked for, and its recall by class."""
    asked = answers >= 0
    right = answers[asked] == labels[asked]
    low, high = share_interval(right, groups[asked])
    n = np.bincount(labels[asked], minlength=classes)
    hits = np.bincount(labels[asked], weights=right, minlength=classes)
    figures: dict[str, Json] = {
        "cheap_accuracy": round(float(right.mean()), DIGITS),
        "cheap_low": low,
        "cheap_high": high,
        "cheap_n": int(asked.sum()),
    }
    return figures, {int(c): round(float(hits[c] / n[c]), DIGITS) for c in np.flatnonzero(n)}
