"""Depth groups: one rule, many architectures, none downloaded."""

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from timm import create_model
from torch import nn

from instar.models.depth import belongs, depth_groups
from instar.models.scratch import ConvNet, Words
from instar.models.torchvision_source import network_without_head

GOLDEN = Path(__file__).parent / "golden" / "depth.txt"
TIMM = [
    "resnet18",
    "resnet50d",
    "mobilenetv2_100",
    "mobilenetv3_small_100",
    "mobilenetv4_conv_small",
    "efficientnet_b0",
    "convnext_atto",
    "vit_tiny_patch16_224",
    "vit_small_patch14_dinov2",
    "deit_tiny_distilled_patch16_224",
    "swin_tiny_patch4_window7_224",
    "densenet121",
    "inception_v3",
    "regnety_002",
    "twins_pcpvt_small",
    "xception41",
    "hrnet_w18_small",
    "dpn68",
    "cait_xxs24_224",
    "vgg11_bn",
]
TORCHVISION = [
    "alexnet",
    "resnet18",
    "mobilenet_v2",
    "mobilenet_v3_small",
    "squeezenet1_1",
    "vgg11",
    "densenet121",
    "googlenet",
    "inception_v3",
    "efficientnet_b0",
    "convnext_tiny",
    "swin_t",
    "vit_b_32",
    "shufflenet_v2_x0_5",
    "mnasnet0_5",
    "maxvit_t",
]
TEXTS = [
    "BertConfig",
    "DistilBertConfig",
    "AlbertConfig",
    "RobertaConfig",
    "MPNetConfig",
    "GPT2Config",
    "ModernBertConfig",
    "DebertaV2Config",
]
PICTURES = [
    "ViTConfig",
    "Dinov2Config",
    "SwinConfig",
    "ConvNextConfig",
    "ResNetConfig",
    "MobileNetV1Config",
    "MobileNetV2Config",
    "PvtConfig",
]


def of_torchvision(name: str) -> nn.Module:
    return network_without_head(name)[0]


def of_transformers(kind: Any, name: str) -> nn.Module:
    made: nn.Module = kind.from_config(getattr(transformers, name)())
    return made


MAKE: dict[str, Callable[[], nn.Module]] = {
    **{f"timm:{name}": partial(create_model, name, num_classes=0) for name in TIMM},
    **{f"torchvision:{name}": partial(of_torchvision, name) for name in TORCHVISION},
    **{f"texts:{name}": partial(of_transformers, transformers.AutoModel, name) for name in TEXTS},
    **{
        f"pictures:{name}": partial(of_transformers, transformers.AutoModelForImageClassification, name)
        for name in PICTURES
    },
    "scratch:convnet": ConvNet,
    "scratch:words": partial(Words, 2**16, 64),
}
"""Architectures with random weights, none of them in memory; of transformers in their default configurations."""


def told(name: str, body: nn.Module) -> str:
    """Name and parameters, then a line for each group: its name, its role, its parameters and what it holds."""
    groups = depth_groups(body)
    width = max(len(group.name) for group in groups)
    lines = [f"{name}  {sum(p.numel() for p in body.parameters()):,}"]
    for group in groups:
        modules = [*group.modules[:3], *(["..."] if len(group.modules) > 3 else [])]
        lines.append(f"  {group.name:{width}}  {group.role:5}  {group.parameters:>12,}  {' '.join(modules)}")
    return "\n".join(lines)


def golden() -> dict[str, str]:
    blocks = GOLDEN.read_text("utf-8").strip().split("\n\n")
    return {block.split("  ")[0]: block for block in blocks}


def test_the_golden_file_names_what_is_made() -> None:
    """A changed rule shows as a readable difference. INSTAR_WRITE_GOLDEN=1 writes the file anew."""
    if os.environ.get("INSTAR_WRITE_GOLDEN"):
        with torch.device("meta"):
            blocks = [told(name, make()) for name, make in MAKE.items()]
        GOLDEN.write_text("\n\n".join(blocks) + "\n", "utf-8")
    assert list(golden()) == list(MAKE)


@pytest.mark.parametrize("name", MAKE)
def test_depth_groups(name: str) -> None:
    with torch.device("meta"):
        body = MAKE[name]()
    assert told(name, body) == golden()[name]
    groups = depth_groups(body)
    roles = [group.role for group in groups]
    assert roles == sorted(roles, key=["stem", "trunk", "neck"].index)
    assert len({group.name for group in groups}) == len(groups)
    for part, _ in body.named_parameters():
        assert sum(belongs(part, group) for group in groups) == 1, part
    for part, module in body.named_modules():
        if part and not list(module.children()):
            assert sum(belongs(part, group) for group in groups) == 1, part
    assert sum(group.parameters for group in groups) == sum(p.numel() for p in body.parameters())
    assert all(group.parameters > 0 for group in groups)


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
