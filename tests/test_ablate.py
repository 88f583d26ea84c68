"""What single decisions were worth: switched off one by one, on validation, at small cost, and back into the plan."""

import shutil
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import yaml

from instar import pipeline, steps, store
from instar.errors import UserError
from instar.evaluate.worth import read_worth
from instar.pipeline import trials
from instar.pipeline.trials import ANSWERS, PLAIN, PROBED
from instar.plan import measure
from instar.plan.ablation import KEPT, SWITCHES, ablations
from instar.plan.bounds import check
from instar.plan.worth import SOURCE, before
from instar.records import Measurements, Recipe, Stage, Timing
from instar.train import training
from test_plan_rules import MOBILE, SCRATCH
from test_portable import trained
from training_worlds import recipe as made_up


@pytest.fixture(scope="module", autouse=True)
def hasty() -> Iterator[None]:
    """Page and speed take seconds, and nothing here looks at them."""
    speed = Measurements((Timing("fp32", False, 1, 100.0, 100.0),), "cpu", 1, 1.0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("instar.report.build.write_report", lambda folder, **_: folder)
        patch.setattr("instar.report.build.told_again", lambda folder, **_: True)
        patch.setattr(measure, "measure", lambda *_, **__: speed)
        yield


@pytest.fixture(scope="module")
def made(hasty: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trained run on tiny pictures, of which thawing, augmentation and the answer's form have been switched off."""
    folder = trained("timm", tmp_path_factory.mktemp("made") / "world")
    pipeline.ablate(folder, ["thaw", "augment", "test_augment"])
    return folder


@pytest.fixture
def run(made: Path, tmp_path: Path) -> Path:
    """A copy to change."""
    return Path(shutil.copytree(made, tmp_path / "run"))


def contents(run: Path, folder: str) -> dict[str, str]:
    return {p.relative_to(run).as_posix(): store.digest(p) for p in (run / folder).rglob("*") if p.is_file()}


# --- what off means ---

FULL = made_up(
    backbone="timm:tiny",
    exclude=("outliers",),
    clean=("entities",),
    decode="median",
    test_augment=("horizontal_flip",),
    loss_weights="balanced",
    augment=("horizontal_flip",),
    stages=(Stage("head", 0, 1, 0.0, 1.0), Stage("top", 1, 4, 3e-3, 0.8, views=3)),
)


def test_every_field_can_be_switched_off_or_says_why_not() -> None:
    switched = {switch.field for switch in SWITCHES}
    assert switched | set(KEPT) == {f.name for f in fields(Recipe)} and not switched & set(KEPT)


def test_each_switch_changes_its_own_decision_alone_and_makes_a_plan_that_can_be_trained() -> None:
    found = ablations(FULL, MOBILE)
    assert [a.name for a in found] == [switch.name for switch in SWITCHES]
    for a in found:
        back: dict[str, Any] = {"stages": FULL.stages, a.field: getattr(FULL, a.field)}
        assert replace(a.recipe, **back) == FULL
        assert a.off != a.value
        check(replace(a.recipe, clean=()), "crop")  # no repair is known for pictures
        again = ablations(a.recipe, MOBILE)
        assert a.name not in [b.name for b in again], "off is off"
    how = {a.name: a.how for a in found}
    assert {name for name, kind in how.items() if kind == "reused"} == {"thaw", "decode", "test_augment"}
    assert "head" not in how.values()


def test_what_a_solved_head_does_not_know_is_no_decision_where_nothing_is_thawed() -> None:
    solved = replace(FULL, stages=FULL.stages[:1])
    assert {a.name: a.how for a in ablations(solved, MOBILE)} == {
        "exclude": "head",
        "clean": "head",
        "loss_weights": "head",
        "test_augment": "reused",
        "decode": "reused",
    }


def test_a_network_that_starts_at_random_has_nothing_to_freeze() -> None:
    everything = replace(FULL, stages=(Stage("all", -1, 3, 1e-3, 1.0),))
    assert {"thaw", "init", "rates"}.isdisjoint(a.name for a in ablations(everything, SCRATCH))


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (["agument"], "no decision is named agument; choose among thaw, init"),
        (["threads"], "threads cannot be switched off: it was chosen for its speed alone"),
        (["loss_weights"], "loss_weights is off already"),
    ],
)
def test_what_cannot_be_switched_off_is_one_line(names: list[str], says: str) -> None:
    with pytest.raises(UserError, match=says):
        ablations(made_up(), MOBILE, names)


def test_a_field_stands_for_all_its_switches() -> None:
    assert [a.name for a in ablations(FULL, MOBILE, ["stages", "dropout"])] == [
        "thaw",
        "init",
        "rates",
        "views",
        "dropout",
    ]


# --- a run ---


def test_what_is_reused_is_what_a_training_would_have_made(run: Path) -> None:
    """The probe that every training leaves is the network of a plan that thaws nothing."""
    before = store.read_frame(run / "6-ablate/thaw/seed-0" / ANSWERS)
    base = trials.Base(run, store.read_dataset(run), store.recipe_of(store.read_plan(run)[0]), store.read_epochs(run))
    frozen = replace(base.recipe, stages=base.recipe.stages[:1])
    trial = trials.Trial("again", 0, frozen, "full", 0.0)
    trials.run(base, trial, trial)
    after = trials.answers_of(base, trial)
    assert after.select("id", "label", "predicted").equals(before.select("id", "label", "predicted"))
    columns = [name for name in after.columns if name.startswith("p.")]
    assert np.allclose(after.select(columns), before.select(columns), atol=1e-6)


def test_worth_is_the_difference_on_the_validation_split(run: Path) -> None:
    found, dataset = read_worth(run), store.read_dataset(run)
    assert set(found["decision"]) == {"thaw", "augment", "test_augment"} and set(found["n"]) == {
        dataset.part("val").height
    }
    right = {}
    for name in ("planned", "thaw", "augment", "test_augment"):
        answers = store.read_frame(run / f"6-ablate/{name}/seed-0" / ANSWERS)
        assert set(answers["split"]) == {"val"} and answers["id"].equals(dataset.part("val")["id"])
        right[name] = (answers["label"] == answers["predicted"]).mean()
    for row in found.iter_rows(named=True):
        assert (row["with"], row["without"]) == pytest.approx((right["planned"], right[row["decision"]]))
        assert row["worth"] == pytest.approx(row["with"] - row["without"])
        assert row["low"] <= row["worth"] <= row["high"] and row["p"] <= row["p_holm"] <= 1
    best = [e for e in store.read_epochs(run) if e.best][-1]
    plain = store.read_frame(run / "6-ablate/planned/seed-0" / PLAIN)
    assert (plain["label"] == plain["predicted"]).mean() == pytest.approx(best.val_score)
    assert plain.equals(store.read_frame(run / "6-ablate/test_augment/seed-0" / ANSWERS))
    assert not plain.equals(store.read_frame(run / "6-ablate/planned/seed-0" / ANSWERS))
    assert not list((run / "6-ablate").rglob("*.safetensors")), "no network is kept"


def test_the_plan_keeps_its_values_and_gets_the_figures(run: Path) -> None:
    plan, block = store.read_plan(run)
    live = plan.live()
    for field in ("stages", "augment"):
        first = before(plan, field)
        now = live[field]
        assert now.basis == "measured" and now.source.startswith(SOURCE)
        assert (now.because, block[field]) == (first.because, now.value)
        assert now.reason.startswith(first.reason) and "95 % interval" in now.reason and "one seed" in now.reason
    assert store.recipe_of(plan).stages[1].lr > 0
    assert "Switched off (augment" in (run / "3-plan/plan.md").read_text()


def test_training_stands_and_a_second_call_does_nothing(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert store.current(run, "plan") and store.current(run, "prepare") and store.current(run, "train")
    monkeypatch.setattr(trials, "run", None)
    monkeypatch.setattr(pipeline.ablating, "run", None)
    before = contents(run, "6-ablate"), contents(run, "3-plan"), store.read_machine(run)["steps"]["train"]
    pipeline.ablate(run, ["thaw", "augment"])
    after = contents(run, "6-ablate"), contents(run, "3-plan"), store.read_machine(run)["steps"]["train"]
    assert after == before


def test_what_was_asked_for_is_asked_for_again_after_it_was_measured(run: Path) -> None:
    from instar.pipeline.options import wishes

    asked = wishes(run)[1]
    assert asked["batch_size"] == 8 and "stages" in asked and "augment" not in asked


def test_the_test_split_stays_closed(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def opened(_: Path) -> pl.DataFrame:
        raise AssertionError("the labels of the test split were asked for")

    monkeypatch.setattr(store, "read_sealed", opened)
    sealed = steps.SEALED
    table = store.read_frame(run / sealed)
    store.write_frame(run / sealed, table.with_columns(label=pl.lit("nonsense")))
    machine = store.read_machine(run)
    machine["steps"]["open"]["writes"][sealed] = store.digest(run / sealed)
    store.write_yaml(run / store.MACHINE, machine)
    pipeline.ablate(run, ["warmup"])
    assert "test_opened" not in store.read_machine(run)
    assert "warmup" in set(read_worth(run)["decision"])


class Killed(BaseException):
    """Where a test pulls the plug."""


def test_killed_in_a_training_it_goes_on_and_ends_with_the_same_answers(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = store.read_frame(run / "6-ablate/augment/seed-0" / ANSWERS)
    shutil.rmtree(run / "6-ablate")
    real = training._record

    def record(*given: Any) -> Any:
        if given[2].stage != "head":
            raise Killed
        return real(*given)

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(training, "_record", record)
        pipeline.ablate(run, ["augment"])
    assert list((run / "6-ablate/augment").rglob("last/state.safetensors")) and not read_worth(run).height
    begun = []
    monkeypatch.setattr(training, "_begin", lambda fit: begun.append(fit))
    pipeline.ablate(run, ["augment"])
    assert not begun, "it went on from its checkpoint"
    assert store.read_frame(run / "6-ablate/augment/seed-0" / ANSWERS).equals(whole)


def test_what_there_is_no_time_for_is_left_out_and_told(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(run / "6-ablate")
    found = pipeline.ablate(run, ["thaw", "augment"], minutes=0.0)
    assert set(found["decision"]) == {"thaw"}
    assert "left out, more than 0 min together: augment" in capsys.readouterr().err
    live = store.read_plan(run)[0].live()
    assert "augment" not in [d.field for d in live.values() if d.source.startswith(SOURCE)]
    with pytest.raises(UserError, match="nothing was switched off; no training is over in 0 min"):
        shutil.rmtree(run / "6-ablate")
        pipeline.ablate(run, ["augment"], minutes=0.0)


def test_another_training_is_measured_anew(run: Path) -> None:
    pipeline.ask(run, ["weight_decay=0.2"])
    with pytest.raises(UserError, match="no training of its plan as it is now; run `instar train"):
        pipeline.ablate(run)
    pipeline.train(run)
    assert not read_worth(run).height, "what is said of one training is not said of another"
    assert set(pipeline.ablate(run, ["thaw"])["decision"]) == {"thaw"}
    kept = yaml.safe_load((run / "6-ablate/worth.yaml").read_text())
    assert kept["trained"] == store.digest(run / store.BEST)
    assert (run / "6-ablate/planned/seed-0" / PROBED).exists()


def test_more_seeds_train_the_plan_again_too(run: Path) -> None:
    found = pipeline.ablate(run, ["thaw"], seeds=2)
    seeds = dict(found.select("decision", "seeds").iter_rows())
    assert seeds == {"thaw": 2, "augment": 1, "test_augment": 1}
    first, second = (store.read_frame(run / f"6-ablate/planned/seed-{s}" / ANSWERS) for s in (0, 1))
    assert first["id"].equals(second["id"]) and not first.equals(second)
    probes = [store.read_frame(run / f"6-ablate/planned/seed-{s}" / PROBED) for s in (0, 1)]
    assert probes[0].select("id", "predicted").equals(probes[1].select("id", "predicted")), "a solved head has no seed"
    assert "2 seeds, which differ by up to" in store.read_plan(run)[0].live()["stages"].reason
