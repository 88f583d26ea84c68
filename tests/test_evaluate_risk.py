"""Thresholds keep what they promise, and the area under the curve is what its definition says."""

import numpy as np
import polars as pl
import pytest

from instar.evaluate.risk import WISHES, aurc, curve, threshold_for, thresholds
from instar.metrics import Floats, Ints

World = tuple[Floats, Floats, Ints]


def world(rng: np.random.Generator, n: int, copies: int = 1) -> World:
    """A calibrated model of about 70 % accuracy: confidence, right, groups of copies."""
    confidence = 1 / (1 + np.exp(-rng.normal(1.2, 1.5, n)))
    right = (rng.random(n) < confidence).astype(np.float64)
    return np.repeat(confidence, copies), np.repeat(right, copies), np.repeat(np.arange(n), copies)


def test_the_curve_starts_with_the_surest_and_ends_with_all() -> None:
    confidence = np.array([0.9, 0.9, 0.8, 0.7, 0.6])
    right = np.array([1.0, 1.0, 1.0, 0.0, 1.0])
    found = curve(confidence, right, np.arange(5))
    assert found["threshold"].to_list() == [0.9, 0.8, 0.7, 0.6]
    assert found["n"].to_list() == [2, 3, 4, 5]
    assert found["accuracy"].to_list() == [1, 1, 0.75, 0.8]
    assert found["coverage"].to_list() == pytest.approx([0.4, 0.6, 0.8, 1])
    assert (found["low"] < found["accuracy"]).all()


def test_the_area_is_the_mean_risk_over_coverage() -> None:
    rng = np.random.default_rng(0)
    confidence, right, groups = world(rng, 500)
    order = np.argsort(-confidence)
    risk = (1 - right[order]).cumsum() / np.arange(1, 501)
    assert aurc(confidence, right, groups).value == pytest.approx(risk.mean())
    flat = aurc(np.full(500, 0.5), right, groups)
    assert flat.value == pytest.approx(1 - right.mean())  # an order that says nothing: the error rate of all
    assert aurc(right, right, groups).value < 0.1


def test_the_interval_of_the_area_holds_it_and_copies_are_no_witnesses() -> None:
    rng = np.random.default_rng(1)
    true, held, repeats = aurc(*world(rng, 300_000)).value, 0, 200
    for _ in range(repeats):
        found = aurc(*world(rng, 300, 2))
        held += found.low <= true <= found.high
    assert held / repeats >= 0.9
    one, many = (aurc(*world(np.random.default_rng(5), 200, copies)) for copies in (1, 5))
    assert many.high - many.low == pytest.approx(one.high - one.low, rel=0.05)


def test_a_threshold_keeps_its_wish_on_new_examples() -> None:
    """Chosen where the share itself reaches the wish, it would miss it about every other time."""
    rng, wished, repeats = np.random.default_rng(2), 0.8, 100
    confidence, right, _ = world(rng, 300_000)
    kept = plain = found = 0
    for _ in range(repeats):
        table = curve(*world(rng, 300))
        threshold = threshold_for(table, wished)
        if threshold is not None:
            found += 1
            kept += right[confidence >= threshold].mean() >= wished
        naive = table.filter(pl.col("accuracy") >= wished)["threshold"].to_numpy().min()
        plain += right[confidence >= naive].mean() >= wished
    assert found >= 0.8 * repeats
    assert kept / found >= 0.93 and plain / repeats < 0.75


def test_what_cannot_be_promised_is_not() -> None:
    sure = curve(np.linspace(0.5, 1, 60), np.ones(60), np.arange(60))
    assert threshold_for(sure, 0.9) == 0.5 and threshold_for(sure, 0.99) is None
    assert threshold_for(curve(np.linspace(0.5, 1, 12), np.ones(12), np.arange(12)), 0.6) is None


def test_thresholds_are_chosen_on_validation_and_judged_on_test() -> None:
    rng = np.random.default_rng(4)
    validation, test = curve(*world(rng, 2000)), world(rng, 1000)
    found = thresholds(validation, *test)
    assert found and all(t.wished > validation["accuracy"][-1] and t.wished in WISHES for t in found)
    for t in found:
        mask = test[0] >= t.threshold
        assert t.n == mask.sum() and t.coverage == pytest.approx(mask.mean())
        assert t.accuracy == pytest.approx(test[1][mask].mean()) and t.low <= t.accuracy <= t.high
    assert [t.coverage for t in found] == sorted((t.coverage for t in found), reverse=True)
    assert thresholds(curve(*test).clear(), *test) == ()
