"""Does the same example stand in more than one place?"""

import polars as pl

from instar.audit.wording import DIGITS, number, percent, several
from instar.data.opening import TWIN_OF
from instar.records import Dataset, Finding, Json, Verdict

LEAK = 0.01
"""Share of a random test split with a copy in train from which a score is no longer what it says (our
judgement: it is the size of the differences between good models)."""


def exact_twins(dataset: Dataset) -> Finding:
    """Labelled examples that are copies of another one, and what a random split would have leaked."""
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
    verdict: Verdict = "issue" if across or leak >= LEAK else "note"
    return Finding("exact-twins", verdict, sentence, evidence, rows)


def unlabelled(dataset: Dataset) -> Finding:
    """Rows without a label: copies of training examples among them, and names that stand for two things.

    A name clashes where the file name (the last part of the id) is that of a labelled example with another
    content: joining by file name would mix them up.
    """
    name = pl.col("id").str.split("/").list.last().alias("name")
    without = dataset.part("unlabelled").with_columns(name)
    labelled = dataset.part("train", "val", "test").with_columns(name)
    same = without.select("id", "name", "twin").join(labelled.select("name", other="twin"), on="name")
    clashing = same.filter(pl.col("twin") != pl.col("other"))["id"].unique()
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
