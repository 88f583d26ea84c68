"""Answers that are not sure enough lose their label; sets name the classes that may be."""

import numpy as np
import polars as pl
import pytest

from instar.errors import UserError
from instar.evaluate.answering import sure_ones, with_sets

CLASSES = ("ant", "bee", "cow")


def validation(n: int = 400) -> pl.DataFrame:
    """A calibrated model: its answer, ant, is right as often as it says."""
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0.5, 1, n)
    label = np.where(rng.random(n) < confidence, "ant", "bee")
    return pl.DataFrame(
        {
            "id": np.arange(n).astype(str),
            "group": np.arange(n),
            "label": label,
            "predicted": "ant",
            "confidence": confidence,
            "p.ant": confidence,
            "p.bee": (1 - confidence) * 0.9,
            "p.cow": (1 - confidence) * 0.1,
        }
    )


ANSWERS = pl.DataFrame(
    {
        "input": ["a", "b", "c"],
        "label": ["ant", "ant", None],
        "probability": [0.99, 0.55, None],
        "error": [None, None, "not there"],
        "p.ant": [0.99, 0.55, None],
        "p.bee": [0.009, 0.4, None],
        "p.cow": [0.001, 0.05, None],
    }
)


def test_what_is_not_sure_enough_gets_no_label() -> None:
    found = sure_ones(validation(), CLASSES, 0.8)(ANSWERS)
    assert found.columns[:5] == ["input", "label", "probability", "sure", "error"]
    assert found["label"].to_list() == ["ant", None, None]
    assert found["sure"].to_list() == [True, False, None]
    with pytest.raises(UserError, match=r"no threshold makes the answers surely 99\.9% right: of 400 validation"):
        sure_ones(validation(), CLASSES, 0.999)


def test_sets_come_with_or_without_a_threshold() -> None:
    mark = with_sets(validation(), CLASSES, 0.9)
    assert mark(ANSWERS)["set"].to_list() == [["ant"], ["ant", "bee"], None]
    both = mark(sure_ones(validation(), CLASSES, 0.8)(ANSWERS))
    assert both.columns[:6] == ["input", "label", "probability", "sure", "set", "error"]
    assert both["set"].to_list() == [["ant"], ["ant", "bee"], None]
    with pytest.raises(UserError, match=r"20 validation examples cannot promise .* ask for 95\.2% at most"):
        with_sets(validation(20), CLASSES, 0.97)


def test_what_is_named_as_the_most_can_be_asked_for() -> None:
    """Of 29 examples 29 / 30 can be promised: 96.66 %, not 96.7 %."""
    with pytest.raises(UserError, match=r"ask for 96\.6% at most"):
        with_sets(validation(29), CLASSES, 0.967)
    with_sets(validation(29), CLASSES, 0.966)
    right = validation(100).with_columns(label=pl.lit("ant"))
    with pytest.raises(UserError, match=r"the surest ones are surely 96\.3% right"):
        sure_ones(right, CLASSES, 0.97)
    sure_ones(right, CLASSES, 0.963)


def test_too_few_examples_for_any_threshold_are_said_to_be_too_few() -> None:
    right = validation(15).with_columns(label=pl.lit("ant"))
    with pytest.raises(UserError, match=r"surely 60\.0% right: that takes 20 validation examples, and there are 15"):
        sure_ones(right, CLASSES, 0.6)
