"""What a mark of a chart stands for: the row of the table behind the chart, as the mark's description.

A reader of screens gets it from the SVG, and deck.html shows it under the mouse. It is found by comparing the values
that a mark is drawn from with the rows of the table, so that charts need not say it themselves.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

MARKS = ("bar", "rect", "point", "circle", "square", "rule", "tick", "arc")
"""Marks of one row each; lines and areas are of many, and texts speak for themselves."""
FIELD = "described"
ROLE = "row of the table"
"""What such a mark is called, for readers of screens and for `charts.inline`."""
MOST = 1500
"""Rows of a chart that get a description: of more, the marks are too small to be pointed at."""
LETTERS = 60
PARTS = ("layer", "hconcat", "vconcat", "concat")


def described(spec: dict[str, Any], frame: pl.DataFrame) -> dict[str, Any]:
    """A chart whose marks carry a description; drawn as it was in everything else."""
    if not frame.height or frame.height > MOST:
        return spec
    return _described(spec, Table(frame), spec.get("data"), spec.get("datasets", {}))


class Table:
    """The rows of a table, found by the values in them."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self.rows = frame.to_dicts()
        self._named: dict[tuple[str, Any], set[int]] = defaultdict(set)
        self._anywhere: dict[Any, set[int]] = defaultdict(set)
        for i, row in enumerate(self.rows):
            for name, value in row.items():
                self._named[name, _key(value)].add(i)
                if telling(value):
                    self._anywhere[_key(value)].add(i)

    def tip(self, datum: Mapping[str, Any]) -> str:
        """What the rows that agree best with a mark say alike; nothing where none agrees in a telling value."""
        agreed: Counter[int] = Counter()
        for value in datum.values():
            agreed.update(self._anywhere.get(_key(value), ()))
        if not agreed:
            return ""
        for name, value in datum.items():
            agreed.update(self._named.get((name, _key(value)), set()) & agreed.keys())
        most = max(agreed.values())
        best = [self.rows[i] for i, n in agreed.items() if n == most]
        same = {name: value for name, value in best[0].items() if all(row[name] == value for row in best)}
        return " · ".join(_said(name, value) for name, value in same.items() if value not in (None, ""))


def telling(value: Any) -> bool:
    """Whether a value is of the kind that two columns do not share by chance: a name, or a number with a fraction."""
    return (isinstance(value, str) and bool(value)) or (isinstance(value, float) and value % 1 != 0)


def _key(value: Any) -> Any:
    return f"{value:.9g}" if isinstance(value, float | int) and not isinstance(value, bool) else value


def _said(name: str, value: Any) -> str:
    """A cell with the name of its column, a number in four digits."""
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    short = text if len(text) <= LETTERS else f"{text[: LETTERS - 1]}…"
    return f"{name.replace('_', ' ')}: {short}"


def _described(spec: dict[str, Any], table: Table, data: Any, named: Mapping[str, Any]) -> dict[str, Any]:
    data = spec.get("data", data)
    for part in PARTS:
        if part in spec:
            return {**spec, part: [_described(inner, table, data, named) for inner in spec[part]]}
    mark = spec.get("mark")
    kind = mark.get("type") if isinstance(mark, dict) else mark
    rows = data.get("values", named.get(data.get("name", ""))) if isinstance(data, dict) else None
    if kind not in MARKS or not isinstance(rows, list) or len(rows) > MOST or any(_gathers(spec)):
        return spec
    values = [{**row, FIELD: table.tip(row)} for row in rows]
    if not any(row[FIELD] for row in values):
        return spec
    encoding = {**spec.get("encoding", {}), "description": {"field": FIELD, "type": "nominal"}}
    called = {**(mark if isinstance(mark, dict) else {"type": mark}), "ariaRoleDescription": ROLE}
    return {**spec, "mark": called, "data": {"values": values}, "encoding": encoding}


def _gathers(spec: dict[str, Any]) -> Iterator[bool]:
    """Whether marks are of several rows: then a field more would part them."""
    yield any("filter" not in step for step in spec.get("transform", ()))
    for channel in spec.get("encoding", {}).values():
        yield isinstance(channel, dict) and ("aggregate" in channel or "bin" in channel)
