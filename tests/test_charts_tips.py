"""What a mark of a chart stands for: the row of its table, no more, and nothing else changes."""

import re
from pathlib import Path

import polars as pl

from instar.charts import audit
from instar.charts.confidence import reliability
from instar.charts.confusion import confusion
from instar.charts.inline import TIP, inline
from instar.charts.theme import Chart, save
from instar.charts.tips import Table


def tips(chart: Chart, frame: pl.DataFrame, tmp_path: Path) -> list[str]:
    save(chart, frame, tmp_path, "chart")
    return re.findall(rf'{TIP}="([^"]*)"', inline((tmp_path / "chart.svg").read_text(), "chart", tips=True))


def test_each_bar_tells_its_row(tmp_path: Path) -> None:
    frame = pl.DataFrame({"class": [f"c{i:02}" for i in range(40)], "n": [20 + i % 7 for i in range(40)]})
    found = tips(audit.class_counts(frame, 25), frame, tmp_path)
    assert sorted(found) == sorted(f"class: {name} · n: {n}" for name, n in frame.rows())


def test_a_cell_is_told_from_its_mirror(tmp_path: Path) -> None:
    for classes in (3, 60):
        names = tuple(f"c{i:02}" for i in range(classes))
        rows = [{"label": a, "predicted": a, "n": 5} for a in names]
        rows += [{"label": "c00", "predicted": "c01", "n": 2}, {"label": "c01", "predicted": "c00", "n": 1}]
        found = tips(confusion(pl.DataFrame(rows), names), pl.DataFrame(rows), tmp_path)
        assert "label: c00 · predicted: c01 · n: 2" in found and "label: c01 · predicted: c00 · n: 1" in found


def test_values_are_those_of_the_table(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {
            "probabilities": ["after", "after", "after"],
            "confidence": [0.123456, 0.5321, 0.91],
            "accuracy": [0.1, 0.52, 0.93],
            "low": [0.05, 0.4, 0.9],
            "high": [0.2, 0.6, 0.96],
            "n": [10, 10, 10],
        }
    )
    found = tips(reliability(frame), frame, tmp_path)
    assert "probabilities: after · confidence: 0.1235 · accuracy: 0.1 · low: 0.05 · high: 0.2 · n: 10" in found
    assert len(set(found)) == 3


def test_rows_that_cannot_be_told_apart_say_what_they_share() -> None:
    table = Table(pl.DataFrame({"class": ["a", "b", "c"], "n": [4, 4, 5], "kind": ["x", "x", "y"]}))
    assert table.tip({"kind": "x"}) == "n: 4 · kind: x"
    assert table.tip({"n": 4}) == "", "a whole number may agree by chance: a line at four"
    assert table.tip({"class": "b"}) == "class: b · n: 4 · kind: x"
    assert table.tip({"rank": 4}) == ""


def test_a_name_is_inert(tmp_path: Path) -> None:
    frame = pl.DataFrame({"class": ["<script>alert(1)</script>", '"><img>'], "n": [4, 5]})
    save(audit.class_counts(frame, 2), frame, tmp_path, "chart")
    drawn = inline((tmp_path / "chart.svg").read_text(), "chart", tips=True)
    assert "<script" not in drawn and "<img" not in drawn and TIP in drawn
