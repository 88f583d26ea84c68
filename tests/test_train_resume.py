"""Killed at any moment and started again, a training ends with the same bits as one that nobody disturbed."""

import errno
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from instar.errors import UserError
from instar.prepare.passes import logits
from instar.records import Epoch
from instar.train import checkpoint
from instar.train.checkpoint import Progress
from instar.train.training import fit
from training_worlds import data, network, pictures, recipe

HERE = Path(__file__).parent
SCRIPT = f"""
import os, random, signal, sys, time
sys.path.insert(0, {str(HERE)!r})
from pathlib import Path
from training_worlds import data, network, recipe
from instar.train import loop, training
loop.SECONDS = 0.0  # a checkpoint after every step

def train(folder):
    training.fit(folder / "4-train", network(), recipe(), data(folder / "cache"), "stamp")

def slow(*arguments, real=loop.add_gradients, **named):
    time.sleep(0.01)
    return real(*arguments, **named)

folder = Path(sys.argv[1])
train(folder / "whole")
loop.add_gradients = slow
generator, kills = random.Random(0), 0
while True:
    pid = os.fork()  # with one thread nothing is lost; a new interpreter each time would take seconds
    if not pid:
        train(folder / "killed")
        os._exit(0)
    time.sleep(generator.uniform(0.02, 0.5) * (1 + kills / 10))  # longer on a machine that is busy with other things
    os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    if status == 0:
        break
    assert status == signal.SIGKILL, status
    kills += 1
    assert kills < 200
print(kills)
"""


def weights(folder: Path) -> list[bytes]:
    names = ("best.safetensors", "probe.safetensors")
    return [(folder / "4-train" / name).read_bytes() for name in names]


def test_killed_again_and_again_it_ends_with_the_same_bits(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SCRIPT, str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert result.returncode == 0, result.stderr
    assert int(result.stdout) >= 2
    assert "going on from the checkpoint" in result.stderr
    assert weights(tmp_path / "killed") == weights(tmp_path / "whole")


class Stopped(Exception):
    """Where a test pulls the plug."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tuple[Epoch, ...]]:
    """A training that nobody disturbs."""
    folder = tmp_path_factory.mktemp("whole")
    return folder, fit(folder / "4-train", network(), recipe(), data(folder / "cache"), "stamp")


@pytest.mark.parametrize("at", [1, 2, 3, 4, 6, 9, 14, 20, 27])
def test_stopped_at_any_file_it_ends_with_the_same_bits(
    at: int, whole: tuple[Path, tuple[Epoch, ...]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, history = whole
    assert [e.stage for e in history if e.best][-1] == "all"  # the bits compared went through every stage
    monkeypatch.setattr("instar.train.loop.SECONDS", 0.0)
    written = 0
    real = checkpoint.write_tensors

    def write(path: Path, tensors: Mapping[str, Tensor], about: Mapping[str, object]) -> None:
        nonlocal written
        written += 1
        if written == at:
            raise Stopped
        real(path, tensors, about)

    def again() -> tuple[Epoch, ...]:
        return fit(tmp_path / "4-train", network(), recipe(), data(tmp_path / "cache"), "stamp")

    monkeypatch.setattr(checkpoint, "write_tensors", write)
    with pytest.raises(Stopped):
        again()
    rest = again()
    assert weights(tmp_path) == weights(folder)
    assert [replace(epoch, seconds=0) for epoch in rest] == [replace(epoch, seconds=0) for epoch in history]


@pytest.mark.parametrize("at", [2, 12, 13, 21])
@pytest.mark.parametrize("then", ["room again", "and the newest file is cut"])
def test_a_full_disk_is_one_line_and_costs_nothing_that_was_whole(
    at: int, then: str, whole: tuple[Path, tuple[Epoch, ...]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("instar.train.loop.SECONDS", 0.0)
    real, synced = os.fsync, 0

    def full(handle: int) -> None:
        nonlocal synced
        synced += 1
        if synced == at:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(handle)

    def again() -> tuple[Epoch, ...]:
        return fit(tmp_path / "4-train", network(), recipe(), data(whole[0] / "cache"), "stamp")

    with monkeypatch.context() as patch:
        patch.setattr("instar.files.os.fsync", full)
        with pytest.raises(UserError, match=r"^cannot write .*4-train.*: No space left on device; free some space"):
            again()
    files = sorted(path for path in (tmp_path / "4-train").rglob("*") if path.is_file())
    assert [path for path in files if path.name.startswith(".")] == []
    states = [path for path in files if path.name == "state.safetensors"]
    assert states or at < 12
    if then != "room again" and len(states) > 1:
        newest = tmp_path / "4-train/last/state.safetensors"
        newest.write_bytes(newest.read_bytes()[: newest.stat().st_size // 2])
    rest = again()
    assert weights(tmp_path) == weights(whole[0])
    assert [replace(epoch, seconds=0) for epoch in rest] == [replace(epoch, seconds=0) for epoch in whole[1]]


def test_where_no_checkpoint_can_be_read_the_training_says_so_and_starts_anew(
    whole: tuple[Path, tuple[Epoch, ...]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def again() -> tuple[Epoch, ...]:
        return fit(tmp_path / "4-train", network(), recipe(), data(whole[0] / "cache"), "stamp")

    again()
    for name, content in (("last", b""), ("last.old", b"not a checkpoint")):
        (tmp_path / "4-train" / name / "state.safetensors").write_bytes(content)
    again()
    told = capsys.readouterr().err
    assert told.count("cannot be read") == 2
    assert "no checkpoint in" in told
    assert "starting anew" in told
    assert weights(tmp_path) == weights(whole[0])


def test_a_checkpoint_of_another_version_is_one_that_cannot_be_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    about = asdict(Progress("stamp"))
    for change in ({"position": {"chapter": 1}}, {"history": [{"stage": "head"}]}, {"best": {"of": 1}}):
        checkpoint.write_tensors(tmp_path / "last" / checkpoint.STATE, {}, {"progress": {**about, **change}})
        assert checkpoint.load_checkpoint(tmp_path, "stamp") is None
    assert capsys.readouterr().err.count("cannot be read") == 3
    older = {k: v for k, v in about["position"].items() if k != "at_once"}
    checkpoint.write_tensors(tmp_path / "last" / checkpoint.STATE, {}, {"progress": {**about, "position": older}})
    assert checkpoint.load_checkpoint(tmp_path, "stamp") == (Progress("stamp"), {})


def test_the_same_seed_gives_the_same_losses_and_another_seed_others(tmp_path: Path) -> None:
    def losses(name: str, seed: int) -> list[float]:
        folder = tmp_path / name
        epochs = fit(folder, network(), recipe(seed=seed), data(tmp_path / "cache"), name)
        return [epoch.train_loss for epoch in epochs if epoch.stage != "head"]

    assert losses("a", 0) == losses("b", 0)
    assert losses("c", 1) != losses("a2", 0)


def test_a_finished_training_is_not_done_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = fit(tmp_path / "t", network(), recipe(), data(tmp_path / "c"), "stamp")
    capsys.readouterr()
    again = network()
    assert fit(tmp_path / "t", again, recipe(), data(tmp_path / "c"), "stamp") == first
    assert "epoch" not in capsys.readouterr().err
    best = load_file(tmp_path / "t/best.safetensors")
    assert all(torch.equal(best[name], value) for name, value in again.model.state_dict().items())


def test_a_checkpoint_of_another_plan_is_passed_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fit(tmp_path / "t", network(), recipe(), data(tmp_path / "c"), "one plan")
    shorter = recipe(stages=recipe().stages[:1])
    history = fit(tmp_path / "t", network(), shorter, data(tmp_path / "c"), "another plan")
    assert {epoch.stage for epoch in history} == {"head"}
    assert "belongs to another plan" in capsys.readouterr().err


def test_a_broken_checkpoint_gives_way_to_the_one_before(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = fit(tmp_path / "t", network(), recipe(), data(tmp_path / "c"), "stamp")
    before = (tmp_path / "t/best.safetensors").read_bytes()
    state = tmp_path / "t/last/state.safetensors"
    state.write_bytes(state.read_bytes()[:100])
    again = fit(tmp_path / "t", network(), recipe(), data(tmp_path / "c"), "stamp")
    assert "cannot be read" in capsys.readouterr().err
    assert [e.train_loss for e in again] == [e.train_loss for e in first]
    assert (tmp_path / "t/best.safetensors").read_bytes() == before


def test_lost_weights_start_the_training_anew(tmp_path: Path) -> None:
    fit(tmp_path / "t", network(), recipe(), data(tmp_path / "c"), "stamp")
    before = (tmp_path / "t/best.safetensors").read_bytes()
    (tmp_path / "t/best.safetensors").unlink()
    fit(tmp_path / "t", network(), recipe(), data(tmp_path / "c"), "stamp")
    assert (tmp_path / "t/best.safetensors").read_bytes() == before


@pytest.mark.parametrize("name", ["best", "probe"])
def test_weights_of_another_training_are_never_taken_for_its_own(name: str, tmp_path: Path) -> None:
    """Put beside a whole checkpoint by hand, or left by an older recipe: the header says whose they are."""
    for folder, stamp, seed in (("t", "stamp", 0), ("other", "older", 1)):
        fit(tmp_path / folder, network(), recipe(seed=seed), data(tmp_path / "c"), stamp)
    own = tmp_path / f"t/{name}.safetensors"
    before = own.read_bytes()
    own.write_bytes((tmp_path / f"other/{name}.safetensors").read_bytes())
    fit(tmp_path / "t", network(), recipe(), data(tmp_path / "c"), "stamp")
    assert own.read_bytes() == before
    own.write_bytes(before[:200])
    fit(tmp_path / "t", network(), recipe(), data(tmp_path / "c"), "stamp")
    assert own.read_bytes() == before


def test_the_network_holds_the_best_weights(tmp_path: Path) -> None:
    trained = network()
    world = data(tmp_path / "c")
    history = fit(tmp_path / "t", trained, recipe(), world, "stamp")
    predicted = logits(trained, pictures(), world.val_rows, recipe(), "check").argmax(1)
    best = [epoch for epoch in history if epoch.best][-1]
    assert best.val_score == max(epoch.val_score for epoch in history)
    assert (predicted == world.val_labels).mean() == best.val_score
