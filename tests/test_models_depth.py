"""Depth groups: one rule, many architectures, none downloaded."""

from collections.abc import Callable

import pytest
import torch
import transformers
from timm import create_model
from torch import nn

from instar.models.depth import belongs, depth_groups
from instar.models.scratch import ConvNet, Words
from instar.models.torchvision_source import network_without_head

# name -> the groups as "stem? first..last(how many) neck?"
TIMM = {
    "resnet18": "stem layer1..layer4(4)",
    "resnet50d": "stem layer1..layer4(4)",
    "mobilenetv2_100": "stem blocks.0..blocks.6(7) neck",
    "mobilenetv3_small_100": "stem blocks.0..blocks.5(6) neck",
    "mobilenetv4_conv_small": "stem blocks.0..blocks.4(5) neck",
    "efficientnet_b0": "stem blocks.0..blocks.6(7) neck",
    "convnext_atto": "stem stages.0..stages.3(4) neck",
    "vit_tiny_patch16_224": "stem blocks.0..blocks.11(12) neck",
    "deit_tiny_distilled_patch16_224": "stem blocks.0..blocks.11(12) neck",
    "swin_tiny_patch4_window7_224": "stem layers.0..layers.3(4) neck",
    "densenet121": "stem denseblock1..denseblock4(4) neck",
    "inception_v3": "stem Mixed_5b..Mixed_7c(11)",
    "regnety_002": "stem s1..s4(4)",
    "twins_pcpvt_small": "blocks.0..blocks.3(4) neck",
    "xception41": "stem blocks.0..blocks.12(13)",
    "hrnet_w18_small": "stem stage2..stage4(3) neck",
    "dpn68": "conv1_1..conv5_3(23) neck",
    "cait_xxs24_224": "stem blocks.0..blocks.23(24) neck",
    "vgg11_bn": "features.0..features.25(8) neck",
}
TORCHVISION = {
    "alexnet": "features.0..features.10(5) neck",
    "resnet18": "stem layer1..layer4(4)",
    "mobilenet_v2": "features.0..features.18(19)",
    "mobilenet_v3_small": "features.0..features.12(13) neck",
    "squeezenet1_1": "features.0..features.12(9)",
    "vgg11": "features.0..features.18(8) neck",
    "densenet121": "stem denseblock1..denseblock4(4) neck",
    "googlenet": "stem inception3a..inception5b(9)",
    "inception_v3": "stem Mixed_5b..Mixed_7c(11)",
    "efficientnet_b0": "features.0..features.8(9)",
    "convnext_tiny": "features.0..features.7(8) neck",
    "swin_t": "features.0..features.7(8) neck",
    "vit_b_32": "stem encoder_layer_0..encoder_layer_11(12) neck",
    "shufflenet_v2_x0_5": "stem stage2..stage4(3) neck",
    "mnasnet0_5": "layers.0..layers.14(10)",
    "maxvit_t": "stem blocks.0..blocks.3(4) neck",
}
TEXTS = {
    "BertConfig": "stem layer.0..layer.11(12) neck",
    "DistilBertConfig": "stem layer.0..layer.5(6)",
    "AlbertConfig": "stem albert_layer_groups.0..albert_layer_groups.0(1) neck",
    "RobertaConfig": "stem layer.0..layer.11(12) neck",
    "MPNetConfig": "stem layer.0..layer.11(12) neck",
    "GPT2Config": "stem h.0..h.11(12) neck",
    "ModernBertConfig": "stem layers.0..layers.21(22) neck",
}
PICTURES = {
    "ViTConfig": "stem layers.0..layers.11(12) neck",
    "Dinov2Config": "stem layer.0..layer.11(12) neck",
    "SwinConfig": "stem layers.0..layers.3(4) neck",
    "ConvNextConfig": "stem stages.0..stages.3(4) neck",
    "ResNetConfig": "stem stages.0..stages.3(4) neck",
    "MobileNetV1Config": "stem layer.0..layer.25(26) neck",
    "MobileNetV2Config": "stem layer.0..layer.15(16) neck",
    "PvtConfig": "block.0..block.3(4) neck",
}


def summary(body: nn.Module) -> str:
    groups = depth_groups(body)
    trunk = [group for group in groups if group.role == "trunk"]
    ends = [f"{trunk[0].name}..{trunk[-1].name}({len(trunk)})"] if trunk else []
    before = [group.name for group in groups if group.role == "stem"]
    return " ".join([*before, *ends, *(group.name for group in groups if group.role == "neck")])


def check(make: Callable[[], nn.Module], expected: str) -> None:
    with torch.device("meta"):
        body = make()
    assert summary(body) == expected
    groups = depth_groups(body)
    roles = [group.role for group in groups]
    assert roles == sorted(roles, key=["stem", "trunk", "neck"].index)
    assert len({group.name for group in groups}) == len(groups)
    for name, _ in body.named_parameters():
        assert sum(belongs(name, group) for group in groups) == 1, name
    for name, module in body.named_modules():
        if name and not list(module.children()):
            assert sum(belongs(name, group) for group in groups) == 1, name
    assert sum(group.parameters for group in groups) == sum(p.numel() for p in body.parameters())
    assert all(group.parameters > 0 for group in groups)


@pytest.mark.parametrize(("name", "expected"), TIMM.items())
def test_timm(name: str, expected: str) -> None:
    check(lambda: create_model(name, num_classes=0), expected)


@pytest.mark.parametrize(("name", "expected"), TORCHVISION.items())
def test_torchvision(name: str, expected: str) -> None:
    check(lambda: network_without_head(name)[0], expected)


@pytest.mark.parametrize(("name", "expected"), TEXTS.items())
def test_transformers_for_texts(name: str, expected: str) -> None:
    config = getattr(transformers, name)()
    check(lambda: transformers.AutoModel.from_config(config), expected)


@pytest.mark.parametrize(("name", "expected"), PICTURES.items())
def test_transformers_for_pictures(name: str, expected: str) -> None:
    config = getattr(transformers, name)()
    check(lambda: transformers.AutoModelForImageClassification.from_config(config), expected)


def test_from_scratch() -> None:
    check(ConvNet, "stem blocks.0..blocks.5(6) neck")
    check(lambda: Words(64, 8), "stem layers.0..layers.1(2) neck")


def test_what_stands_between_two_members_belongs_to_the_first() -> None:
    groups = {group.name: group for group in depth_groups(create_model("densenet121", num_classes=0))}
    assert belongs("features.transition1.conv.weight", groups["denseblock1"])
    assert belongs("features.norm5", groups["neck"])


def test_a_family_with_the_numbers_of_the_trunk_is_shared_out() -> None:
    body = nn.Module()
    body.patch_embeds = nn.ModuleList(nn.Linear(2, 2) for _ in range(3))
    body.blocks = nn.ModuleList(nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2)) for _ in range(3))
    body.last = nn.Linear(2, 2)
    groups = depth_groups(body)
    assert [group.modules for group in groups] == [
        *((f"patch_embeds.{i}", f"blocks.{i}") for i in range(3)),
        ("last",),
    ]


def test_groups_are_not_confused_by_numbers_that_begin_alike() -> None:
    body = nn.Module()
    body.blocks = nn.ModuleList(nn.Linear(2, 2) for _ in range(11))
    first = depth_groups(body)[1]
    assert first.name == "blocks.1"
    assert belongs("blocks.1.weight", first)
    assert not belongs("blocks.10.weight", first)


def test_dropout_follows_the_order() -> None:
    body = nn.Sequential()
    body.stem = nn.Linear(2, 2)
    body.rest = nn.Dropout(0.1)
    body.blocks = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    body.last = nn.Dropout(0.1)
    groups = depth_groups(body)
    assert [(group.name, group.modules) for group in groups] == [
        ("stem", ("stem", "rest")),
        ("blocks.0", ("blocks.0",)),
        ("blocks.1", ("blocks.1", "last")),
    ]


def test_a_network_without_families_is_one_stem() -> None:
    body = nn.Module()
    body.encode = nn.Linear(2, 3)
    body.decode = nn.Linear(3, 2)
    assert [(group.name, group.parameters) for group in depth_groups(body)] == [("stem", 17)]
