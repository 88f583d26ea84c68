"""Comparisons of made-up answers: refused where rows differ, fair to copies, and blind to the order of classes."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from instar.evaluate.compare import Comparison, Subject, apart

CLASSES = ("a", "b", "c")


def subject(name: str, skill: float, *, seed: int = 0, classes: tuple[str, ...] = CLASSES, copies: int = 1) -> Subject:
    """240 rows, in groups of so many copies that are all right or all wrong."""
    rng = np.random.default_rng(seed)
    n = 240
    truth = np.arange(n) // copies % 3
    right = (rng.random(n // copies) < skill).repeat(copies)
    answer = np.where(right, truth, (truth + 1) % 3)
    p = np.full((n, 3), 0.1)
    p[np.arange(n), answer] = 0.8
    frame = pl.DataFrame(
        {
            "id": [f"row {i:03}" for i in range(n)],
            "group": np.arange(n) // copies,
            "label": [CLASSES[i] for i in truth],
            "predicted": [CLASSES[i] for i in answer],
            **{f"p.{c}": p[:, CLASSES.index(c)] for c in CLASSES},
        }
    )
    content = frame.select("id", content=pl.col("id"))
    return Subject(name, classes, False, (frame,), content)


def changed(one: Subject, **columns: pl.Expr) -> Subject:
    return replace(one, answers=tuple(frame.with_columns(**columns) for frame in one.answers))


def test_rows_that_differ_are_named() -> None:
    one, other = subject("A", 0.8), subject("B", 0.7)
    assert apart(one, other) == []
    fewer = replace(other, answers=(other.answers[0].slice(2),))
    assert apart(one, fewer) == ["2 only in A (row 000, row 001)"]
    assert apart(fewer, one) == ["2 only in A (row 000, row 001)"]
    first = pl.when(pl.col("id") == "row 007").then(pl.lit("c")).otherwise("label")
    assert apart(one, changed(other, label=first)) == ["1 with another label (row 007)"]
    swapped = other.content.with_columns(content=pl.lit("x")).head(4)
    told = apart(one, replace(other, content=pl.concat([swapped, other.content.slice(4)])))
    assert told == ["4 with another content (row 000, row 001, row 002 …)"]


def test_one_run_twice_differs_in_nothing() -> None:
    one = subject("A", 0.8)
    pairs = Comparison((one, replace(one, name="A (2)"))).pairs()
    assert (pairs["gain"] == 0).all()
    assert (pairs["p"] == 1).all()
    assert ((pairs["low"] <= 0) & (pairs["high"] >= 0)).all()


def test_a_clear_difference_is_found_and_signed_by_the_better() -> None:
    pairs = Comparison((subject("good", 0.9), subject("poor", 0.6, seed=1))).pairs()
    assert (pairs["gain"] > 0).all()  # log loss too, where less is better
    assert (pairs["low"] > 0).all()
    assert (pairs["p_holm"] < 0.01).all()
    (row,) = pairs.filter(pl.col("metric") == "accuracy").to_dicts()
    assert row["only_first"] - row["only_second"] == round(row["gain"] * 240)
    assert row["mcnemar_p"] == row["mcnemar_holm"] < 0.01


def test_copies_are_one_witness() -> None:
    """Eight copies each: single rows seem to prove what 30 groups do not."""
    one, two = subject("A", 0.75, seed=3, copies=8), subject("B", 0.65, seed=12, copies=8)
    (row,) = Comparison((one, two)).pairs().filter(pl.col("metric") == "accuracy").to_dicts()
    assert row["mcnemar_p"] < 0.01 < row["p"]
    apart_only = changed(two, group=pl.int_range(pl.len()))
    joined = Comparison((one, apart_only))
    assert np.unique(joined.groups).size == 30


def test_the_order_and_the_number_of_classes_do_not_matter() -> None:
    one, two = subject("A", 0.8), subject("B", 0.7, seed=1)
    plain = Comparison((one, two))
    turned = Comparison((one, replace(two, classes=("c", "a", "b"))))
    assert turned.scores().equals(plain.scores())
    fewer = replace(two, classes=("a", "b", "c", "d"))
    wider = Comparison((one, fewer))
    assert wider.metrics == ("accuracy", "balanced_accuracy", "macro_f1")
    kept = pl.col("metric").is_in(wider.metrics)
    assert wider.scores()["value"].to_list() == pytest.approx(plain.scores().filter(kept)["value"].to_list())
    ordered = Comparison((replace(one, ordered=True), replace(two, ordered=True, classes=("c", "a", "b"))))
    assert "mae" not in ordered.metrics


def test_seeds_are_a_mean_without_mcnemar() -> None:
    parts = [subject("x", 0.8, seed=i).answers[0] for i in range(3)]
    several = replace(subject("seeds", 0.8), answers=tuple(parts))
    found = Comparison((several, subject("B", 0.6, seed=5)))
    accuracy = pl.col("metric") == "accuracy"
    each = [float((part["label"] == part["predicted"]).to_numpy().mean()) for part in parts]
    scores = found.scores().filter(accuracy).to_dicts()
    assert scores[0]["value"] == pytest.approx(np.mean(each))
    assert scores[0]["networks"] == 3
    (row,) = found.pairs().filter(accuracy).to_dicts()
    assert row["mcnemar_p"] is None
    assert row["mcnemar_holm"] is None
    assert row["p"] < 0.01


def test_p_values_are_corrected_over_pairs() -> None:
    three = (subject("A", 0.8), subject("B", 0.74, seed=1), subject("C", 0.7, seed=2))
    pairs = Comparison(three).pairs()
    for _, part in pairs.group_by("metric"):
        assert (part["p_holm"] >= part["p"]).all()
        smallest = float(part["p"].to_numpy().min())
        assert float(part["p_holm"].to_numpy().min()) == pytest.approx(min(1, 3 * smallest))
