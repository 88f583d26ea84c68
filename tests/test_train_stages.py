"""What is frozen stands still to the last bit; what is thawed learns; rates follow depth and time."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn import metrics as sk
from torch import Tensor, nn

from instar.errors import UserError
from instar.metrics import CHOOSING, score
from instar.models.depth import belongs
from instar.models.network import Network
from instar.prepare.base import Batch
from instar.records import Stage
from instar.train.batches import batches, seed_of
from instar.train.checkpoint import Position, Progress
from instar.train.optim import optimiser, share
from instar.train.stages import enter, least_batch, thawed_groups, trainable
from instar.train.training import TrainingData, fit
from training_worlds import CLASSES, Pictures, data, network, pictures, recipe


def state(net: Network) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in net.model.state_dict().items()}


def group_of(net: Network, name: str) -> str:
    if not name.startswith("body."):
        return "head"
    return next(g.name for g in net.card.groups if belongs(name.removeprefix("body."), g))


@pytest.mark.parametrize(
    ("thaw", "learning"),
    [
        (0, {"head"}),
        (1, {"head", "neck", "blocks.2"}),
        (2, {"head", "neck", "blocks.2", "blocks.1"}),
        (99, {"head", "neck", "blocks.2", "blocks.1", "blocks.0"}),
        (-1, {"head", "neck", "blocks.2", "blocks.1", "blocks.0", "stem"}),
    ],
)
def test_frozen_groups_and_buffers_do_not_move_and_thawed_ones_do(
    thaw: int, learning: set[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    net = network()
    monkeypatch.setattr("instar.train.training._is_solved", lambda *_: False)
    monkeypatch.setattr("instar.train.training._next_stage", lambda run, progress: _leave(progress))
    before = state(net)
    fit(
        tmp_path / "t",
        net,
        recipe(stages=(Stage("s", thaw, 2, 1e-2, 0.9),)),
        data(tmp_path / "c"),
        "stamp",
    )
    moved = {group_of(net, name) for name, value in state(net).items() if not torch.equal(before[name], value)}
    assert moved == learning
    for name, value in state(net).items():
        if group_of(net, name) in learning and "bias" not in name:
            statistics = "running" in name or "tracked" in name
            assert torch.equal(before[name], value) == statistics, name


def _leave(progress: Progress) -> Progress:
    return replace(progress, position=Position(1))


def test_batchnorm_keeps_pretrained_statistics_and_learns_those_of_a_random_start() -> None:
    def live(net: Network) -> set[str]:
        enter(net, -1)
        return {name for name, m in net.model.named_modules() if isinstance(m, nn.BatchNorm2d) and m.training}

    every = {f"body.blocks.{i}.norm" for i in range(3)} | {"body.neck.1"}
    assert live(network()) == set()
    assert live(network(pretrained=False)) == every
    plain = network()
    new = plain.fresh | {"body.neck.1.weight", "body.neck.1.bias"}
    assert live(Network(plain.model, new, plain.card)) == {"body.neck.1"}


def test_a_stage_begins_where_the_solved_head_ended() -> None:
    """In training mode, but for dropout, a thawed network answers as it does in evaluation: nothing jumps."""
    net = network(dropout=0.0)
    for module in net.model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    batch = pictures().batch(np.arange(8), (), 0)
    net.model.eval()
    expected = net.model(batch)
    enter(net, -1)
    torch.testing.assert_close(net.model(batch), expected)


def test_frozen_dropout_does_not_draw() -> None:
    net = network()
    enter(net, 1)
    drawing = {name for name, m in net.model.named_modules() if isinstance(m, nn.Dropout) and m.training}
    assert drawing == {"dropout", "body.blocks.2.drop"}
    batch = pictures().batch(np.arange(8), (), 0)
    frozen = [net.model.body.blocks[:2](net.model.body.stem(batch["pixels"])) for _ in range(2)]  # type: ignore
    assert torch.equal(*frozen)


def test_what_is_fresh_learns_in_every_stage() -> None:
    plain = network()
    some = Network(plain.model, plain.fresh | {"body.blocks.0.norm.weight", "body.blocks.0.norm.bias"}, plain.card)
    enter(some, 0)
    learning = {name for name, p in some.model.named_parameters() if p.requires_grad}
    assert learning == some.fresh
    training = {name for name, m in some.model.named_modules() if m.training}
    assert training == {"", "dropout", "head", "body.blocks.0.norm"}
    assert least_batch(some.model) == 2
    random = network(pretrained=False)
    enter(random, 0)
    assert trainable(random)[0] == trainable(random)[1]


def test_groups_are_counted_from_the_head() -> None:
    groups = network().card.groups
    assert [g.name for g in thawed_groups(groups, 2)] == ["blocks.1", "blocks.2", "neck"]


def test_rates_fall_by_depth_and_small_parameters_do_not_decay() -> None:
    net = network()
    enter(net, -1)
    groups = optimiser(net, Stage("s", -1, 1, 0.1, 0.5), recipe()).param_groups
    peaks = {id(p): (g["peak"], g["weight_decay"]) for g in groups for p in g["params"]}
    found = {name: peaks[id(p)] for name, p in net.model.named_parameters()}
    assert found["head.weight"] == found["body.neck.0.weight"] == (0.1, 0.05)
    assert found["body.blocks.2.conv.weight"] == (0.05, 0.05)
    assert found["body.blocks.0.conv.weight"] == (0.0125, 0.05)
    assert found["body.stem.weight"] == (0.00625, 0.05)
    assert {decay for name, (_, decay) in found.items() if "norm" in name or "bias" in name} == {0.0}


@given(st.integers(1, 500), st.floats(0, 0.9))
def test_the_rate_rises_once_and_falls_once(steps: int, warmup: float) -> None:
    shares = [share(step, steps, warmup) for step in range(steps)]
    peak = int(np.argmax(shares))
    assert all(0 < s <= 1 for s in shares)
    assert shares[: peak + 1] == sorted(shares[: peak + 1])
    assert shares[peak:] == sorted(shares[peak:], reverse=True)
    assert shares[peak] == 1.0


@given(st.lists(st.integers(1, 300), min_size=1, max_size=400), st.integers(1, 64), st.integers(0, 9))
def test_every_example_stands_in_one_batch(costs: list[int], size: int, seed: int) -> None:
    parts = batches(np.array(costs), size, seed)
    assert sorted(np.concatenate(parts).tolist()) == list(range(len(costs)))
    lengths = [len(part) for part in parts]
    assert max(lengths) <= size
    assert max(lengths) - min(lengths) <= 1
    assert all(np.array_equal(a, b) for a, b in zip(parts, batches(np.array(costs), size, seed), strict=True))


@given(st.integers(1, 60), st.integers(1, 9), st.integers(0, 3))
def test_no_batch_is_too_small_to_learn_from(n: int, size: int, seed: int) -> None:
    parts = batches(np.ones(n, np.int64), size, seed, least=2)
    lengths = [len(part) for part in parts]
    assert sorted(np.concatenate(parts).tolist()) == list(range(n))
    assert min(lengths) >= min(2, n)
    assert max(lengths) <= max(size, 3)
    if min(len(part) for part in batches(np.ones(n, np.int64), size, seed)) > 1:
        assert lengths == [len(part) for part in batches(np.ones(n, np.int64), size, seed)]


def test_a_batch_of_one_is_refused_only_where_batchnorm_learns_from_it(tmp_path: Path) -> None:
    world = data(tmp_path / "c", 9)
    one = recipe(batch_size=1, stages=(Stage("all", -1, 1, 1e-3, 1.0),))
    assert len(fit(tmp_path / "t", network(), one, world, "stamp")) == 1
    with pytest.raises(UserError, match=r"tiny has BatchNorm .* batch_size=1 .* --set batch_size=8"):
        fit(tmp_path / "u", network(pretrained=False), one, world, "stamp")
    odd = replace(world, train_rows=world.train_rows[:5], train_labels=world.train_labels[:5])
    assert len(fit(tmp_path / "v", network(pretrained=False), replace(one, batch_size=2), odd, "stamp")) == 1


def test_batches_hold_texts_of_similar_length() -> None:
    costs = np.random.default_rng(0).integers(1, 400, 5000)

    def padded(parts: list[np.ndarray]) -> int:
        return sum(len(part) * costs[part].max() for part in parts)

    plain = np.array_split(np.random.default_rng(0).permutation(5000), 157)
    assert padded(batches(costs, 32, 0)) < 1.1 * costs.sum() < 0.6 * padded(plain)
    assert not np.array_equal(batches(costs, 32, 0)[0], batches(costs, 32, 1)[0])


def test_seeds_differ() -> None:
    assert len({seed_of(a, b, c) for a in range(4) for b in range(4) for c in range(4)}) == 64


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=60))
def test_metrics_are_scikit_learns(pairs: list[tuple[int, int]]) -> None:
    labels, predicted = (np.array(column) for column in zip(*pairs, strict=True))
    found = {metric: score(metric, labels, predicted, 4) for metric in CHOOSING}
    expected = {
        "accuracy": sk.accuracy_score(labels, predicted),
        "macro_f1": sk.f1_score(labels, predicted, average="macro"),
        "balanced_accuracy": sk.recall_score(labels, predicted, average="macro", labels=np.unique(labels)),
        "quadratic_kappa": 0.0,
    }
    if len(set(labels) | set(predicted)) > 1:
        kappa = sk.cohen_kappa_score(labels, predicted, weights="quadratic", labels=range(4))
        expected["quadratic_kappa"] = kappa
    assert found == pytest.approx(expected)


@pytest.mark.parametrize("pretrained", [True, False])
def test_eight_examples_are_learnt_by_heart(pretrained: bool, tmp_path: Path) -> None:
    world = pictures(8)
    rows = np.arange(8)
    both = TrainingData(world, rows, world.labels, rows, world.labels, CLASSES, tmp_path / "c")
    settings = recipe(
        stages=(Stage("head", 0, 30, 1e-2, 1.0), Stage("all", -1, 40, 1e-2, 1.0)),
        augment=(),
        label_smoothing=0.0,
        patience=99,
    )
    history = fit(tmp_path / "t", network(pretrained=pretrained, dropout=0.0), settings, both, "stamp")
    assert max(epoch.val_score for epoch in history) == 1.0
    assert history[-1].train_loss < 0.5, history[-1]


class Broken(Pictures):
    """Augmentation spoils one picture."""

    def batch(self, rows: NDArray[np.int64], augment: tuple[str, ...], seed: int) -> Batch:
        batch = super().batch(rows, (), seed)
        batch["pixels"][torch.from_numpy(rows == int(augment[0]) if augment else rows < 0)] = torch.inf
        return batch


@pytest.mark.parametrize("spoilt", ["augmented", "always"])
def test_what_is_not_a_number_names_the_examples(spoilt: str, tmp_path: Path) -> None:
    world = data(tmp_path / "c")
    plain, bad = pictures(), int(world.train_rows[5])
    pixels = plain.pixels.clone()
    if spoilt == "always":
        pixels[bad] = torch.inf
    broken = Broken(pixels, plain.labels, plain.ids, plain.costs, spoilt)
    settings = recipe(stages=(Stage("all", -1, 1, 1e-2, 1.0),), augment=(str(bad),))
    where = r"stage all, epoch 1, batch \d+ " if spoilt == "augmented" else "features are not numbers "
    with pytest.raises(UserError, match=rf"{where}.*\bp{bad}\b"):
        fit(tmp_path / "t", network(), settings, replace(world, prepared=broken), "stamp")


def test_patience_ends_a_stage(tmp_path: Path) -> None:
    stages = (Stage("top", 1, 50, 1e-9, 1.0),)
    history = fit(tmp_path / "t", network(), recipe(stages=stages, patience=2), data(tmp_path / "c"), "stamp")
    scores = [epoch.val_score for epoch in history]
    assert scores.index(max(scores)) == len(scores) - 3
    assert len(scores) < 50


def test_bf16_trains(tmp_path: Path) -> None:
    history = fit(tmp_path / "t", network(), recipe(precision="bf16"), data(tmp_path / "c"), "stamp")
    assert all(np.isfinite(epoch.train_loss) for epoch in history)
