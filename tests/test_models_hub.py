"""torch.hub: code of the person's own choice, tensors only, and one line where it cannot be."""

import os
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from instar.errors import UserError
from instar.models import hub_code
from instar.models.network import Network
from instar.models.sources import load, reachable, unfilled
from instar.pipeline.options import Options, firm
from instar.plan.input_size import input_size
from instar.records import Audit, Finding

HUBCONF = """
import torch
from torch import nn
from parts import Block, PLACE

class Net(nn.Module):
    def __init__(self, classes=7, last=None):
        super().__init__()
        self.fc = nn.Linear(12, classes)  # not the last in the order of modules
        self.stem = nn.Conv2d(3, 8, 7, 4)
        self.blocks = nn.Sequential(Block(8, 12), Block(12, 12), Block(12, 12))
        self.drop = nn.Dropout(0.5)
        self.last = last or nn.Identity()

    def forward(self, x):
        maps = self.blocks(self.stem(x))
        return self.last(self.fc(self.drop(maps.mean((2, 3)))))

def small(pretrained=False, **kwargs):
    model = Net(**kwargs)
    if pretrained:
        model.load_state_dict(torch.hub.load_state_dict_from_url("https://127.0.0.1:9/small-1.pth", progress=False))
    return model

def modern(*, weights=None):
    return small(pretrained=weights == "DEFAULT")

def trusting(pretrained=False):
    if pretrained:
        torch.load(PLACE / "trap.pt", weights_only=False)
    return Net()

def headless(pretrained=False):
    model = Net()
    model.fc = nn.Identity()
    model.drop = nn.Identity()
    return model

def ends_in_softmax(pretrained=False):
    return Net(last=nn.Softmax(1))

def no_switch():
    return Net()

def maps(pretrained=False):
    return Net().blocks

def whole_maps(pretrained=False):
    return nn.Sequential(nn.Conv2d(3, 4, 3))

def two_answers(pretrained=False):
    class Two(Net):
        def forward(self, x):
            return (super().forward(x),) * 2 if self.training else super().forward(x)
    return Two()

def tokenizer(pretrained=False):
    return "words"

def careless(pretrained=False):
    return small() if pretrained else small()
"""
PARTS = """
from pathlib import Path
from torch import nn

PLACE = Path(__file__).parent

class Block(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3)
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, x):
        return self.norm(self.conv(x)).relu()
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.delitem(sys.modules, "parts", raising=False)  # of another test's folder
    made = tmp_path / "code"
    made.mkdir()
    (made / "hubconf.py").write_text(HUBCONF)
    (made / "parts.py").write_text(PARTS)
    return made


def original(folder: Path) -> Any:
    torch.manual_seed(5)
    return torch.hub.load(str(folder), "small", source="local").eval()


def opened(backbone: str, weights: Path | None = None, input_size: int | None = None) -> Network:
    return load(backbone, weights, classes=3, dropout=0.1, seed=0, input_size=input_size)


def refused(what: Callable[[], object]) -> str:
    with pytest.raises(UserError) as caught:
        what()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def pictures() -> Tensor:
    return torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))


def same(network: Network, model: Any) -> None:
    with torch.inference_mode():
        features = network.model.eval().features({"pixels": pictures()})
        torch.testing.assert_close(model.fc(features), model(pictures()))


@pytest.mark.parametrize("entry", ["small", "modern", "no_switch"])
def test_a_file_of_weights(folder: Path, tmp_path: Path, entry: str) -> None:
    model = original(folder)
    save_file(model.state_dict(), tmp_path / "w.safetensors")
    network = opened(f"hub:{folder}:{entry}", tmp_path / "w.safetensors")
    card = network.card
    assert (card.features, card.spec.size, card.weights, card.modality) == (12, 224, "w.safetensors", "image")
    assert [group.name for group in card.groups] == ["stem", "blocks.0", "blocks.1", "blocks.2"]
    assert network.fresh == {"head.weight", "head.bias"}
    assert not any(isinstance(module, nn.Dropout) for module in network.model.body.modules())
    assert not any("fc" in name for name, _ in network.model.named_parameters())
    same(network, model)


def test_without_one_the_entry_loads_its_own_from_the_folder_of_checkpoints(folder: Path, tmp_path: Path) -> None:
    model = original(folder)
    message = refused(lambda: opened(f"hub:{folder}:small"))
    assert "failed (URLError" in message
    assert "--weights" in message
    place = tmp_path / "torch" / "hub" / "checkpoints" / "small-1.pth"
    place.parent.mkdir(parents=True, exist_ok=True)
    torch.save(model.state_dict(), place)
    for entry in ("small", "modern"):
        network = opened(f"hub:{folder}:{entry}")
        assert (network.card.weights, network.card.pretrained) == ("small-1.pth", True)
        assert network.card.weights_sha256
        same(network, model)


def test_nothing_is_unpickled_whatever_the_entry_asks_for(folder: Path, tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, ...]:
            return (Path.touch, (tmp_path / "sprung",))

    torch.save(Trap(), folder / "trap.pt")
    before = os.environ.get("TORCH_FORCE_WEIGHTS_ONLY_LOAD")
    assert "failed (UnpicklingError" in refused(lambda: opened(f"hub:{folder}:trusting"))
    assert not (tmp_path / "sprung").exists()
    assert os.environ.get("TORCH_FORCE_WEIGHTS_ONLY_LOAD") == before
    assert torch.load.__module__ == "torch.serialization"
    with pytest.raises(pickle.UnpicklingError):
        torch.load(folder / "trap.pt", weights_only=True)


def test_what_has_no_classifier_any_more_is_taken_as_it_is(folder: Path, tmp_path: Path) -> None:
    state = {key: value for key, value in original(folder).state_dict().items() if not key.startswith("fc.")}
    save_file(state, tmp_path / "w.safetensors")
    assert opened(f"hub:{folder}:headless", tmp_path / "w.safetensors").card.features == 12


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ("large", "no entry 'large'; it has Block, Net, careless"),
        ("ends_in_softmax", "ends in no linear layer"),
        ("maps", "does not take a picture"),
        ("whole_maps", "not a vector"),
        ("two_answers", "several outputs in training"),
        ("tokenizer", "gives no network but str"),
    ],
)
def test_what_cannot_be_is_one_line(folder: Path, tmp_path: Path, entry: str, says: str) -> None:
    save_file(original(folder).state_dict(), tmp_path / "w.safetensors")
    assert says in refused(lambda: opened(f"hub:{folder}:{entry}", tmp_path / "w.safetensors"))


@pytest.mark.parametrize(("entry", "says"), [("no_switch", "no option pretrained"), ("careless", "read no file")])
def test_it_never_starts_at_random(folder: Path, entry: str, says: str) -> None:
    message = refused(lambda: opened(f"hub:{folder}:{entry}"))
    assert says in message
    assert "--weights" in message


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("import nothing_like_it", "nothing_like_it"),
        ("dependencies = ['nothing_like_it']\ndef small(pretrained=False): ...", "pip install"),
        ("x = 1 +", "SyntaxError"),
    ],
)
def test_code_that_cannot_run_is_one_line(tmp_path: Path, code: str, says: str) -> None:
    (tmp_path / "hubconf.py").write_text(code)
    assert says in refused(lambda: opened(f"hub:{tmp_path}:small"))


def test_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    assert "neither hub:FOLDER:ENTRY" in refused(lambda: opened("hub:nowhere"))
    assert "neither hub:FOLDER:ENTRY" in reachable("hub:./nowhere:small")
    assert "has no hubconf.py" in refused(lambda: opened(f"hub:{tmp_path}:small"))
    assert "has no hubconf.py" in reachable(f"hub:{tmp_path}:small")
    assert firm(Options("d", backbone=f"hub:{os.path.relpath(tmp_path)}:small")).backbone == f"hub:{tmp_path}:small"


def test_a_repository_is_used_where_torch_hub_has_it_and_else_wants_consent(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = refused(lambda: opened("hub:owner/repo:small"))
    assert "runs code from github.com/owner/repo" in message
    assert "trust_repo=True" in message
    hub = tmp_path / "torch" / "hub"
    hub.mkdir(parents=True, exist_ok=True)
    (hub / "trusted_list").write_text("owner_repo\n")
    monkeypatch.setattr("torch.hub._get_cache_or_reload", offline)
    assert "cannot fetch github.com/owner/repo (no route)" in refused(lambda: opened("hub:owner/repo:small"))
    assert "not among the repositories" in reachable("hub:owner/repo:small")
    folder.rename(hub / "owner_repo_main")
    assert reachable("hub:owner/repo:small") == ""
    assert reachable("hub:owner/repo:v2:small") != ""
    model = original(hub / "owner_repo_main")
    save_file(model.state_dict(), tmp_path / "w.safetensors")
    same(opened("hub:owner/repo:small", tmp_path / "w.safetensors"), model)


def offline(*_: object, **__: object) -> None:
    raise OSError("no route")


def test_a_trained_state_finds_its_network_again(folder: Path, tmp_path: Path) -> None:
    save_file(original(folder).state_dict(), tmp_path / "w.safetensors")
    network = opened(f"hub:{folder}:small", tmp_path / "w.safetensors")
    again = unfilled(network.card, tmp_path, frozenset(network.model.state_dict()), classes=3, input_size=64)
    assert again.model.state_dict().keys() == network.model.state_dict().keys()


def test_what_is_assumed_is_said_in_the_plan(folder: Path, tmp_path: Path) -> None:
    save_file(original(folder).state_dict(), tmp_path / "w.safetensors")
    card = opened(f"hub:{folder}:small", tmp_path / "w.safetensors").card
    sizes = Finding("sizes", "passed", "", {"median_width": 300, "median_height": 300})
    reason = input_size(Audit((sizes,)), card, None).reason
    assert "torch.hub does not tell how" in reason


def test_the_entries_of_a_repository_are_parted_from_its_branch() -> None:
    assert hub_code.parted("pytorch/vision:v0.10.0:resnet18") == ("pytorch/vision:v0.10.0", "resnet18")
    assert hub_code.parted("pytorch/vision:resnet18") == ("pytorch/vision", "resnet18")


def test_what_reads_like_a_repository_is_never_a_folder_that_lies_around(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "somebody"
    here.mkdir()
    folder.rename(here / "code")
    monkeypatch.chdir(tmp_path)
    assert hub_code.local("somebody/code") is None
    assert hub_code.local("./somebody/code") == Path("somebody/code")
    assert hub_code.local(str(here / "code")) == here / "code"
