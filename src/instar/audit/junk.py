"""Classes that are no class: what is left over, background, clutter."""

import re

import polars as pl

from instar.audit.wording import DIGITS, listed, number, percent, several
from instar.records import Dataset, Finding, Json

JUNK = re.compile(
    r"(?<![a-z])(backgrounds?|clutter|junk|trash|garbage|unknown|others?|misc|miscellaneous|none|nothing|n a|"
    r"unlabell?ed|unsorted|undefined|tbd|todo|null)(?![a-z])"
)
"""Words that a leftover class is called by."""
HARMLESS = re.compile(r"(?<![a-z])(none of|other than|trash (?:can|bin|bag))")
"""The same words in names that mean something."""


def junk_classes(dataset: Dataset) -> Finding:
    """Classes whose names say that they hold whatever belongs nowhere else; kept, and reported."""
    plain = {
        name: re.sub(r"[_\W]+", " ", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)).strip().lower()
        for name in dataset.classes
    }
    junk = [name for name, words in plain.items() if JUNK.search(words) and not HARMLESS.search(words)]
    total = sum(dataset.counts.values())
    n = sum(dataset.counts.get(name, 0) for name in junk)
    rows = pl.DataFrame(
        {"class": junk, "n": [dataset.counts.get(name, 0) for name in junk]}, {"class": pl.String, "n": pl.Int64}
    )
    evidence: dict[str, Json] = {"classes": junk, "n": n, "share": round(n / total, DIGITS), "of": total}
    if not junk:
        return Finding("junk-classes", "passed", "No class is named as a place for leftovers.", evidence, rows)
    sentence = (
        f"{listed([f'“{name}”' for name in junk])} {'is' if len(junk) == 1 else 'are'} named as "
        f"{'a class' if len(junk) == 1 else 'classes'} of leftovers ({number(n)} of {several(total, 'example')}, "
        f"{percent(evidence['share'])}): what stands there need have nothing in common. Kept."
    )
    return Finding("junk-classes", "note", sentence, evidence, rows)
