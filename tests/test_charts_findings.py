"""Every finding has a chart or a reason to have none, and every chart can be drawn from what the checks find."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from frozen_worlds import Cloud, swapped
from instar.audit.frozen_checks import FROZEN_CHECKS, run_frozen
from instar.charts.findings import CHARTS, WITHOUT, drawings
from instar.charts.findings_forms import Drawing, bars, dots, histogram, percent, unique_names
from instar.charts.theme import PNG_WIDTH
from instar.deck.figures import inert_finding, labelled
from instar.records import Audit, Dataset, Finding
from planted_worlds import PLANTED, QUIET, World, pictures, texts
from test_charts import check

HOSTILE = "<script>alert(1)</script>\x00\x0b مرحبا 👩‍👩‍👧 " + "x" * 200


@cache
def quiet(make: Callable[[], World]) -> tuple[World, Audit]:
    """A world without a fault, and its audit."""
    world = make()
    return world, world.audit()


def codes() -> set[str]:
    """The code of every finding that an audit may hold."""
    own = {f.code for make in (pictures, texts) for f in quiet(make)[1].findings}
    return own | set(FROZEN_CHECKS)


def test_every_finding_has_a_chart_or_a_reason_to_have_none() -> None:
    assert set(CHARTS) | set(WITHOUT) == codes()
    assert not set(CHARTS) & set(WITHOUT)


@cache
def planted(code: str) -> tuple[World, Finding] | None:
    """A world in which this check has found something."""
    for make, expected in PLANTED.values():
        if code in expected:
            world = make(0)
            return world, world.audit()[code]
    return None


def draw(found: Finding, dataset: Dataset) -> tuple[Drawing, ...]:
    return drawings(inert_finding(found), labelled(dataset))


@pytest.mark.parametrize("code", sorted(set(CHARTS) - set(FROZEN_CHECKS)))
def test_what_a_check_finds_is_drawn(code: str, tmp_path: Path) -> None:
    case = planted(code)
    assert case is not None, f"no planted world for {code}"
    world, found = case
    assert found.verdict not in QUIET
    drawn = draw(found, world.seal())
    assert drawn or (code, found.rows.height) == ("sizes", 1)
    for drawing in drawn:
        check(drawing.chart, drawing.frame, tmp_path)


@pytest.mark.parametrize("make", [pictures, texts])
def test_stems_do_not_clash_and_nothing_is_drawn_of_what_did_not_run(make: Callable[[], World]) -> None:
    found = quiet(make)
    world = found[0].seal()
    stems = [d.stem for f in found[1].findings for d in draw(f, world)]
    assert len(stems) == len(set(stems))
    skipped = Finding("near-twins", "skipped", "Too many.")
    assert draw(skipped, world) == ()
    assert all(s.startswith(("01-class-counts", "02-", "03-sizes", "03-lengths")) for s in stems)


def test_the_table_behind_a_chart_holds_what_it_shows() -> None:
    world, found = planted("mojibake")  # type: ignore[misc]
    (drawing,) = draw(found, world.seal())
    known = found.rows.drop_nulls("label")
    assert drawing.frame["n"].sum() == known.height
    assert drawing.frame["of"].sum() == world.seal().part("train", "val").height
    assert (drawing.frame["low"] <= drawing.frame["share"]).all()
    assert (drawing.frame["share"] <= drawing.frame["high"]).all()


def frozen(classes: int, hostile: bool = False) -> tuple[tuple[Finding, ...], pl.DataFrame]:
    """What the checks on frozen features find in a cloud with swapped labels, and the table that charts see."""
    rng = np.random.default_rng(0)
    world: Cloud = swapped(0)
    record = world.frozen()
    names = tuple(HOSTILE + str(i) if hostile else f"class {i:03d}" for i in range(len(record.classes)))
    record = replace(record, classes=names)
    found = {f.code: f for f in run_frozen(record)}
    if classes > len(names):
        found["feature-map"] = wide_map(classes, rng)
    table = pl.DataFrame({"label": [names[c] if c >= 0 else None for c in record.labels]})
    return tuple(found.values()), table


def wide_map(classes: int, rng: np.random.Generator) -> Finding:
    """A map of many classes, twelve examples each."""
    label = np.repeat(np.arange(classes), 12)
    x, y = (rng.normal(0, 9, classes)[label] + rng.normal(0, 1, len(label)) for _ in range(2))
    names = [f"Great southern hairstreak {c}" for c in label]
    rows = pl.DataFrame({"id": [str(i) for i in range(len(label))], "label": names, "x": x, "y": y})
    return Finding("feature-map", "passed", "A map.", {"method": "t-SNE"}, rows)


@pytest.mark.parametrize("hostile", [False, True])
def test_findings_on_frozen_features_are_drawn(hostile: bool, tmp_path: Path) -> None:
    found, table = frozen(8, hostile)
    assert {f.code for f in found} == set(FROZEN_CHECKS)
    clean = inert_finding(Finding("", "note", "", {}, table)).rows
    drawn = {f.code: drawings(inert_finding(f), clean) for f in found}
    assert {"separability", "learning-curve", "suspect-labels", "mirror", "feature-map"} <= {
        c for c in drawn if drawn[c]
    }
    for part in drawn.values():
        for drawing in part:
            check(drawing.chart, drawing.frame, tmp_path)


def test_separability_is_drawn_by_what_it_was_judged_by(tmp_path: Path) -> None:
    """The same findings, judged by accuracy and, where classes are uneven, by the mean of their recalls."""
    (found,) = (f for f in frozen(8)[0] if f.code == "separability")
    assert found.evidence["judged_by"] == "accuracy"
    uneven = replace(found, evidence={**found.evidence, "judged_by": "balanced accuracy"})
    for finding, measure, by, said in (
        (found, "accuracy", "", "right out of fold"),
        (uneven, "balanced_accuracy", "balanced_", "mean of the classes' recalls out of fold"),
    ):
        drawing = drawings(finding, pl.DataFrame())[0]
        e, own = finding.evidence, measure.removesuffix("_accuracy")
        assert drawing.frame[measure].to_list() == [e[own], e[f"cheap_{own}"], e[f"{by}majority"]]
        assert drawing.frame["low"].to_list() == [e[f"{by}low"], e[f"cheap_{by}low"], e[f"{by}majority"]]
        assert drawing.frame["high"].to_list() == [e[f"{by}high"], e[f"cheap_{by}high"], e[f"{by}majority"]]
        assert drawing.frame["n"].to_list() == [e["n"], e["cheap_n"], e["n"]]
        assert said in check(drawing.chart, drawing.frame, tmp_path)
    assert e["balanced_majority"] == 1 / 8


@pytest.mark.parametrize("classes", [5, 75, 102])
def test_a_map_names_classes_whose_names_do_not_lie_on_each_other(classes: int, tmp_path: Path) -> None:
    found = wide_map(classes, np.random.default_rng(1))
    (drawing,) = drawings(found, pl.DataFrame({"label": found.rows["label"]}))
    svg = check(drawing.chart, drawing.frame, tmp_path)
    assert ("tightest" in svg) == (classes > 8)
    assert svg.count("Great") >= min(classes, 5)


def test_two_numbers_of_pairs_make_few_bars(tmp_path: Path) -> None:
    chart, frame = histogram({"pairs": np.array([0.1, 0.2])}, "difference", "pairs")
    assert frame.height == 2
    check(chart, frame, tmp_path)


def test_counts_have_no_broken_ticks(tmp_path: Path) -> None:
    rows = [{"name": f"class {i}", "value": i % 3, "text": str(i % 3)} for i in range(5)]
    svg = check(bars(rows, "examples"), pl.DataFrame(rows), tmp_path)
    assert ">0.5<" not in svg and ">1<" in svg


def test_names_that_a_cut_makes_equal_stay_apart() -> None:
    assert unique_names(["a" * 99, "a" * 99, "b"], 10)[:2] == ["aaaaaa…aaa", "aaaaaa…aaa (2)"]
    assert [percent(x) for x in (0.0, 0.0004, 0.0523, 0.5, 1.0)] == ["0 %", "<0.1 %", "5.2 %", "50 %", "100 %"]


def test_points_and_intervals_stay_inside(tmp_path: Path) -> None:
    rows = [{"name": "x", "value": 0.5, "low": 0.2, "high": 0.9, "text": "50 %", "tone": "warn"}]
    svg = check(dots(rows, "share", (0, 1), line=(0.5, "half")), pl.DataFrame(rows), tmp_path)
    assert "half" in svg and PNG_WIDTH > 0
