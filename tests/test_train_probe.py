"""The solved head is the optimum, and it works on features as they are."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from sklearn.linear_model import LogisticRegression

from instar.evaluate.predict import load_best
from instar.prepare.passes import logits
from instar.records import Stage
from instar.train.loss import class_weights
from instar.train.probe import STRENGTHS, Examples, solve
from instar.train.training import fit
from training_worlds import data, network, recipe


def examples(weights: torch.Tensor | None = None) -> Examples:
    generator = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], [60, 30, 10])
    x = generator.normal(size=(100, 6)) + np.eye(3, 6)[labels] * 1.5
    x = (x * [1, 5, 0.5, 3, 1, 1] + [0, 5, -3, 0, 50, 0]).astype(np.float32)
    return Examples(x, labels, x[::2].copy(), labels[::2], weights, 3)


def test_it_is_scikit_learns_optimum() -> None:
    world = examples()
    solution = solve(world, "accuracy")[-1]
    x = world.train
    scaled = (x - x.mean(0)) / x.std(0, ddof=1)
    oracle = LogisticRegression(C=1 / STRENGTHS[-1], tol=1e-10, max_iter=10_000).fit(scaled, world.train_labels)
    logits = torch.from_numpy(x) @ solution.weight_CD.T + solution.bias_C
    np.testing.assert_allclose(logits.softmax(1).numpy(), oracle.predict_proba(scaled), atol=2e-3)


def test_balanced_weights_help_the_rare_class() -> None:
    world = examples()
    weights = class_weights(world.train_labels, 3, recipe(loss_weights="balanced"))
    assert weights is not None
    counts = torch.bincount(torch.from_numpy(world.train_labels))
    torch.testing.assert_close(weights * counts, torch.full((3,), 100 / 3))
    x = torch.from_numpy(world.train)

    def rare(used: torch.Tensor | None) -> int:
        solution = solve(examples(used), "accuracy")[0]
        return int(((x @ solution.weight_CD.T + solution.bias_C).argmax(1) == 2).sum())

    assert rare(weights) > rare(None)


def test_the_probe_is_the_first_candidate_and_a_baseline(tmp_path: Path) -> None:
    settings = recipe(stages=(Stage("head", 0, 1, 1e-2, 1.0),))
    trained, world = network(), data(tmp_path / "c")
    history = fit(tmp_path / "t", trained, settings, world, "stamp")
    assert [epoch.lr for epoch in history] == list(STRENGTHS)
    best, probe = (load_file(tmp_path / f"t/{name}.safetensors") for name in ("best", "probe"))
    assert torch.equal(best["head.weight"], probe["head.weight"])
    before = network().model.state_dict()
    assert all(torch.equal(best[name], value) for name, value in before.items() if name.startswith("body."))
    assert all(torch.equal(probe[name], value) for name, value in before.items() if name.startswith("body."))
    loaded = load_best(network(seed=3), tmp_path / "t/probe.safetensors")
    found = logits(loaded, world.prepared, world.val_rows, settings, "predict with the probe")
    top = max(epoch.val_score for epoch in history)
    assert (found.argmax(1) == world.val_labels).mean() == pytest.approx(top)


def test_a_network_from_scratch_trains_live_but_has_its_probe(tmp_path: Path) -> None:
    settings = recipe(stages=(Stage("head", 0, 2, 1e-2, 1.0),))
    history = fit(tmp_path / "t", network(pretrained=False), settings, data(tmp_path / "c"), "stamp")
    assert len(history) == 2
    assert (tmp_path / "t/probe.safetensors").exists()
