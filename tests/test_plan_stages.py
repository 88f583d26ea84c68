"""How much is thawed, and how long: the rules that look at frozen features, and the habits of each kind of data."""

from dataclasses import replace

import pytest

from instar import store
from instar.modality.modalities import MODALITIES
from instar.plan import rates, stages
from instar.records import Audit, Card, Dataset, Decision, Finding, Json, Measurements, Verdict
from test_plan_rules import MOBILE, PHOTOS, READER, REVIEWS, SCRATCH, audit_of, card, machine, make, pictures, recipe

FEW = {f"class {i}": 40 for i in range(4)}


def found(code: str, verdict: Verdict = "passed", **evidence: Json) -> Finding:
    return Finding(code, verdict, "So it is.", evidence)


def probe(low: float, verdict: Verdict = "passed", **evidence: Json) -> Finding:
    high = (low + 3) / 4
    return found("separability", verdict, **{
        "n": 200, "accuracy": (low + high) / 2, "low": low, "high": high, "judged_by": "accuracy",
        "backbone": MOBILE.title, **evidence
    })  # fmt: skip


def curve(high: float, verdict: Verdict = "passed", accuracy: float = 0.8) -> Finding:
    return found("learning-curve", verdict, gain_if_doubled=high - 0.01, low=high - 0.02, high=high, accuracy=accuracy)


def decided(*more: Finding, measured: Measurements | None = None) -> Decision:
    data = pictures(FEW)
    return stages.stages(data, Audit((*audit_of(data).findings, *more)), MOBILE, measured or machine(60))


def test_a_probe_that_is_nearly_perfect_leaves_nothing_to_thaw() -> None:
    decision = decided(probe(0.99))
    assert [(s["name"], s["thaw"]) for s in decision.value] == [("head", 0)]
    assert decision.because == ("separability",)
    assert "99.0 % to 99.8 %" in decision.reason and "less than 1.0 %" in decision.reason
    assert [s["thaw"] for s in decided(probe(0.989)).value] == [0, 3]
    for verdict in ("skipped", "issue", "note"):
        assert [s["thaw"] for s in decided(probe(0.99, verdict)).value] == [0, 3]


def test_accuracy_among_uneven_classes_does_not_leave_the_trunk_frozen() -> None:
    uneven: dict[str, Json] = {
        "judged_by": "balanced accuracy",
        "balanced": 0.8,
        "balanced_low": 0.7,
        "balanced_high": 0.9,
    }
    assert [s["thaw"] for s in decided(probe(0.995, **uneven)).value] == [0, 3]
    solved = decided(probe(0.995, **{**uneven, "balanced": 0.995, "balanced_low": 0.99, "balanced_high": 0.999}))
    assert [s["thaw"] for s in solved.value] == [0]
    assert "99.5 %, on the mean over the classes, of 200 images right" in solved.reason


def test_few_examples_thaw_more_where_more_examples_would_not_help() -> None:
    flat, rising, unknown = decided(curve(0.009)), decided(curve(0.011)), decided(curve(0.009, "skipped"))
    assert [s["thaw"] for s in flat.value] == [0, 4]
    assert flat.because == ("class-counts", "learning-curve")
    assert "the features that hold it back" in flat.reason
    for decision in (rising, unknown, decided(curve(0.009, accuracy=0.96))):
        assert [s["thaw"] for s in decision.value] == [0, 3]
        assert decision.because == ("class-counts",)


def test_a_solved_head_has_nothing_to_set() -> None:
    head = recipe(PHOTOS, MOBILE).stages[0]
    assert (head.thaw, head.epochs, head.lr, head.layer_decay) == (0, 1, 0.0, 1.0)


def test_what_the_speed_was_measured_with_stands_in_the_reason() -> None:
    assert "Timed at 192 pixels a side." in decided(measured=replace(machine(60), extent=192)).reason
    assert "Timed" not in decided().reason
    words = make(REVIEWS, READER, replace(machine(40), extent=41)).live()["stages"].reason
    assert "Timed at 41 tokens." in words
    assert (
        "Timed at 64 pixels a side."
        in make(pictures(FEW), SCRATCH, replace(machine(60), extent=64)).live()["stages"].reason
    )


@pytest.mark.parametrize(("dataset", "network"), [(PHOTOS, MOBILE), (REVIEWS, READER)])
def test_the_habits_of_its_modality_stand_in_the_recipe(dataset: Dataset, network: Card) -> None:
    habits = MODALITIES[network.modality].habits
    live = make(dataset, network, machine(1e6)).live()
    made = store.recipe_of(make(dataset, network, machine(1e6)))
    assert (made.weight_decay, made.dropout) == (habits.weight_decay.value, habits.dropout.value)
    assert (made.stages[-1].lr, made.stages[-1].epochs) == (habits.rate.value, habits.epochs[1])
    assert habits.rate.reason in live["stages"].reason and habits.rate.source in live["stages"].source


def test_a_short_stage_takes_smaller_steps() -> None:
    usual = MODALITIES["image"].habits
    given = [rates.peak(MOBILE, steps).value for steps in (1, 50, 175, 250, 499, 500, 10_000)]
    assert given == sorted(given)
    assert given[0] == given[1] == pytest.approx(usual.rate.value / 10)
    assert given[3] == pytest.approx(usual.rate.value / 2)
    assert given[-2] == given[-1] == usual.rate.value
    assert "175 steps of the 500 that 0.001 wants, so the peak is 0.00035." in rates.peak(MOBILE, 175).reason
    assert rates.peak(READER, 10) == MODALITIES["text"].habits.rate


def test_the_peak_rate_follows_the_steps_that_the_machine_allows() -> None:
    slow, fast = (make(PHOTOS, MOBILE, machine(speed)).live()["stages"] for speed in (1, 1e6))
    steps = [d.value[1]["epochs"] * -(-PHOTOS.part("train").height // 32) for d in (slow, fast)]
    assert steps[0] < 500 < steps[1]
    assert [d.value[1]["lr"] for d in (slow, fast)] == [rates.peak(MOBILE, n).value for n in steps]
    assert f"{steps[0]} steps of the 500" in slow.reason and "of the 500" not in fast.reason


def test_a_random_start_takes_larger_steps() -> None:
    assert recipe(pictures(FEW), SCRATCH).stages[0].lr > recipe(pictures(FEW), MOBILE).stages[-1].lr


def test_a_network_without_a_trunk_is_thawed_whole() -> None:
    assert [s.thaw for s in recipe(pictures(FEW), card("image", size=64, trunk=0)).stages] == [0, -1]


def test_the_rate_follows_the_steps_that_were_asked_for() -> None:
    data = pictures(FEW)

    def rate(*settings: tuple[str, int]) -> float:
        made = make(data, MOBILE, machine(60), dict(settings))
        return store.recipe_of(made).stages[-1].lr

    assert rate(("epochs", 1)) == rate(("stages.top.epochs", 1)) < rate(("epochs", 400))
    assert rate(("epochs", 400), ("batch_size", 16)) > rate(("epochs", 400), ("batch_size", 1024))
