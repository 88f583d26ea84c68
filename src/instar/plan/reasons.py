"""Why a backbone was taken among several, in words; the figures are those of the table of candidates."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from instar.audit.wording import number, percent, several
from instar.records import Decision

SOURCE = (
    "frozen features: measurement; the cheap first pass: LogME, arXiv 2102.11005; the cheapest that is not surely "
    "worse: after the one-standard-error rule of Breiman et al. 1984"
)


def reason(entry: Mapping[str, Any], chosen: str, chosen_seconds: float, minutes: float) -> str:
    """One line for a row of the table.

    Args:
        entry: the row, its verdict among `plan.candidates.VERDICTS`.
        chosen: title of the backbone that is taken.
        chosen_seconds: what an epoch of that one takes.
        minutes: what a stage may take.
    """
    match entry["verdict"]:
        case "chosen":
            return "the cheapest that is not surely worse than the best"
        case "behind":
            return f"surely worse than the best, by {points(entry['behind_low'])} points at least"
        case "too slow":
            return f"the fewest usual epochs take more than the {minutes:g} min that a stage may take"
        case "dearer":
            times = entry["epoch_seconds"] / chosen_seconds
            return f"{times:.1f} times the time of {chosen} for no sure gain over it"
        case _:
            return "not probed, as LogME ranks it below those that were"


def points(share: float) -> str:
    """0.0123 -> 1.2"""
    return f"{100 * share:.1f}"


def decision(table: pl.DataFrame, many: str, classes: int) -> Decision:
    """The choice among candidates, with what it gains and costs against what would be taken without scores.

    Args:
        table: as `plan.candidates.table` gives it.
        many: what examples are called.
        classes: of the data set.
    """
    taken = table.row(by_predicate=pl.col("verdict") == "chosen", named=True)
    first = table.row(by_predicate=pl.col("default"), named=True)
    scored = table.filter(pl.col("accuracy").is_not_null())
    text = (
        f"Of {several(scored.height, 'candidate')} with a cross-validated probe on frozen features of "
        f"{number(taken['n'])} training {many} of {several(classes, 'class', 'classes')} (at most "
        f"{number(taken['a_class'])} of a class), this is {taken['reason']}: {told(taken)}, "
        f"{taken['epoch_seconds']:.1f} s an epoch."
    )
    best = scored.sort("accuracy", descending=True).row(0, named=True)
    if best["backbone"] != taken["backbone"]:
        text += f" The highest has {best['title']} ({best['backbone']}): {told(best)}; {best['reason']}."
    if first["backbone"] != taken["backbone"]:
        text += f" Against {first['title']} ({first['backbone']}), named first, it gains {gained(taken, first)}."
    others = [r for r in table.iter_rows(named=True) if r["verdict"] not in ("chosen", "not at hand")]
    rest = [r for r in others if r["backbone"] not in (best["backbone"], first["backbone"])]
    if rest:
        text += " Others: " + "; ".join(f"{r['title']} ({r['backbone']}) {_short(r)}" for r in rest) + "."
    if gone := [r for r in table.iter_rows(named=True) if r["verdict"] == "not at hand"]:
        text += " Not at hand: " + "; ".join(f"{r['backbone']} ({r['reason']})" for r in gone) + "."
    return Decision("backbone", taken["backbone"], "measured", (), text, SOURCE)


def told(row: Mapping[str, Any]) -> str:
    """The score of a probe, as it stands in a sentence."""
    return f"{percent(row['accuracy'])} right (95 % interval {percent(row['low'])} to {percent(row['high'])})"


def gained(row: Mapping[str, Any], default: Mapping[str, Any]) -> str:
    """Points and seconds against the default."""
    low, high = points(row["gain_low"]), points(row["gain_high"])
    seconds = row["epoch_seconds"] - default["epoch_seconds"]
    return (
        f"{100 * row['gain']:+.1f} points ({low} to {high}, paired) for {abs(seconds):.1f} s an epoch "
        f"{'more' if seconds > 0 else 'less'}"
    )


def _short(row: Mapping[str, Any]) -> str:
    return f"{percent(row['accuracy'])}, {row['reason']}" if row["accuracy"] is not None else str(row["reason"])


def lines(table: pl.DataFrame) -> Sequence[str]:
    """The table for a terminal."""
    head = (
        "backbone",
        "pixels or tokens",
        "parameters",
        "LogME",
        "probe",
        "95 % interval",
        "ms each",
        "s an epoch",
        "",
    )
    cells = [head]
    for r in table.iter_rows(named=True):
        probe, interval = "", ""
        if r["accuracy"] is not None:
            probe, interval = percent(r["accuracy"]), f"{percent(r['low'])} to {percent(r['high'])}"
        figures = ("", "", "")
        if r["verdict"] != "not at hand":
            figures = (str(r["input_size"]), f"{r['parameters'] / 1e6:.1f} M", f"{r['logme']:.3f}")
        costs = ("", "") if r["ms_example"] is None else (f"{r['ms_example']:.1f}", f"{r['epoch_seconds']:.0f}")
        mark = "* " if r["verdict"] == "chosen" else "  "
        cells.append((mark + r["backbone"], *figures, probe, interval, *costs, r["reason"]))
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    return [
        "  ".join(
            c.rjust(w) if 0 < i < len(head) - 1 else c.ljust(w)
            for i, (c, w) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    ]
