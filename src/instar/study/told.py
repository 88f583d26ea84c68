"""A comparison in words and tables, for the terminal and for a page."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import polars as pl

from instar.charts.wording import SHARES, figure, metric_name
from instar.study.comparing import Side

NOTE_SCORES = """\
95 % intervals, a group of copies counting as one witness. Of a study of seeds the value is the mean over its networks
and the interval holds the chance of training too; of a study of folds all test rows are taken together; a single run
says nothing of another seed."""
NOTE_PAIRS = """\
gain: how much better the first is, with a paired 95 % interval. p: of the trained networks as they are, by exchanging
the two in each group of copies (exact for accuracy); McNemar: mid-p over single rows, right where no rows are copies;
both corrected by Holm for the number of pairs, within a metric."""
NOTE_COST = """\
Seconds from raw data to a trained network (of a study the mean of its runs); what was found in the cache took none."""


class Table(NamedTuple):
    """A table of strings."""

    title: str
    header: tuple[str, ...]
    rows: list[tuple[str, ...]]
    note: str


def tables(side: Side, *, short: bool = False) -> Iterator[Table]:
    """Scores, pairs, cost and differences.

    Args:
        short: what a terminal has room for: fewer metrics, no seconds of single steps.
    """
    groups = f"{side.rows:,} test rows in {side.groups:,} groups"
    metrics = tuple(m for m in side.metrics if not short or m in (side.metric, "accuracy", "log_loss"))
    yield Table(f"Scores on {groups}", ("", *map(metric_name, metrics)), _scores(side, metrics), NOTE_SCORES)
    pairs = ("first", "second", "metric", "gain", "95 % interval", "p (Holm)", "McNemar p (Holm)")
    yield Table("Differences in quality", pairs, _pairs(side), NOTE_PAIRS)
    spent = [c for c in side.cost.columns if c.startswith("seconds.") and (not short or c == "seconds.train")]
    header = ("", "seconds", *(f"… {c.partition('.')[2]}" for c in spent), "ms an item", "parameters", "peak MB")
    yield Table("Cost", header, _cost(side, ["seconds", *spent]), NOTE_COST)
    names = [compared.name for compared in side.found]
    yield Table("What differed in how they were made", ("", "", *names), _differences(side, names), "")


def page(side: Side) -> str:
    """README.md of a comparison; with the reasons of the decisions that differ."""
    names = ", ".join(f"`{compared.name}`" for compared in side.found)
    parts = [f"# {len(side.found)} runs compared: {names}", "![scores](figures/scores.svg)"]
    for table in tables(side):
        parts.append(f"## {table.title}")
        parts.append(markdown(table) if table.rows else "Nothing.")
        if table.note:
            parts.append(table.note)
        if table.title == "Cost":
            parts.append("![cost](figures/cost.svg)")
    reasons = side.differences.filter(pl.col("reason") != "")
    if reasons.height:
        columns = ("field", "subject", "value", "basis", "reason")
        rows = [tuple(str(value) for value in row) for row in reasons.select(columns).iter_rows()]
        parts += ["## Why", markdown(Table("", columns, rows, ""))]
    return "\n\n".join(parts) + "\n"


def markdown(table: Table) -> str:
    """A table of Markdown."""
    rows = [table.header, ("---",) * len(table.header), *table.rows]
    return "\n".join("| " + " | ".join(cell.replace("|", r"\|") for cell in row) + " |" for row in rows)


def _scores(side: Side, metrics: Sequence[str]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for compared in side.found:
        own = {r["metric"]: r for r in side.scores.filter(pl.col("subject") == compared.name).to_dicts()}
        called = compared.name if compared.kind == "run" else f"{compared.name} ({len(compared.runs)} {compared.kind})"
        rows.append((called, *(f"{figure(m, own[m]['value'])} ({_ends(m, own[m])})" for m in metrics)))
    return rows


def _ends(metric: str, row: dict[str, float]) -> str:
    low, high = (figure(metric, row[k]).removesuffix(" %") for k in ("low", "high"))
    return f"{low} to {high}"


def _pairs(side: Side) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for row in side.pairs.filter(pl.col("metric").is_in([side.metric, "accuracy"])).to_dicts():
        metric = row["metric"]
        low, high = (_signed(metric, row[k]).removesuffix(" points") for k in ("low", "high"))
        mcnemar = _p(row["mcnemar_holm"]) if row["mcnemar_holm"] is not None else "–"
        named = (row["first"], row["second"], metric_name(metric))
        rows.append((*named, _signed(metric, row["gain"]), f"{low} to {high}", _p(row["p_holm"]), mcnemar))
    return rows


def _signed(metric: str, value: float) -> str:
    text = f"{100 * value:+.1f} points" if metric in SHARES else f"{value:+.3f}"
    return text.replace("-", "−")


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def _cost(side: Side, spent: Sequence[str]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for r in side.cost.to_dicts():
        seconds = [f"{r[column]:,.1f}" for column in spent]
        ms = f"{r['ms_per_item']:.2f}" if r["ms_per_item"] is not None else "–"
        peak = f"{r['peak_memory_mb']:,.0f}" if r["peak_memory_mb"] is not None else "–"
        rows.append((r["subject"], *seconds, ms, f"{r['parameters']:,}", peak))
    return rows


def _differences(side: Side, names: list[str]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for (kind, field), part in side.differences.group_by("kind", "field", maintain_order=True):
        values = dict(part.select("subject", "value").iter_rows())
        rows.append((str(kind), str(field), *(values.get(name) or "–" for name in names)))
    return rows
