"""Stages from kept activations: the same training, nothing lost when killed, live where it cannot be done."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from numpy.typing import NDArray
from torch import Tensor, nn

from instar.models.body import seeded
from instar.models.depth import depth_groups
from instar.models.hf_texts import Texts
from instar.models.network import Classifier, Network
from instar.prepare import activations, passes
from instar.prepare.base import Batch, count, taken
from instar.prepare.chunks import SPARE_BYTES
from instar.prepare.memory import in_parts
from instar.records import Card, Epoch, InputSpec, Recipe, Stage
from instar.train import tail
from instar.train.loop import TrainingData
from instar.train.stages import enter
from instar.train.training import fit
from training_worlds import STAGES, Body, data, network, recipe

HERE = Path(__file__).parent


def plan(views: int, epochs: int = 3, thaw: int = 1, **changes: object) -> Recipe:
    return recipe(stages=(STAGES[0], Stage("top", thaw, epochs, 3e-3, 0.8, views)), **changes)


def trained(folder: Path, settings: Recipe, net: Network | None = None) -> tuple[Epoch, ...]:
    return fit(folder / "4-train", net or network(), settings, data(folder / "cache"), "stamp")


def losses(history: tuple[Epoch, ...]) -> list[float]:
    return [e.train_loss for e in history if e.stage == "top"] + [e.val_loss for e in history if e.stage == "top"]


def best(folder: Path) -> bytes:
    return (folder / "4-train/best.safetensors").read_bytes()


def kept(folder: Path) -> list[Path]:
    return [path for path in (folder / "cache").glob("cut-*") if any(path.iterdir())]


@pytest.mark.parametrize("thaw", [1, 2, 3])
def test_without_augmentation_it_is_the_live_training(thaw: int, tmp_path: Path) -> None:
    """But for activations rounded to float16, and with float32 but for nothing."""
    live = trained(tmp_path / "a", plan(0, thaw=thaw, augment=()))
    from_activations = trained(tmp_path / "b", plan(1, thaw=thaw, augment=()))
    assert losses(from_activations) == pytest.approx(losses(live), abs=2e-3)
    assert losses(from_activations) != losses(live)


def test_in_float32_to_the_last_bit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    live = trained(tmp_path / "a", plan(0, augment=()))
    monkeypatch.setattr(tail, "HARMLESS", -1.0)
    assert losses(trained(tmp_path / "b", plan(1, augment=()))) == losses(live)
    assert best(tmp_path / "b") == best(tmp_path / "a")


def test_epochs_go_through_the_views(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[int] = []
    real = activations.Activations.batch

    def batch(self: activations.Activations, rows: NDArray[np.int64], augment: tuple[str, ...], seed: int) -> Batch:
        found = real(self, rows, augment, seed)
        if augment:
            which = [
                i for i, view in enumerate(self.train) if (view.stored[view.begin[rows]] == found["cut"].numpy()).all()
            ]
            shown.extend(which)
        return found

    monkeypatch.setattr(activations.Activations, "batch", batch)
    trained(tmp_path, plan(3, epochs=5))
    steps = len(shown) // 5
    assert shown == [view for view in (1, 2, 0, 1, 2) for _ in range(steps)]


def test_what_is_frozen_does_not_move_and_the_activations_go(tmp_path: Path) -> None:
    net = network()
    before = {name: value.clone() for name, value in net.model.state_dict().items()}
    assert losses(trained(tmp_path, plan(2), net))
    moved = {name for name, value in net.model.state_dict().items() if not torch.equal(before[name], value)}
    assert {name.split(".")[1] for name in moved if "body" in name} <= {"blocks", "neck"}
    assert not any(name.startswith(("body.stem", "body.blocks.0", "body.blocks.1")) for name in moved)
    assert any(name.startswith("body.blocks.2") for name in moved)
    assert not kept(tmp_path)
    assert all("forward" not in module.__dict__ for module in net.model.modules())


SCRIPT = f"""
import os, random, signal, sys, time
sys.path.insert(0, {str(HERE)!r})
from pathlib import Path
from test_train_tail import plan, trained
from instar.prepare import activations, passes
from instar.train import loop
loop.SECONDS = 0.0
activations.BATCH = passes.BATCH = 8

def slow(real):
    def run(*arguments, **named):
        time.sleep(0.01)
        return real(*arguments, **named)
    return run

folder = Path(sys.argv[1])
trained(folder / "whole", plan(4, epochs=4))
loop.add_gradients, activations.lower = slow(loop.add_gradients), slow(activations.lower)
generator, kills, within = random.Random(0), 0, set()
while True:
    pid = os.fork()
    if not pid:
        trained(folder / "killed", plan(4, epochs=4))
        os._exit(0)
    time.sleep(generator.uniform(0.02, 0.3) * (1 + kills / 10))
    os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    if status == 0:
        break
    assert status == signal.SIGKILL, status
    kills += 1
    within.add("caching" if list((folder / "killed/cache").glob("cut-*/*.part")) else "other")
    assert kills < 300
print(kills, *sorted(within))
"""


def test_killed_again_and_again_it_ends_with_the_same_bits(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SCRIPT, str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert result.returncode == 0, result.stderr
    assert int(result.stdout.split()[0]) >= 2
    assert best(tmp_path / "killed") == best(tmp_path / "whole")
    assert not kept(tmp_path / "killed")


class Stopped(Exception):
    """Where a test pulls the plug."""


def stop_at(monkeypatch: pytest.MonkeyPatch, module: object, name: str, at: int) -> list[int]:
    """Let a function raise when it is called for the `at`th time; returns how often it was called."""
    called = [0]
    real = getattr(module, name)

    def run(*arguments: object, **named: object) -> object:
        called[0] += 1
        if called[0] == at:
            raise Stopped
        return real(*arguments, **named)

    monkeypatch.setattr(module, name, run)
    return called


@pytest.mark.parametrize("at", [1, 2, 3, 7, 12])
def test_stopped_while_it_computes_activations(at: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (activations, passes):
        monkeypatch.setattr(module, "BATCH", 8)
    whole = trained(tmp_path / "a", plan(2))
    called = stop_at(monkeypatch, activations, "lower", at)
    with pytest.raises(Stopped):
        trained(tmp_path / "b", plan(2))
    assert kept(tmp_path / "b")
    called[0] = 100
    assert losses(trained(tmp_path / "b", plan(2))) == losses(whole)
    assert best(tmp_path / "b") == best(tmp_path / "a")
    batches = 2 + 2 * 5  # 15 examples to validate, 33 to train on, in two views
    assert called[0] - 100 == batches - (at - 1)  # nothing is computed twice


def test_stopped_in_the_stage_it_keeps_to_what_it_decided(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("instar.train.loop.SECONDS", 0.0)
    whole = trained(tmp_path / "a", plan(2))
    called = stop_at(monkeypatch, sys.modules["instar.train.loop"], "add_gradients", 7)
    with pytest.raises(Stopped):
        trained(tmp_path / "b", plan(2))
    called[0] = 100
    fill_disk(monkeypatch, 0)
    assert losses(trained(tmp_path / "b", plan(2))) == losses(whole)
    assert best(tmp_path / "b") == best(tmp_path / "a")
    assert "training live" not in capsys.readouterr().err


def fill_disk(monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    monkeypatch.setattr("instar.machine.free_gb", lambda _: free / 2**30)


ROW = 8 * 8 * 8 * 2
"""Bytes of one picture's activations: 8 channels of 8 x 8, in float16."""


def test_where_the_disk_is_small_there_are_fewer_views(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    two = trained(tmp_path / "a", plan(2))
    fill_disk(monkeypatch, SPARE_BYTES + 2 * (15 + 3 * 33) * ROW - 1)
    assert losses(trained(tmp_path / "b", plan(8))) == losses(two)
    assert "8 views take 0 MB and 210 MB are free; 2 views (0 MB)" in capsys.readouterr().err


def test_where_the_disk_is_full_it_trains_live(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    live = trained(tmp_path / "a", plan(0))
    fill_disk(monkeypatch, SPARE_BYTES + 2 * (15 + 33) * ROW - 1)
    assert losses(trained(tmp_path / "b", plan(2))) == losses(live)
    assert "no activations are kept: training live" in capsys.readouterr().err


class Aside(Body):
    """Something passes by the blocks that no module has made."""

    def forward(self, pixels: Tensor) -> Tensor:
        return super().forward(pixels) + pixels.mean((1, 2, 3)).unsqueeze(1)


def test_a_network_that_cannot_be_cut_trains_live(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def aside() -> Network:
        plain = network()
        body = Aside()
        body.load_state_dict(plain.model.body.state_dict())
        plain.model.body = body
        return plain

    live = trained(tmp_path / "a", plan(0), aside())
    capsys.readouterr()
    assert losses(trained(tmp_path / "b", plan(2), aside())) == losses(live)
    assert "views=2, but this network cannot be cut here (its parts differ from the whole by" in capsys.readouterr().err


def test_activations_too_large_for_float16(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    live = trained(tmp_path / "a", plan(0, augment=()))
    monkeypatch.setattr(activations, "HALF_MOST", 1e-3)
    assert losses(trained(tmp_path / "b", plan(1, augment=()))) == losses(live)
    assert "too large for float16; writing them anew in float32" in capsys.readouterr().err


class Sentences:
    """Random tokens of random lengths; the first token tells the class."""

    def __init__(self, n: int = 40) -> None:
        generator = np.random.default_rng(0)
        self.labels = np.arange(n) % 3
        self.costs = generator.integers(3, 12, n)
        self.words = [np.r_[5 + label, generator.integers(9, 50, k - 1)] for label, k in zip(self.labels, self.costs)]  # noqa: B905
        self.key, self.ids = "sentences", tuple(f"s{i}" for i in range(n))

    def batch(self, rows: NDArray[np.int64], augment: tuple[str, ...], seed: int) -> Batch:
        mask = np.arange(self.costs[rows].max())[None] < self.costs[rows][:, None]
        ids = np.zeros(mask.shape, np.int64)
        ids[mask] = np.concatenate([self.words[row] for row in rows])
        return {"input_ids": torch.from_numpy(ids), "attention_mask": torch.from_numpy(mask.astype(np.int64))}


def encoder() -> Network:
    config = transformers.BertConfig(
        vocab_size=50, hidden_size=16, num_hidden_layers=4, num_attention_heads=2, intermediate_size=16
    )
    with seeded(0):
        body: nn.Module = Texts(transformers.BertModel(config, add_pooling_layer=False), "mean")
    model = Classifier(body, 16, 3, 0.1, 0)
    card = Card("test:bert", "bert", "text", InputSpec(16), depth_groups(body), 16, 0, True, "test")
    return Network(model, frozenset({"head.weight", "head.bias"}), card)


@pytest.fixture
def sentences(tmp_path: Path) -> Iterator[TrainingData]:
    world = Sentences()
    rows = np.arange(40)
    train, val = rows[:28], rows[28:]
    yield TrainingData(world, train, world.labels[train], val, world.labels[val], 3, tmp_path / "cache")


def test_texts_learn_from_their_tokens_states(sentences: TrainingData, tmp_path: Path) -> None:
    live, from_activations = (
        fit(tmp_path / name, encoder(), plan(views, thaw=2, augment=()), sentences, name)
        for name, views in (("a", 0), ("b", 1))
    )
    assert losses(from_activations) == pytest.approx(losses(live), abs=2e-3)


def test_the_rows_of_texts_hold_no_padding(sentences: TrainingData, tmp_path: Path) -> None:
    settings = plan(1, thaw=2, augment=())
    net = encoder()
    enter(net, 2)
    with tail.source(tmp_path / "cut", net, settings, sentences, settings.stages[1]) as found:
        prepared = found.prepared
        assert isinstance(prepared, activations.Activations)
        total = prepared.train[0].stored.shape
        batch = prepared.batch(sentences.train_rows[:5], (), 0)
    assert total == (sentences.prepared.costs[sentences.train_rows].sum(), 16)
    assert len(batch["cut"]) == batch["attention_mask"].sum() == sentences.prepared.costs[:5].sum()
    assert json.loads((tmp_path / "cut/decided.json").read_text())["views"] == 1


def test_a_stage_without_views_is_as_it_was() -> None:
    """What a training rests on is told by the recipe's text: it must not change for runs that keep nothing."""
    assert "views" not in repr(recipe())
    assert replace(STAGES[1], views=2) != STAGES[1]


def test_parts_of_a_batch_are_its_examples_with_all_their_rows(sentences: TrainingData, tmp_path: Path) -> None:
    """A batch of texts that is computed in parts, as where memory does not suffice for it whole."""
    settings = plan(1, thaw=2, augment=())
    net = encoder()
    enter(net, 2)
    net.model.eval()
    with tail.source(tmp_path / "cut", net, settings, sentences, settings.stages[1]) as found, torch.no_grad():
        batch = found.prepared.batch(sentences.train_rows[:7], (), 0)
        assert count(batch) == 7
        whole = net.model(batch)
        parts = [net.model(taken(batch, some)) for some in in_parts(7, 3)]
    assert len(parts) == 3
    assert torch.allclose(torch.cat(parts), whole, atol=1e-5)
