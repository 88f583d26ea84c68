"""p values: exact where they say so, level kept, corrected as Holm does."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, norm

from instar.evaluate.intervals import by_group
from instar.evaluate.metrics import contributions
from instar.evaluate.paired import flipped, holm, mcnemar, swapped


@given(st.lists(st.integers(-4, 4), min_size=1, max_size=9))
def test_flips_count_every_way_the_signs_could_stand(differences: list[int]) -> None:
    d = np.array(differences)
    sums = np.array([np.dot(signs, d) for signs in product((-1, 1), repeat=d.size)])
    assert flipped(d) == pytest.approx(float((np.abs(sums) >= abs(d.sum())).mean()))


def test_flips_of_single_examples_are_the_exact_mcnemar_test() -> None:
    d = np.array([1] * 14 + [-1] * 5 + [0] * 60)
    assert flipped(d) == pytest.approx(binomtest(14, 19).pvalue)
    assert flipped(6 * d) == pytest.approx(flipped(d))


def test_flips_of_many_groups_are_as_quick_as_of_few() -> None:
    rng = np.random.default_rng(0)
    d = rng.integers(-9, 10, 20_000)
    z = d.sum() / np.sqrt((d**2).sum())
    assert flipped(d) == pytest.approx(2 * norm.sf(abs(z)), abs=0.01)


@pytest.mark.parametrize(("b", "c", "p"), [(0, 0, 1.0), (3, 3, 1.0), (5, 0, 0.03125), (9, 2, 0.0386)])
def test_mcnemar_with_mid_p(b: int, c: int, p: float) -> None:
    first = np.array([1] * b + [0] * c + [1, 0])
    second = np.array([0] * b + [1] * c + [1, 0])
    found = mcnemar(first, second)
    assert (found.only_first, found.only_second) == (b, c)
    assert found.p == pytest.approx(p, abs=5e-4)


def test_exchanges_agree_with_exact_flips_and_keep_the_level() -> None:
    rng = np.random.default_rng(1)
    groups = np.repeat(np.arange(50), 2)
    truth = np.arange(100) % 3
    alarms = 0
    for world in range(60):
        answers = [np.where(rng.random(100) < 0.7, truth, (truth + 1) % 3) for _ in range(2)]
        one, two = (by_group(contributions(truth, a, 3), groups) for a in answers)
        p = swapped(one, two, 3, ("accuracy", "macro_f1"), 0) if world < 12 else {}
        right = [(a == truth).astype(np.int64) for a in answers]
        exact = flipped(np.bincount(groups, right[0] - right[1]).astype(np.int64))
        alarms += exact < 0.05
        if p:
            assert p["accuracy"] == pytest.approx(exact, abs=0.03)
            assert 0 < p["macro_f1"] <= 1
    assert alarms <= 8


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm(p: list[float]) -> None:
    found = holm(p)
    assert all(a >= b for a, b in zip(found, p, strict=True))
    assert max(found) <= 1
    assert min(found) == pytest.approx(min(1.0, len(p) * min(p)))
    order = np.argsort(p, kind="stable")
    assert np.all(np.diff(np.array(found)[order]) >= 0)


def test_holm_of_a_known_example() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
