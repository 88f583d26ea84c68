"""Findings in a few words, for cards."""

from typing import Any

import pytest

from deck_fixture import make_run
from instar.deck.facts import Facts, read_facts
from instar.deck.story.brief import brief
from instar.deck.words import read_words
from instar.records import Finding

LONG = 80
"""Letters that have room on a card of the chain."""


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> Facts:
    return read_facts(make_run(tmp_path_factory.mktemp("run"), "image", 3, per_class=8))


@pytest.mark.parametrize(
    ("code", "evidence", "told"),
    [
        ("near-twins", {"pairs": 53, "random_leak_near": 0.0134}, "53 pairs of near copies; 1.3 % of a random test"),
        ("near-twins", {"pairs": 1, "random_leak_near": 0.001}, "1 pair of near copies; 0.1 % of a random test"),
        ("shortcuts", {"best": "aspect", "low": 0.1, "accuracy": 0.13, "majority": 0.011}, "right, the largest class"),
        ("separability", {"judged_by": "accuracy", "accuracy": 0.85, "balanced": 0.1}, "tell 85 % of the images"),
        ("separability", {"judged_by": "balanced accuracy", "balanced": 0.42}, "42 % of the images, on the mean"),
        ("suspect-labels", {"suspects": 12, "n": 3574}, "12 of 3,574 labels are probably wrong"),
        ("mirror", {"changed": 0.057}, "5.7 % of a probe's answers"),
        ("markup", {"rows": 1}, "1 of the images holds"),
    ],
)
def test_a_card_is_short_and_has_the_figure(facts: Facts, code: str, evidence: dict[str, Any], told: str) -> None:
    sentence = "What the audit says at length. " * 10
    said = brief(facts, read_words(), Finding(code, "note", sentence, evidence))
    assert told in said.replace("\N{NO-BREAK SPACE}", " ")
    assert len(said) <= LONG


@pytest.mark.parametrize(
    ("code", "evidence"),
    [("near-twins", {"pairs": 0}), ("separability", {}), ("mirror", {}), ("shortcuts", {"best": "width", "low": -0.1})],
)
def test_without_figures_the_finding_speaks_for_itself(facts: Facts, code: str, evidence: dict[str, Any]) -> None:
    assert brief(facts, read_words(), Finding(code, "passed", "Nothing found.", evidence)) == "Nothing found."
