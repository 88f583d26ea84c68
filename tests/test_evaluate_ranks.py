"""AUROC is scikit-learn's, and its intervals hold the truth as often as they say."""

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import softmax
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from instar.evaluate.ranks import Ranked, difference, interval, ranked
from instar.metrics import Floats, Ints
from instar.shares import wilson


def macro(truth: Ints, p: Floats, groups: Ints | None = None) -> Ranked:
    found, _ = ranked(truth, p, np.arange(len(truth)) if groups is None else groups)
    assert found is not None
    return found


@given(st.integers(2, 6), st.integers(2, 60), st.integers(0, 1000), st.booleans())
def test_auroc_equals_scikit_learn(classes: int, n: int, seed: int, ties: bool) -> None:
    rng = np.random.default_rng(seed)
    truth, p = rng.integers(0, classes, n), rng.dirichlet(np.ones(classes), n)
    p = p.round(1) if ties else p
    whole, each = ranked(truth, p, rng.integers(0, n, n))
    known = [c for c in range(classes) if 0 < (truth == c).sum() < n]
    expected = {c: roc_auc_score(truth == c, p[:, c]) for c in known}
    assert [c for c, found in enumerate(each) if found is not None] == known
    for c in known:
        found = each[c]
        assert found is not None and found.value == pytest.approx(expected[c], abs=1e-12)
    if not known:
        assert whole is None
    elif whole is not None:
        mean = expected[1] if classes == 2 else np.mean(list(expected.values()))
        assert whole.value == pytest.approx(mean, abs=1e-12)


def drawn(
    rng: np.random.Generator, groups: int, classes: int, apart: float, copies: int = 1
) -> tuple[Ints, Floats, Ints]:
    """Groups of up to 2 * copies - 1 equal examples, whose own class is ahead by `apart` deviations of the scores."""
    truth, scores = rng.integers(0, classes, groups), rng.normal(0, 1, (groups, classes))
    scores[np.arange(groups), truth] += apart
    rows = np.repeat(np.arange(groups), rng.integers(1, 2 * copies, groups))
    return truth[rows], scores[rows], rows


@pytest.mark.parametrize(("groups", "classes", "copies"), [(40, 2, 1), (60, 5, 1), (80, 5, 4)])
def test_coverage_is_nominal(groups: int, classes: int, copies: int) -> None:
    """The score of a class is larger for its examples by so many deviations: normal, so the area is known."""
    apart, rng, repeats = 1.5, np.random.default_rng(5), 300
    true, held = norm.cdf(apart / np.sqrt(2)), 0
    for _ in range(repeats):
        truth, scores, rows = drawn(rng, groups, classes, apart, copies)
        found = interval(macro(truth, scores, rows))
        held += found.low <= true <= found.high
    assert 0.92 <= held / repeats <= 0.985, held / repeats  # one score a class, as it stands: no softmax between


@pytest.mark.slow
@pytest.mark.parametrize(("groups", "classes", "apart"), [(600, 75, 3.0), (200, 10, 3.0), (500, 2, 2.5)])
def test_coverage_near_the_end(groups: int, classes: int, apart: float) -> None:
    rng, repeats, held = np.random.default_rng(6), 200, 0
    true = norm.cdf(apart / np.sqrt(2))
    for _ in range(repeats):
        found = interval(macro(*drawn(rng, groups, classes, apart)))
        held += found.low <= true <= found.high
    assert 0.9 <= held / repeats <= 0.99, held / repeats


def test_a_paired_difference_holds_the_truth() -> None:
    rng, repeats, held = np.random.default_rng(7), 300, 0
    true = norm.cdf(1.5 / np.sqrt(2)) - norm.cdf(1 / np.sqrt(2))
    for _ in range(repeats):
        truth, scores, rows = drawn(rng, 80, 3, 1.5)
        worse = scores - 0.5 * np.eye(3)[truth]
        value, found = difference(macro(truth, scores, rows), macro(truth, worse, rows))
        assert found.low <= value <= found.high and found.method == "ranks"
        held += found.low <= true <= found.high
    assert 0.91 <= held / repeats <= 0.985, held / repeats


def test_copies_are_no_witnesses() -> None:
    truth, scores, rows = drawn(np.random.default_rng(1), 50, 3, 1.0)
    once, ten = (
        interval(macro(np.repeat(truth, n), np.repeat(scores, n, axis=0), np.repeat(rows, n))) for n in (1, 10)
    )
    assert (once.low, once.high) == pytest.approx((ten.low, ten.high), abs=1e-12)


def test_a_perfect_ranking_is_not_certain() -> None:
    """Three examples of a class ranked before 97 others say no more than three examples can."""
    truth = np.array([1] * 3 + [0] * 97)
    p = np.stack([1 - truth, truth], axis=1) * 0.8 + 0.1
    found = interval(macro(truth, p))
    assert (found.low, found.high, found.method) == (wilson(1.0, 3)[0], 1.0, "groups")
    value, same = difference(macro(truth, p), macro(truth, p))
    assert value == 0 and same.low == -same.high == pytest.approx(-wilson(0.0, 3)[1])


def test_a_single_example_of_a_class_says_hardly_anything() -> None:
    truth = np.array([1] + [0] * 60 + [2] * 60)
    p = softmax(np.random.default_rng(2).normal(0, 1, (121, 3)) + np.eye(3)[truth], axis=1)
    _, (_, alone, _) = ranked(truth, p, np.arange(121))
    assert alone is not None
    found = interval(alone)
    assert (found.low, found.high) == wilson(alone.value, 1)


def test_equal_probabilities_rank_nothing() -> None:
    assert macro(np.arange(30) % 3, np.full((30, 3), 1 / 3)).value == 0.5


def test_many_rows_and_classes_take_a_moment() -> None:
    truth, scores, rows = drawn(np.random.default_rng(3), 4000, 102, 3)
    start = time.process_time()
    interval(macro(truth, scores, rows))
    assert time.process_time() - start < 1.5
