"""What is new about the new set: where its examples and classes come from, and whether label and source part
ways.

Pure functions on the frame of `merge.Merged`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from instar.audit.wording import percent
from instar.data.order import natural

LARGE = 0.5
"""Cramer's V from which on an association counts as large (Cohen 1988, for two sources), or share of examples
in classes that one source alone provides."""
SMALL = 0.1
"""Below this it counts as small (ibid.)."""
DIGITS = 4


@dataclass(frozen=True)
class Origin:
    """One source in the new set, and how the classes of both differ."""

    source: str
    examples: int
    share: float
    """Of the examples of the new set."""
    classes: int
    """Classes of the new set that have examples from this source."""
    only_here: int
    """Classes of the new set that have examples from no other source."""
    kept: tuple[str, ...]
    """Its classes that are classes of the new set under the same name and hold nothing else of it."""
    renamed: dict[str, str]
    """Its class -> the class that it alone of this source has become."""
    merged: dict[str, tuple[str, ...]]
    """Class of the new set -> the several classes of this source in it."""
    not_chosen: tuple[str, ...]
    """Its classes that the recipe does not take."""
    nothing_left: tuple[str, ...]
    """Its classes that were chosen, and of which caps, the minimum or copies have left nothing."""
    new_to_it: tuple[str, ...]
    """Classes of the new set of which this source has nothing."""


@dataclass(frozen=True)
class Confounding:
    """How much the label says about the source."""

    cramers_v: float
    """0: nothing, 1: everything; with the correction for bias of Bergsma (2013)."""
    classes_from_one_source: float
    """Share of the classes."""
    examples_in_them: float
    """Share of the examples that are in such classes."""
    sentence: str


def origins(frame: pl.DataFrame, sources: Sequence[str]) -> tuple[Origin, ...]:
    """Each source, in the order given. `frame`: every row with its fate."""
    kept = frame.filter(pl.col("fate").is_null())
    all_classes = _sorted(kept["label"])
    from_one = {label for label, found in _sources_of(kept).items() if len(found) == 1}
    result = []
    for name in sources:
        mine = kept.filter(pl.col("source") == name)
        had = frame.filter((pl.col("source") == name) & pl.col("was").is_not_null())
        chosen = _sorted(had.filter((pl.col("fate") != "class not chosen").fill_null(True))["was"])
        inside = {label: _sorted(mine.filter(pl.col("label") == label)["was"]) for label in _sorted(mine["label"])}
        became: dict[str, set[str]] = {}
        for label, olds in inside.items():
            for old in olds:
                became.setdefault(old, set()).add(label)
        result.append(
            Origin(
                source=name,
                examples=mine.height,
                share=round(mine.height / kept.height, DIGITS),
                classes=len(inside),
                only_here=sum(label in from_one for label in inside),
                kept=tuple(label for label, olds in inside.items() if olds == (label,)),
                renamed={olds[0]: label for label, olds in inside.items() if len(olds) == 1 and olds != (label,)},
                merged={label: olds for label, olds in inside.items() if len(olds) > 1},
                not_chosen=tuple(old for old in _sorted(had["was"]) if old not in chosen),
                nothing_left=tuple(old for old in chosen if old not in became),
                new_to_it=tuple(label for label in all_classes if label not in inside),
            )
        )
    return tuple(result)


def confounding(kept: pl.DataFrame) -> Confounding:
    """Whether a model could tell classes by how the sources look. `kept`: columns source and label."""
    sources = _sources_of(kept)
    single = [label for label, found in sources.items() if len(found) == 1]
    inside = kept.filter(pl.col("label").is_in(single)).height
    counts = kept.group_by("label", "source").len().pivot("source", index="label", values="len").fill_null(0)
    v = cramers_v(counts.drop("label").to_numpy().astype(np.float64))
    examples = inside / kept.height
    return Confounding(
        round(v, DIGITS),
        round(len(single) / len(sources), DIGITS),
        round(examples, DIGITS),
        _sentence(kept["source"].n_unique(), len(single), len(sources), examples, v),
    )


def _sentence(sources: int, single: int, classes: int, examples: float, v: float) -> str:
    if sources == 1:
        return "All examples come from one source, so label and source cannot be confounded."
    share = percent(round(examples, DIGITS))
    verbs = ("comes", "holds") if single == 1 else ("come", "hold")
    figures = f"{single} of {classes} classes {verbs[0]} from one source only and {verbs[1]} {share} of the examples"
    figures += f" (Cramér's V {v:.2f})"
    if max(v, examples) >= LARGE:
        return (
            f"Source and label are confounded: {figures}. A model can tell classes by how a source looks "
            "instead of what it shows, and a test split of this set will not reveal it; test on examples "
            "from elsewhere before trusting a score."
        )
    if max(v, examples) >= SMALL:
        return f"Source and label are partly confounded: {figures}. Compare the scores of each source."
    return f"Source and label are hardly confounded: {figures}."


def cramers_v(counts: NDArray[np.float64]) -> float:
    """Association of rows and columns of a table of counts, 0 to 1, corrected for bias.

    Bergsma (2013), A bias-correction for Cramér's V and Tschuprow's T, J. Korean Stat. Soc. 42, 323-328. 0
    where there is one row or one column.
    """
    rows, columns = counts.shape
    n = float(counts.sum())
    if min(rows, columns) < 2:
        return 0.0
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / n
    phi = float(((counts - expected) ** 2 / expected).sum()) / n
    corrected = max(0.0, phi - (rows - 1) * (columns - 1) / (n - 1))
    smaller = min(k - (k - 1) ** 2 / (n - 1) for k in (rows, columns))
    return min(1.0, float(np.sqrt(corrected / (smaller - 1)))) if smaller > 1 else 0.0


def per_class(kept: pl.DataFrame, sources: Sequence[str]) -> pl.DataFrame:
    """label, examples, and a column per source with its part of them."""
    columns = [(pl.col("source") == name).sum().alias(name) for name in sources]
    counted = kept.group_by("label", maintain_order=True).agg(pl.len().alias("examples"), *columns)
    rank = {label: i for i, label in enumerate(_sorted(kept["label"]))}
    return counted.sort(pl.col("label").replace_strict(rank, return_dtype=pl.Int64))


def fates(frame: pl.DataFrame, sources: Sequence[str], reasons: Sequence[str]) -> pl.DataFrame:
    """source, found, a column per reason to leave a row out, and kept; found is the sum of the others."""
    columns = [(pl.col("fate") == reason).sum().alias(reason) for reason in reasons]
    kept = pl.col("fate").is_null().sum().alias("kept")
    counted = frame.group_by("source").agg(pl.len().alias("found"), *columns, kept)
    rank = {name: i for i, name in enumerate(sources)}
    return counted.sort(pl.col("source").replace_strict(rank, return_dtype=pl.Int64))


def _sources_of(kept: pl.DataFrame) -> dict[str, list[str]]:
    return {label: list(found) for label, found in kept.group_by("label").agg(pl.col("source").unique()).iter_rows()}


def _sorted(labels: pl.Series) -> tuple[str, ...]:
    return tuple(sorted(labels.unique(), key=natural))
