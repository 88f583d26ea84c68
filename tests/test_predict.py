"""Predictions come from the best weights, in the order asked, and only from weights that fit."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.special import softmax

from instar.errors import UserError
from instar.evaluate.predict import load_best
from instar.models.network import Classifier
from instar.plan.measure import measure
from instar.prepare.flipped import Flipped
from instar.prepare.passes import answer_logits, logits
from instar.records import Stage
from instar.train.training import fit
from training_worlds import data, network, pictures, recipe


def test_the_best_weights_predict_as_they_did_in_validation(tmp_path: Path) -> None:
    world = data(tmp_path / "c")
    trained = network()
    history = fit(tmp_path / "t", trained, recipe(), world, "stamp")
    loaded = load_best(network(seed=3), tmp_path / "t/best.safetensors")
    found = logits(loaded, world.prepared, world.val_rows, recipe(), "predict")
    assert (found.argmax(1) == world.val_labels).mean() == max(epoch.val_score for epoch in history)


def test_logits_come_in_the_order_asked_whatever_examples_cost() -> None:
    plain, rows = pictures(200), np.random.default_rng(0).permutation(200)
    dear = replace(plain, costs=np.random.default_rng(1).integers(1, 100, 200))
    net = network()
    shuffled = logits(net, plain, rows, recipe(), "predict")
    np.testing.assert_allclose(logits(net, dear, rows, recipe(), "predict"), shuffled, atol=1e-5)
    in_order = logits(net, plain, np.arange(200), recipe(), "predict")
    np.testing.assert_allclose(in_order[rows], shuffled, atol=1e-5)
    assert not net.model.training


def test_an_answer_is_the_mean_over_the_example_and_its_mirror_image() -> None:
    """Its softmax is the mean of two softmaxes, so a mirrored example gets the same answer; without a change it is the
    network's own."""
    net, world, rows = network(), pictures(20), np.arange(20)
    once, both = recipe(), recipe(test_augment=("horizontal_flip",))
    plain, turned = (softmax(logits(net, of, rows, once, "x"), axis=1) for of in (world, Flipped(world)))
    assert np.abs(plain - turned).max() > 1e-3
    found = answer_logits(net, world, rows, both, "x")
    assert found.dtype == np.float32
    np.testing.assert_allclose(softmax(found, axis=1), (plain + turned) / 2, atol=1e-6)
    np.testing.assert_allclose(answer_logits(net, Flipped(world), rows, both, "x"), found, atol=1e-5)
    np.testing.assert_array_equal(answer_logits(net, world, rows, once, "x"), logits(net, world, rows, once, "x"))


@pytest.mark.parametrize("name", ["best", "probe"])
def test_weights_that_do_not_fit_are_refused(name: str, tmp_path: Path) -> None:
    stages = (Stage("head", 0, 1, 1e-2, 1.0),)
    fit(tmp_path / "t", network(), recipe(stages=stages), data(tmp_path / "c"), "stamp")
    net = network()
    other = replace(net, model=Classifier(net.model.body, 16, 7, 0.0, 0))
    with pytest.raises(UserError, match="does not fit"):
        load_best(other, tmp_path / f"t/{name}.safetensors")
    (tmp_path / "broken.safetensors").write_bytes(b"broken")
    with pytest.raises(UserError, match="broken"):
        load_best(network(), tmp_path / "broken.safetensors")


def test_measuring_leaves_the_network_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("instar.plan.measure.SECONDS", 0.01)
    net = network()
    before = {name: value.clone() for name, value in net.model.state_dict().items()}
    threads = torch.get_num_threads()
    found = measure(net)
    assert all(value.equal(before[name]) for name, value in net.model.state_dict().items())
    assert torch.get_num_threads() == threads
    assert {(t.precision, t.channels_last) for t in found.timings} == {
        (p, c) for p in ("fp32", "bf16") for c in (False, True)
    }
    assert all(t.forward > 0 and t.training > 0 and t.threads == found.cores for t in found.timings)
    texts = measure(net, lambda n: {"pixels": torch.randn(n, 3, 8, 8)})
    assert len(texts.timings) == 4
