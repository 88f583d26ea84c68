"""How well does a linear probe on frozen features tell the classes, against what is cheap?"""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from instar.audit.association import FOLDS
from instar.audit.balance import UNEVEN
from instar.audit.frozen import Frozen, Ints, labelled, share_interval
from instar.audit.wording import DIGITS, number, percent
from instar.records import Finding, Json, Verdict

Right = NDArray[np.bool_]


def separability(frozen: Frozen) -> Finding:
    """A linear probe out of fold against a cheap baseline and the most frequent label, whole groups in one fold.

    A linear probe says how much a representation tells of the labels (Alain and Bengio 2016, arXiv 1610.01644). The
    strength of its regularisation was chosen on one of the folds, one figure out of five. Where the sizes of the
    classes are uneven, the verdict goes by the mean of the classes' recalls (balanced accuracy): the accuracy of what
    always says the largest class is high there, and its balanced accuracy is that of any constant answer.
    """
    labels, groups = frozen.labels[frozen.known], frozen.groups[frozen.known]
    right = frozen.answers == labels
    low, high = share_interval(right, groups)
    sizes = np.bincount(labels, minlength=len(frozen.classes))
    called = np.bincount(frozen.answers, minlength=len(sizes))
    hits = np.bincount(labels, weights=right, minlength=len(sizes))
    there = sizes > 0
    f1 = (2 * hits / np.maximum(sizes + called, 1))[there]
    balanced, balanced_low, balanced_high = balanced_interval(right, labels, groups)
    ratio = round(float(sizes.max() / sizes[there].min()), 2)
    columns: dict[str, list[Json]] = {
        "class": [name for name, n in zip(frozen.classes, sizes, strict=True) if n],
        "n": sizes[there].tolist(),
        "recall": (hits[there] / sizes[there]).round(DIGITS).tolist(),
        "cheap_recall": [None] * int(there.sum()),
    }
    evidence: dict[str, Json] = {
        "backbone": frozen.backbone,
        "n": len(labels),
        "folds": FOLDS,
        "accuracy": round(float(right.mean()), DIGITS),
        "low": low,
        "high": high,
        "macro_f1": round(float(f1.mean()), DIGITS),
        "balanced": balanced,
        "balanced_low": balanced_low,
        "balanced_high": balanced_high,
        "majority": round(float(sizes.max() / len(labels)), DIGITS),
        "balanced_majority": round(1 / int(there.sum()), DIGITS),
        "ratio": ratio,
        "judged_by": "balanced accuracy" if ratio > UNEVEN else "accuracy",
        "seconds": round(frozen.seconds, 1),
        "left_out": frozen.left_out,
        "grouping": frozen.grouping,
    }
    sentence = (
        f"A linear probe on frozen features of {frozen.backbone} gets {percent(evidence['accuracy'])} of "
        f"{number(len(labels))} {labelled(frozen)} right out of fold (95 % interval {percent(low)} to {percent(high)}, "
        f"{FOLDS} folds); the most frequent label is {percent(evidence['majority'])} of them"
    )
    if frozen.cheap is not None:
        cheap, recalls = _cheap(frozen.cheap, labels, groups)
        evidence |= {**cheap, "cheap": frozen.cheap_name}
        columns["cheap_recall"] = [recalls.get(int(code)) for code in np.flatnonzero(sizes)]
        sentence += (
            f", and {frozen.cheap_name} gets {percent(cheap['cheap_accuracy'])} of {number(cheap['cheap_n'])} right"
        )
    schema = {"class": pl.String, "n": pl.Int64, "recall": pl.Float64, "cheap_recall": pl.Float64}
    table = pl.DataFrame(columns, schema=schema).sort("recall", "class")
    hardest = table.row(0, named=True)
    evidence |= {"hardest": hardest["class"], "hardest_recall": hardest["recall"], "hardest_n": hardest["n"]}
    verdict, judged = _judged(evidence)
    sentence += judged + _hardest(evidence)
    if verdict == "issue":
        sentence += ". So it is not sure that these features tell the labels better than always the largest class does"
    elif verdict == "note":
        sentence += ". So the features are not clearly better than what is cheap"
    if frozen.grouping == "exact":
        sentence += ". Only exact copies were kept in one fold, so near copies may have been learnt from"
    if frozen.left_out:
        sentence += f". {number(frozen.left_out)} more were not looked at"
    return Finding("separability", verdict, sentence + ".", evidence, table)


def _judged(evidence: dict[str, Json]) -> tuple[Verdict, str]:
    """The verdict, and what it goes by where that is not the accuracy."""
    low, floor, cheap, said = evidence["low"], evidence["majority"], evidence.get("cheap_high", 0.0), ""
    if evidence["judged_by"] == "balanced accuracy":
        low, floor = evidence["balanced_low"], evidence["balanced_majority"]
        cheap = evidence.get("cheap_balanced_high", 0.0)
        said = (
            f". As the largest class is {evidence['ratio']:.2f} times the smallest, the mean over the classes is what "
            f"counts: {percent(evidence['balanced'])} (95 % interval {percent(low)} to "
            f"{percent(evidence['balanced_high'])}), against {percent(floor)} for always the largest"
        )
        if "cheap_balanced" in evidence:
            said += f" and {percent(evidence['cheap_balanced'])} for {evidence['cheap']}"
    return "issue" if low <= floor else "note" if low <= cheap else "passed", said


def _hardest(evidence: dict[str, Json]) -> str:
    recall, n = evidence["hardest_recall"], evidence["hardest_n"]
    if recall == 1:
        return ""
    if recall > 0:
        found = f"{percent(recall)} of its {number(n)} are found"
    else:
        found = f"none of its {number(n)} is found" if n > 1 else "its only one is not found"
    return f". Hardest is “{evidence['hardest']}”: {found}"


def balanced_interval(right: Right, labels: Ints, groups: Ints) -> tuple[float, float, float]:
    """Mean of the classes' recalls, and its 95 % interval: those of the recalls (`share_interval`), put together by
    the squares of their distances from the recalls (Zou and Donner 2008, Stat. Med. 27)."""
    recalls, below, above = [], [], []
    for code in np.unique(labels):
        own = labels == code
        low, high = share_interval(right[own], groups[own])
        recalls.append(float(right[own].mean()))
        below.append(recalls[-1] - low)
        above.append(high - recalls[-1])
    mean, n = float(np.mean(recalls)), len(recalls)
    low, high = mean - float(np.linalg.norm(below)) / n, mean + float(np.linalg.norm(above)) / n
    return round(mean, DIGITS), round(max(low, 0.0), DIGITS), round(min(high, 1.0), DIGITS)


def _cheap(answers: Ints, labels: Ints, groups: Ints) -> tuple[dict[str, Json], dict[int, float]]:
    """Figures of the baseline on the examples that it was asked for, and its recall by class."""
    asked = answers >= 0
    labels, groups, right = labels[asked], groups[asked], (answers == labels)[asked]
    low, high = share_interval(right, groups)
    balanced, balanced_low, balanced_high = balanced_interval(right, labels, groups)
    figures: dict[str, Json] = {
        "cheap_accuracy": round(float(right.mean()), DIGITS),
        "cheap_low": low,
        "cheap_high": high,
        "cheap_n": len(labels),
        "cheap_balanced": balanced,
        "cheap_balanced_low": balanced_low,
        "cheap_balanced_high": balanced_high,
    }
    return figures, {int(c): round(float(right[labels == c].mean()), DIGITS) for c in np.unique(labels)}
