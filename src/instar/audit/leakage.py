"""Does the same example stand in more than one place?"""

import polars as pl

from instar.audit.wording import DIGITS, number, percent, several
from instar.data.opening import TWIN_OF
from instar.records import Dataset, Finding, Json, Verdict

LEAK = 0.01
"""Share of a random test split with a copy in train from which a score is no longer what it says (our
judgement: it is the size of the differences between good models)."""
MOST_CLASSES = 3
"""Classes that are named for their copies."""


def exact_twins(dataset: Dataset) -> Finding:
    """Labelled examples that are copies of another one, by class as far as labels are known, and what a random split
    would have leaked.
    """
    set_aside = pl.col("error").is_in(list(TWIN_OF.values())).fill_null(False)
    labelled = dataset.table.filter(pl.col("split").is_in(["train", "val", "test"]) | set_aside)
    across = labelled.filter(set_aside).height
    rows = (
        labelled.filter(pl.len().over("twin") > 1)
        .select("id", pl.col("twin").alias("group"), "label", "split", "input")
        .sort("group", "id")
    )
    sizes = rows.group_by("group").len()["len"]
    leak = round(float(dataset.opening["random_leak"]), DIGITS)
    evidence: dict[str, Json] = {
        "groups": len(sizes),
        "rows": rows.height,
        "share": round(rows.height / labelled.height, DIGITS),
        "random_leak": leak,
        "of": labelled.height,
        "largest": int(sizes.max() or 0),  # type: ignore[arg-type]
        "across": across,
        **_by_class(rows),
    }
    if not rows.height:
        sentence = f"No two of the {number(labelled.height)} labelled {dataset.modality}s are exact copies."
        return Finding("exact-twins", "passed", sentence, evidence, rows)
    sentence = (
        f"{number(rows.height)} of {several(labelled.height, 'row')} ({percent(evidence['share'])}) are "
        f"exact copies of another {dataset.modality}, in {several(len(sizes), 'group')} "
        f"of {'' if len(sizes) == 1 else 'up to '}{number(evidence['largest'])}; "
    )
    if across:
        sentence += (
            f"{several(across, 'row')} of the training and validation parts that came with the set "
            f"{'is a copy' if across == 1 else 'are copies'} of held-out examples and set aside."
        )
    else:
        sentence += (
            f"a random split would have put a copy of {percent(leak)} of its test {dataset.modality}s into "
            "train. Here a group stays in one split."
        )
    sentence += _classes_said(evidence)
    verdict: Verdict = "issue" if across or leak >= LEAK else "note"
    return Finding("exact-twins", verdict, sentence, evidence, rows)


def _by_class(rows: pl.DataFrame) -> dict[str, Json]:
    """Groups with two labels that are known or more, by whether these agree; the classes with most copies.

    Labels of test rows are sealed, so of a group that holds no other row nothing is said.
    """
    known = rows.drop_nulls("label")
    labels = known.group_by("group").agg(pl.len().alias("n"), pl.col("label").n_unique().alias("k"))
    classes = known["label"].value_counts().sort("count", "label", descending=[True, False])
    return {
        "within_classes": labels.filter((pl.col("n") > 1) & (pl.col("k") == 1)).height,
        "between_classes": labels.filter(pl.col("k") > 1).height,
        "classes": [list(row) for row in classes.head(MOST_CLASSES).iter_rows()],
        "more_classes": max(classes.height - MOST_CLASSES, 0),
    }


def _classes_said(e: dict[str, Json]) -> str:
    """Whether copies share their label, and which classes hold most of them."""
    within, between = e["within_classes"], e["between_classes"]
    if not within + between:
        return ""
    said = (
        f" Of the groups whose labels are known, {number(within)} {'lies' if within == 1 else 'lie'} within one class "
        f"and {number(between) if between else 'none'} {'have' if between > 1 else 'has'} different labels"
    )
    said += f"; rows by class: {', '.join(f'{name} ({number(n)})' for name, n in e['classes'])}"
    more = f" and {several(e['more_classes'], 'other class', 'other classes')}" if e["more_classes"] else ""
    return f"{said}{more}."


def unlabelled(dataset: Dataset) -> Finding:
    """Rows without a label: copies of training examples among them, and names that stand for two things.

    A name clashes where the file name (the last part of the id) is that of a labelled example with another
    content: joining by file name would mix them up.
    """
    name = pl.col("id").str.split("/").list.last().alias("name")
    without = dataset.part("unlabelled").with_columns(name)
    labelled = dataset.part("train", "val", "test").with_columns(name)
    # A row per name, not per labelled row: where every file is called image.jpg, each would meet each.
    contents = labelled.group_by("name").agg(pl.col("twin").n_unique().alias("contents"), pl.col("twin").first())
    same = without.select("id", "name", "twin").join(contents, on="name", suffix="_other")
    clashing = same.filter((pl.col("contents") > 1) | (pl.col("twin") != pl.col("twin_other")))["id"].unique()
    rows = without.select(
        "id",
        pl.col("twin").is_in(dataset.part("train")["twin"].unique().implode()).alias("twin_in_train"),
        pl.col("id").is_in(clashing.implode()).alias("clashing_name"),
    )
    evidence: dict[str, Json] = {
        "n": rows.height,
        "twins_in_train": int(rows["twin_in_train"].sum()),
        "clashing_names": int(rows["clashing_name"].sum()),
    }
    if not rows.height:
        return Finding("unlabelled", "passed", "Every readable row has a label.", evidence)
    parts = [f"{several(rows.height, 'row')} without a label {'is' if rows.height == 1 else 'are'} kept apart"]
    if evidence["clashing_names"]:
        parts.append(
            f"{number(evidence['clashing_names'])} with the file name of a different labelled "
            f"{dataset.modality}, so that a file name alone does not tell which is meant"
        )
    if evidence["twins_in_train"]:
        parts.append(
            f"{number(evidence['twins_in_train'])} with an exact copy among the training "
            f"{dataset.modality}s, where a good answer may be memory"
        )
    verdict: Verdict = "issue" if evidence["twins_in_train"] else "note"
    return Finding("unlabelled", verdict, "; ".join(parts) + ".", evidence, rows)
