"""Our metrics are scikit-learn's, on any set of answers."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn import metrics as reference

from instar.evaluate.metrics import contributions, tally, tally_of
from instar.metrics import METRICS, Floats, Ints, f1, precision, quadratic_kappa, recall

CLASSES = 12
"""More classes than most examples use, so that some are absent from truth, prediction or both."""


def answers() -> st.SearchStrategy[tuple[Ints, Ints]]:
    """True and predicted classes of 1 to 60 examples."""
    size = st.integers(1, 60)
    classes = st.integers(1, CLASSES)
    return st.tuples(size, classes).flatmap(
        lambda sc: st.tuples(*[arrays(np.int64, sc[0], elements=st.integers(0, sc[1] - 1))] * 2)
    )


def probabilities(n: int, seed: int) -> Floats:
    """Without ties: scikit-learn breaks them by position, we count them against the model."""
    return np.random.default_rng(seed).dirichlet(np.ones(CLASSES) * 0.5, size=n)


def ours(name: str, truth: Ints, predicted: Ints, p: Floats | None = None) -> float:
    return float(METRICS[name](tally(truth, predicted, CLASSES, p)))


@given(answers())
def test_metrics_of_labels_equal_scikit_learn(pair: tuple[Ints, Ints]) -> None:
    truth, predicted = pair
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of classes that are absent from the truth
        expected = {
            "accuracy": reference.accuracy_score(truth, predicted),
            "balanced_accuracy": reference.balanced_accuracy_score(truth, predicted),
            "macro_f1": reference.f1_score(truth, predicted, average="macro", zero_division=0),
            "weighted_f1": reference.f1_score(truth, predicted, average="weighted", zero_division=0),
            "macro_precision": reference.precision_score(truth, predicted, average="macro", zero_division=0),
            "weighted_precision": reference.precision_score(truth, predicted, average="weighted", zero_division=0),
            "mcc": reference.matthews_corrcoef(truth, predicted),
            "mae": reference.mean_absolute_error(truth, predicted),
            "within_1": (np.abs(truth - predicted) <= 1).mean(),
        }
        # as the module says: these two have names of their own
        assert ours("accuracy", *pair) == pytest.approx(reference.recall_score(*pair, average="weighted"), abs=1e-12)
        if set(predicted.tolist()) <= set(truth.tolist()):
            recall = reference.recall_score(*pair, average="macro")
            assert ours("balanced_accuracy", *pair) == pytest.approx(recall, abs=1e-12)
    for name, value in expected.items():
        assert ours(name, truth, predicted) == pytest.approx(value, abs=1e-12), name


@given(answers())
def test_quadratic_kappa_equals_scikit_learn(pair: tuple[Ints, Ints]) -> None:
    truth, predicted = pair
    if np.unique(np.concatenate(pair)).size == 1:
        assert ours("quadratic_kappa", truth, predicted) == 0
        return
    labels = list(range(CLASSES))
    value = reference.cohen_kappa_score(truth, predicted, labels=labels, weights="quadratic")
    assert ours("quadratic_kappa", truth, predicted) == pytest.approx(value, abs=1e-12)


@given(answers())
def test_figures_per_class_equal_scikit_learn(pair: tuple[Ints, Ints]) -> None:
    t = tally(*pair, CLASSES)
    expected = reference.precision_recall_fscore_support(*pair, labels=range(CLASSES), zero_division=0)
    for function, values in zip((precision, recall, f1), expected[:3], strict=True):
        np.testing.assert_allclose(function(t), values, atol=1e-12)
    np.testing.assert_array_equal(t.actual, expected[3])


@given(answers(), st.integers(0, 1000))
def test_metrics_of_probabilities_equal_scikit_learn(pair: tuple[Ints, Ints], seed: int) -> None:
    truth, predicted = pair
    p = probabilities(truth.size, seed)
    labels = list(range(CLASSES))
    loss = reference.log_loss(truth, p, labels=labels)
    squares = reference.brier_score_loss(truth, p, labels=labels, scale_by_half=False)
    assert ours("log_loss", truth, predicted, p) == pytest.approx(loss, abs=1e-12)
    assert ours("brier", truth, predicted, p) == pytest.approx(squares, abs=1e-12)
    for k in (2, 5):
        top = reference.top_k_accuracy_score(truth, p, k=k, labels=labels)
        assert ours(f"top_{k}", truth, predicted, p) == pytest.approx(top, abs=1e-12)


def test_a_probability_of_zero_for_the_truth_costs_a_finite_loss() -> None:
    p = np.array([[1.0, 0.0]])
    truth = np.array([1])
    value = float(METRICS["log_loss"](tally(truth, np.array([0]), 2, p)))
    assert value == pytest.approx(reference.log_loss(truth, p, labels=[0, 1]), abs=1e-12)


def test_a_model_that_prefers_nothing_has_no_top_five() -> None:
    n = 8
    truth = np.arange(n) % CLASSES
    assert ours("top_5", truth, truth, np.full((n, CLASSES), 1 / CLASSES)) == 0


@given(answers(), st.integers(0, 1000))
def test_a_weighted_sum_is_the_tally_of_repeated_examples(pair: tuple[Ints, Ints], seed: int) -> None:
    truth, predicted = pair
    p = probabilities(truth.size, seed)
    weights = np.random.default_rng(seed).integers(0, 4, size=(3, truth.size))
    weights[:, 0] += 1
    drawn = tally_of(np.asarray(weights @ contributions(truth, predicted, CLASSES, p)), CLASSES)
    for i, weight in enumerate(weights):
        rows = np.repeat(np.arange(truth.size), weight)
        alone = tally(truth[rows], predicted[rows], CLASSES, p[rows])
        for name, metric in METRICS.items():
            assert metric(drawn)[i] == pytest.approx(float(metric(alone)), abs=1e-12), name


def test_a_class_that_the_test_split_lacks_does_not_lower_macro_f1() -> None:
    truth = np.array([0, 0, 1, 1])
    assert float(METRICS["macro_f1"](tally(truth, truth, 50))) == 1
    assert float(METRICS["balanced_accuracy"](tally(truth, truth, 50))) == 1


def test_kappa_of_one_answer_for_all_is_zero() -> None:
    assert float(quadratic_kappa(tally(np.array([0, 1, 2, 3]), np.full(4, 2), 4))) == 0
