"""Do the labels agree with each other, and is there an order in them? Labels of test rows are never seen."""

import polars as pl

from instar.audit.wording import DIGITS, number, percent, several
from instar.records import Dataset, Finding, Json


def conflicting_labels(dataset: Dataset) -> Finding:
    """The same content with different labels in train and val, and the ceiling that this puts on accuracy.

    A model that reads nothing but the content has one answer per content; the best it can do is to answer
    each with its most frequent label. The share of rows that are right then is the ceiling.
    """
    known = dataset.part("train", "val")
    rows = (
        known.filter(pl.col("label").n_unique().over("twin") > 1)
        .select("id", pl.col("twin").alias("group"), "label", "input")
        .sort("group", "label", "id")
    )
    right = rows.group_by("group", "label").len().group_by("group").agg(pl.col("len").max())["len"].sum()
    evidence: dict[str, Json] = {
        "groups": rows["group"].n_unique(),
        "rows": rows.height,
        "ceiling": round(1 - (rows.height - right) / known.height, DIGITS),
        "of": known.height,
    }
    if not rows.height:
        sentence = f"No {dataset.modality} of train and val stands there twice with different labels."
        return Finding("conflicting-labels", "passed", sentence, evidence, rows)
    sentence = (
        f"{several(evidence['groups'], dataset.modality)} in train and val "
        f"{'carries' if evidence['groups'] == 1 else 'carry'} different labels in "
        f"different rows ({number(rows.height)} of {several(known.height, 'row')}); with one answer for "
        f"each, no model can get more than {percent(evidence['ceiling'])} of train and val right."
    )
    return Finding("conflicting-labels", "issue", sentence, evidence, rows)


def ordered_labels(dataset: Dataset) -> Finding:
    """Whether the names of the classes tell an order, so that a near miss is better than a far one."""
    evidence: dict[str, Json] = {"ordered": dataset.ordered, "classes": list(dataset.classes)}
    if not dataset.ordered:
        return Finding("ordered-labels", "passed", "The names of the classes tell no order.", evidence)
    order = " < ".join(dataset.classes)
    sentence = f"The classes are ordered ({order}): a near miss is better than a far one."
    return Finding("ordered-labels", "note", sentence, evidence)
