"""Which classes of a source are taken, and what they are called in the new set."""

import difflib
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

import polars as pl

from instar.compose.recipe import Source
from instar.data.order import natural
from instar.data.raw import Raw
from instar.errors import UserError

SHOWN = 6
"""Classes that an error names."""


def mapping(found: Iterable[str], wanted: Source, name: str) -> dict[str, str]:
    """Old class -> new class, for the classes that are taken.

    `include` is read first, then `exclude`, then `classes`, where a class named in full goes before a
    pattern, so that `other: "*"` takes what is left.

    Raises:
        UserError: a name that no class bears, a class that two patterns claim, or no class at all.
    """
    classes = sorted(found, key=natural)
    taken = _matching(classes, wanted.include, f"{name}: include")
    left_out = _matching(classes, wanted.exclude, f"{name}: exclude")
    taken = [old for old in taken if old not in left_out]
    if not taken:
        raise UserError(f"{name}: exclude leaves no class of what include takes; narrow it down")
    exact: dict[str, set[str]] = {}
    by_pattern: dict[str, set[str]] = {}
    for new, patterns in wanted.classes.items():
        for pattern in patterns:
            target = exact if pattern in taken else by_pattern
            for old in _matching(taken, (pattern,), f"{name}: classes.{new}"):
                target.setdefault(old, set()).add(new)
    result: dict[str, str] = {}
    for old in taken:
        claims = exact.get(old) or by_pattern.get(old) or {old}
        if len(claims) > 1:
            raise UserError(
                f'{name}: class "{old}" is mapped to {_list(sorted(claims))}; name it under one of them only'
            )
        (result[old],) = claims
    return result


def _matching(classes: Sequence[str], patterns: Sequence[str], where: str) -> list[str]:
    """The classes that any of the patterns means; a class called like the pattern is meant literally."""
    hits: set[str] = set()
    for pattern in patterns:
        found = [pattern] if pattern in classes else [c for c in classes if fnmatchcase(c, pattern)]
        if not found:
            near = difflib.get_close_matches(pattern, classes, n=3, cutoff=0.5)
            near = near or [c for c in classes if c.casefold() == pattern.casefold()]
            hint = f"did you mean {_list(near)}?" if near else f"there are {_list(classes)}"
            raise UserError(f'{where}: "{pattern}" is no class there; {hint}')
        hits.update(found)
    return [c for c in classes if c in hits]


def _list(names: Sequence[str]) -> str:
    shown = ", ".join(f'"{name}"' for name in names[:SHOWN])
    return shown if len(names) <= SHOWN else f"{shown} and {len(names) - SHOWN} more"


def select(raw: Raw, wanted: Source, name: str) -> pl.DataFrame:
    """The rows of a source in the form that `merge` takes, none dropped.

    Returns:
        source (`name`), original (id there), was (class there), label (class here, or null), root and input
        (where it lies), fate ("unlabelled", "class not chosen", or null for a row that is still in).
    """
    unlabelled = pl.col("label").is_null() | (pl.col("given") == "unlabelled").fill_null(False)
    frame = raw.frame.with_columns(pl.when(~unlabelled).then("label").alias("was"))
    new = mapping(frame["was"].drop_nulls().unique(), wanted, name)
    return frame.select(
        pl.lit(name).alias("source"),
        pl.col("id").alias("original"),
        "was",
        pl.col("was").replace_strict(new, default=None, return_dtype=pl.String).alias("label"),
        pl.lit(raw.root).alias("root"),
        "input",
    ).with_columns(
        pl.when(pl.col("was").is_null())
        .then(pl.lit("unlabelled"))
        .when(pl.col("label").is_null())
        .then(pl.lit("class not chosen"))
        .alias("fate")
    )
