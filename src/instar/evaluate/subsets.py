"""How good each subject is on test rows that the audit doubts, and on the rest."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from instar.evaluate.intervals import Interval, Sampled, interval, sample
from instar.evaluate.subjects import Answers
from instar.metrics import Floats, Ints

LEAST = 30
"""Rows of a part from which figures are told of it (our judgement): the interval of a share of fewer is wider than a
third of its range."""
DRAWS = 1000
"""Bootstrap draws for each part: the interval's ends then move by about 3 % of its width from seed to seed."""
METRICS = ("accuracy", "balanced_accuracy", "macro_f1")
"""Metrics that are told of subsets."""
ON_ORDER = ("quadratic_kappa",)
"""... and where the classes have an order."""
ALL = "all"
PARTS = ("doubted", "rest")
APART = "apart"
SCHEMA = {
    "subset": pl.String,
    "part": pl.String,
    "subject": pl.String,
    "metric": pl.String,
    "value": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "n": pl.Int64,
    "groups": pl.Int64,
    "classes": pl.Int64,
    "method": pl.String,
}


def subsets(
    truth: Ints,
    groups: Ints,
    answers: Mapping[str, Answers],
    doubted: Mapping[str, NDArray[np.bool_]],
    classes: int,
    *,
    ordered: bool,
    seed: int,
) -> pl.DataFrame:
    """The metrics of each subject on all test rows, and for each ground for doubt on the doubted rows and on the rest.

    subset: all, or the ground; part: all, doubted, rest, or apart, which is doubted less rest; value, low, high,
    method: null for parts of fewer than `LEAST` rows; n, groups, classes: examples, twin groups and true classes of the
    part. A ground that doubts no row is left out. A mean over classes is another figure where a class is missing, so
    of two parts with not as many classes the accuracy alone is set apart.

    Args:
        truth: (N,); groups: (N,); doubted: (N,) of each ground, in the order of the rows of the table.
    """
    metrics = METRICS + (ON_ORDER if ordered else ())
    whole = np.ones(len(truth), dtype=np.bool_)
    rows = list(_part(ALL, ALL, whole, truth, groups, answers, classes, metrics, seed))
    for name, doubt in doubted.items():
        if doubt.any():
            parts = {
                part: list(_part(name, part, mask, truth, groups, answers, classes, metrics, seed))
                for part, mask in zip(PARTS, (doubt, ~doubt), strict=True)
            }
            rows += [row for part in parts.values() for row in part]
            rows += [_apart(on, off) for on, off in zip(*parts.values(), strict=True)]
    return pl.DataFrame(rows, schema=SCHEMA)


def _part(
    subset: str,
    part: str,
    mask: NDArray[np.bool_],
    truth: Ints,
    groups: Ints,
    answers: Mapping[str, Answers],
    classes: int,
    metrics: tuple[str, ...],
    seed: int,
) -> Iterator[dict[str, Any]]:
    """A row per subject and metric, of the rows of the mask."""
    about = {
        "n": int(mask.sum()),
        "groups": np.unique(groups[mask]).size,
        "classes": np.unique(truth[mask]).size,
    }
    sampled: list[Sampled] | list[None] = [None] * len(answers)
    if about["n"] >= LEAST:
        sums = [Answers(a.predicted[mask], None).sums(truth[mask], groups[mask], classes) for a in answers.values()]
        sampled = sample(sums, classes, metrics, seed, DRAWS)
    for subject, drawn in zip(answers, sampled, strict=True):
        for metric in metrics:
            row = {"subset": subset, "part": part, "subject": subject, "metric": metric, **about}
            if drawn is not None:
                i = interval(drawn, metric, constant=subject == "majority")
                row |= {"value": drawn.value(metric), "low": i.low, "high": i.high, "method": i.method}
            yield row


def _apart(on: Mapping[str, Any], off: Mapping[str, Any]) -> dict[str, Any]:
    """The doubted rows less the rest, where both are told."""
    row = {**on, "part": APART, "n": on["n"] + off["n"], "groups": on["groups"] + off["groups"]}
    if "value" in on and "value" in off and (on["classes"] == off["classes"] or on["metric"] == METRICS[0]):
        found = independent(*((p["value"], p["low"], p["high"]) for p in (on, off)))
        return row | {"value": on["value"] - off["value"], "low": found.low, "high": found.high, "method": found.method}
    return {key: entry for key, entry in row.items() if key not in ("value", "low", "high", "method")}


def independent(a: tuple[float, float, float], b: tuple[float, float, float]) -> Interval:
    """The interval of a - b from the (value, low, high) of two figures of different examples.

    The distances of the ends from the values are combined as deviations are (MOVER: Zou and Donner 2008,
    doi:10.1002/sim.3095), which for two shares is Newcombe's method (1998).
    """
    value = a[0] - b[0]
    below: Floats = np.hypot(a[0] - a[1], b[2] - b[0])
    above: Floats = np.hypot(a[2] - a[0], b[0] - b[1])
    return Interval(float(value - below), float(value + above), "apart")
