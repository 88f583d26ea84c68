"""Merging: planted twins and small classes, and what must hold of any rows."""

from collections.abc import Sequence
from dataclasses import replace

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from instar.compose.merge import FATES, Merged, Small, copies, merge
from instar.compose.novelty import fates, origins, per_class
from instar.compose.recipe import Composition, Source
from instar.errors import UserError

Row = tuple[str, str, str]
"""source, label, what is shown (equal for twins; "?" cannot be read)"""
SOURCES = {"a": Source("a"), "b": Source("b")}
RECIPE = Composition("T", tuple(SOURCES.values()), min_per_class=1)


def frame(rows: Sequence[Row]) -> pl.DataFrame:
    sources, labels, shown = zip(*sorted(rows, key=lambda row: row[0]), strict=True)
    return pl.DataFrame(
        {
            "source": sources,
            "original": [f"{i}.png" for i in range(len(rows))],
            "was": [f"old {label}" for label in labels],
            "label": labels,
            "root": "/",
            "input": [f"{i}.png" for i in range(len(rows))],
            "fate": pl.Series([None] * len(rows), dtype=pl.String),
            "error": [None if s != "?" else "damaged" for s in shown],
            "twin": [s if s != "?" else None for s in shown],
        },
        schema_overrides={"error": pl.String, "twin": pl.String},
    )


def merged(rows: Sequence[Row], recipe: Composition = RECIPE, sources: dict[str, Source] = SOURCES) -> Merged:
    return merge(frame(rows), recipe, sources)


def many(source: str, label: str, n: int) -> list[Row]:
    return [(source, label, f"{source}{label}{i}") for i in range(n)]


def outcome(found: Merged) -> list[tuple[str, str, str]]:
    return list(copies(found.frame).select("source", "label", "outcome").iter_rows())


REST = [*many("a", "ant", 2), *many("b", "bee", 2)]
EQUAL: list[Row] = [("a", "ant", "x"), ("b", "ant", "x"), *REST]
UNEQUAL: list[Row] = [("a", "ant", "x"), ("b", "ant", "x"), ("b", "bee", "x"), *REST]


def test_of_equal_twins_the_first_stays() -> None:
    assert outcome(merged(EQUAL)) == [("a", "ant", "kept"), ("b", "ant", "twin")]


def test_equal_twins_all_stay_if_asked() -> None:
    assert outcome(merged(EQUAL, replace(RECIPE, twins="keep"))) == [
        ("a", "ant", "kept"),
        ("b", "ant", "kept"),
    ]


@pytest.mark.parametrize(
    ("conflicts", "expected"),
    [
        ("drop", ["conflict", "conflict", "conflict"]),
        ("first", ["kept", "twin", "conflict"]),
        ("keep", ["kept", "twin", "kept"]),
    ],
)
def test_twins_of_several_classes(conflicts: str, expected: list[str]) -> None:
    recipe = replace(RECIPE, conflicts=conflicts)  # type: ignore[arg-type]
    assert [fate for _, _, fate in outcome(merged(UNEQUAL, recipe))] == expected


def test_the_unreadable_are_nobodys_twins() -> None:
    found = merged([("a", "ant", "?"), ("b", "bee", "?"), *REST])
    assert found.frame["fate"].to_list().count("unreadable") == 2
    assert outcome(found) == []


SMALL = [
    *many("a", "ant", 9),
    *many("b", "bee", 8),
    *many("a", "fly", 2),
    *many("b", "fly", 1),
    *many("b", "gnat", 4),
]
LACK = (Small("fly", 3, 2), Small("gnat", 4, 1))
FIVE = replace(RECIPE, min_per_class=5)


def test_small_classes_stop() -> None:
    with pytest.raises(UserError) as error:
        merged(SMALL, FIVE)
    assert str(error.value).startswith(
        '2 classes below min_per_class=5: "gnat" has 4 (lacks 1), "fly" has 3 (lacks 2); choose'
    )


@pytest.mark.parametrize(
    ("below", "expected"),
    [
        ("drop", {"ant": 9, "bee": 8}),
        ("pool", {"ant": 9, "bee": 8, "other": 7}),
        ("keep", {"ant": 9, "bee": 8, "fly": 3, "gnat": 4}),
    ],
)
def test_small_classes_are_dropped_pooled_or_kept(below: str, expected: dict[str, int]) -> None:
    found = merged(SMALL, replace(FIVE, below_minimum=below))  # type: ignore[arg-type]
    assert dict(found.kept["label"].value_counts().iter_rows()) == expected
    assert found.small == LACK


def test_a_pool_below_the_minimum_is_refused() -> None:
    with pytest.raises(UserError, match='pooled as "other", 2 classes below the minimum have 7 examples, 1 too few'):
        merged(SMALL, replace(RECIPE, min_per_class=8, below_minimum="pool"))


def test_one_class_is_no_set() -> None:
    with pytest.raises(UserError, match="1 class would be left"):
        merged(SMALL, replace(RECIPE, min_per_class=9, below_minimum="drop"))


def test_a_cap_takes_the_same_from_each_source() -> None:
    rows = [*many("a", "ant", 50), *many("b", "ant", 20), *many("b", "bee", 3)]
    table = per_class(merged(rows, replace(RECIPE, cap=30)).kept, tuple(SOURCES))
    assert list(table.iter_rows()) == [("ant", 30, 15, 15), ("bee", 3, 0, 3)]
    table = per_class(merged(rows, replace(RECIPE, cap=60)).kept, tuple(SOURCES))
    assert table.row(0) == ("ant", 60, 40, 20)


def test_balance_goes_down_to_the_rarest_class() -> None:
    rows = [*many("a", "ant", 50), *many("b", "bee", 7)]
    assert merged(rows, replace(RECIPE, balance=True)).kept["label"].value_counts()["count"].to_list() == [
        7,
        7,
    ]


def test_cap_and_balance_of_one_source_leave_the_other_alone() -> None:
    rows = [*many("a", "ant", 9), *many("a", "bee", 5), *many("b", "ant", 9), *many("b", "bee", 5)]
    capped = merged(rows, RECIPE, {"a": Source("a", cap=4), "b": Source("b")})
    assert list(per_class(capped.kept, ("a", "b")).iter_rows()) == [("ant", 13, 4, 9), ("bee", 9, 4, 5)]
    even = merged(rows, RECIPE, {"a": Source("a", balance=True), "b": Source("b")})
    assert list(per_class(even.kept, ("a", "b")).iter_rows()) == [("ant", 14, 5, 9), ("bee", 10, 5, 5)]


def test_twins_take_no_place_under_a_cap() -> None:
    rows: list[Row] = [("a", "ant", "x")] * 20 + many("a", "ant", 4) + many("b", "bee", 4)
    found = merged(rows, RECIPE, {"a": Source("a", cap=5), "b": Source("b")})
    assert found.kept.filter(pl.col("label") == "ant").height == 5


ROWS = st.lists(
    st.tuples(
        st.sampled_from("ab"),
        st.sampled_from(("ant", "bee", "fly")),
        st.sampled_from([*"?uvwxyz", *map(str, range(40))]),
    ),
    min_size=1,
    max_size=80,
)
RECIPES = st.builds(
    Composition,
    st.just("T"),
    st.just(tuple(SOURCES.values())),
    min_per_class=st.integers(1, 4),
    below_minimum=st.sampled_from(("drop", "keep", "pool")),
    cap=st.none() | st.integers(4, 9),
    balance=st.booleans(),
    twins=st.sampled_from(("first", "keep")),
    conflicts=st.sampled_from(("drop", "first", "keep")),
    seed=st.integers(0, 3),
)


@given(ROWS, RECIPES)
def test_what_must_hold_of_any_rows(rows: list[Row], recipe: Composition) -> None:
    try:
        found = merged(rows, recipe)
    except UserError:
        return
    kept = found.kept
    counts = fates(found.frame, tuple(SOURCES), FATES)
    assert found.frame.height == len(rows)
    for _, total, *parts in counts.iter_rows():
        assert total == sum(parts)
    assert set(found.frame["fate"].drop_nulls()) <= set(FATES)
    assert kept.null_count().select("source", "original", "was", "label", "twin").row(0) == (0,) * 5
    assert kept["error"].null_count() == kept.height
    sizes = kept["label"].value_counts()["count"]
    assert len(sizes) >= 2
    if recipe.below_minimum != "keep" and not recipe.balance:
        assert min(sizes) >= recipe.min_per_class
    if recipe.cap is not None:
        assert max(sizes) <= recipe.cap
    if recipe.balance:
        assert sizes.n_unique() == 1
    if recipe.conflicts != "keep":
        assert (kept.group_by("twin").agg(pl.col("was").n_unique())["was"] == 1).all()
        if recipe.twins == "first":
            assert kept["twin"].is_unique().all()
    assert sum(o.examples for o in origins(found.frame, tuple(SOURCES))) == kept.height
    assert merged(rows, recipe).frame.equals(found.frame)


@given(ROWS, st.integers(1, 8), st.integers(0, 3))
def test_a_smaller_cap_takes_a_part_of_a_larger_one(rows: list[Row], cap: int, seed: int) -> None:
    def taken(n: int) -> set[str]:
        recipe = replace(RECIPE, cap=n, min_per_class=1, seed=seed)
        return set(merged(rows, recipe).kept["original"])

    try:
        assert taken(cap) <= taken(cap + 1)
    except UserError:
        return


def test_another_seed_draws_others() -> None:
    rows = [*many("a", "ant", 60), *many("b", "bee", 60)]
    draws = [set(merged(rows, replace(RECIPE, cap=20, seed=seed)).kept["original"]) for seed in (0, 0, 1)]
    assert draws[0] == draws[1] != draws[2]
