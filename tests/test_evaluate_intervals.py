"""Intervals hold the truth as often as they say, clusters, many classes and few examples included."""

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import sparse
from scipy.stats import binomtest

from instar.evaluate.intervals import DRAWS, by_group, difference, interval, sample, shares, wilson
from instar.evaluate.metrics import Sparse, contributions, tally_of
from instar.metrics import METRICS, Floats, Ints


def intervals(
    sums: Sparse, classes: int, metrics: tuple[str, ...], seed: int, draws: int = DRAWS
) -> dict[str, tuple[float, float]]:
    """The ends of each metric's interval."""
    (drawn,) = sample([sums], classes, metrics, seed, draws)
    return {m: (i.low, i.high) for m in metrics for i in [interval(drawn, m)]}


def differences(
    ours: Sparse, theirs: Sparse, classes: int, metrics: tuple[str, ...], seed: int, draws: int = DRAWS
) -> dict[str, tuple[float, float, float]]:
    """Value and ends of each metric's difference."""
    a, b = sample([ours, theirs], classes, metrics, seed, draws)
    return {m: (value, i.low, i.high) for m in metrics for value, i in [difference(a, b, m)]}


@dataclass(frozen=True)
class World:
    """A population of which the true metrics are known: groups of examples with one class and one answer."""

    name: str
    classes: int
    groups: int
    group_size: int
    """Mean size; sizes are drawn from 1 to twice that less one."""
    least: float
    most: float
    """The classes' recalls are drawn between these."""
    even: bool = True

    def joint(self) -> Floats:
        """(C, C): probability of each pair of true and predicted class."""
        rng = np.random.default_rng(3)
        wrong = rng.dirichlet(np.full(self.classes, 0.2), size=self.classes)
        np.fill_diagonal(wrong, 0)
        wrong /= wrong.sum(axis=1, keepdims=True)
        right = rng.uniform(self.least, self.most, self.classes)[:, None]
        prior = np.ones(self.classes) if self.even else np.arange(1.0, self.classes + 1)
        rows = right * np.eye(self.classes) + (1 - right) * wrong
        return np.asarray((prior / prior.sum())[:, None] * rows)

    def truth(self, metric: str) -> float:
        """The metric of the whole population."""
        joint, steps = self.joint(), np.arange(self.classes)
        distance = np.abs(steps[:, None] - steps)
        sums = [np.diag(joint), joint.sum(axis=0), joint.sum(axis=1)]
        moments = np.array([0.0, 0.0, (joint * distance).sum(), (joint * distance**2).sum()])
        return float(METRICS[metric](tally_of(np.concatenate([*sums, moments]), self.classes)))

    def sample(self, rng: np.random.Generator) -> tuple[Ints, Ints, Ints]:
        """True classes, answers and groups of one test split."""
        pairs = rng.choice(self.classes**2, p=self.joint().ravel(), size=self.groups)
        sizes = rng.integers(1, 2 * self.group_size, size=self.groups)
        rows = np.repeat(np.arange(self.groups), sizes)
        return pairs[rows] // self.classes, pairs[rows] % self.classes, rows


WORLDS = (
    World("a small test split", 2, 40, 1, 0.85, 0.95),
    World("five uneven classes in clusters", 5, 150, 4, 0.5, 0.85, even=False),
    World("75 classes of 8 examples", 75, 600, 1, 0.75, 1.0),
)
TESTED = ("accuracy", "macro_f1", "mae")


@pytest.mark.parametrize("world", WORLDS, ids=lambda w: w.name)
def test_coverage_is_nominal(world: World) -> None:
    repeats = 250
    rng = np.random.default_rng(123)
    held = dict.fromkeys(TESTED, 0)
    for seed in range(repeats):
        truth, predicted, groups = world.sample(rng)
        sums = by_group(contributions(truth, predicted, world.classes), groups)
        for metric, (low, high) in intervals(sums, world.classes, TESTED, seed, draws=300).items():
            held[metric] += low <= world.truth(metric) <= high
    coverage = {metric: n / repeats for metric, n in held.items()}
    for metric, share in coverage.items():  # nominal is 0.95, the standard error of `repeats` is 0.014
        assert 0.92 <= share <= 0.985, (metric, coverage)


def test_twins_are_not_witnesses() -> None:
    """The same example copied ten times tells no more than once: the interval stays as wide."""
    rng = np.random.default_rng(0)
    truth, predicted = rng.integers(0, 3, 100), rng.integers(0, 3, 100)
    once = by_group(contributions(truth, predicted, 3), np.arange(100))
    ten = [np.repeat(a, 10) for a in (truth, predicted, np.arange(100))]
    copied = by_group(contributions(ten[0], ten[1], 3), ten[2])
    metrics = ("accuracy", "balanced_accuracy", "macro_f1", "mae")
    a, b = intervals(once, 3, metrics, seed=1), intervals(copied, 3, metrics, seed=1)
    for metric in metrics:
        assert a[metric] == pytest.approx(b[metric], abs=1e-9), metric


@pytest.mark.parametrize("n", [5, 60])
def test_a_model_without_a_mistake_is_not_certain(n: int) -> None:
    truth = np.arange(n) % 3
    sums = by_group(contributions(truth, truth, 3), np.arange(n))
    metrics = ("accuracy", "balanced_accuracy", "macro_f1", "quadratic_kappa", "mae")
    found = intervals(sums, 3, metrics, seed=0)
    low, _ = wilson(1.0, n)
    for metric in ("accuracy", "balanced_accuracy", "macro_f1"):
        assert found[metric] == pytest.approx((low, 1.0)), metric
    assert -1 < found["quadratic_kappa"][0] < 1 and found["quadratic_kappa"][1] == 1
    assert found["mae"][0] == 0 < found["mae"][1]


def test_intervals_hold_their_value_and_repeat() -> None:
    rng = np.random.default_rng(5)
    truth, predicted = rng.integers(0, 4, 80), rng.integers(0, 4, 80)
    p = rng.dirichlet(np.ones(4), size=80)
    sums = by_group(contributions(truth, predicted, 4, p), rng.integers(0, 50, 80))
    whole = tally_of(np.asarray(sums.sum(axis=0)), 4)
    names = tuple(METRICS)
    found = intervals(sums, 4, names, seed=2)
    assert found == intervals(sums, 4, names, seed=2)
    for name, (low, high) in found.items():
        assert low <= float(METRICS[name](whole)) <= high, name


def test_an_interval_says_how_it_was_found() -> None:
    rng = np.random.default_rng(5)
    truth, predicted = rng.integers(0, 4, 80), rng.integers(0, 4, 80)
    mixed, right = (by_group(contributions(truth, answers, 4), np.arange(80)) for answers in (predicted, truth))
    ours, best = sample([mixed, right], 4, ("accuracy", "macro_f1"), seed=2)
    assert (interval(ours, "accuracy").method, interval(ours, "macro_f1").method) == ("wilson", "bootstrap")
    assert {interval(best, m).method for m in ("accuracy", "macro_f1")} == {"groups"}
    assert difference(best, ours, "accuracy")[1].method == "paired"


def columns(right: NDArray[Any], of: NDArray[Any]) -> list[Sparse]:
    """Counts per group of one column."""
    return [sparse.csr_array(np.asarray(a, dtype=np.float64)[:, None]) for a in (right, of)]


def test_shares_without_twins_are_wilsons() -> None:
    for right in (0, 3, 10):
        given = columns(np.arange(10) < right, np.ones(10))
        assert shares(*given) == [pytest.approx(wilson(right / 10, 10), abs=1e-12)]


@pytest.mark.parametrize("right", [0, 3, 10])
def test_copies_leave_a_share_as_uncertain_as_it_was(right: int) -> None:
    """Ten examples, each copied five times, tell no more than ten."""
    once, five = (shares(*columns((np.arange(10) < right) * k, np.full(10, k))) for k in (1, 5))
    assert five == [pytest.approx(once[0], abs=1e-12)]


def test_shares_of_twins_hold_the_truth_where_rows_would_not() -> None:
    rng, repeats, p = np.random.default_rng(1), 600, 0.8
    held, by_rows = 0, 0
    for _ in range(repeats):
        of = rng.integers(1, 5, 40)
        right = of * (rng.random(40) < p)
        ((low, high),) = shares(*columns(right, of))
        held += low <= p <= high
        low, high = wilson(right.sum() / of.sum(), of.sum())
        by_rows += low <= p <= high
    assert by_rows / repeats < 0.85  # nominal is 0.95, the standard error 0.009
    assert 0.92 <= held / repeats <= 0.98


def test_a_column_without_examples_may_be_anything() -> None:
    assert shares(*columns(np.zeros(3), np.zeros(3))) == [(0.0, 1.0)]


def test_one_group_gives_an_interval_that_says_nothing_false() -> None:
    sums = by_group(contributions(np.array([0, 0]), np.array([0, 0]), 2), np.array([7, 7]))
    low, high = intervals(sums, 2, ("accuracy",), seed=0)["accuracy"]
    assert low < 0.3 and high == 1
    sums = by_group(contributions(np.array([0, 0]), np.array([0, 1]), 2), np.array([7, 7]))
    low, high = intervals(sums, 2, ("accuracy",), seed=0)["accuracy"]
    assert low < 0.1 and high > 0.9


@pytest.mark.parametrize(("right", "n"), [(0, 10), (3, 10), (10, 10), (912, 1000)])
def test_wilson_is_scipys(right: int, n: int) -> None:
    expected = binomtest(right, n).proportion_ci(method="wilson")
    assert wilson(right / n, n) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_wilson_without_examples_is_the_whole_range() -> None:
    assert wilson(0.0, 0) == (0.0, 1.0)


def test_many_rows_and_classes_take_seconds() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 102, 4000)
    predicted = np.where(rng.random(4000) < 0.9, truth, rng.integers(0, 102, 4000))
    sums = by_group(contributions(truth, predicted, 102), np.arange(4000))
    start = time.process_time()
    intervals(sums, 102, ("accuracy", "balanced_accuracy", "macro_f1"), seed=0)
    assert time.process_time() - start < 3


def paired(rng: np.random.Generator, n: int, ours: float, theirs: float) -> tuple[Ints, Ints, Ints]:
    """Truth and two answers that are right on nested sets of examples: right with these probabilities."""
    truth, ease = rng.integers(0, 3, n), rng.random(n)
    wrong = (truth + rng.integers(1, 3, n)) % 3
    return truth, np.where(ease < ours, truth, wrong), np.where(ease < theirs, truth, wrong)


def test_a_paired_difference_holds_the_truth_and_is_narrower_than_the_scores_suggest() -> None:
    rng, held, repeats = np.random.default_rng(0), 0, 300
    for repeat in range(repeats):
        truth, ours, theirs = paired(rng, 150, 0.8, 0.72)
        groups = np.arange(150)
        a, b = (by_group(contributions(truth, answer, 3), groups) for answer in (ours, theirs))
        value, low, high = differences(a, b, 3, ("accuracy",), repeat, draws=500)["accuracy"]
        assert value == pytest.approx((ours == truth).mean() - (theirs == truth).mean())
        held += low <= 0.08 <= high
        width = sum(
            end - start for s in (a, b) for start, end in intervals(s, 3, ("accuracy",), repeat, draws=500).values()
        )
        assert high - low < width / 2
    assert 0.91 <= held / repeats <= 0.99


def test_equal_answers_differ_by_nothing() -> None:
    truth, ours, _ = paired(np.random.default_rng(1), 60, 0.8, 0.7)
    sums = by_group(contributions(truth, ours, 3), np.arange(60))
    assert differences(sums, sums, 3, ("accuracy", "macro_f1"), 0) == dict.fromkeys(
        ("accuracy", "macro_f1"), (0.0, 0.0, 0.0)
    )


def test_three_disagreements_prove_nothing() -> None:
    truth = np.zeros(40, dtype=np.int64)
    theirs = np.array([1, 1, 1] + [0] * 37)
    a, b = (by_group(contributions(truth, answer, 2), np.arange(40)) for answer in (truth, theirs))
    value, low, high = differences(a, b, 2, ("accuracy",), 0)["accuracy"]
    assert value == pytest.approx(3 / 40)
    assert low <= 0 < high
