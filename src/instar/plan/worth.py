"""What decisions were worth, as decisions: each gets a successor of the same value, whose reason tells the figures."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import polars as pl

from instar.audit.wording import number, several
from instar.plan.ablation import SWITCHES
from instar.records import Decision, Plan

SOURCE = "measurement (6-ablate/worth.csv)"
SURE = 0.05
"""Corrected p-value below which a decision is said to be worth something."""
SHARES = ("accuracy", "balanced_accuracy", "within_1")
"""Metrics whose differences are told in percentage points."""
NAMES = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "macro_f1": "macro-F1",
    "quadratic_kappa": "quadratic kappa",
    "mae": "mean absolute error",
    "within_1": "accuracy within one",
}


def before(plan: Plan, field: str) -> Decision:
    """The decision in force but for what was measured of it since."""
    return next(d for d in reversed(plan.decisions) if d.field == field and not is_measured(d))


def is_measured(decision: Decision) -> bool:
    """Whether a decision only adds to another what that was worth."""
    return decision.source.startswith(SOURCE)


def measured(plan: Plan, worth: pl.DataFrame, many: str) -> Plan:
    """The plan with what was measured of its decisions, in place of what was measured earlier; every value stays.

    Args:
        worth: the rows of 6-ablate/worth.csv.
        many: what the examples are called.
    """
    plan = Plan(tuple(d for d in plan.decisions if not is_measured(d)))
    rows: dict[str, list[Mapping[str, Any]]] = {}
    for row in worth.iter_rows(named=True):
        rows.setdefault(row["field"], []).append(row)
    live = plan.live()
    count = worth["decision"].n_unique()
    return Plan((*plan.decisions, *(_successor(live[f], of, many, count) for f, of in rows.items())))


def _successor(decision: Decision, rows: list[Mapping[str, Any]], many: str, count: int) -> Decision:
    main = rows[0]["metric"]
    told = [_told(row, many, count) for row in rows if row["metric"] == main]
    if decision.field == "decode":  # which answers for the sake of another metric than the one that judges
        told += [f"In {_gain(row)}." for row in rows if row["metric"] != main]
    reason = " ".join([decision.reason, *told])
    return replace(decision, basis="measured", reason=reason, source=f"{SOURCE}; {decision.source}")


def _told(row: Mapping[str, Any], many: str, count: int) -> str:
    why = next(s.why for s in SWITCHES if s.name == row["decision"])
    corrected = f", {row['p_holm']:.2g} corrected for {count} decisions" if count > 1 else ""
    told = (
        f"Switched off ({row['decision']}: {why}), on {number(row['n'])} validation {many}: {_gain(row)}, "
        f"p = {row['p']:.2g}{corrected}; {_seeds(row)}."
    )
    return f"{told} {_verdict(row)}"


def _seeds(row: Mapping[str, Any]) -> str:
    if row["seeds"] == 1:
        return "one seed, so what another would change is not in the interval"
    apart = f"{several(row['seeds'], 'seed')}, which differ by up to {_plain(row['metric'], row['spread'])}"
    return apart + (", more than the effect itself" if row["spread"] > abs(row["worth"]) else "")


def _verdict(row: Mapping[str, Any]) -> str:
    if row["p_holm"] >= SURE:
        return "That is not told apart from nothing."
    if row["worth"] > 0:
        return "It helps."
    remedy = f": --set {row['field']}={row['off']}" if row["field"] != "stages" and row["off"] != "none" else ""
    return f"It does harm here; a person may switch it off{remedy}."


def _gain(row: Mapping[str, Any]) -> str:
    """macro-F1 0.62 with, 0.60 without, so it is worth 0.02 (0.01 to 0.03)"""
    metric = row["metric"]
    value, low, high = (_plain(metric, row[k], signed=True) for k in ("worth", "low", "high"))
    low = low.removesuffix(" points")
    with_it, without = (_level(metric, row[k]) for k in ("with", "without"))
    return f"{NAMES[metric]} {with_it} with it, {without} without: worth {value} (95 % interval {low} to {high})"


def _level(metric: str, value: float) -> str:
    return f"{100 * value:.1f} %" if metric in SHARES else f"{value:.3f}"


def _plain(metric: str, value: float, *, signed: bool = False) -> str:
    sign = "+" if signed else ""
    text = f"{100 * value:{sign}.1f} points" if metric in SHARES else f"{value:{sign}.3f}"
    return text.replace("-", "−")
