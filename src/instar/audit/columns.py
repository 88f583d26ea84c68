"""The columns beside the input: do they give the label away, and which of them say nothing?"""

from dataclasses import asdict

import numpy as np
import polars as pl

from instar.audit.association import LEAST, Ints, by_value, gain, known
from instar.audit.check import WORTH_KNOWING
from instar.audit.shortcuts import MATTERS
from instar.audit.wording import DIGITS, listed, number, percent, several
from instar.records import Dataset, Finding, Json, Verdict

EXTRA = "extra."
BINS = 20
"""Numbers of more values than these are cut into as many bins of equal share."""
ID_SHARE = 0.9
"""Share of different values from which a column is an id, a time stamp or free text, not a category; numbers with
fractions are measures however many they are."""
NEAR_EMPTY = 0.05
"""Share of filled rows below which a column is as good as empty (our judgement)."""


def idle_columns(dataset: Dataset) -> Finding:
    """Columns that say nothing: constants, ids, columns that are nearly empty."""
    rows = dataset.part("train", "val", "test")
    found = [_kind(rows[name]) for name in rows.columns if name.startswith(EXTRA)]
    if not found:
        return Finding("idle-columns", "not applicable", "There are no columns beside the input and the label.")
    table = pl.DataFrame(found)
    idle = table.filter(pl.col("kind") != "values")
    evidence: dict[str, Json] = {
        "columns": table.height,
        **{
            kind: table.filter(pl.col("kind") == kind)["column"].to_list()
            for kind in ("constant", "id", "nearly empty")
        },
    }
    if not idle.height:
        sentence = f"Each of the {several(table.height, 'further column')} is filled and varies."
        return Finding("idle-columns", "passed", sentence, evidence, table)
    named = [
        f"{kind} {listed([f'“{name}”' for name in evidence[kind]])}"
        for kind in ("constant", "id", "nearly empty")
        if evidence[kind]
    ]
    sentence = (
        f"{number(idle.height)} of {several(table.height, 'further column')} "
        f"{'tells' if idle.height == 1 else 'tell'} nothing that a rule could rest on: {'; '.join(named)}."
    )
    return Finding("idle-columns", "note", sentence, evidence, table)


def label_columns(dataset: Dataset) -> Finding:
    """Columns from which the label can be told: whoever trains on them learns the table, not the content."""
    rows = dataset.part("train", "val")
    kinds = {name: _kind(rows[name])["kind"] for name in rows.columns if name.startswith(EXTRA)}
    names = [name for name, kind in kinds.items() if kind in ("values", "nearly empty")]
    if not names:
        return Finding("label-columns", "not applicable", "There is no further column that could give the label away.")
    if rows.height < LEAST or rows["label"].n_unique() < 2:
        return Finding("label-columns", "skipped", f"{several(rows.height, 'labelled example')} are too few to tell.")
    of = known(rows)
    found = [
        {"column": name.removeprefix(EXTRA), **asdict(gain(of, by_value(of, _codes(rows[name])), at_once=len(names)))}
        for name in names
    ]
    table = pl.DataFrame(found).sort("gain", "column", descending=[True, False])
    surely = table.filter(pl.col("low") >= WORTH_KNOWING).sort("low", "gain", "column", descending=[True, True, False])
    best = (surely if surely.height else table).row(0, named=True)
    telling = surely["column"].to_list()
    evidence: dict[str, Json] = {"columns": table.height, "telling": telling, **best}
    if not telling:
        sentence = (
            f"None of {several(table.height, 'further column')} tells the label clearly better than the most frequent "
            f"label does; the best, “{best['column']}”, gets {percent(best['accuracy'])} right, the most frequent "
            f"label {percent(best['majority'])}."
        )
        return Finding("label-columns", "passed", sentence, evidence, table)
    sentence = (
        f"Column “{best['column']}” alone gets {percent(best['accuracy'])} of the labels of train and val right, the "
        f"most frequent label {percent(best['majority'])}"
    )
    if len(telling) > 1:
        sentence += f"; {listed([f'“{name}”' for name in telling[1:]])} {'tell' if len(telling) > 2 else 'tells'} too"
    verdict: Verdict = "issue" if best["low"] >= MATTERS else "note"
    return Finding("label-columns", verdict, sentence + ". The network does not see these columns.", evidence, table)


def _kind(column: pl.Series) -> dict[str, Json]:
    filled = column.drop_nulls()
    if column.dtype == pl.String:
        filled = filled.filter(filled.str.strip_chars() != "")
    share = len(filled) / max(len(column), 1)
    values = filled.n_unique()
    if filled.dtype == pl.String:
        measured = filled.str.contains(r"^-?\d*[.,]\d+$").any()
    else:
        measured = filled.dtype.is_float() and (filled.drop_nans() % 1 != 0).any()
    if share < NEAR_EMPTY:
        kind = "nearly empty"
    elif values == 1:
        kind = "constant"
    elif values >= ID_SHARE * len(filled) and not measured:
        kind = "id"
    else:
        kind = "values"
    return {
        "column": column.name.removeprefix(EXTRA),
        "kind": kind,
        "values": values,
        "filled": round(share, DIGITS),
    }


def _codes(column: pl.Series) -> Ints:
    """A code for each value, what is missing being one too; numbers of many values are cut into bins."""
    if column.n_unique() > BINS:
        numbers = column.cast(pl.Float64, strict=False)
        if numbers.null_count() <= column.null_count():
            edges = np.unique(np.nanquantile(numbers.drop_nulls().to_numpy(), np.linspace(0, 1, BINS + 1)[1:-1]))
            codes = np.searchsorted(edges, numbers.fill_null(0).to_numpy(), side="right") + 1
            return np.where(numbers.is_null().to_numpy(), 0, codes).astype(np.int64)
    return column.cast(pl.String).fill_null("").rank("dense").to_numpy().astype(np.int64)
