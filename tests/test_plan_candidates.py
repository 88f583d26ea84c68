"""The choice among backbones: time is spent only for what is surely gained, and every candidate has its reason."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from instar.errors import UserError
from instar.models.named import Named, joined, named, several
from instar.plan import candidates, reasons
from instar.plan.candidates import Cost, Scored, choose, cost, difference, drawn, table, to_probe
from instar.plan.stages import MINUTES
from instar.records import Card, Dataset, Group, InputSpec, Measurements, Timing
from planted_worlds import pictures

N = 400
GROUPS = np.arange(N)
ROWS = pl.DataFrame({"group": GROUPS, "label": ["ant", "bee"] * (N // 2)})


def right(share: float, seed: int | None = None) -> NDArray[np.bool_]:
    """So many are right: the same ones for all, or drawn by the seed."""
    found = np.arange(N) < round(share * N)
    return found if seed is None else np.random.default_rng(seed).permutation(found)


def candidate(name: str, answers: NDArray[np.bool_] | None, logme: float = 0.0, speed: float = 100.0) -> Scored:
    card = Card(f"timm:{name}", name, "image", InputSpec(224), (Group("g", "trunk", ("g",), 9),), 8, 10, True, "file")
    speeds = Measurements((Timing("fp32", False, 1, 2 * speed, speed),), "cpu", 1, 1.0)
    return Scored(f"timm:{name}", None, card, 224, speeds, logme, answers)


def costs(*seconds: float, late: tuple[int, ...] = ()) -> list[Cost]:
    return [Cost(s, s, 12 * s / 60, i not in late) for i, s in enumerate(seconds)]


def taken(found: list[Scored], takes: list[Cost]) -> str:
    return found[choose(found, takes, GROUPS)[0]].card.title


def test_more_time_is_spent_where_more_is_surely_gained() -> None:
    found = [candidate("small", right(0.70)), candidate("large", right(0.80))]
    assert taken(found, costs(10, 40)) == "large"
    assert taken(found, costs(40, 10)) == "large"


def test_the_cheaper_one_stays_where_the_gain_may_be_chance() -> None:
    found = [candidate("small", right(0.79, 1)), candidate("large", right(0.80, 2))]
    assert taken(found, costs(10, 40)) == "small"
    assert taken(found, costs(40, 10)) == "large"


def test_the_cheapest_of_those_as_good_as_the_best_is_taken() -> None:
    found = [candidate("small", right(0.6)), candidate("middle", right(0.8, 1)), candidate("large", right(0.81, 2))]
    assert taken(found, costs(10, 20, 40)) == "middle"


def test_what_takes_too_long_is_taken_only_where_everything_does() -> None:
    found = [candidate("small", right(0.6)), candidate("large", right(0.9))]
    assert taken(found, costs(10, 40, late=(1,))) == "small"
    assert taken(found, costs(10, 40, late=(0, 1))) == "small"


def test_what_was_not_probed_is_never_taken() -> None:
    assert taken([candidate("small", None), candidate("large", right(0.5))], costs(10, 40)) == "large"


def test_copies_in_a_group_make_no_difference_surer() -> None:
    ours, theirs = right(0.8, 1), right(0.7, 2)
    once = difference(ours, theirs, GROUPS, 1)
    twice = difference(np.repeat(ours, 2), np.repeat(theirs, 2), np.repeat(GROUPS, 2), 1)
    assert twice == pytest.approx(once)
    assert difference(ours, ours, GROUPS, 1) == (0.0, 0.0, 0.0)


def test_three_coins_are_not_sure_and_comparing_more_often_makes_less_sure() -> None:
    ours, theirs = right(0.5), right(0.5)
    ours[-5:] = True
    assert difference(ours, theirs, GROUPS, 1)[1] == 0.0, "five to none is chance once in sixteen"
    ours[-40:] = True
    widths = [high - low for _, low, high in (difference(ours, theirs, GROUPS, k) for k in (1, 4))]
    assert widths[0] < widths[1]


def test_a_difference_of_chance_is_rarely_called_sure() -> None:
    rng = np.random.default_rng(0)
    sure = 0
    for _ in range(400):
        ours, theirs = (rng.random(N) < 0.7 for _ in range(2))
        _, low, high = difference(ours, theirs, GROUPS, 1)
        sure += low > 0 or high < 0
    assert sure <= 30, "5 % of 400, and some room"


def test_the_default_is_probed_whatever_the_cheap_score_says() -> None:
    assert to_probe([-9.0, 1, 2, 3, 4, 5], 0) == [0, 2, 3, 4, 5]
    assert to_probe([1.0, 2.0], 0) == [0, 1]


def scored() -> pl.DataFrame:
    found = [
        candidate("first", right(0.70)),
        candidate("good", right(0.85, 1)),
        candidate("dear", right(0.86, 2)),
        candidate("slow", right(0.95)),
        candidate("dull", None),
    ]
    return table(found, [("hf:gone", "not in the cache")], costs(10, 20, 40, 900, 5, late=(3,)), ROWS, 0)


def test_every_candidate_has_a_verdict_and_a_reason() -> None:
    found = scored()
    assert found.schema == pl.Schema(candidates.SCHEMA)
    verdicts = dict(found.select("backbone", "verdict").iter_rows())
    assert verdicts == {
        "timm:dull": "not probed",
        "timm:first": "behind",
        "timm:good": "chosen",
        "timm:dear": "dearer",
        "timm:slow": "too slow",
        "hf:gone": "not at hand",
    }
    assert set(verdicts.values()) == set(candidates.VERDICTS)
    assert all(found["reason"]) and found["backbone"].to_list() == list(verdicts)
    row = found.row(by_predicate=pl.col("verdict") == "chosen", named=True)
    assert row["low"] < row["accuracy"] == 0.85 < row["high"]
    assert row["gain"] == pytest.approx(0.15) and 0 < row["gain_low"] < 0.15 < row["gain_high"]


def test_the_decision_tells_gain_cost_and_what_was_left_out() -> None:
    made = reasons.decision(scored(), "images", 2)
    assert (made.field, made.value, made.basis) == ("backbone", "timm:good", "measured")
    for said in (
        "85.0 % right",
        "first (timm:first)",
        "+15.0 points",
        "10.0 s an epoch more",
        "dull",
        "hf:gone (not in",
    ):
        assert said in made.reason, said
    assert made.reason.endswith(".") and "  " not in made.reason
    assert all(name in "\n".join(reasons.lines(scored())) for name in ("* timm:good", "hf:gone"))


def test_costs_are_those_of_a_stage_of_the_plan() -> None:
    data = pictures().seal()
    fast, slow = (cost(candidate("net", None, speed=speed), data) for speed in (100.0, 0.01))
    assert fast.ms_example == pytest.approx(5.0) and fast.in_time and not slow.in_time
    train, val = data.part("train").height, data.part("val").height
    assert fast.epoch_seconds == pytest.approx(train / 100 + val / 200)
    assert slow.minutes > MINUTES


def crowd(per_class: int) -> Dataset:
    world = pictures(dict.fromkeys(("ant", "bee", "cat"), per_class)).seal()
    return world


def test_as_many_of_each_class_are_drawn_from_the_training_part_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(candidates, "EXAMPLES", 30)
    monkeypatch.setattr(candidates, "LEAST", 5)
    data = crowd(60)
    found = drawn(data)
    assert found.group_by("label").len()["len"].to_list() == [10, 10, 10]
    assert set(found["id"]) <= set(data.part("train")["id"])
    assert found["id"].to_list() == [i for i in data.part("train")["id"] if i in set(found["id"])]
    assert drawn(data).equals(found)
    monkeypatch.setattr(candidates, "EXAMPLES", 3_000)
    assert drawn(replace(data)).equals(data.part("train").select(found.columns))


# --- how candidates are named ---


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("timm:a", (Named("timm:a", None),)),
        ("timm:a,hf:b/c", (Named("timm:a", None), Named("hf:b/c", None))),
        ("timm:a=w.safetensors,hf:d", (Named("timm:a", "w.safetensors"), Named("hf:d", None))),
        ("hf:here, there/x=y", (Named("hf:here, there/x=y", None),)),
    ],
)
def test_names_and_files_are_told_apart(text: str, parts: tuple[Named, ...]) -> None:
    assert named(text) == parts
    assert joined(parts) == text and several(text) == (len(parts) > 1)


def test_blanks_beside_commas_part_names_too() -> None:
    assert joined(named(" timm:a=w.safetensors , hf:b ")) == "timm:a=w.safetensors,hf:b"


@pytest.mark.parametrize(("text", "said"), [("timm:a,timm:a", "twice"), ("resnet50,timm:a", "names no source")])
def test_what_cannot_be_meant_is_refused(text: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        named(text)
