"""Which rows belong together, and which take no part in training."""

from instar.audit.wording import listed, number, percent, several
from instar.records import Audit, Basis, Dataset, Decision, Finding

DOUBTFUL = ("suspect-labels", "conflicting-labels")
"""Findings whose rows may teach the network something wrong."""
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
)
"""Findings that name the examples they are about, so that a person may leave these out of the training."""
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
        would = [f"{several(_rows(f, train['id'].to_list()), 'row')} by --set exclude={f.code}" for f in doubtful]
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


def _rows(finding: Finding, train: list[str]) -> int:
    """Training rows that the finding names."""
    return len(set(train) & set(finding.rows["id"].to_list()))
