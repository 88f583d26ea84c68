"""Properties of the split, whatever the groups are."""

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from instar.data.split import SHARES, folds, near_leak, random_leak, split

worlds = st.lists(st.tuples(st.integers(0, 5), st.sampled_from([1, 1, 1, 1, 2, 3, 40])), min_size=1, max_size=300)


def arrays(world: list[tuple[int, int]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    return np.array([size for _, size in world]), np.array([stratum for stratum, _ in world])


@given(worlds, st.integers(0, 3))
def test_every_class_in_every_part(world: list[tuple[int, int]], seed: int) -> None:
    sizes, strata = arrays(world)
    parts, too_few = split(sizes, strata, SHARES, seed)
    seen = defaultdict(set)
    for part, stratum in zip(parts, strata.tolist(), strict=True):
        seen[stratum].add(part)
    for stratum, found in seen.items():
        enough = (strata == stratum).sum() >= 3
        assert found == (set(SHARES) if enough else {"train"})
        assert (stratum in too_few) is not enough


@given(worlds, st.integers(0, 3))
def test_equal_arguments_give_equal_parts(world: list[tuple[int, int]], seed: int) -> None:
    assert split(*arrays(world), SHARES, seed) == split(*arrays(world), SHARES, seed)


@given(st.integers(0, 10**9), st.integers(1, 12), st.integers(200, 600))
def test_shares_hold(seed: int, classes: int, groups: int) -> None:
    """Over all rows to a few percent, in every class to a few groups."""
    rng = np.random.default_rng(seed)
    sizes, strata = rng.integers(1, 5, groups), rng.integers(0, classes, groups)
    parts, _ = split(sizes, strata, SHARES, seed)
    for part, share in SHARES.items():
        here = np.array([p == part for p in parts])
        assert abs(sizes[here].sum() / sizes.sum() - share) < 0.03
        for stratum in np.unique(strata):
            of_class = strata == stratum
            if of_class.sum() >= 20:
                assert abs(sizes[here & of_class].sum() - share * sizes[of_class].sum()) <= 8


def test_many_small_classes_keep_the_shares() -> None:
    """Classes of ten have one or two test examples each; together they have 15 %."""
    sizes, strata = np.ones(1000, np.int64), np.repeat(np.arange(100), 10)
    parts, _ = split(sizes, strata, SHARES, 0)
    assert [parts.count(part) for part in SHARES] == [700, 150, 150]


def test_a_giant_group_does_not_upset_the_shares() -> None:
    sizes = np.array([1300, *[1] * 7000])
    for seed in range(20):
        parts, _ = split(sizes, np.zeros(len(sizes), np.int64), SHARES, seed)
        rows = {part: sizes[[p == part for p in parts]].sum() / sizes.sum() for part in SHARES}
        assert rows == pytest.approx(SHARES, abs=0.01)


def test_seeds_differ() -> None:
    sizes, strata = np.ones(100, np.int64), np.zeros(100, np.int64)
    assert split(sizes, strata, SHARES, 0) != split(sizes, strata, SHARES, 1)


def test_other_shares() -> None:
    """Validation drawn from train, where the test part is given."""
    sizes, strata = np.ones(850, np.int64), np.zeros(850, np.int64)
    parts, _ = split(sizes, strata, {"train": 0.7 / 0.85, "val": 0.15 / 0.85}, 0)
    assert parts.count("val") == 150


def test_the_leak_of_a_random_split_is_as_predicted() -> None:
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(900), rng.choice([1, 1, 2, 5], 900))
    leaks = []
    for _ in range(200):
        draw = rng.random(len(group))
        train, test = group[draw < 0.7], group[draw > 0.85]
        leaks.append(np.isin(test, train).mean())
    assert random_leak(group, 0.7) == pytest.approx(np.mean(leaks), abs=0.01)
    assert random_leak(np.arange(50), 0.7) == 0
    assert random_leak(np.array([], np.int64), 0.7) == 0


def test_the_leak_of_near_copies_is_as_predicted() -> None:
    """Contents in a chain, each with some rows; singly drawn rows, and whole contents."""
    rng = np.random.default_rng(0)
    sizes = rng.choice([0, 1, 1, 3], 400)
    first = np.arange(0, 300, 2)
    second = first + 1
    content = np.repeat(np.arange(400), sizes)
    beside = np.full(400, -1)
    beside[first], beside[second] = second, first
    singly, whole = [], []
    for _ in range(300):
        draw = rng.random(len(content))
        singly.append(np.isin(beside[content[draw > 0.85]], content[draw < 0.7]).mean())
        draw = rng.random(400)[content]
        whole.append(np.isin(beside[content[draw > 0.85]], content[draw < 0.7]).mean())
    found = near_leak(sizes, first, second, 0.7)
    assert found == pytest.approx((np.mean(singly), np.mean(whole)), abs=0.01)
    assert found[0] > found[1] > 0.2
    none = np.array([], np.int64)
    assert near_leak(np.ones(5, np.int64), none, none, 0.7) == (0, 0)
    assert near_leak(none, none, none, 0.7) == (0, 0)


@given(worlds, st.integers(2, 7), st.integers(0, 3))
def test_folds_test_every_group_once_and_leave_each_class_something_to_learn(
    world: list[tuple[int, int]], number: int, seed: int
) -> None:
    sizes, strata = arrays(world)
    fold, too_few = folds(sizes, strata, number, seed)
    assert np.array_equal(folds(sizes, strata, number, seed)[0], fold)
    for stratum in np.unique(strata):
        of_class = fold[strata == stratum]
        if of_class.size < 3:
            assert stratum in too_few
            assert (of_class == -1).all()
        else:
            counts = np.bincount(of_class, minlength=number)
            assert (of_class >= 0).all()
            assert counts.max() < of_class.size
            assert (counts > 0).sum() == min(number, of_class.size)


@given(st.integers(0, 10**9), st.integers(2, 10))
def test_folds_are_even_in_every_class(seed: int, number: int) -> None:
    rng = np.random.default_rng(seed)
    sizes, strata = rng.integers(1, 4, 300), rng.integers(0, 6, 300)
    fold, _ = folds(sizes, strata, number, seed)
    rows = np.bincount(fold, sizes, number)
    assert rows.max() - rows.min() <= 8
    for stratum in range(6):
        of_class = strata == stratum
        rows = np.bincount(fold[of_class], sizes[of_class], number)
        assert rows.max() - rows.min() <= 3
