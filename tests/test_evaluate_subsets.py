"""With and without the doubted rows: figures that follow from a sentence, and none from a handful."""

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from instar.evaluate.subjects import Answers
from instar.evaluate.subsets import LEAST, independent, subsets
from instar.metrics import Ints
from instar.shares import wilson


def told(truth: Ints, answers: Ints, **doubted: NDArray[np.bool_]) -> dict[tuple[str, str, str], dict[str, object]]:
    """By subset, part and metric."""
    given = {"tuned": Answers(answers, None), "majority": Answers(np.zeros_like(truth), None)}
    table = subsets(truth, np.arange(len(truth)), given, doubted, 2, ordered=True, seed=0)
    tuned = table.filter(pl.col("subject") == "tuned")
    assert table.height == 2 * tuned.height
    return {(row["subset"], row["part"], row["metric"]): row for row in tuned.iter_rows(named=True)}


TRUTH = np.arange(200) % 2
EASY = np.arange(200) < 80


def test_what_is_easy_is_told_apart() -> None:
    """All of the 80 easy rows are right, and half of the others."""
    found = told(TRUTH, np.where(EASY | (np.arange(200) % 4 < 2), TRUTH, 1 - TRUTH), easy=EASY)
    value = {part: found[name, part, "accuracy"]["value"] for name, part in (("all", "all"), ("easy", "rest"))}
    assert value == {"all": 0.7, "rest": 0.5}
    doubted, apart = found["easy", "doubted", "accuracy"], found["easy", "apart", "accuracy"]
    assert (doubted["value"], doubted["n"], doubted["groups"], doubted["classes"]) == (1.0, 80, 80, 2)
    assert (doubted["low"], doubted["high"]) == pytest.approx(wilson(1.0, 80))
    assert apart["value"] == 0.5 and float(str(apart["low"])) > 0.3 and apart["method"] == "apart" and apart["n"] == 200
    assert {metric for _, _, metric in found} == {"accuracy", "balanced_accuracy", "macro_f1", "quadratic_kappa"}


def test_a_handful_of_rows_is_counted_and_the_rest_is_told() -> None:
    few = np.arange(200) < LEAST - 1
    found = told(TRUTH, TRUTH, few=few, none=np.zeros(200, dtype=bool))
    assert found["few", "doubted", "accuracy"]["n"] == LEAST - 1
    for part in ("doubted", "apart"):
        assert found["few", part, "accuracy"]["value"] is None and found["few", part, "accuracy"]["method"] is None
    assert found["few", "rest", "accuracy"]["value"] == 1.0
    assert not any(name == "none" for name, _, _ in found)


def test_all_rows_may_be_doubted() -> None:
    found = told(TRUTH, TRUTH, all_of_them=np.ones(200, dtype=bool))
    assert found["all_of_them", "doubted", "accuracy"]["value"] == 1.0
    assert (found["all_of_them", "rest", "accuracy"]["n"], found["all_of_them", "rest", "accuracy"]["value"]) == (
        0,
        None,
    )


def test_means_over_other_classes_are_not_compared() -> None:
    """Only one of the two classes is among the doubted rows."""
    found = told(TRUTH, TRUTH, odd=(TRUTH == 1) & EASY)
    assert found["odd", "doubted", "macro_f1"]["value"] == 1.0 and found["odd", "doubted", "macro_f1"]["classes"] == 1
    assert found["odd", "apart", "macro_f1"]["value"] is None
    assert found["odd", "apart", "accuracy"]["value"] == 0.0


def test_a_difference_of_two_sets_of_examples_holds_the_truth() -> None:
    rng, held, repeats = np.random.default_rng(0), 0, 2000
    for _ in range(repeats):
        a, b = rng.binomial(60, 0.9) / 60, rng.binomial(150, 0.75) / 150
        found = independent((a, *wilson(a, 60)), (b, *wilson(b, 150)))
        assert found.low <= a - b <= found.high
        held += found.low <= 0.15 <= found.high
    assert 0.935 <= held / repeats <= 0.97
