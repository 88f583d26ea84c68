"""Planted slices: a bad one is found, and where there is none nothing is claimed oftener than it may be."""

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from instar.evaluate.looks import LEAST, looks
from instar.evaluate.slices import slices, sure
from instar.evaluate.surprise import corrected
from instar.metrics import Ints

Bools = NDArray[np.bool_]
CLASSES = np.array(["ant", "bee", "cow"])


def rows(n: int, seed: int = 0) -> tuple[pl.DataFrame, pl.DataFrame, np.random.Generator]:
    """n test rows, all right, and a table with a column of each kind that has nothing to do with the answers."""
    rng = np.random.default_rng(seed)
    ids, label = [f"row {i}" for i in range(n)], CLASSES[np.arange(n) % 3]
    test = pl.DataFrame({"id": ids, "group": np.arange(n), "label": label, "predicted": label})
    table = pl.DataFrame(
        {
            "id": ids,
            "measure.brightness": rng.random(n),
            "measure.sha256": [str(i) for i in range(n)],
            "extra.number": np.arange(n),
            "extra.source": rng.choice(["camera", "phone", "scan"], n),
            "extra.city": [f"city {i % 200}" for i in range(n)],
            "extra.same": ["always"] * n,
        }
    )
    return test, table, rng


def spoilt(test: pl.DataFrame, wrong: Bools) -> pl.DataFrame:
    """Wrong answers in these rows: the next class."""
    following = test["label"].replace_strict(CLASSES.tolist(), np.roll(CLASSES, -1).tolist())
    return test.with_columns(pl.when(pl.Series(wrong)).then(following).otherwise("predicted").alias("predicted"))


def test_a_planted_slice_is_found_and_nothing_else() -> None:
    test, table, rng = rows(900)
    bad = (table["extra.source"] == "phone").to_numpy()
    frame, columns = slices(spoilt(test, rng.random(900) < np.where(bad, 0.35, 0.1)), table, 0)
    found = sure(frame)
    assert found.select("column", "relation", "slice").rows() == [("extra.source", "is", "phone")]
    row = found.row(0, named=True)
    assert row["p"] < 0.01 and row["p_within"] < 0.01
    assert row["wrong_low"] < 0.35 < row["wrong_high"] and row["rest_low"] < 0.1 < row["rest_high"]
    assert row["difference_low"] < 0.25 < row["difference_high"]
    assert row["expected"] == pytest.approx(row["rest"], abs=0.01)  # classes have nothing to do with it
    why = dict(columns.select("column", "why").iter_rows())
    assert why == {
        "measure.brightness": None,
        "measure.sha256": "a digest",
        "extra.number": "an id",
        "extra.source": None,
        "extra.city": f"no value is shared by {LEAST} groups",
        "extra.same": "the same everywhere",
    }


def test_a_planted_range_is_found_where_it_was_planted() -> None:
    test, table, rng = rows(900, seed=1)
    dark = (table["measure.brightness"] < 0.2).to_numpy()
    frame, _ = slices(spoilt(test, rng.random(900) < np.where(dark, 0.4, 0.1)), table, 0)
    row = sure(frame).row(0, named=True)
    assert (row["column"], row["relation"]) == ("measure.brightness", "at most")
    assert float(row["slice"]) == pytest.approx(0.2, abs=0.03)
    assert frame.filter(pl.col("column") == "measure.brightness").height == 1  # the best cut stands for all


def test_a_slice_that_only_holds_a_hard_class_says_so() -> None:
    test, table, rng = rows(1200, seed=2)
    hard = (test["label"] == "cow").to_numpy()
    shelter = rng.random(1200) < np.where(hard, 0.9, 0.1)
    table = table.with_columns(pl.Series("extra.farm", np.where(shelter, "yes", "no")))
    frame, _ = slices(spoilt(test, rng.random(1200) < np.where(hard, 0.5, 0.1)), table, 0)
    row = frame.filter(pl.col("slice") == "yes").row(0, named=True)
    assert row["p"] < 0.01 and row["p_within"] > 0.2
    assert row["expected"] == pytest.approx(row["wrong"], abs=0.06)
    # ... and one that is bad whatever the class has little explained
    bad = (table["extra.source"] == "scan").to_numpy()
    wrong = rng.random(1200) < np.where(hard, 0.4, 0.1) + np.where(bad, 0.3, 0)
    row = slices(spoilt(test, wrong), table, 0)[0].filter(pl.col("slice") == "scan").row(0, named=True)
    assert row["p_within"] < 0.01 and row["wrong"] - row["expected"] == pytest.approx(0.3, abs=0.08)


def test_a_slice_that_is_one_class_has_all_explained() -> None:
    test, table, rng = rows(600, seed=3)
    table = table.with_columns(pl.Series("extra.class", test["label"]))
    hard = (test["label"] == "cow").to_numpy()
    row = slices(spoilt(test, rng.random(600) < np.where(hard, 0.5, 0.1)), table, 0)[0].row(0, named=True)
    assert (row["slice"], row["p_within"]) == ("cow", 1.0)
    assert row["expected"] == pytest.approx(row["wrong"])


def test_twins_are_one_witness() -> None:
    """Sixty wrong copies of one picture make their source the worst by far, and nothing of it sure."""
    test, table, rng = rows(600, seed=4)
    copies = np.arange(600) < 60
    test = test.with_columns(pl.Series("group", np.where(copies, -1, np.arange(600))))
    table = table.with_columns(pl.Series("extra.source", np.where(copies, "phone", table["extra.source"].to_numpy())))
    frame, _ = slices(spoilt(test, copies | (rng.random(600) < 0.1)), table, 0)
    phone = frame.filter(pl.col("slice") == "phone").row(0, named=True)
    assert phone["difference"] > 0.15 and phone["p"] > 0.1
    alone, _ = slices(spoilt(test.with_columns(group="id").with_columns(pl.col("group").hash()), copies), table, 0)
    assert alone.filter(pl.col("slice") == "phone")["p"].item() < 0.01


def world(rng: np.random.Generator, n: int, rate: float, bad: float = 0.0) -> tuple[Bools, Ints, Ints]:
    """Slices of five columns by deciles, both sides; mistakes that twins mostly share, more in a fifth by `bad`."""
    groups = np.repeat(np.arange(n), rng.choice([1, 1, 1, 2, 3], n))[:n]
    columns = rng.normal(size=(n, 5))[groups] + 0.1 * rng.normal(size=(n, 5))
    above = [columns[:, [j]] > np.quantile(columns[:, j], np.arange(1, 10) / 10) for j in range(5)]
    risk = rate + bad * above[0][:, 7]
    chance = np.where(rng.random(n) < 0.7, rng.random(n)[groups], rng.random(n))
    inside = np.concatenate([side for a in above for side in (a, ~a)], axis=1)
    return inside, (chance < risk).astype(np.int64), groups


@pytest.mark.parametrize(("n", "rate"), [(250, 0.08), (250, 0.4)])
def test_false_alarms_of_any_of_90_looks_stay_below_the_level(n: int, rate: float) -> None:
    """200 worlds without a bad slice, with twins: 10 alarms are due at most; 18 or more would come in 1 % of cases."""
    rng = np.random.default_rng(5)
    alarms = 0
    for _ in range(200):
        inside, wrong, groups = world(rng, n, rate)
        alarms += corrected(inside, wrong, np.zeros_like(groups), groups, 0, draws=99)[1].min() <= 0.05
    assert alarms <= 17


def test_power() -> None:
    """A fifth of 800 rows with 25 % of mistakes instead of 10 %, in about 500 groups: found in at least 8 of 10 worlds,
    and in the right column."""
    rng = np.random.default_rng(6)
    found = 0
    for _ in range(40):
        inside, wrong, groups = world(rng, 800, 0.1, 0.15)
        p = corrected(inside, wrong, np.zeros_like(groups), groups, 0, draws=99)[1]
        found += p[:18].min() <= 0.05
    assert found >= 32


def test_what_is_looked_at() -> None:
    n = 400
    rng = np.random.default_rng(7)
    table = pl.DataFrame(
        {
            "id": [str(i) for i in range(n)],
            "measure.width": rng.integers(100, 400, n),
            "measure.height": [200] * n,
            "measure.phash": ["0"] * n,
            "extra.count": [f"1,{i % 7:03}" for i in range(n)],
            "extra.name": ["a" if i % 7 == 0 else "b" for i in range(n)],
            "extra.first": ["yes" if i % 7 == 0 else None for i in range(n)],
            "extra.gone": [None] * n,
        },
        schema_overrides={"extra.gone": pl.String},
    )
    seen = looks(table, np.arange(n))
    by = {name: [look for look in seen.found if look.column == name] for name in table.columns}
    assert {look.relation for look in by["measure.width"]} == {"at most", "more than"}
    assert 14 <= len(by["measure.width"]) <= 18
    assert next(look.slice for look in by["extra.count"] if look.relation == "at most") == "1000"  # 1,000 is a number
    assert not by["extra.name"]  # a is the same slice as a count of at most 1,000
    why = dict(seen.columns.select("column", "why").iter_rows())
    assert why["extra.name"] == why["extra.first"] == "the same slices as extra.count"
    assert why["extra.gone"] == why["measure.height"] == "the same everywhere"
    assert seen.columns.filter(pl.col("column") == "measure.aspect")["why"].item() == "the same slices as measure.width"
    for look in seen.found:
        assert LEAST <= look.inside.sum() <= n - LEAST


def test_nothing_to_see() -> None:
    test, table, _ = rows(300)
    frame, _ = slices(test, table, 0)  # not one mistake
    assert frame.height and sure(frame).height == 0 and frame["p"].min() == 1
    frame, columns = slices(test, table.select("id"), 0)
    assert (frame.height, columns.height) == (0, 0)


def test_the_order_of_the_rows_changes_nothing_but_the_deals() -> None:
    test, table, rng = rows(300, seed=8)
    test = spoilt(test, rng.random(300) < 0.2)
    one, other = (slices(test, t, 0)[0] for t in (table, table.reverse()))
    assert one.equals(other)
