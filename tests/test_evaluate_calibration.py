"""Calibration: a perfect model is found perfect on average, a temperature is found again, answers stay."""

from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import softmax

from instar.evaluate.calibration import Claims, figures, mean_of, overconfidence, squared_error
from instar.evaluate.temperature import fit, uncalibrated
from instar.metrics import Floats, Ints

World = tuple[Floats, Floats, Ints]


def drawn(rng: np.random.Generator, n: int, power: float = 1.0, copies: int = 1) -> World:
    """Confidences, whether each answer is right (with probability confidence ** power), and groups of copies."""
    confidence = rng.uniform(0.3, 1, n)
    right = (rng.random(n) < confidence**power).astype(np.float64)
    return np.repeat(confidence, copies), np.repeat(right, copies), np.repeat(np.arange(n), copies)


def square(world: World) -> float:
    return squared_error([Claims(*world[:2])], world[2])[0]


@pytest.mark.parametrize(("n", "copies"), [(150, 1), (600, 1), (150, 4)])
def test_of_a_perfect_model_nothing_is_left_on_average(n: int, copies: int) -> None:
    rng = np.random.default_rng(n + copies)
    found = np.array([square(drawn(rng, n, copies=copies)) for _ in range(300)])
    assert abs(found.mean()) < 3 * found.std() / sqrt(found.size)
    plain = [np.square(w[0] - w[1]).mean() / n for w in (drawn(rng, n) for _ in range(300))]
    assert found.std() / sqrt(found.size) < np.mean(plain)  # what is taken out would have been seen


def test_the_error_is_that_of_the_population_and_its_interval_holds_it() -> None:
    rng = np.random.default_rng(0)
    many = rng.uniform(0.3, 1, 200_000)
    edges = np.quantile(many, np.arange(1, 10) / 10)
    bins = np.searchsorted(edges, many)
    true = sqrt(np.mean([np.mean((many - many**1.6)[bins == b]) ** 2 for b in range(10)]))
    held, gaps, repeats = 0, 0, 100
    for _ in range(repeats):
        confidence, right, groups = drawn(rng, 600, 1.6)
        p = np.stack([confidence, 1 - confidence], axis=1)
        truth = 1 - right.astype(np.int64)
        gap, error, *_ = figures("after", p, truth, np.zeros(600, np.int64), groups)
        held += int(error.low <= true <= error.high)
        gaps += int(gap.low <= np.mean(many - many**1.6) <= gap.high)
    assert held / repeats >= 0.88 and gaps / repeats >= 0.9


def test_a_model_without_a_mistake_is_not_proved_calibrated() -> None:
    p = np.tile([0.99, 0.01], (40, 1))
    zeros = np.zeros(40, np.int64)
    gap, error, *_ = figures("after", p, zeros, zeros, np.arange(40))
    assert error.value == pytest.approx(0.01) and error.high > 0.05
    assert gap.value == pytest.approx(-0.01) and gap.low == pytest.approx(-0.01) and gap.high > 0.05


def test_copies_add_nothing() -> None:
    one, many = (drawn(np.random.default_rng(3), 300, 1.4, copies) for copies in (1, 5))
    assert overconfidence(*one) == pytest.approx(overconfidence(*many))
    assert mean_of(one[0], one[2]) == pytest.approx(mean_of(many[0], many[2]))
    assert square(one) == pytest.approx(square(many), abs=3e-3)  # equal values share a bin, so bins move a little


def labelled(n: int, classes: int, temperature: float, seed: int = 0) -> tuple[Floats, Ints]:
    """Logits that mean what they say once they are divided by a temperature, and labels drawn so."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 2, (n, classes))
    sums = softmax(logits / temperature, axis=1).cumsum(axis=1)
    labels: Ints = (sums < rng.random((n, 1))).sum(axis=1).clip(0, classes - 1)
    return logits, labels


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_the_temperature_that_was_planted_is_found(temperature: float) -> None:
    logits, labels = labelled(4000, 5, temperature)
    found = fit(logits.astype(np.float32), labels, "argmax", "accuracy")
    assert found.value == pytest.approx(temperature, rel=0.08)
    assert found.log_loss_after <= found.log_loss_before
    assert (found.n, found.moved, found.score_before) == (4000, 0, found.score_after)


def test_answers_that_are_all_right_do_not_become_certain() -> None:
    logits = np.eye(3, dtype=np.float32)[np.arange(30) % 3] * 3
    found = fit(logits, np.arange(30) % 3, "argmax", "accuracy")
    assert 0.2 < found.value < 1
    assert 0.9 < softmax(logits / found.value, axis=1).max() < 0.9999


def test_the_median_is_taken_from_the_calibrated_probabilities_and_what_moves_is_told() -> None:
    logits, labels = labelled(2000, 5, 2.5)
    ordered = np.sort(logits, axis=1).astype(np.float32)
    found = fit(ordered, labels, "median", "quadratic_kappa")
    before, after = ((softmax(ordered / t, axis=1).cumsum(axis=1) >= 0.5).argmax(axis=1) for t in (1.0, found.value))
    assert found.moved == (before != after).sum() > 0


@given(st.integers(0, 50), st.floats(0.25, 4))
def test_the_uncalibrated_probabilities_come_back_and_the_order_never_changes(seed: int, temperature: float) -> None:
    logits = np.random.default_rng(seed).normal(0, 4, (20, 6))
    plain, scaled = softmax(logits, axis=1), softmax(logits / temperature, axis=1)
    np.testing.assert_allclose(uncalibrated(scaled, temperature), plain, atol=1e-9)
    assert (plain.argmax(axis=1) == scaled.argmax(axis=1)).all()
