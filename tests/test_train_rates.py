"""The rate finder tries rates on a copy and suggests one that a stage stands."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from instar import pipeline, store
from instar.errors import UserError
from instar.records import Stage
from instar.train.finder import HIGHEST, LOWEST, SETTLED, STEPS, Trial, suggestion, trials, with_solved_head
from test_pipeline import write
from training_worlds import data, network, recipe

TOP = Stage("top", 2, 1, 1e-3, 0.5)


def course(losses: list[float]) -> tuple[Trial, ...]:
    rates = np.geomspace(LOWEST, HIGHEST, STEPS)
    return tuple(Trial(float(lr), loss, loss) for lr, loss in zip(rates, losses, strict=False))


def test_a_tenth_of_the_rate_with_the_least_loss_is_suggested_or_that_of_the_steepest_fall() -> None:
    falling = [1.0 - (step / 60) ** 2 for step in range(60)] + [2.0 + step for step in range(10)]
    assert suggestion(course(falling)) == float(f"{course(falling)[59].lr / 10:.2g}")
    known = [1 / (1 + np.exp((step - 40.5) / 4)) for step in range(STEPS)]
    assert suggestion(course(known)) == float(f"{course(known)[41].lr:.2g}")
    assert suggestion(course([1.0 + 0.1 * step for step in range(50)])) is None


def test_the_rate_grows_by_one_factor_and_the_network_stays_as_it_was(tmp_path: Path) -> None:
    net, world = network(), data(tmp_path / "c")
    before = {name: value.clone() for name, value in net.model.state_dict().items()}
    frozen = [p.requires_grad for p in net.model.parameters()]
    found = trials(net, TOP, recipe(), world, None)
    assert all(torch.equal(before[name], value) for name, value in net.model.state_dict().items())
    assert [p.requires_grad for p in net.model.parameters()] == frozen
    factors = np.diff(np.log([trial.lr for trial in found]))
    assert found[0].lr == pytest.approx(LOWEST)
    assert factors == pytest.approx(np.full(len(found) - 1, np.log(HIGHEST / LOWEST) / (STEPS - 1)))
    assert trials(net, TOP, recipe(), world, None) == found


def test_what_is_suggested_learns_and_a_hundred_times_that_does_not(tmp_path: Path) -> None:
    net, world = network(dropout=0.0), data(tmp_path / "c", 96)
    found = trials(net, replace(TOP, thaw=-1), recipe(augment=()), world, None)
    rate = suggestion(found)
    assert rate is not None
    by_rate = {trial.lr: trial.smoothed for trial in found}
    least = min(by_rate, key=lambda lr: by_rate[lr])
    assert found[SETTLED].lr < rate <= least
    assert found[-1].smoothed > by_rate[least] < found[SETTLED].smoothed


def test_the_solved_head_is_where_it_begins(tmp_path: Path) -> None:
    net, world = network(dropout=0.0), data(tmp_path / "c")
    random = trials(net, TOP, recipe(augment=()), world, None)
    with_solved_head(net, recipe(), world)
    assert trials(net, TOP, recipe(augment=()), world, None)[SETTLED].smoothed < random[SETTLED].smoothed
    plain = network(pretrained=False)
    before = plain.model.head.weight.clone()
    with_solved_head(plain, recipe(), world)
    assert torch.equal(before, plain.model.head.weight)


def test_losses_that_are_no_numbers_from_the_start_are_told(tmp_path: Path) -> None:
    world = data(tmp_path / "c")
    world.prepared.pixels[:] = torch.nan  # type: ignore[attr-defined]
    with pytest.raises(UserError, match="not a number from the start"):
        trials(network(), TOP, recipe(), world, None)


def test_a_run_gets_figures_and_keeps_its_plan(tmp_path: Path) -> None:
    settings = ("epochs=1", "batch_size=8", "threads=1")
    options = pipeline.Options(str(write(tmp_path / "r.csv")), backbone="scratch:words", settings=settings)
    run = pipeline.start(options, tmp_path / "run")
    with pytest.raises(UserError, match="no finished step"):
        pipeline.rates(run)
    pipeline.audit(run)
    pipeline.plan(run)
    before = (run / "3-plan/plan.yaml").read_bytes()
    with pytest.raises(UserError, match=r"no stage middle .*there is all"):
        pipeline.rates(run, "middle")
    assert set(pipeline.rates(run)) == {"all"}
    assert (run / "3-plan/plan.yaml").read_bytes() == before
    assert store.current(run, "plan")
    assert all((run / f"figures/rates-all.{kind}").stat().st_size > 0 for kind in ("svg", "png", "csv"))
    assert store.read_frame(run / "figures/rates-all.csv").columns == ["lr", "loss", "smoothed"]
