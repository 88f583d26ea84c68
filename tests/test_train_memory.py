"""Where memory does not suffice the same work is done in smaller parts, and comes out as it would have."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from instar.errors import UserError
from instar.models.network import Network
from instar.prepare.features import features
from instar.prepare.memory import as_memory_allows, in_parts, is_out_of_memory
from instar.prepare.passes import logits
from instar.records import Epoch, Recipe, Stage
from instar.train import checkpoint
from instar.train.loss import loss_of, mass
from instar.train.stages import enter
from instar.train.step import Part, add_gradients
from instar.train.training import fit
from training_worlds import data, network, pictures, recipe

LIVE = (Stage("top", 1, 2, 3e-3, 0.8), Stage("all", -1, 2, 3e-3, 0.8))
FAULTS: dict[str, Callable[[], Exception]] = {
    "device": lambda: torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    "cpu": lambda: RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 B"),
    "python": lambda: MemoryError(),
}


def still(net: Network) -> Network:
    """The network without dropout, whose draws depend on the parts."""
    for module in net.model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    return net


def short(
    net: Network, room: int, *, fault: str = "device", inference: bool = False, backward: bool = False
) -> list[int]:
    """Let the network run out of memory above `room` examples at once; returns the list of all sizes that it saw."""
    seen: list[int] = []

    def before(_: nn.Module, __: tuple[Any, ...], kwargs: dict[str, Tensor]) -> None:
        n = len(kwargs["pixels"])
        seen.append(n)
        if n > room and not backward and (inference or torch.is_grad_enabled()):
            raise FAULTS[fault]()

    def after(_: nn.Module, __: tuple[Any, ...], out: Tensor) -> None:
        def fail(_: Tensor) -> None:
            raise FAULTS[fault]()

        if backward and out.requires_grad and len(out) > room:
            out.register_hook(fail)

    net.model.body.register_forward_pre_hook(before, with_kwargs=True)
    net.model.body.register_forward_hook(after)
    return seen


@given(st.integers(1, 200), st.integers(1, 64), st.integers(1, 2))
def test_parts_make_up_the_whole(n: int, size: int, least: int) -> None:
    parts = in_parts(n, size, least)
    lengths = [len(range(n)[part]) for part in parts]
    assert np.array_equal(np.concatenate([np.arange(n)[part] for part in parts]), np.arange(n))
    assert max(lengths) - min(lengths) <= 1
    assert min(lengths) >= min(least, n)
    assert max(lengths) <= max(size, 2 * least - 1)


def test_what_tells_of_too_little_memory() -> None:
    with pytest.raises(RuntimeError) as refused:
        torch.empty(2**60)
    assert is_out_of_memory(refused.value)
    assert all(is_out_of_memory(make()) for make in FAULTS.values())
    assert not is_out_of_memory(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    assert not is_out_of_memory(UserError("memory"))


def test_other_errors_go_through_and_memory_is_tried_down_to_the_least() -> None:
    tried: list[int] = []

    def never(size: int) -> None:
        tried.append(size)
        raise MemoryError

    def wrong(size: int) -> None:
        raise RuntimeError("shapes")

    with pytest.raises(UserError, match=r"^work: memory does not suffice for 2 examples at once; .*--set input_size"):
        as_memory_allows(never, 13, 2, "work")
    assert tried == [13, 6, 3, 2]
    with pytest.raises(RuntimeError, match="shapes"):
        as_memory_allows(wrong, 13, 1, "work")


def gradients(net: Network, size: int, weights_C: Tensor | None, smoothing: float) -> tuple[float, list[Tensor]]:
    world = pictures(12)
    labels_B = torch.from_numpy(world.labels[:11])
    part = Part(world.batch(np.arange(11), (), 0), labels_B, mass(labels_B, weights_C), 0)
    given_recipe = recipe(label_smoothing=smoothing)
    loss, _ = add_gradients(net.model, part, weights_C, given_recipe, size=size, least=1, doing="step")
    return loss, [p.grad.clone() for p in net.model.parameters() if p.grad is not None]


@pytest.mark.parametrize("weights", [None, (0.2, 1.0, 3.0)])
@pytest.mark.parametrize("smoothing", [0.0, 0.3])
@pytest.mark.parametrize("size", [1, 2, 4, 6])
def test_parts_give_the_gradients_of_the_whole(weights: tuple[float, ...] | None, smoothing: float, size: int) -> None:
    net = still(network())
    enter(net, -1)
    weights_C = torch.tensor(weights) if weights else None
    loss, whole = gradients(net, 11, weights_C, smoothing)
    world = pictures(12)
    logits_BC = net.model(world.batch(np.arange(11), (), 0))
    assert loss == loss_of(logits_BC, torch.from_numpy(world.labels[:11]), weights_C, smoothing).item()
    summed, parts = gradients(net, size, weights_C, smoothing)
    assert summed == pytest.approx(loss, rel=1e-6)
    for one, many in zip(whole, parts, strict=True):
        torch.testing.assert_close(many, one, rtol=1e-4, atol=1e-6)


def trained(folder: Path, net: Network, settings: Recipe) -> tuple[Epoch, ...]:
    return fit(folder / "t", net, settings, data(folder / "c"), "stamp")


SETTINGS = recipe(stages=LIVE, loss_weights="balanced")


@pytest.fixture(scope="module")
def roomy(tmp_path_factory: pytest.TempPathFactory) -> tuple[Epoch, ...]:
    """The training on a machine that has all the memory it wants."""
    return trained(tmp_path_factory.mktemp("roomy"), still(network()), SETTINGS)


@pytest.mark.parametrize(("fault", "backward"), [("device", False), ("device", True), ("cpu", False), ("python", True)])
def test_a_training_that_runs_out_of_memory_goes_on_with_the_same_batches(
    fault: str, backward: bool, roomy: tuple[Epoch, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    net = still(network())
    seen = short(net, 3, fault=fault, backward=backward)
    history = trained(tmp_path, net, SETTINGS)
    said = [line for line in capsys.readouterr().err.splitlines() if "memory" in line]
    doing = "stage top, epoch 1: memory does not suffice for"
    assert said[:2] == [
        f"{doing} 7 examples at once; going on with 3 at once",
        "stage all, epoch 1: memory does not suffice for 7 examples at once; going on with 3 at once",
    ]
    assert len(said) == 2
    assert 2 <= min(n for n in seen if n < 7) <= 3
    for one, other in zip(history, roomy, strict=True):
        assert (one.stage, one.epoch, one.examples) == (other.stage, other.epoch, other.examples)
        assert one.train_loss == pytest.approx(other.train_loss, abs=1e-4)
        assert one.val_loss == pytest.approx(other.val_loss, abs=1e-4)


def test_what_went_into_memory_is_known_after_an_interruption(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("instar.train.loop.SECONDS", 0.0)
    real, written = checkpoint.save_checkpoint, 0

    class Stopped(Exception):
        pass

    def save(*arguments: Any) -> None:
        nonlocal written
        written += 1
        real(*arguments)
        if written == 4:
            raise Stopped

    net = network()
    short(net, 3)
    monkeypatch.setattr(checkpoint, "save_checkpoint", save)
    with pytest.raises(Stopped):
        trained(tmp_path, net, SETTINGS)
    monkeypatch.setattr(checkpoint, "save_checkpoint", real)
    found = checkpoint.load_checkpoint(tmp_path / "t", "stamp")
    assert found is not None
    assert found[0].position.at_once == 3
    assert found[0].position.step > 0
    capsys.readouterr()
    again = network()
    short(again, 3)
    trained(tmp_path, again, SETTINGS)
    assert "stage top" in (said := capsys.readouterr().err)
    assert [line for line in said.splitlines() if "memory" in line and "stage top" in line] == []


def test_memory_for_not_even_one_example_is_told_with_a_remedy(tmp_path: Path) -> None:
    net = network()
    short(net, 0)
    with pytest.raises(UserError, match=r"^stage top, epoch 1: memory does not suffice for 1 example at once; close"):
        trained(tmp_path, net, SETTINGS)


def test_batchnorm_that_learns_never_gets_a_single_example(tmp_path: Path) -> None:
    settings = replace(SETTINGS, stages=LIVE[1:])
    fine = network(pretrained=False)
    seen = short(fine, 3)
    trained(tmp_path / "fine", fine, settings)
    assert {n for n in seen if n < 6} <= {2, 3, 5}
    tight = network(pretrained=False)
    short(tight, 1)
    with pytest.raises(UserError, match="does not suffice for 2 examples at once"):
        trained(tmp_path / "tight", tight, settings)


def test_a_failed_attempt_leaves_no_trace_in_the_statistics() -> None:
    world, found = pictures(12), []
    for limit, size in ((3, 6), (12, 3)):
        net = network(pretrained=False)
        enter(net, -1)
        short(net, limit, backward=True)
        labels_B = torch.from_numpy(world.labels[:6])
        part = Part(world.batch(np.arange(6), (), 0), labels_B, 6.0, 0)
        _, fitted = add_gradients(net.model, part, None, recipe(), size=size, least=2, doing="step")
        assert fitted == 3
        found.append(net.model.state_dict())
    assert any("running_mean" in name for name in found[0])
    assert all(torch.equal(value, found[1][name]) for name, value in found[0].items())


@pytest.mark.parametrize("fault", FAULTS)
def test_a_pass_without_gradients_halves_too(fault: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    world, rows = pictures(100), np.arange(100)
    expected = logits(network(), world, rows, recipe(), "pass")
    net = network()
    seen = short(net, 20, fault=fault, inference=True)
    found = logits(net, world, rows, recipe(), "pass")
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    assert seen == [64, 32, 16, 16, 16, 16, 12, 12, 12]
    assert capsys.readouterr().err.count("memory does not suffice") == 2
    arguments: dict[str, Any] = {"augment": (), "seed": 0, "what": "features", "recipe": recipe()}
    again = network()
    short(again, 20, fault=fault, inference=True)
    plain = features(network(), world, rows, cache=tmp_path / "a", **arguments)
    np.testing.assert_allclose(features(again, world, rows, cache=tmp_path / "b", **arguments), plain, atol=1e-5)
    assert not torch.is_inference_mode_enabled()
