"""Networks for texts of transformers: encoders, decoders and the encoders of translators."""

import json
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn
from transformers import PretrainedConfig
from transformers.models.auto.modeling_auto import (
    MODEL_FOR_CAUSAL_LM_MAPPING,
    MODEL_FOR_MASKED_LM_MAPPING,
    MODEL_MAPPING,
)

from instar.errors import UserError
from instar.models.body import width
from instar.models.hf_loading import Given, Made, fill
from instar.records import InputSpec

Pooling = Literal["mean", "first", "last"]
TOKENIZER = "tokenizer.json"
UNLIMITED_TOKENS = 512
"""The limit for networks with relative positions, which name none: our judgement, BERT's own limit."""
BEYOND = 1_000_000
"""Tokenizers that know no limit write an absurdly large number."""


class Texts(nn.Module):
    """Token ids and mask (B, L) -> one vector per text (B, D)."""

    def __init__(self, network: nn.Module, pooling: Pooling) -> None:
        super().__init__()
        self.network = network
        self.pooling = pooling

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Features (B, D): the mean over the tokens that count, the first token, or the last that counts."""
        states_BLD: Tensor = self.network(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        if self.pooling == "first":
            return states_BLD[:, 0]
        if self.pooling == "mean":
            counts_BL1 = attention_mask.unsqueeze(-1).to(states_BLD.dtype)
            return (states_BLD * counts_BL1).sum(1) / counts_BL1.sum(1).clamp(min=1.0)
        places_L = torch.arange(attention_mask.shape[1], device=attention_mask.device)
        last_B = (attention_mask * places_L).argmax(1)
        return states_BLD[torch.arange(len(states_BLD), device=states_BLD.device), last_B]


def make(folder: Path, config: PretrainedConfig, given: Given, input_size: int | None) -> Made:
    """Load a network up to its last layer; BERT's pooler, which sees one token only, is taken off.

    Raises:
        UserError: no tokenizer.json, wrong weights, more tokens wanted than the network takes.
    """
    if not (folder / TOKENIZER).is_file():
        raise UserError(f"{folder} has no {TOKENIZER}: AutoTokenizer.from_pretrained(...).save_pretrained writes one")
    network: Any
    network, missing = fill(MODEL_MAPPING, folder, config, given)
    if config.is_encoder_decoder:
        network = network.get_encoder()
        missing = frozenset(name.removeprefix("encoder.") for name in missing if name.startswith("encoder."))
    if "pooler" in dict(network.named_children()):
        network.pooler = None
        missing = frozenset(name for name in missing if not name.startswith("pooler."))
    limit = _limit(folder, config, network)
    if input_size is not None and input_size > limit:
        raise UserError(f"{folder} takes at most {limit} tokens, not {input_size}")
    module = Texts(network, _pooling(folder, config))
    ids = torch.ones(1, 4, dtype=torch.long)
    features = width(module, input_ids=ids, attention_mask=torch.ones_like(ids))
    spec = InputSpec(size=limit, tokenizer=str(folder))
    return Made(module, "text", features, spec, frozenset(f"network.{name}" for name in missing))


def _pooling(folder: Path, config: PretrainedConfig) -> Pooling:
    """What the network was trained for: the sentence-transformers folder says it, else its kind does.

    Masked language models are classified by their first token (Devlin et al. 2019, arXiv 1810.04805);
    decoders, where only the last token has seen the whole text, by that one; the rest by the mean.
    """
    told = _json(folder / "1_Pooling" / "config.json")
    if told.get("pooling_mode_cls_token"):
        return "first"
    if told.get("pooling_mode_lasttoken"):
        return "last"
    if told:
        return "mean"
    if type(config) in MODEL_FOR_MASKED_LM_MAPPING and not config.is_encoder_decoder:
        return "first"
    if type(config) in MODEL_FOR_CAUSAL_LM_MAPPING and not config.is_encoder_decoder:
        return "last"
    return "mean"


def _limit(folder: Path, config: PretrainedConfig, network: nn.Module) -> int:
    """The most tokens: the least of what the network's positions, its tokenizer and its trainers allow."""
    limits = [
        getattr(config, "max_position_embeddings", None),
        _json(folder / "tokenizer_config.json").get("model_max_length"),
        _json(folder / "sentence_bert_config.json").get("max_seq_length"),
    ]
    for name, part in network.named_modules():
        if name.endswith("position_embeddings") and isinstance(part, nn.Embedding) and part.padding_idx is not None:
            limits.append(part.num_embeddings - part.padding_idx - 1)  # RoBERTa counts from behind the padding
    known = [int(limit) for limit in limits if limit is not None and 0 < limit < BEYOND]
    return min(known, default=UNLIMITED_TOKENS)


def _json(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text("utf-8"))) if path.is_file() else {}
