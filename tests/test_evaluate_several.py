"""Intervals of several runs hold what they promise, and no more chance than they name."""

import numpy as np
import pytest
from scipy import sparse
from scipy.stats import t as student

from instar.evaluate.intervals import Sampled, by_group, sample
from instar.evaluate.metrics import contributions
from instar.evaluate.several import compared, mean_of, scored, t_interval
from instar.metrics import Ints

WORLDS = 150


def sampled(right: list[Ints], groups: Ints, draws: int = 200) -> list[Sampled]:
    """Networks that have these answers of two classes right."""
    truth = np.arange(groups.size) % 2
    sums = [by_group(contributions(truth, np.where(r == 1, truth, 1 - truth), 2), groups) for r in right]
    return sample(sums, 2, ("accuracy", "macro_f1") if draws > 2 else ("accuracy",), 0, draws)


def test_corrected_t_is_nadeau_and_bengio_s() -> None:
    values = np.array([0.8, 0.82, 0.79, 0.85, 0.81])
    low, high = t_interval(values, shared=0.25)
    half = student.ppf(0.975, 4) * np.sqrt((1 / 5 + 1 / 4) * values.var(ddof=1))
    assert (low, high) == pytest.approx((values.mean() - half, values.mean() + half))


def test_one_network_has_the_interval_of_its_own() -> None:
    from instar.evaluate.intervals import interval

    rng = np.random.default_rng(0)
    (one,) = sampled([rng.binomial(1, 0.8, 200)], np.arange(200))
    for metric in ("accuracy", "macro_f1"):
        found = interval(one, metric)
        assert scored([one], metric) == pytest.approx((one.value(metric), found.low, found.high))


def test_a_mean_is_the_mean_of_the_metric_not_of_the_counts() -> None:
    rng = np.random.default_rng(1)
    networks = sampled([rng.binomial(1, p, 90) for p in (0.55, 0.9, 0.7)], np.arange(90) // 2)
    mean = mean_of(networks)
    for metric in ("accuracy", "macro_f1"):
        assert mean.value(metric) == pytest.approx(np.mean([n.value(metric) for n in networks]))
    assert isinstance(mean.sums, sparse.csr_array)


def test_equal_seeds_add_nothing_to_the_interval() -> None:
    right = np.random.default_rng(2).binomial(1, 0.8, 120)
    networks = sampled([right, right, right], np.arange(120))
    assert scored(networks, "accuracy") == pytest.approx(scored(networks[:1], "accuracy"))


def test_a_network_is_not_better_than_itself() -> None:
    rng = np.random.default_rng(3)
    networks = sampled([rng.binomial(1, 0.8, 120) for _ in range(3)], np.arange(120))
    value, low, high = compared(networks, networks, "accuracy")
    assert value == 0
    assert low <= 0 <= high


@pytest.mark.parametrize(("seeds", "of_group", "of_seed"), [(3, 1.0, 0.0), (3, 1.0, 0.3), (4, 0.0, 0.5)])
def test_seeds_cover_other_seeds_and_other_examples(seeds: int, of_group: float, of_seed: float) -> None:
    """The truth is the expectation over both; groups of three examples share their difficulty, seeds their luck."""
    rng = np.random.default_rng([seeds, int(10 * of_seed)])
    groups = np.repeat(np.arange(60), 3)
    held, widths, alone = 0, [], 0
    many = rng.normal(0, 1, (2, 100_000))
    truth = float((1 / (1 + np.exp(-(1.5 + of_group * many[0] + of_seed * many[1])))).mean())
    for _ in range(WORLDS):
        hard = of_group * rng.normal(0, 1, 60)[groups]
        right = [rng.binomial(1, 1 / (1 + np.exp(-(1.5 + hard + of_seed * rng.normal())))) for _ in range(seeds)]
        networks = sampled(right, groups, draws=2)
        _, low, high = scored(networks, "accuracy")
        held += low <= truth <= high
        widths.append(high - low)
        _, low, high = scored([mean_of(networks)], "accuracy")
        alone += low <= truth <= high
    assert held / WORLDS >= 0.91
    assert np.mean(widths) < 0.5
    if of_seed == 0.5:
        assert alone / WORLDS < held / WORLDS - 0.03  # the test examples alone would promise too much


def fitted_errors(rng: np.random.Generator, groups: Ints, folds: int) -> list[Ints]:
    """Answers of nearest-mean classifiers, each to its fold of two overlapping clouds, copies kept together."""
    truth = groups % 2
    x = rng.normal(0, 1, (groups.max() + 1, 4))[groups] + 0.7 * truth[:, None]
    fold = rng.permutation(groups.max() + 1)[groups] % folds
    right = []
    for k in range(folds):
        train, test = fold != k, fold == k
        means = np.stack([x[train & (truth == c)].mean(axis=0) for c in (0, 1)])
        answer = ((x[test][:, None] - means) ** 2).sum(axis=2).argmin(axis=1)
        right.append((answer == truth[test]).astype(np.int64))
    return right


def test_folds_cover_what_the_way_of_training_reaches() -> None:
    """Both intervals, against the accuracy that training on so many examples reaches on average: 80 pairs of copies."""
    rng = np.random.default_rng(4)
    groups, folds = np.repeat(np.arange(80), 2), 5
    truth = float(np.mean([np.mean(np.concatenate(fitted_errors(rng, groups, folds))) for _ in range(800)]))
    pooled = corrected = naive = 0
    for _ in range(WORLDS):
        right = fitted_errors(rng, groups, folds)
        together = np.concatenate(right)
        # the pooled rows in any order: copies stand together in a fold, so pairs follow one another
        (network,) = sampled([together], np.repeat(np.arange(80), 2), draws=2)
        _, low, high = scored([network], "accuracy")
        pooled += low <= truth <= high
        values = np.array([r.mean() for r in right])
        low, high = t_interval(values, shared=1 / (folds - 1))
        corrected += low <= truth <= high
        low, high = t_interval(values)
        naive += low <= truth <= high
    assert pooled / WORLDS >= 0.9
    assert corrected / WORLDS >= 0.92
    assert naive < corrected
