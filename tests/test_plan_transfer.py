"""The cheap scores of frozen features: the evidence is the true maximum, and what must not matter does not."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import multivariate_normal, ortho_group

from instar.plan.transfer import Features, Ints, h_score, logme


def world(n: int, d: int, classes: int, apart: float, seed: int = 0) -> tuple[Features, Ints]:
    """Classes around means that stand `apart`, one row of noise each."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % classes
    means = rng.normal(size=(classes, d)) * apart
    return (means[labels] + rng.normal(size=(n, d))).astype(np.float32), labels.astype(np.int64)


@pytest.mark.parametrize(("n", "d"), [(40, 6), (15, 30)])
def test_logme_is_the_greatest_evidence_of_the_gaussian_model(n: int, d: int) -> None:
    """Against the density of the labels themselves, maximised over both precisions from several starts."""
    features, labels = world(n, d, 3, 0.4)
    x = features.astype(np.float64)

    def greatest(y: np.ndarray) -> float:
        def minus(log_ab: np.ndarray) -> float:
            covariance = np.eye(n) / np.exp(log_ab[1]) + x @ x.T / np.exp(log_ab[0])
            return -float(multivariate_normal(np.zeros(n), covariance).logpdf(y))

        starts = ((0.0, 0.0), (4.0, 2.0), (2.0, 4.0))
        return max(-float(minimize(minus, s, method="Nelder-Mead", options={"maxiter": 4000}).fun) for s in starts)

    expected = np.mean([greatest((labels == c).astype(np.float64)) / n for c in range(3)])
    assert logme(features, labels) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("score", [logme, h_score])
@pytest.mark.parametrize(("n", "d"), [(120, 8), (30, 50)])
def test_rotation_scale_order_and_names_do_not_matter(score, n: int, d: int) -> None:  # type: ignore[no-untyped-def]
    features, labels = world(n, d, 4, 0.8)
    rotation = ortho_group.rvs(d, random_state=1).astype(np.float32)
    order = np.random.default_rng(2).permutation(n)
    plain = score(features, labels)
    for other in (
        score(features @ rotation, labels),
        score(features * 1000, labels),
        score(features[order], labels[order]),
        score(features, 7 - labels),
    ):
        assert other == pytest.approx(plain, rel=1e-3)


@pytest.mark.parametrize("score", [logme, h_score])
def test_the_further_apart_the_classes_the_higher_the_score(score) -> None:  # type: ignore[no-untyped-def]
    scores = [score(*world(200, 10, 4, apart)) for apart in (0.0, 0.3, 1.0, 3.0)]
    assert scores == sorted(scores)


def test_h_score_stands_between_nothing_and_the_classes_less_one() -> None:
    _, labels = world(200, 10, 4, 0.0)
    told = np.eye(4, dtype=np.float32)[labels]
    assert h_score(told, labels) == pytest.approx(3, rel=0.05)
    assert 0 <= h_score(np.random.default_rng(0).normal(size=(200, 2)).astype(np.float32), labels) < 0.2


def test_features_that_say_nothing_have_the_evidence_of_noise_alone() -> None:
    """No weights: the evidence is that of labels around 0 with their own mean square."""
    _, labels = world(90, 5, 3, 0.0)
    share = 1 / 3
    silent = np.zeros((90, 5), np.float32)
    assert logme(silent, labels) == pytest.approx(-0.5 * (np.log(2 * np.pi * share) + 1), abs=1e-6)
