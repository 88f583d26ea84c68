"""The worth of decisions: paired, honest about seeds, corrected for many looks; and told on a slide."""

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest

from deck_fixture import make_run
from instar.deck.facts import Facts, read_facts
from instar.deck.figures import charts
from instar.deck.story import story
from instar.deck.story.decisions import pages
from instar.deck.words import read_words
from instar.evaluate.worth import Difference, worths
from instar.plan.worth import before, measured
from instar.records import Slide

CLASSES = ("a", "b", "c")


def answers(right: np.ndarray, seed: int = 0) -> pl.DataFrame:
    """Answers of which so many (N,) are right, the others off by one class."""
    n = len(right)
    truth = np.arange(n) % len(CLASSES)
    predicted = np.where(right, truth, (truth + 1) % len(CLASSES))
    return pl.DataFrame(
        {
            "id": [str(i) for i in range(n)],
            "group": np.arange(n) // 2,
            "label": [CLASSES[i] for i in truth],
            "predicted": [CLASSES[i] for i in predicted],
        }
    )


def one(planned: dict[int, Any], without: dict[int, Any], *metrics: str) -> tuple[Difference, ...]:
    made = [{seed: answers(right) for seed, right in of.items()} for of in (planned, without)]
    return worths(made[0], {"it": made[1]}, CLASSES, metrics or ("accuracy",), 0)["it"]


def chance(seed: int, n: int, share: float) -> np.ndarray:
    return np.random.default_rng(seed).random(n) < share


def test_a_large_effect_is_seen_and_signs_say_what_helps() -> None:
    accuracy, mae = one({0: chance(0, 300, 0.9)}, {0: chance(1, 300, 0.6)}, "accuracy", "mae")
    assert accuracy.with_it - accuracy.without == pytest.approx(accuracy.worth)
    assert accuracy.low > 0.15 and accuracy.high < 0.45 and accuracy.p < 0.002
    assert mae.with_it < mae.without and mae.worth > 0 and mae.low > 0, "fewer errors are worth something"
    assert (accuracy.seeds, accuracy.spread) == (1, 0.0)


def test_the_same_answers_are_worth_nothing_and_nothing_is_sure() -> None:
    right = chance(0, 200, 0.8)
    found = one({0: right}, {0: right})[0]
    assert (found.worth, found.p) == (0.0, 1.0) and found.low < 0 < found.high
    again = one({0: right, 1: right}, {0: right, 1: right})[0]
    assert (again.low, again.high, again.p) == (found.low, found.high, 1.0)


@pytest.mark.parametrize("seed", range(8))
def test_p_value_and_interval_hardly_contradict_each_other(seed: int) -> None:
    common = chance(seed, 240, 0.7)
    better = common | chance(seed + 100, 240, 0.02 * seed)
    found = one({0: better}, {0: common})[0]
    apart = found.low > 0 or found.high < 0
    assert found.p < 0.1 if apart else found.p > 0.02, found


def test_two_seeds_that_disagree_make_a_wide_interval_and_show_it() -> None:
    good, bad = chance(0, 300, 0.9), chance(0, 300, 0.7)
    alone = one({0: good}, {0: bad})[0]
    both = one({0: good, 1: bad}, {0: bad, 1: good})[0]
    assert alone.low > 0
    assert both.low < 0 < both.high and both.high - both.low > 3 * (alone.high - alone.low)
    assert both.spread > abs(both.worth) and both.seeds == 2


def test_seeds_count_as_far_as_both_have_them() -> None:
    right = chance(0, 100, 0.8)
    assert one({0: right, 1: right, 2: right}, {0: right, 2: right})[0].seeds == 2
    assert one({0: right}, {0: right, 1: right})[0].seeds == 1


def test_the_interval_over_seeds_holds_the_truth_as_often_as_it_says() -> None:
    """Trainings that are better or worse by luck, on examples that are easy or hard for all of them."""
    rng, worth, held, rounds = np.random.default_rng(0), 0.05, 0, 60
    for _ in range(rounds):
        hard = rng.normal(0, 0.15, 150).repeat(2)

        def right(mean: float, hard: np.ndarray = hard) -> np.ndarray:
            luck = rng.normal(0, 0.02)
            return rng.random(300) < np.clip(mean + luck + hard, 0, 1)

        planned, without = ({s: right(mean) for s in range(3)} for mean in (0.7 + worth, 0.7))
        found = one(planned, without)[0]
        held += found.low <= worth <= found.high
    assert held >= 0.88 * rounds


# --- told ---


def rows(*of: tuple[str, str, float, float, float, float], seeds: int = 1, spread: float = 0.0) -> pl.DataFrame:
    made = [
        {
            "decision": name,
            "field": field,
            "value": "on",
            "off": "none",
            "metric": "macro_f1",
            "with": 0.8,
            "without": 0.8 - worth,
            "worth": worth,
            "low": low,
            "high": high,
            "p": p / len(of),
            "p_holm": p,
            "n": 40,
            "groups": 38,
            "seeds": seeds,
            "spread": spread,
            "seconds_with": 100.0,
            "seconds": 20.0,
            "how": "full",
        }
        for name, field, worth, low, high, p in of
    ]
    return pl.DataFrame([*made, {**made[0], "metric": "accuracy", "p_holm": None}], infer_schema_length=None)


THAW = ("thaw", "stages", 0.08, 0.03, 0.13, 0.01)
RATES = ("rates", "stages", 0.001, -0.02, 0.02, 1.0)
AUGMENT = ("augment", "augment", -0.04, -0.07, -0.02, 0.02)


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> Facts:
    return read_facts(make_run(tmp_path_factory.mktemp("images"), classes=3, per_class=14))


def told(facts: Facts, worth: pl.DataFrame) -> Slide:
    made = replace(facts, worth=worth, plan=measured(facts.plan, worth, facts.many))
    return next(slide for slide in story(made, read_words()) if slide.key == "worth")


def test_no_slide_and_no_chart_where_nothing_was_switched_off(facts: Facts) -> None:
    words = read_words()
    slides = story(facts, words)
    assert "worth" not in [slide.key for slide in slides]
    assert "18-worth" not in [stem for stem, *_ in charts(facts, words, slides)]
    assert len(pages(facts, words)[0].header) == 4


@pytest.mark.parametrize(
    ("of", "says"),
    [
        ((THAW, RATES, AUGMENT), "Thawing is what pays: +0.080"),
        ((RATES, AUGMENT), "Augmentation does harm here: -0.040"),
        ((RATES,), "Rates by depth is not surely worth anything"),
        ((RATES, ("dropout", "dropout", 0.0, -0.01, 0.01, 1.0)), "None of 2 decisions"),
    ],
)
def test_the_title_claims_what_is_sure(facts: Facts, of: Any, says: str) -> None:
    slide = told(facts, rows(*of))
    assert slide.title.startswith(says)
    points = str(slide.blocks[1])
    assert "validation" in points and "test part stayed closed" in points and "One seed" in points
    assert "6-ablate/worth.csv" in slide.sources


def test_seeds_that_differ_by_more_than_the_effect_are_told(facts: Facts) -> None:
    noisy = rows(THAW, RATES, seeds=2, spread=0.05)
    assert "differ by more than the effect for: rates by depth" in str(told(facts, noisy).blocks)
    reason = measured(facts.plan, noisy, facts.many).live()["stages"].reason
    assert "2 seeds, which differ by up to 0.050, more than the effect itself" in reason
    assert "not told apart from nothing" in reason and "It helps" in reason


def test_the_table_of_decisions_shows_the_worth_beside_the_reason(facts: Facts) -> None:
    worth = rows(THAW, RATES, AUGMENT)
    made = replace(facts, worth=worth, plan=measured(facts.plan, worth, facts.many))
    table = pages(made, read_words())[0]
    assert table.header[3] == "Worth"
    by_field = {row[0]: row for row in table.rows}
    assert "thawing: +0.080" in by_field["Stages"][3] and "rates by depth" in by_field["Stages"][3]
    assert by_field["Metric"][3] == "–"
    assert all("Switched off" not in row[4] for row in table.rows), "figures stand once"
    drawn = {stem: frame for stem, _, frame in charts(made, read_words(), ())}
    assert drawn["18-worth"]["verdict"].to_list() == ["helps", "open", "harms"]


def test_measuring_again_replaces_what_was_measured(facts: Facts) -> None:
    once = measured(facts.plan, rows(THAW, AUGMENT), facts.many)
    twice = measured(once, rows(RATES), facts.many)
    assert len(twice.decisions) == len(facts.plan.decisions) + 1
    assert before(twice, "augment") == twice.live()["augment"] == facts.plan.live()["augment"]
    assert twice.live()["stages"].value == facts.plan.live()["stages"].value
