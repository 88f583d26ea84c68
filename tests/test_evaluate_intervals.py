"""Intervals hold the truth as often as they say, clusters, many classes and few examples included."""

import time
from dataclasses import dataclass

import numpy as np
import pytest

from instar.evaluate.intervals import DRAWS, by_group, difference, interval, sample
from instar.evaluate.metrics import SINGLE, Sparse, contributions, tally_of
from instar.metrics import METRICS, ORDERED, Floats, Ints
from instar.shares import wilson


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
        ordered = [(joint * distance).sum(), (joint * distance**2).sum(), (joint * (distance <= 1)).sum()]
        moments = np.array([0.0] * (len(SINGLE) - 3) + ordered)
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
RARER = (
    "balanced_accuracy",
    "weighted_f1",
    "macro_precision",
    "weighted_precision",
    "mcc",
    "within_1",
    "quadratic_kappa",
)


def coverage(world: World, metrics: tuple[str, ...], repeats: int) -> dict[str, float]:
    """How often the intervals of test splits of this world hold the metrics of the world."""
    rng = np.random.default_rng(123)
    held, truths = dict.fromkeys(metrics, 0), {metric: world.truth(metric) for metric in metrics}
    for seed in range(repeats):
        truth, predicted, groups = world.sample(rng)
        sums = by_group(contributions(truth, predicted, world.classes), groups)
        for metric, (low, high) in intervals(sums, world.classes, metrics, seed, draws=300).items():
            held[metric] += low <= truths[metric] <= high
    return {metric: n / repeats for metric, n in held.items()}


@pytest.mark.parametrize("world", WORLDS, ids=lambda w: w.name)
def test_coverage_is_nominal(world: World) -> None:
    found = coverage(world, TESTED, 250)
    for metric, share in found.items():  # nominal is 0.95, the standard error of `repeats` is 0.014
        assert 0.92 <= share <= 0.985, (metric, found)


@pytest.mark.slow
@pytest.mark.parametrize("world", WORLDS, ids=lambda w: w.name)
def test_coverage_of_the_rarer_metrics(world: World) -> None:
    found = coverage(world, tuple(m for m in RARER if m != "within_1" or world.classes > 2), 250)
    for metric, share in found.items():
        assert 0.91 <= share <= 0.99, (metric, found)


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


@pytest.mark.parametrize("metric", sorted(METRICS))
@pytest.mark.parametrize("groups", [1, 2, 30])
def test_groups_that_do_not_differ_leave_an_interval(metric: str, groups: int) -> None:
    """The same six examples in each group: half of them right, one of them not among the first five."""
    truth, predicted = np.tile([0, 1, 2, 3, 4, 5], groups), np.tile([0, 1, 2, 4, 5, 3], groups)
    ahead = np.arange(6.0) + 1 + 5 * np.eye(6) * (np.arange(6) > 0)
    p = np.tile(ahead / ahead.sum(axis=1, keepdims=True), (groups, 1))
    sums = by_group(contributions(truth, predicted, 6, p), np.repeat(np.arange(groups), 6))
    (drawn,) = sample([sums], 6, (metric,), seed=0, draws=100)
    found, value = interval(drawn, metric), drawn.value(metric)
    assert found.low < value < found.high
    assert found.method == "groups"
    if metric == "accuracy":
        assert (found.low, found.high) == pytest.approx(wilson(0.5, groups))


def test_a_spread_of_rounding_size_is_none() -> None:
    """Sevenths and thirds of the same value in each group do not cancel to the last digit."""
    truth = np.tile(np.repeat([0, 1], [7, 3]), 41)
    predicted = np.tile([0, 0, 0, 1, 1, 1, 1, 1, 0, 0], 41)
    sums = by_group(contributions(truth, predicted, 2), np.repeat(np.arange(41), 10))
    for metric, value in (("accuracy", 0.4), ("balanced_accuracy", (3 / 7 + 1 / 3) / 2)):
        assert intervals(sums, 2, (metric,), seed=0)[metric] == pytest.approx(wilson(value, 41)), metric


@pytest.mark.parametrize("metric", ["accuracy", "balanced_accuracy"])
def test_groups_more_alike_than_chance_count_for_no_more_than_their_examples(metric: str) -> None:
    """One of two right in 50 groups, both in one, so that groups hardly differ."""
    truth = np.tile([0, 1], 51)
    predicted = np.where(np.arange(102) < 100, np.repeat([0, 1] * 25 + [0], 2), truth)
    sums = by_group(contributions(truth, predicted, 2), np.repeat(np.arange(51), 2))
    low, high = intervals(sums, 2, (metric,), seed=0)[metric]
    assert (low, high) == pytest.approx(wilson(52 / 102, 102))


def test_one_group_gives_an_interval_that_says_nothing_false() -> None:
    sums = by_group(contributions(np.array([0, 0]), np.array([0, 0]), 2), np.array([7, 7]))
    low, high = intervals(sums, 2, ("accuracy",), seed=0)["accuracy"]
    assert low < 0.3 and high == 1
    sums = by_group(contributions(np.array([0, 0]), np.array([0, 1]), 2), np.array([7, 7]))
    low, high = intervals(sums, 2, ("accuracy",), seed=0)["accuracy"]
    assert low < 0.1 and high > 0.9


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


@pytest.mark.parametrize("metric", ["accuracy", "balanced_accuracy", "macro_f1", "mae", "quadratic_kappa"])
def test_equal_answers_may_yet_differ_on_what_was_not_seen(metric: str) -> None:
    """60 groups without a disagreement: at most the share of Wilson's upper end disagrees, by the metric's range."""
    truth, ours, _ = paired(np.random.default_rng(1), 60, 0.8, 0.7)
    sums = by_group(contributions(truth, ours, 3), np.arange(60))
    value, low, high = differences(sums, sums, 3, (metric,), 0)[metric]
    span = 2 if metric in ORDERED else 1  # from -1 to 1, and three classes
    assert (value, low, high) == pytest.approx((0, -span * wilson(0, 60)[1], span * wilson(0, 60)[1]))


def test_a_gain_that_is_the_same_in_each_group_is_no_point() -> None:
    """Of two examples in each group we get both right, they one."""
    for groups, sure in ((5, False), (60, True)):
        truth, rows = np.zeros(2 * groups, dtype=np.int64), np.repeat(np.arange(groups), 2)
        a, b = (by_group(contributions(truth, answers, 2), rows) for answers in (truth, np.arange(2 * groups) % 2))
        value, low, high = differences(a, b, 2, ("accuracy",), 0)["accuracy"]
        assert value == 0.5
        assert low < 0.5 < high < 1
        assert (low > 0) == sure


def by_steps(rng: np.random.Generator, n: int) -> tuple[Ints, Ints, Ints]:
    """Truth out of seven classes and two answers, both always wrong: by one step, and mostly by three."""
    truth = rng.integers(0, 7, n)
    side = np.where(truth < 3, 1, -1)
    return truth, truth + side, truth + side * rng.choice([1, 2, 3], n, p=[0.1, 0.2, 0.7])


def test_a_gain_in_distance_counts_where_hits_tie() -> None:
    truth, ours, theirs = by_steps(np.random.default_rng(0), 60)
    a, b = (by_group(contributions(truth, answers, 7), np.arange(60)) for answers in (ours, theirs))
    found = {m: ends for m, (_, *ends) in differences(a, b, 7, ("accuracy", *ORDERED), 0).items()}
    assert found["mae"][1] < 0 < found["quadratic_kappa"][0]
    assert found["accuracy"][0] < 0 < found["accuracy"][1]


def test_three_steps_prove_nothing() -> None:
    """We are nearer in three examples of 40 and never farther."""
    truth, ours = np.full(40, 2, dtype=np.int64), np.full(40, 2, dtype=np.int64)
    theirs = np.where(np.arange(40) < 3, 4, ours)
    a, b = (by_group(contributions(truth, answers, 5), np.arange(40)) for answers in (ours, theirs))
    value, low, high = differences(a, b, 5, ("mae",), 0)["mae"]
    assert value == pytest.approx(-6 / 40)
    assert low < 0 <= high


def test_a_paired_difference_of_distances_holds_the_truth() -> None:
    rng, held, repeats = np.random.default_rng(4), 0, 300
    for repeat in range(repeats):
        truth, ours, theirs = by_steps(rng, 100)
        a, b = (by_group(contributions(truth, answers, 7), np.arange(100)) for answers in (ours, theirs))
        _, low, high = differences(a, b, 7, ("mae",), repeat, draws=500)["mae"]
        held += low <= 1 - 2.6 <= high
    assert 0.92 <= held / repeats <= 0.985


def test_three_disagreements_prove_nothing() -> None:
    truth = np.zeros(40, dtype=np.int64)
    theirs = np.array([1, 1, 1] + [0] * 37)
    a, b = (by_group(contributions(truth, answer, 2), np.arange(40)) for answer in (truth, theirs))
    value, low, high = differences(a, b, 2, ("accuracy",), 0)["accuracy"]
    assert value == pytest.approx(3 / 40)
    assert low <= 0 < high


def test_all_wrong_and_sure_of_it_is_no_spread() -> None:
    """The loss of each is the largest that there is; what rounding leaves of a spread is not divided by."""
    truth = np.arange(80) % 2
    surely = np.stack([truth, 1 - truth], axis=1).astype(np.float64)
    sums = by_group(contributions(truth, 1 - truth, 2, surely), np.arange(80) // 2)
    with np.errstate(all="raise"):
        low, high = intervals(sums, 2, ("log_loss",), 0)["log_loss"]
    worst = -np.log(np.finfo(np.float64).eps)
    assert 0.8 * worst < low < high == pytest.approx(worst)
