"""Which rows belong together, and which take no part in training."""

from collections.abc import Sequence

import polars as pl

from instar.audit.wording import listed, number, percent, several
from instar.errors import UserError
from instar.records import Audit, Basis, Dataset, Decision, Finding

DOUBTFUL = ("suspect-labels", "conflicting-labels")
"""Findings whose rows may teach the network something wrong: the label is in doubt, not the content."""
LEAVABLE = (
    *DOUBTFUL,
    "outliers",
    "near-twins",
    "feature-twins",
    "brightness",
    "blur",
    "borders",
    "mojibake",
    "markup",
    "short-texts",
    "language",
)
"""Findings whose rows are doubtful examples, so that a person may leave these out of the training. Others name none,
or, as `feature-map`, all there are."""
NONE = "--set exclude=[], or exclude: [] in the file"
OPEN = ("issue", "note")
"""Verdicts that ask for a decision."""
JUDGEMENT = "our judgement"


def grouping(dataset: Dataset, audit: Audit) -> Decision:
    """What never straddles a split: settled when the data were opened (`data.grouping`), told here with the findings.

    Args:
        dataset: its `opening` knows what was kept together, and why.
        audit: `exact-twins` and `near-twins`; without any there is nothing to keep together.
    """
    opening, twins = dataset.opening, audit["exact-twins"].evidence
    parts: list[str] = []
    if twins["groups"]:
        parts.append(
            f"{number(twins['rows'])} of {several(twins['of'], 'row')} are exact copies of another; a random split "
            f"would have put a copy of {percent(twins['random_leak'])} of its test {dataset.modality}s into train, so "
            "copies stay in one split."
        )
    if opening["grouping"] == "near":
        kept = (
            f"{number(opening['rows_in_near_groups'])} rows in {several(opening['near_groups'], 'group')} of them"
            if opening["near_groups"]
            else "none were found"
        )
        parts.append(f"Near copies are kept together as well ({kept}), as {opening['grouping_reason']}.")
    else:
        parts.append(f"Only exact copies are kept together, as {opening['grouping_reason']}.")
    looked_for = ("exact-twins", "near-twins") if opening["grouping"] == "near" else ("exact-twins",)
    because = tuple(code for code in looked_for if audit[code].verdict in OPEN)
    basis: Basis = "rule" if because else "fixed"
    return Decision("grouping", opening["grouping"], basis, because, " ".join(parts), JUDGEMENT)


def exclude(dataset: Dataset, audit: Audit) -> Decision:
    """No row is left out unless a person says so; the reason tells how many would go.

    Args:
        audit: `suspect-labels` (where the frozen features were looked at), `conflicting-labels`, `junk-classes`.
    """
    doubtful = [f for f in map(audit.get, DOUBTFUL) if f is not None and f.verdict in OPEN]
    junk = audit["junk-classes"]
    if not doubtful and junk.verdict not in OPEN:
        reason = "No finding calls labels into question: every row of the training part is used."
        return Decision("exclude", [], "fixed", (), reason, JUDGEMENT)
    parts = [
        "Every row is kept and reported: a check can err, and what is rare looks like what is wrong; so leaving rows "
        "out is for a person to decide."
    ]
    if doubtful:
        train = dataset.part("train")
        would = [f"{several(leaving(f, train).height, 'row')} by --set exclude={f.code}" for f in doubtful]
        parts.append(
            f"Of {number(train.height)} training rows would go: {listed(would)}; validation and test keep all."
        )
    if junk.verdict in OPEN:
        n, names = junk.evidence["n"], listed([f"“{name}”" for name in junk.evidence["classes"]])
        parts.append(
            f"The {several(n, 'example')} of {names} are answers like any other while the class is there; to be rid of "
            "it, make a set without it (exclude in a recipe of `instar compose`)."
        )
    return Decision("exclude", [], "fixed", (), " ".join(parts), JUDGEMENT)


def left_out(codes: Sequence[str], audit: Audit, train: pl.DataFrame, where: str) -> pl.DataFrame:
    """The training rows that take no part where a person leaves out the rows of these findings: id, finding (the first
    that names it), by id. Validation and test keep every row.

    Args:
        codes: of the recipe's `exclude`.
        train: id, label, twin of the training part.
        where: the file that asks for it, for the error.

    Raises:
        UserError: a code that names no such finding of this audit, or a class that would be left without any row.
    """
    parts = [pl.DataFrame(schema={"id": pl.String, "finding": pl.String})]
    for code in codes:
        found = audit.get(code)
        if found is None or code not in LEAVABLE or "id" not in found.rows.columns:
            raise UserError(f"{where}: exclude names {code}, which {_fault(code, found)}; {_choice(audit)}")
        parts.append(leaving(found, train).select("id", pl.lit(code).alias("finding")))
    gone = pl.concat(parts).unique("id", keep="first", maintain_order=True).sort("id")
    _leave_some(codes, gone, train, where)
    return gone


def leaving(finding: Finding, train: pl.DataFrame) -> pl.DataFrame:
    """The training rows that go with those that a finding names.

    Exact copies go together, else the network would learn from what was left out all the same. Where the content is in
    doubt (it is blurred, garbled, an outlier, a near copy), all its copies go, whatever they are labelled. Where the
    label is in doubt (`DOUBTFUL`), the copies with that label go, and the same content stays under another label, if
    the finding does not name that too.

    Of a pair of near copies one goes: the one in train where one is, the second where both are, else none.

    Args:
        finding: with rows that name examples (id), or pairs of them (id, split, other_id, other_split).
        train: id, label, twin of the training part.
    """
    rows = finding.rows
    if "other_id" in rows.columns:
        other = pl.when(pl.col("other_split") == "train").then("other_id")
        rows = rows.select(id=other.when(pl.col("split") == "train").then("id"))
    alike = ["twin", "label"] if finding.code in DOUBTFUL else ["twin"]
    named = train.filter(pl.col("id").is_in(rows["id"].drop_nulls().implode()))
    return train.join(named.select(alike).unique(), on=alike, how="semi")


def _fault(code: str, found: Finding | None) -> str:
    if found is None:
        return "is no finding of the audit"
    if "id" not in found.rows.columns:
        unchecked = found.verdict in ("skipped", "not applicable")
        return "could not be checked" if unchecked else "is not about single rows"
    return "names rows, but none as doubtful"


def _choice(audit: Audit) -> str:
    """What to ask for instead."""
    known = [code for code in LEAVABLE if (f := audit.get(code)) is not None and "id" in f.rows.columns]
    return f"choose among {', '.join(known)}, or none: {NONE}" if known else f"name none: {NONE}"


def _leave_some(codes: Sequence[str], gone: pl.DataFrame, train: pl.DataFrame, where: str) -> None:
    """Refuse to leave a class, or everything, without training rows."""
    rest = train.join(gone, on="id", how="anti")
    lost = sorted(set(train["label"]) - set(rest["label"]))
    if not lost:
        return
    if rest.height:
        more = f" (nor of {several(len(lost) - 1, 'other class', 'other classes')})" if len(lost) > 1 else ""
        what = f"no training example of {lost[0]}{more}"
    else:
        what = "no training example at all"
    raise UserError(f"{where}: exclude={','.join(codes)} leaves {what}; name fewer findings, or none: {NONE}")
