"""The catalogue of recommended backbones: its figures are counted, not copied."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
import transformers
from timm import create_model, get_pretrained_cfg
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from instar import doctor
from instar.modality.modalities import MODALITIES
from instar.models.catalogue import Entry, recommended, table
from instar.models.sources import check
from instar.models.torchvision_source import network_without_head

SMALL: dict[str, Any] = {"hidden_size": 384, "intermediate_size": 1536}
CONFIGS: dict[str, Callable[[], Any]] = {
    "sentence-transformers/all-MiniLM-L6-v2": lambda: transformers.BertConfig(num_hidden_layers=6, **SMALL),
    "intfloat/multilingual-e5-small": lambda: transformers.BertConfig(vocab_size=250037, **SMALL),
    "distilbert/distilbert-base-uncased": transformers.DistilBertConfig,
    "google-bert/bert-base-uncased": transformers.BertConfig,
    "FacebookAI/roberta-base": lambda: transformers.RobertaConfig(max_position_embeddings=514, type_vocab_size=1),
    "answerdotai/ModernBERT-base": transformers.ModernBertConfig,
}
"""As the config.json of each on the hub says."""
ENTRIES = [entry for modality in MODALITIES for entry in recommended(modality)]


def built(backbone: str) -> nn.Module:
    source, _, name = backbone.partition(":")
    if source == "timm":
        return create_model(name, num_classes=0)
    if source == "torchvision":
        return network_without_head(name)[0]
    network: Any = transformers.AutoModel.from_config(CONFIGS[name]())
    if "pooler" in dict(network.named_children()):
        network.pooler = None
    made: nn.Module = network
    return made


def example(entry: Entry) -> dict[str, Tensor]:
    if entry.modality == "text":
        return {"input_ids": torch.ones(1, entry.size, dtype=torch.long)}
    return {"x": torch.zeros(1, 3, entry.size, entry.size)}


@pytest.mark.parametrize("entry", ENTRIES, ids=[entry.backbone for entry in ENTRIES])
def test_figures_are_those_of_the_architecture(entry: Entry) -> None:
    with torch.device("meta"):
        network, batch = built(entry.backbone).eval(), example(entry)
        with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
            network(**batch)
    assert entry.parameters == sum(p.numel() for p in network.parameters())
    assert entry.gmacs == round(counter.get_total_flops() / 2e9, 2)


def test_licences_are_those_that_timm_states() -> None:
    of_timm = [entry for entry in ENTRIES if entry.backbone.startswith("timm:")]
    for entry in of_timm:
        config: Any = get_pretrained_cfg(entry.backbone.removeprefix("timm:"))
        assert entry.licence == config.license, entry
        assert entry.size == config.input_size[-1], entry


def test_what_is_taken_unasked_is_in_it_and_every_entry_can_be_asked_for() -> None:
    known = {entry.backbone for entry in ENTRIES}
    assert len(known) == len(ENTRIES)
    proposed = {b for kind in MODALITIES.values() for b in kind.backbones if not b.startswith("scratch:")}
    assert proposed <= known
    for entry in ENTRIES:
        check(entry.backbone)
        assert entry.paper.startswith("arXiv ")


def test_the_table_says_what_is_at_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = recommended("text")
    first, *others = entries
    monkeypatch.setattr(
        "instar.models.sources.reachable", lambda name: "" if name == first.backbone else "it is not here"
    )
    lines = list(doctor.backbones("text"))
    assert lines[: len(entries) + 1] == table(entries, {e.backbone: e is first for e in entries}, "tokens")
    assert [line.split("  ")[0] for line in lines[1 : len(entries) + 1]] == [e.backbone for e in entries]
    cells = [line.split() for line in lines[1 : len(entries) + 1]]
    assert ["yes" in row for row in cells] == [True] + [False] * len(others)
    assert "22.6 M" in lines[1]
    assert "1.43" in cells[0]
