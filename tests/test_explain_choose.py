"""Which examples are shown and drawn, how maps are drawn, and means with their intervals. No network here."""

import numpy as np
import polars as pl
import pytest

from instar.explain.choose import drawn, shown
from instar.explain.draw import GAP, SIDE, panels
from instar.explain.means import mean

CLASSES = ("a", "b", "c")


def predictions() -> pl.DataFrame:
    rows = [
        ("1", "test", 0, "a", "a", 0.9),
        ("2", "test", 0, "a", "a", 0.95),  # a copy of the first
        ("3", "test", 1, "a", "a", 0.8),
        ("4", "test", 2, "b", "b", 0.7),
        ("5", "test", 3, "a", "b", 0.99),
        ("6", "test", 4, "a", "b", 0.98),  # the same mistake again
        ("7", "test", 5, "c", "b", 0.6),
        ("8", "val", 6, "c", "a", 1.0),
    ]
    frame = pl.DataFrame(rows, ["id", "split", "group", "label", "predicted", "confidence"], orient="row")
    shares = []
    for row in rows:
        rest = {name: (1 - row[5]) * (0.6 if name == "c" else 0.4) for name in CLASSES}
        shares.append({f"p.{name}": row[5] if name == row[4] else rest[name] for name in CLASSES})
    return frame.hstack(pl.DataFrame(shares))


def test_the_surest_of_each_kind_once() -> None:
    found = shown(predictions(), CLASSES)
    assert found.select("id", "kind", "other").rows() == [
        ("2", "right", "c"),
        ("4", "right", "c"),
        ("5", "wrong", "a"),
        ("7", "wrong", "c"),
    ]
    assert found.equals(shown(predictions().sample(fraction=1, shuffle=True, seed=3), CLASSES))


def test_the_lot_draws_one_of_each_group_of_the_test_part() -> None:
    one = drawn(predictions(), 4, 0)
    assert one.height == 4 and set(one["id"]) <= {"1", "3", "4", "5", "6", "7"}
    assert one.equals(drawn(predictions().reverse(), 4, 0))
    assert drawn(predictions(), 100, 0).height == 6


def test_the_picture_is_never_hidden_and_stands_beside() -> None:
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 255, (50, 50, 3), np.uint8)
    heavy = np.zeros(16)
    heavy[0] = 1.0
    drawn = panels(picture, [heavy, -heavy])
    assert drawn.shape == (SIDE, 3 * SIDE + 2 * GAP, 3)
    first, against = (drawn[:, i * (SIDE + GAP) : i * (SIDE + GAP) + SIDE].astype(float) for i in (1, 2))
    assert np.ptp(against, axis=2).max() == 0  # grey: nothing speaks for the class
    assert np.ptp(first, axis=2)[:20, :20].min() > 40 and np.ptp(first, axis=2)[-20:, -20:].max() == 0
    assert first[5:15, 5:15].std(axis=(0, 1)).min() > 5  # what the picture shows is still seen below the mark


def test_means_have_their_interval() -> None:
    values = np.random.default_rng(0).normal(0.2, 0.1, 40)
    found = mean("marked", "kept_probability", values, -1.0, paired=True)
    half = 1.96 * values.std(ddof=1) / np.sqrt(40)
    assert (found.low, found.high) == pytest.approx((found.value - half, found.value + half), abs=0.01)
    alike = mean("all", "rank_correlation", np.full(12, 1.0), -1.0)
    assert (alike.high, alike.method) == (1.0, "groups") and 0.4 < alike.low < 0.6
