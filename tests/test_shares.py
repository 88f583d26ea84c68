"""Intervals of shares hold the truth, twins or not, and are never a point."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import sparse
from scipy.stats import binomtest

from instar.shares import Counts, interval_of, intervals_of, wilson


def columns(right: NDArray[Any], of: NDArray[Any]) -> list[Counts]:
    """Counts per group of one column."""
    return [sparse.csr_array(np.asarray(a, dtype=np.float64)[:, None]) for a in (right, of)]


def ends(right: NDArray[Any], of: NDArray[Any]) -> tuple[float, float]:
    """The interval of one column."""
    (share,) = intervals_of(*columns(right, of))
    return share.low, share.high


@pytest.mark.parametrize("right", [0, 3, 10])
def test_shares_without_twins_are_wilsons(right: int) -> None:
    assert ends(np.arange(10) < right, np.ones(10)) == pytest.approx(wilson(right / 10, 10), abs=1e-12)


@pytest.mark.parametrize("right", [0, 3, 10])
def test_copies_leave_a_share_as_uncertain_as_it_was(right: int) -> None:
    """Ten examples, each copied five times, tell no more than ten."""
    once, five = (ends((np.arange(10) < right) * k, np.full(10, k)) for k in (1, 5))
    assert five == pytest.approx(once, abs=1e-12)


def test_shares_of_twins_hold_the_truth_where_rows_would_not() -> None:
    rng, repeats, p = np.random.default_rng(1), 600, 0.8
    held, by_rows = 0, 0
    for _ in range(repeats):
        of = rng.integers(1, 5, 40)
        right = of * (rng.random(40) < p)
        low, high = ends(right, of)
        held += low <= p <= high
        low, high = wilson(right.sum() / of.sum(), of.sum())
        by_rows += low <= p <= high
    assert by_rows / repeats < 0.85  # nominal is 0.95, the standard error 0.009
    assert 0.92 <= held / repeats <= 0.98


@pytest.mark.parametrize(("groups", "size", "p"), [(30, 1, 0.85), (12, 3, 0.7), (200, 2, 0.95)])
def test_shares_of_independent_examples_hold_the_truth_in_whatever_groups(groups: int, size: int, p: float) -> None:
    rng, repeats = np.random.default_rng(2), 600
    held = 0
    for _ in range(repeats):
        low, high = ends(rng.binomial(size, p, groups), np.full(groups, size))
        held += low <= p <= high
    assert 0.92 <= held / repeats <= 0.985


def test_a_column_without_examples_may_be_anything() -> None:
    assert ends(np.zeros(3), np.zeros(3)) == (0.0, 1.0)


@pytest.mark.parametrize(("right", "of"), [(1, 2), (1, 3), (3, 7), (10, 49)])
def test_the_same_share_in_every_group_counts_groups(right: int, of: int) -> None:
    (share,) = intervals_of(*columns(np.full(20, right), np.full(20, of)))
    assert (share.low, share.high) == pytest.approx(wilson(right / of, 20), abs=1e-12)
    assert not share.varied


def test_groups_are_those_with_examples_of_the_column() -> None:
    right, of = np.array([[2, 1], [0, 1], [3, 0]]), np.array([[2, 2], [0, 2], [3, 0]])
    first, second = intervals_of(*(sparse.csr_array(a.astype(np.float64)) for a in (right, of)))
    assert first[:2] == pytest.approx(wilson(1.0, 2)) and second[:2] == pytest.approx(wilson(0.5, 2))


def test_the_effective_number_of_examples_is_at_most_their_number() -> None:
    assert interval_of(0.5, 1e-6, 40, 20)[:2] == pytest.approx(wilson(0.5, 40))
    assert interval_of(0.5, 0.25 / 10, 40, 20)[:2] == pytest.approx(wilson(0.5, 10))
    assert interval_of(0.5, 1e-30, 40, 20) == (*wilson(0.5, 20), False)


@pytest.mark.parametrize(("right", "n"), [(0, 10), (3, 10), (10, 10), (912, 1000)])
def test_wilson_is_scipys(right: int, n: int) -> None:
    expected = binomtest(right, n).proportion_ci(method="wilson")
    assert wilson(right / n, n) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_wilson_without_examples_is_the_whole_range() -> None:
    assert wilson(0.0, 0) == (0.0, 1.0)
