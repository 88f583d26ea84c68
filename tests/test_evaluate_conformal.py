"""Prediction sets hold the true class as often as theory says, whatever the network."""

import numpy as np
import pytest
from scipy.special import softmax

from instar.evaluate.conformal import METHODS, Split, aps, cut, judged, lac, members
from instar.metrics import Floats, Ints


def examples(rng: np.random.Generator, n: int, classes: int = 5) -> tuple[Floats, Ints]:
    """Probabilities of a network that is too sure of itself, and labels."""
    logits = rng.normal(0, 2, (n, classes))
    true = softmax(0.7 * logits, axis=1).cumsum(axis=1)
    labels: Ints = (true < rng.random((n, 1))).sum(axis=1).clip(0, classes - 1)
    return softmax(logits, axis=1), labels


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("n", [19, 60])
def test_coverage_lies_in_the_band_of_theory(method: str, n: int) -> None:
    """Over many draws of the calibration examples its mean is between the level and the level + 1 / (n + 1)."""
    rng = np.random.default_rng(7)
    probabilities, labels = examples(rng, 200_000)
    scores = lac(probabilities) if method == "lac" else aps(probabilities, rng.random(labels.size))
    of_truth = scores[np.arange(labels.size), labels]
    ranked = np.sort(of_truth)
    cuts = [cut(rng.choice(of_truth, n), 0.9) for _ in range(3000)]
    held = np.searchsorted(ranked, cuts, side="right") / ranked.size
    error = held.std() / np.sqrt(held.size)
    assert 0.9 - 3 * error <= held.mean() <= 0.9 + 1 / (n + 1) + 3 * error


def test_the_cut_is_the_right_rank() -> None:
    scores = np.arange(1.0, 20.0)
    assert cut(scores, 0.9) == 18 and cut(scores, 0.95) == 19 and cut(scores, 0.96) == float("inf")
    assert cut(np.empty(0), 0.9) == float("inf")


def test_scores_follow_from_their_definitions() -> None:
    p = np.array([[0.5, 0.2, 0.3]])
    np.testing.assert_allclose(lac(p), [[0.5, 0.8, 0.7]])
    np.testing.assert_allclose(aps(p, np.array([1.0])), [[0.5, 1.0, 0.8]])
    np.testing.assert_allclose(aps(p, np.array([0.0])), [[0.0, 0.8, 0.5]])


def test_no_set_is_empty() -> None:
    p = np.array([[0.4, 0.35, 0.25], [0.9, 0.05, 0.05]])
    assert members(lac(p), 0.2, p).tolist() == [[True, False, False], [True, False, False]]
    assert members(lac(p), float("inf"), p).all()


def test_sets_are_made_on_validation_and_judged_on_test() -> None:
    rng = np.random.default_rng(0)
    names = tuple("abcde")
    validation, test = (Split(*examples(rng, n), np.arange(n)) for n in (2000, 1500))
    records, by_size, by_class = judged(validation, test, names, seed=0)
    assert {(r.method, r.level) for r in records} == {(m, level) for m in METHODS for level in (0.9, 0.95, 0.99)}
    for r in records:
        assert r.low <= r.level + 0.01 and r.high >= r.level - 0.01 and r.n == 1500
        assert 1 <= r.size <= 5
    lac90 = records[0]
    rows = by_size.filter(by_size["level"] == 0.9)
    assert rows["n"].sum() == 1500
    assert (rows["n"] * rows["coverage"]).sum() == pytest.approx(1500 * lac90.coverage)
    assert (rows["n"] * rows["size"]).sum() == pytest.approx(1500 * lac90.size)
    rows = by_class.filter(by_class["level"] == 0.9)
    assert (rows["n"] * rows["size"]).sum() == pytest.approx(1500 * lac90.size)
    assert (rows["n"] * rows["coverage"]).sum() == pytest.approx(1500 * lac90.coverage)


def test_too_few_validation_examples_promise_nothing_and_name_every_class() -> None:
    rng = np.random.default_rng(0)
    few, test = (Split(*examples(rng, n), np.arange(n)) for n in (10, 50))
    records, *_ = judged(few, test, tuple("abcde"), seed=0)
    last = next(r for r in records if (r.method, r.level) == ("lac", 0.95))
    assert (last.cut, last.coverage, last.size) == (None, 1, 5)
