"""Charts draw what they are given, from 2 to 102 classes, whole, legible and the same each time."""

import re
import struct
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from instar.charts import audit, confidence, confusion, evaluation, theme, training
from instar.charts.wording import amount, figure
from instar.evaluate.evaluation import evaluate
from instar.files import read_frame
from instar.records import Epoch, Evaluation

SHORT, LONG = "class {:03d}", "Great southern swallowtail hairstreak {:03d}"


def names(classes: int, pattern: str = SHORT) -> tuple[str, ...]:
    return tuple(pattern.format(i) for i in range(classes))


def evaluated(classes: tuple[str, ...], n: int, right: float = 0.8) -> Evaluation:
    """An evaluation of random answers, all subjects present."""
    rng = np.random.default_rng(0)
    c = len(classes)
    truth = rng.integers(0, c, n)
    predicted = np.where(rng.random(n) < right, truth, (truth + rng.integers(1, 3, n)) % c)
    p = rng.dirichlet(np.ones(c), n)
    label, answer = ([classes[i] for i in a] for a in (truth, predicted))
    test = pl.DataFrame({"id": [f"row {i}" for i in range(n)], "label": label, "predicted": answer})
    test = test.with_columns(split=pl.lit("test"), group=pl.int_range(n), confidence=pl.Series(rng.random(n)))
    test = test.with_columns(**{f"p.{name}": pl.Series(p[:, i]) for i, name in enumerate(classes)})
    parts = [
        test.select(pl.lit(s).alias("subject"), "id", "label", pl.lit(classes[0]).alias("predicted"))
        for s in ("probe", "cheap", "majority")
    ]
    return evaluate(test, pl.concat(parts), classes, ordered=c == 5, opened=1, seed=0)


def epochs(*stages: tuple[str, int]) -> pl.DataFrame:
    """A course of the training with so many rows per stage."""
    rows: list[dict[str, object]] = []
    for stage, n in stages:
        for i in range(n):
            k = len(rows)
            e = Epoch(stage, i + 1, 1 / (k + 1), 1.2 / (k + 1), 0.5 + 0.01 * k, 10.0 ** (-i), 30.0, 700, True)
            rows.append({**asdict(e), "minutes": 0.5 * (k + 1)})
    return pl.DataFrame(rows)


def layers(groups: int) -> pl.DataFrame:
    """A network with so many trunk members, the upper half thawed."""
    trunk = [("trunk", f"blocks.{i}", "tail" if i >= groups / 2 else "never") for i in range(groups)]
    rows = [("stem", "conv", "never"), *trunk, ("neck", "conv_head", "tail"), ("head", "head", "head")]
    sizes = [1000 * (i + 1) ** 2 for i in range(len(rows))]
    table = {"name": [r[1] for r in rows], "role": [r[0] for r in rows], "parameters": sizes}
    return pl.DataFrame({**table, "stage": [r[2] for r in rows]})


def counts(classes: tuple[str, ...]) -> pl.DataFrame:
    n = np.random.default_rng(1).integers(40, 300, len(classes))
    return pl.DataFrame({"class": classes, "n": n})


def strips(classes: tuple[str, ...]) -> pl.DataFrame:
    parts = [counts(classes).with_columns(split=pl.lit(s)) for s in ("train", "val", "test")]
    return pl.concat(parts).select("split", "class", "n")


SPEEDS = pl.DataFrame(
    {
        "precision": ["fp32", "fp32", "bf16"],
        "channels_last": [False, True, True],
        "threads": [1, 2, 2],
        "forward": [40.0, 80.0, 190.0],
        "training": [18.0, 24.0, 53.0],
    }
)
PICTURES = pl.DataFrame({"width": [224, 300, 100], "height": [224, 200, 500], "n": [900, 60, 3]})
TEXTS = pl.DataFrame({"words": [1, 2, 3, 10, 40, 900], "n": [5, 60, 90, 50, 10, 1]})

Drawn = tuple[theme.Chart, pl.DataFrame]
CASES: dict[str, Callable[[], Drawn]] = {
    "curves": lambda: (training.curves(f := epochs(("head", 4), ("tail", 5), ("full", 9)), "macro_f1"), f),
    "curves of a head alone": lambda: (training.curves(f := epochs(("head", 5)), "accuracy"), f),
    "curves of one epoch": lambda: (training.curves(f := epochs(("full", 1)), "accuracy"), f),
    "network of 4": lambda: (training.network(f := layers(4)), f),
    "network of 12": lambda: (training.network(f := layers(12)), f),
    "network of 24": lambda: (training.network(f := layers(24)), f),
    "timings": lambda: (training.timings(SPEEDS), SPEEDS),
    "sizes": lambda: (audit.sizes(PICTURES), PICTURES),
    "one size": lambda: (audit.sizes(PICTURES[:1]), PICTURES[:1]),
    "lengths": lambda: (audit.lengths(TEXTS), TEXTS),
    "one length": lambda: (audit.lengths(TEXTS[:1]), TEXTS[:1]),
}

THRESHOLDS = pl.DataFrame({"wished": [0.9, 0.95], "coverage": [0.97, 0.4], "accuracy": [0.91, 0.96]})


def at_90(table: pl.DataFrame) -> pl.DataFrame:
    return table.filter(pl.col("level") == 0.9)


SHOWN = ("accuracy", "balanced_accuracy", "macro_f1", "log_loss", "mae", "quadratic_kappa")


def of_classes(classes: tuple[str, ...], e: Evaluation) -> dict[str, Drawn]:
    """Every chart whose look depends on the number and the names of the classes."""
    scores = pl.DataFrame([asdict(s) for s in e.scores]).filter(pl.col("metric").is_in(SHOWN))
    return {
        "class_counts": (audit.class_counts(counts(classes)), counts(classes)),
        "splits": (audit.splits(strips(classes)), strips(classes)),
        "scores": (evaluation.scores(scores), scores),
        "confusion": (evaluation.confusion(e.confusion, classes), e.confusion),
        "per_class": (evaluation.per_class(e.per_class), e.per_class),
        "reliability": (confidence.reliability(e.reliability), e.reliability),
        "risk_coverage": (confidence.risk_coverage(e.risk_coverage, THRESHOLDS), e.risk_coverage),
        "sets": (confidence.sets(*(at_90(t) for t in (e.conformal, e.conformal_classes))), at_90(e.conformal)),
    }


def check(chart: theme.Chart, frame: pl.DataFrame, folder: Path) -> str:
    """Save, and return the SVG after looking at what was written."""
    theme.save(chart, frame, folder, "it")
    svg = (folder / "it.svg").read_text()
    width, height = struct.unpack(">II", (folder / "it.png").read_bytes()[16:24])
    assert abs(width - theme.PNG_WIDTH) <= 2
    size = re.match(r'<svg[^>]* width="([\d.]+)" height="([\d.]+)"', svg)
    assert size is not None
    assert float(size[1]) <= 1.05 * theme.WIDTH + 8, "wider than its place, so the text would shrink"
    assert float(size[2]) <= 1.12 * theme.HEIGHT + 8, "taller than its place"
    assert height == pytest.approx(width * float(size[2]) / float(size[1]), abs=3)
    assert re.findall(r'font-size="([\d.]+)px"', svg), "no text at all"
    assert min(float(s) for s in re.findall(r'font-size="([\d.]+)px"', svg)) >= theme.SIZE - 2
    assert "NaN" not in svg and "undefined" not in svg
    assert read_frame(folder / "it.csv").shape == frame.shape
    return svg


@pytest.mark.parametrize("case", CASES)
def test_chart_is_written_whole_and_legible(case: str, tmp_path: Path) -> None:
    check(*CASES[case](), tmp_path)


@pytest.mark.parametrize(("classes", "pattern"), [(2, SHORT), (5, LONG), (12, LONG), (75, SHORT), (102, LONG)])
def test_charts_of_classes_are_written_whole_and_legible(classes: int, pattern: str, tmp_path: Path) -> None:
    known = names(classes, pattern)
    for name, (chart, frame) in of_classes(known, evaluated(known, max(60, classes * 8))).items():
        check(chart, frame, tmp_path / name)


@pytest.mark.parametrize("classes", [2, 30])
def test_a_model_without_mistakes_can_be_drawn(classes: int, tmp_path: Path) -> None:
    known = names(classes)
    for name, (chart, frame) in of_classes(known, evaluated(known, 200, right=1.0)).items():
        check(chart, frame, tmp_path / name)


def test_the_same_chart_gives_the_same_bytes(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        known = names(30)
        chart, frame = of_classes(known, evaluated(known, 300))["confusion"]
        theme.save(chart, frame, tmp_path / folder, "it")
    for suffix in ("svg", "png", "csv"):
        assert (tmp_path / f"one/it.{suffix}").read_bytes() == (tmp_path / f"two/it.{suffix}").read_bytes()


def test_the_extremes_of_many_classes_are_named(tmp_path: Path) -> None:
    frame = counts(names(75))
    svg = re.sub(r' aria-label="[^"]*"', "", check(audit.class_counts(frame), frame, tmp_path))
    by_size = frame.sort("n", "class", descending=[True, False])["class"]
    assert by_size[0] in svg and by_size[-1] in svg and by_size[37] not in svg


def test_the_worst_pairs_are_named_beside_the_map(tmp_path: Path) -> None:
    known = names(40)
    rows = [(c, c, 9) for c in known] + [(known[3], known[30], 5)]
    frame = pl.DataFrame(rows, schema=["label", "predicted", "n"], orient="row")
    svg = re.sub(r' aria-label="[^"]*"', "", check(evaluation.confusion(frame, known), frame, tmp_path))
    assert f"5 of 14 taken for {known[30]}" in svg and known[3] in svg and known[20] not in svg


def test_classes_that_are_confused_become_neighbours() -> None:
    table = np.eye(60) * 10
    planted = [(3, 50), (17, 44), (20, 59)]
    for a, b in planted:
        table[a, b] = table[b, a] = 6
    order = confusion.ordering(table)
    assert sorted(order) == list(range(60))
    assert all(abs(order.index(a) - order.index(b)) == 1 for a, b in planted)


def test_pairs_rank_by_number_then_share() -> None:
    rows = [("a", "a", 6), ("a", "b", 2), ("b", "b", 1), ("b", "c", 2), ("c", "c", 5), ("c", "a", 3)]
    found = confusion.pairs(pl.DataFrame(rows, schema=["label", "predicted", "n"], orient="row"), 3)
    assert found.select("label", "predicted", "n", "of").rows() == [
        ("c", "a", 3, 8),
        ("b", "c", 2, 3),
        ("a", "b", 2, 8),
    ]


def test_more_rows_than_altair_embeds_by_default(tmp_path: Path) -> None:
    side = np.arange(80)
    frame = pl.DataFrame({"width": np.repeat(side + 100, 80), "height": np.tile(side + 100, 80)})
    frame = frame.with_columns(n=pl.lit(1))
    check(audit.sizes(frame), frame, tmp_path)


def test_names_and_figures_are_cut_and_written_with_care() -> None:
    assert theme.shorten("Great southern swallowtail hairstreak 012", 20).endswith("k 012")
    assert len(theme.shorten("x" * 99, 20)) == 20
    assert theme.wrap("Painted lady of the north", 12).split("\n")[0] == "Painted lady"
    assert max(len(line) for line in theme.wrap("word " * 30, 12).split("\n")) <= 12
    assert (figure("accuracy", 0.9123), figure("macro_f1", 0.9123)) == ("91.2 %", "0.912")
    assert [amount(n) for n in (832, 1200, 83_000, 2_220_000)] == ["832", "1.2 k", "83 k", "2.2 M"]


def test_the_lines_of_the_course_keep_their_colours_beside_the_bands_of_the_stages(tmp_path: Path) -> None:
    """Two stages: the bands behind must not lend the lines their colours."""
    frame = pl.DataFrame(
        {
            "stage": ["head", "head", "top", "top"],
            "epoch": [1, 2, 1, 2],
            "train_loss": [1.2, 1.0, 1.1, 0.9],
            "val_loss": [1.3, 1.2, 1.1, 1.0],
            "val_score": [0.4, 0.5, 0.6, 0.7],
            "lr": [100.0, 10.0, 1e-3, 1e-4],
            "best": [True, True, True, True],
            "minutes": [0.1, 0.2, 1.0, 2.0],
        }
    )
    theme.save(training.curves(frame, "accuracy"), frame, tmp_path, "curves")
    drawn = (tmp_path / "curves.svg").read_text()
    lines = set(re.findall(r'aria-roledescription="line mark"[^>]*stroke="([^"]*)"', drawn))
    assert lines == {theme.ACCENT, theme.GREY}
