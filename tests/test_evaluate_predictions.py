"""From logits to answers: the most probable class, or the median of ordered ones."""

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from instar.evaluate.predictions import answers, baselines, frame
from instar.metrics import decoded
from instar.records import Dataset

STARS = ("1 star", "2 stars", "3 stars")


def logits(*probabilities: tuple[float, ...]) -> NDArray[np.float32]:
    return np.log(np.array(probabilities, dtype=np.float32))


TORN = logits((0.4, 0.25, 0.35), (0.1, 0.2, 0.7))
"""Torn between the ends, and sure."""


def test_predictions_follow_the_decoding() -> None:
    ids = ["a", "b"]
    table = pl.DataFrame(
        {"id": ids, "split": ["test"] * 2, "group": [0, 1], "label": pl.Series([None] * 2, dtype=pl.String)}
    )
    dataset = Dataset("w", "text", "w.csv", ".", STARS, True, {}, {}, table)
    usual, median = (frame(dataset, "test", np.array([1, 2]), TORN, d) for d in ("argmax", "median"))
    assert usual.equals(frame(dataset, "test", np.array([1, 2]), TORN))
    assert usual["predicted"].to_list() == ["1 star", "3 stars"]
    assert median["predicted"].to_list() == ["2 stars", "3 stars"]
    np.testing.assert_allclose(median["confidence"], [0.25, 0.7], atol=1e-6)
    shares = [f"p.{name}" for name in STARS]
    assert usual.select(shares).equals(median.select(shares))


def test_baselines_bring_their_probabilities() -> None:
    """The majority knows how common the classes are, and nothing else; two are equally common, the first is named."""
    ids, labels = list("abcdefgh"), ["2 stars", "1 star", "2 stars", "1 star", "3 stars", None, None, None]
    table = pl.DataFrame({"id": ids, "split": ["train"] * 5 + ["test"] * 3, "label": labels})
    dataset = Dataset("w", "text", "w.csv", ".", STARS, True, {}, {}, table)
    cheap = np.array([(0.5, 0.3, 0.2), (0.1, 0.1, 0.8), (0.3, 0.4, 0.3)])
    probe = logits(*cheap[::-1])
    truth = np.array([0, 2, 1])
    found = baselines(dataset, truth, probe=probe, cheap=cheap)
    assert found.columns == ["subject", "id", "label", "predicted", *(f"p.{name}" for name in STARS)]
    shares = found.select("subject", pl.concat_list("^p\\..*$").alias("p")).group_by("subject", maintain_order=True)
    p = {subject: np.array(part["p"].to_list()) for (subject,), part in shares}
    np.testing.assert_allclose(p["majority"], [[0.4, 0.4, 0.2]] * 3)
    np.testing.assert_array_equal(p["cheap"], cheap)
    np.testing.assert_allclose(p["probe"], cheap[::-1], atol=1e-6)
    given = {subject: part["predicted"].to_list() for (subject,), part in found.group_by("subject")}
    assert given["majority"] == ["1 star"] * 3
    assert given["cheap"] == given["probe"][::-1] == ["1 star", "3 stars", "2 stars"]
    assert found["label"].to_list() == ["1 star", "3 stars", "2 stars"] * 3


def test_answers_follow_the_decoding() -> None:
    asked = pl.DataFrame({"id": ["0", "1"], "input": ["so so", ""], "error": [None, "no text"]})
    for decode, label in (("argmax", "1 star"), ("median", "2 stars")):
        found = answers(asked, STARS, TORN[:1], decode)
        assert found["label"].to_list() == [label, None]
        assert found["error"].to_list() == [None, "no text"]


@given(st.lists(st.floats(0.01, 1), min_size=2, max_size=7))
def test_each_decoding_is_best_at_what_it_is_for(weights: list[float]) -> None:
    shares = np.array([weights]) / sum(weights)
    best, middle = (int(decoded(shares, name)[0]) for name in ("argmax", "median"))
    classes = np.arange(len(weights))
    off = np.abs(classes[:, None] - classes) @ shares[0]
    assert shares[0, best] == shares.max()
    assert off[middle] <= off.min() + 1e-9
