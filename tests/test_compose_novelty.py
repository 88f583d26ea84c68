"""The figures of the novelty report, on sets where the answer is known."""

from collections.abc import Sequence

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray
from scipy.stats.contingency import association
from sklearn.linear_model import LogisticRegression

from instar.compose.domain import MOST, domain, newcombe, sample, sample_shared, separation, verdict
from instar.compose.novelty import confounding, cramers_v, origins


def frame(rows: Sequence[tuple[str, str, str | None, int]]) -> pl.DataFrame:
    """(source, old class, new class or None, number)"""
    spread = [(s, was, label) for s, was, label, n in rows for _ in range(n)]
    named = pl.DataFrame(spread, schema=["source", "was", "label"], orient="row")
    out = pl.when(pl.col("label").is_null()).then(pl.lit("class not chosen")).alias("fate")
    names = pl.int_range(pl.len()).cast(pl.String)
    return named.with_columns(out, names.alias("twin"), names.str.reverse().alias("lot"), names.alias("id"))


def test_how_the_classes_of_source_and_set_differ() -> None:
    rows = [
        ("a", "ant", "ant", 3),
        ("a", "bee", "flier", 2),
        ("a", "fly", "flier", 1),
        ("a", "worm", None, 5),
    ]
    rows += [("b", "moth", "butterfly", 4)]
    a, b = origins(frame(rows), ("a", "b"))
    assert (a.examples, a.share, a.classes, a.only_here) == (6, 0.6, 2, 2)
    assert (a.kept, a.renamed, a.merged) == (("ant",), {}, {"flier": ("bee", "fly")})
    assert (a.not_chosen, a.new_to_it) == (("worm",), ("butterfly",))
    assert (b.kept, b.renamed, b.merged) == ((), {"moth": "butterfly"}, {})
    assert (b.not_chosen, b.new_to_it) == ((), ("ant", "flier"))


def test_a_class_that_caps_have_used_up_was_chosen_all_the_same() -> None:
    rows = frame([("a", "ant", "ant", 3), ("a", "bee", "ant", 2), ("a", "worm", None, 1), ("b", "moth", "moth", 4)])
    capped = pl.when(pl.col("was") == "bee").then(pl.lit("cap")).otherwise("fate").alias("fate")
    a, _ = origins(rows.with_columns(capped), ("a", "b"))
    assert (a.not_chosen, a.nothing_left, a.kept) == (("worm",), ("bee",), ("ant",))


@pytest.mark.parametrize(
    ("rows", "single", "examples", "said"),
    [
        ([("a", "x", "x", 50), ("b", "y", "y", 50)], 1.0, 1.0, "Source and label are confounded: 2 of 2"),
        ([("a", "x", "x", 50), ("b", "x", "x", 50), ("a", "y", "y", 20)], 0.5, 0.1667, "partly confounded"),
        (
            [("a", "x", "x", 50), ("b", "x", "x", 50), ("a", "y", "y", 20), ("b", "y", "y", 20)],
            0.0,
            0.0,
            "hardly confounded",
        ),
        ([("a", "x", "x", 5), ("a", "y", "y", 5)], 1.0, 1.0, "All examples come from one source"),
    ],
)
def test_confounding(rows: list[tuple[str, str, str | None, int]], single: float, examples: float, said: str) -> None:
    found = confounding(frame(rows))
    assert (found.classes_from_one_source, found.examples_in_them) == (single, examples)
    assert said in found.sentence


def test_cramers_v() -> None:
    assert cramers_v(np.array([[50.0, 0], [0, 50]])) == pytest.approx(1.0)
    assert cramers_v(np.array([[30.0, 60], [10, 20]])) == 0
    assert cramers_v(np.array([[30.0], [10]])) == 0
    large = np.array([[900, 100, 500], [300, 800, 400]]) * 1000
    assert cramers_v(large.astype(np.float64)) == pytest.approx(association(large, "cramer"), abs=1e-4)
    noise = np.random.default_rng(0).multinomial(60, [1 / 40] * 40, size=1).reshape(20, 2) + 1
    assert cramers_v(noise.astype(np.float64)) < 0.15 < association(noise, "cramer")


def test_the_interval_of_an_auroc_holds_what_it_promises() -> None:
    chance = np.random.default_rng(0)
    true, hits = 0.8556, 0  # the AUROC of two normal distributions 1.5 deviations apart: Phi(1.5 / sqrt 2)
    for _ in range(400):
        scores = np.concatenate([chance.normal(1.5, 1, 30), chance.normal(0, 1, 40)])
        found = separation("a", np.arange(70) < 30, scores)
        hits += found.low <= true <= found.high
    assert 0.92 <= hits / 400 <= 0.99


def test_a_perfect_auroc_has_an_interval_all_the_same() -> None:
    low, high = newcombe(1.0, 20, 20)
    assert 0.8 < low < 1
    assert high == 1
    assert newcombe(0.0, 20, 20) == pytest.approx((1 - high, 1 - low))


def test_samples_are_even_and_limited() -> None:
    rows = frame([("a", "x", "x", 900), ("b", "x", "x", 30), ("b", "y", "y", 600)])
    assert dict(sample(rows)["source"].value_counts().iter_rows()) == {"a": MOST, "b": MOST}
    rows = frame(
        [("a", "x", "x", 900), ("b", "x", "x", 30), ("b", "y", "y", 9), ("a", "z", "z", 40), ("b", "z", "z", 50)]
    )
    shared = sample_shared(rows).group_by("label", "source").len().sort("label", "source")
    assert list(shared.iter_rows()) == [("x", "a", 30), ("x", "b", 30), ("z", "a", 40), ("z", "b", 40)]


def scorer(shift: float) -> object:
    """Logistic regression on one number that is `shift` larger in source b."""
    noise = np.random.default_rng(1).normal(size=1000)

    def score(rows: pl.DataFrame, fold: NDArray[np.int64], sources: Sequence[str]) -> NDArray[np.float64]:
        truth = np.array([sources.index(s) for s in rows["source"]])
        x = (noise[rows["id"].cast(pl.Int64).to_numpy()] + shift * (rows["source"] == "b").to_numpy())[:, None]
        result = np.zeros((len(x), len(sources)))
        for held in np.unique(fold):
            model = LogisticRegression().fit(x[fold != held], truth[fold != held])
            result[fold == held] = model.predict_proba(x[fold == held])
        return result

    return score


@pytest.mark.parametrize(
    ("shift", "low", "high", "said"),
    [(0.0, 0.4, 0.6, "cannot be told apart"), (1.0, 0.7, 0.82, "in part"), (4.0, 0.99, 1.0, "easily")],
)
def test_the_domain_classifier_finds_the_distance_that_is_there(
    shift: float, low: float, high: float, said: str
) -> None:
    rows = frame([("a", "x", "x", 200), ("b", "x", "x", 200), ("c", "x", "x", 5)])
    found = domain(rows, ("a", "b", "c"), scorer(shift), seed=0)  # type: ignore[arg-type]
    assert found is not None
    assert low < found.separations[0].auroc <= high
    assert said in verdict(found)
    assert (found.n, found.majority, found.by_label, found.left_out) == (400, 0.5, 0.5, ("c",))
    assert found.low < found.accuracy <= found.high


def test_too_few_examples_are_not_asked_about() -> None:
    rows = frame([("a", "x", "x", 200), ("b", "x", "x", 19)])
    assert domain(rows, ("a", "b"), scorer(0.0), seed=0) is None  # type: ignore[arg-type]
