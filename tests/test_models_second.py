"""Second classifiers: part of the loss where what they hang on learns, and of nothing else."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import torchvision
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torchvision.models import regnet

from instar.evaluate.predict import load_best
from instar.models.body import Tap
from instar.models.network import Answers, Classifier, Network
from instar.models.sources import load, unfilled
from instar.models.torchvision_source import network_without_head
from instar.plan.measure import measure
from instar.records import Stage
from instar.train.loss import loss_of
from instar.train.stages import enter
from instar.train.training import fit
from training_worlds import CLASSES, WIDTH, data, network, recipe


def pictures(size: int, n: int = 2) -> Tensor:
    return torch.randn(n, 3, size, size, generator=torch.Generator().manual_seed(1))


def calm(model: nn.Module) -> None:
    """Without dropout and with the statistics of BatchNorm as they are, training answers as evaluation does."""
    for module in model.modules():
        if isinstance(module, (nn.Dropout, nn.BatchNorm2d)):
            module.eval()


# --- torchvision's two networks ---

MAKE: dict[str, Callable[[], Any]] = {
    "inception_v3": lambda: torchvision.models.inception_v3(init_weights=False, transform_input=True, num_classes=1000),
    "googlenet": lambda: torchvision.models.googlenet(init_weights=False, transform_input=True, num_classes=1000),
}
OLD = {"inception_v3": ("fc", ("AuxLogits.fc",)), "googlenet": ("fc", ("aux1.fc2", "aux2.fc2"))}


@pytest.mark.parametrize(("name", "size"), [("inception_v3", 299), ("googlenet", 64)])
def test_with_the_old_classifiers_it_answers_as_torchvision_does(tmp_path: Path, name: str, size: int) -> None:
    torch.manual_seed(0)
    original = MAKE[name]()
    save_file(original.state_dict(), tmp_path / "w.safetensors")
    net = load(f"torchvision:{name}", tmp_path / "w.safetensors", classes=1000, dropout=0.0, seed=0)
    head, seconds = OLD[name]
    net.model.head.load_state_dict(original.get_submodule(head).state_dict())
    for mine, theirs in zip(net.model.seconds(), seconds, strict=True):
        mine.head.load_state_dict(original.get_submodule(theirs).state_dict())
        if name == "googlenet":  # whose file holds them untrained, so they start anew
            before = original.get_submodule(theirs.partition(".")[0]).state_dict()
            state = {f"layers.{key}": value for key, value in before.items() if not key.startswith("fc2.")}
            mine.layers.load_state_dict(state)
    pixels = pictures(size)
    with torch.no_grad():
        assert torch.allclose(net.model.eval()({"pixels": pixels}), original.eval()(pixels), atol=1e-5)
        for model in (net.model, original):
            model.train()
            calm(model)
        given, expected = net.model({"pixels": pixels}), original(pixels)
    assert isinstance(given, Answers)
    torch.testing.assert_close(given.logits_BC, expected[0], atol=1e-5, rtol=1e-4)
    wanted = [expected[1]] if name == "inception_v3" else [expected[2], expected[1]]  # aux_logits2 comes first there
    assert [weight for weight, _ in given.second] == ([0.4] if name == "inception_v3" else [0.3, 0.3])
    for (_, logits), theirs in zip(given.second, wanted, strict=True):
        torch.testing.assert_close(logits, theirs, atol=1e-5, rtol=1e-4)


def test_inception_has_its_classifier_replaced_and_its_layers_filled(tmp_path: Path) -> None:
    save_file(MAKE["inception_v3"]().state_dict(), tmp_path / "w.safetensors")
    net = load("torchvision:inception_v3", tmp_path / "w.safetensors", classes=3, dropout=0.1, seed=0, input_size=96)
    assert net.card.spec.size == 299
    assert net.fresh == {f"{head}.{key}" for head in ("head", "second.0.head") for key in ("weight", "bias")}
    (second,) = net.model.seconds()
    assert second.head.weight.shape == (3, 768)
    assert net.card.parameters == sum(p.numel() for n, p in net.model.named_parameters() if not n.startswith("second."))
    enter(net, -1)
    given = net.model({"pixels": pictures(96)})  # the map is smaller than its kernels, and is enlarged
    assert isinstance(given, Answers)
    assert given.second[0][1].shape == (2, 3)


def test_a_file_without_second_classifiers_leaves_them_fresh(tmp_path: Path) -> None:
    state = {key: value for key, value in MAKE["inception_v3"]().state_dict().items() if not key.startswith("Aux")}
    save_file(state, tmp_path / "w.safetensors")
    net = load("torchvision:inception_v3", tmp_path / "w.safetensors", classes=3, dropout=0.1, seed=0, input_size=96)
    second = {name for name, _ in net.model.named_parameters() if name.startswith("second.")}
    assert second
    assert net.fresh == {"head.weight", "head.bias"} | second


@pytest.mark.parametrize(
    ("name", "first"), [("inception_v3", ["Mixed_6e"]), ("googlenet", ["inception4a", "inception4d"])]
)
def test_they_take_part_where_what_they_hang_on_is_thawed(name: str, first: list[str]) -> None:
    net = load(f"scratch:torchvision/{name}", None, classes=3, dropout=0.0, seed=0, input_size=96)
    net = replace(net, card=replace(net.card, pretrained=True), fresh=frozenset({"head.weight", "head.bias"}))
    trunk = [group.name for group in net.card.groups if group.role == "trunk"]
    for thaw in range(len(trunk) + 1):
        enter(net, thaw)
        thawed = trunk[len(trunk) - thaw :]
        expected = [after in thawed for after in first]
        assert [second.training for second in net.model.seconds()] == expected
        learning = {
            n.split(".")[1] for n, p in net.model.named_parameters() if n.startswith("second") * p.requires_grad
        }
        assert learning == {str(i) for i, part in enumerate(expected) if part}


def test_the_same_network_is_built_for_a_trained_state(tmp_path: Path) -> None:
    net = load("scratch:torchvision/googlenet", None, classes=3, dropout=0.0, seed=3, input_size=64)
    save_file(net.model.state_dict(), tmp_path / "best.safetensors")
    names = frozenset(net.model.state_dict())
    again = unfilled(net.card, tmp_path, names, classes=3, input_size=64)
    load_best(again, tmp_path / "best.safetensors")
    with torch.inference_mode():
        one, other = (n.model.eval()({"pixels": pictures(64)}) for n in (net, again))
    assert torch.equal(one, other)


def test_a_state_from_before_there_were_any_finds_its_network(tmp_path: Path) -> None:
    net = load("scratch:torchvision/googlenet", None, classes=3, dropout=0.0, seed=3, input_size=64)
    state = {name: value for name, value in net.model.state_dict().items() if not name.startswith("second.")}
    assert len(state) < len(net.model.state_dict())
    save_file(state, tmp_path / "best.safetensors")
    again = unfilled(net.card, tmp_path, frozenset(state), classes=3, input_size=64)
    load_best(again, tmp_path / "best.safetensors")
    assert again.model.seconds() == ()


@contextmanager
def on_meta() -> Iterator[None]:
    """Without memory for the weights. RegNet computes its widths with tensors, for which it needs some."""
    plain = regnet.BlockParams.from_init_params

    def real(*arguments: Any, **more: Any) -> Any:
        with torch.device("cpu"):
            return plain(*arguments, **more)

    with pytest.MonkeyPatch.context() as patch, torch.device("meta"):
        patch.setattr(regnet.BlockParams, "from_init_params", real)
        yield


def one_of_each_family_and_the_others_slowly() -> list[Any]:
    names = torchvision.models.list_models(module=torchvision.models)
    families = {re.sub(r"[\d_].*", "", name): name for name in reversed(names)}
    return [name if name in families.values() else pytest.param(name, marks=pytest.mark.slow) for name in names]


@pytest.mark.parametrize("name", one_of_each_family_and_the_others_slowly())
def test_every_classifier_of_torchvision_is_cut(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Body, old classifier and second classifiers are the whole network."""
    whole: dict[str, torch.Size] = {}
    plain = torchvision.models.get_model

    def remembered(*arguments: Any, **more: Any) -> nn.Module:
        network: nn.Module = plain(*arguments, **more)
        whole.update({key: value.shape for key, value in network.state_dict().items()})
        return network

    monkeypatch.setattr(torchvision.models, "get_model", remembered)
    with on_meta():
        body, gone, taps = network_without_head(name)
    seconds = {key for key in whole if key.startswith(("AuxLogits.", "aux1.", "aux2."))}
    classifier = {key for key in whole if key.startswith(gone)}
    kept = {key: value.shape for key, value in body.state_dict().items()}
    assert kept == {key: shape for key, shape in whole.items() if key not in seconds | classifier}
    assert {whole[key][0] for key in classifier} == {1000}
    assert len(taps) == {"inception_v3": 1, "googlenet": 2}.get(name, 0)
    assert bool(seconds) == bool(taps)


# --- a small network with one, through the loop ---


def with_second(net: Network, after: str) -> Network:
    layers = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    tap = Tap(after, layers, WIDTH, 0.4, filled=True)
    model = Classifier(net.model.body, 16, CLASSES, 0.1, 0, (tap,))
    return Network(model, net.fresh | {"second.0.head.weight", "second.0.head.bias"}, net.card)


def trained(net: Network, folder: Path, thaw: int) -> dict[str, Tensor]:
    stages = (Stage("head", 0, 1, 0.0, 1.0), Stage("s", thaw, 2, 1e-2, 0.9))
    fit(folder / "t", net, recipe(stages=stages), data(folder / "c"), "stamp")
    return {name: value.clone() for name, value in net.model.state_dict().items()}


def test_above_a_second_classifier_training_is_the_same_to_the_last_bit(tmp_path: Path) -> None:
    plain = trained(network(), tmp_path / "plain", 1)
    tapped = trained(with_second(network(), "blocks.1"), tmp_path / "tapped", 1)
    assert all(torch.equal(value, tapped[name]) for name, value in plain.items())
    start = with_second(network(), "blocks.1").model.state_dict()
    assert torch.equal(start["second.0.head.weight"], tapped["second.0.head.weight"])


def test_where_it_hangs_on_what_learns_it_learns_too(tmp_path: Path) -> None:
    plain = trained(network(), tmp_path / "plain", 2)
    tapped = trained(with_second(network(), "blocks.1"), tmp_path / "tapped", 2)
    start = with_second(network(), "blocks.1").model.state_dict()
    assert not torch.equal(start["second.0.head.weight"], tapped["second.0.head.weight"])
    assert not torch.equal(plain["body.blocks.1.conv.weight"], tapped["body.blocks.1.conv.weight"])
    assert torch.equal(plain["body.blocks.0.conv.weight"], tapped["body.blocks.0.conv.weight"])


def test_losses_add_up_by_their_weights() -> None:
    main, other = torch.randn(4, 3), torch.randn(4, 3)
    labels, weights = torch.tensor([0, 1, 2, 0]), torch.tensor([1.0, 2.0, 0.5])
    expected = cross_entropy(main, labels, weights, label_smoothing=0.1)
    expected = expected + 0.4 * cross_entropy(other, labels, weights, label_smoothing=0.1)
    found = loss_of(Answers(main, ((0.4, other),)), labels, weights, 0.1)
    torch.testing.assert_close(found, expected)


def test_its_speed_is_measured_as_it_trains() -> None:
    net = with_second(network(), "blocks.1")
    found = measure(net, lambda n: {"pixels": torch.randn(n, 3, 8, 8)})
    assert all(timing.training > 0 for timing in found.timings)
