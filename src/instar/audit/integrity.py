"""Can everything be read, and was it read as its author meant it?"""

import polars as pl

from instar.audit.wording import DIGITS, number, percent, several
from instar.data.opening import TWIN_OF
from instar.records import Dataset, Finding, Json, Verdict


def unreadable(dataset: Dataset) -> Finding:
    """Rows that were set aside because their content cannot be read, by reason.

    Copies of held-out examples are set aside too where the split was given; they belong to `exact_twins`.
    """
    unread = dataset.part("quarantined").filter(~pl.col("error").is_in(list(TWIN_OF.values())))
    rows = unread.select("id", "label", pl.col("error").alias("reason"))
    reasons = rows.group_by("reason").len("n").sort("n", "reason", descending=[True, False])
    evidence: dict[str, Json] = {
        "n": rows.height,
        "rows": dataset.table.height,
        "reasons": dict(zip(reasons["reason"], reasons["n"], strict=True)),
        "share": round(rows.height / dataset.table.height, DIGITS),
    }
    if not rows.height:
        every = number(dataset.table.height)
        return Finding("unreadable", "passed", f"All {every} {dataset.modality}s can be read.", evidence)
    why = ", ".join(f"{reason} ({number(n)})" for reason, n in reasons.iter_rows())
    sentence = (
        f"{number(rows.height)} of {several(dataset.table.height, 'row')} ({percent(evidence['share'])}) "
        f"cannot be read and {'was' if rows.height == 1 else 'were'} set aside: {why}."
    )
    return Finding("unreadable", "issue", sentence, evidence, rows)


def columns(dataset: Dataset) -> Finding:
    """Which columns of the table hold what, and what of that was guessed."""
    keys = ("text_column", "image_column", "label_column", "guessed", "headers_stripped")
    evidence: dict[str, Json] = {key: dataset.opening[key] for key in keys}
    if not dataset.opening["table"]:
        sentence = "The folders name the classes; there is no table whose columns could be mistaken."
        return Finding("columns", "not applicable", sentence, evidence)
    content = evidence["text_column"] or evidence["image_column"]
    parts = [f"The {dataset.modality} stands in column “{content}”, the label in “{evidence['label_column']}”."]
    if evidence["guessed"]:
        parts.append(f"Guessed: {evidence['guessed'].rstrip('.')}.")
    if evidence["headers_stripped"]:
        names = ", ".join(f"“{name}”" for name in evidence["headers_stripped"])
        parts.append(f"Blanks around the names of columns were removed: {names}.")
    verdict: Verdict = "note" if len(parts) > 1 else "passed"
    return Finding("columns", verdict, " ".join(parts), evidence)


def encoding(dataset: Dataset) -> Finding:
    """Whether the table is UTF-8, and as what it was read where it is not."""
    evidence: dict[str, Json] = {key: dataset.opening[key] for key in ("encoding", "not_utf8")}
    if not evidence["encoding"]:
        return Finding("encoding", "not applicable", "There is no table that could be misread.", evidence)
    if not evidence["not_utf8"]:
        return Finding("encoding", "passed", f"The table reads as {evidence['encoding']} throughout.", evidence)
    sentence = (
        f"The table is not UTF-8 ({several(evidence['not_utf8'], 'byte')} are not valid there); it was "
        f"read as {evidence['encoding']}, and other programs may show other characters."
    )
    return Finding("encoding", "note", sentence, evidence)
