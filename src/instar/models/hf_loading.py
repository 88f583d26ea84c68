"""One transformers class filled from a folder or from a state dict, with what the file did not hold."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PretrainedConfig

from instar.errors import UserError
from instar.records import InputSpec

Given = Mapping[str, Tensor] | frozenset[str] | None
"""What fills a network: a state dict; the names alone of the tensors that somebody will fill later; or, with None, the
files of its folder."""


@dataclass(frozen=True)
class Made:
    """A body of transformers before it has its title."""

    module: nn.Module
    modality: str
    features: int
    spec: InputSpec
    missing: frozenset[str]


def fill(classes: Any, folder: Path, config: PretrainedConfig, given: Given) -> tuple[nn.Module, frozenset[str]]:
    """Build, in float32, the class that one of transformers' mappings has for `config`, and fill it.

    Of several classes the first counts: the others (DeiT "with teacher") have two classifiers.

    transformers only reports what it does not find; here a shape that differs, outside a classifier of other
    classes, or a file that fills less than half of the tensors is an error.

    Returns:
        The network and the names of the parameters that stand at their random start.

    Raises:
        UserError: the weights are of another network.
    """
    found = classes[type(config)]
    wanted = found[0] if isinstance(found, (list, tuple)) else found
    if isinstance(given, frozenset):
        unfilled: nn.Module = wanted(config)
        return unfilled, frozenset(dict(unfilled.named_parameters()).keys() - given)
    network, info = wanted.from_pretrained(
        None if given is not None else folder,
        config=config,
        state_dict=dict(given) if given is not None else None,
        output_loading_info=True,
        ignore_mismatched_sizes=True,
        local_files_only=True,
        use_safetensors=True,
        dtype=torch.float32,
    )
    names = dict(network.named_parameters()).keys()
    missing = frozenset(info["missing_keys"]) & names
    other = frozenset(str(key[0]) for key in info["mismatched_keys"]) & names
    if 2 * len(missing | other) > len(names):
        absent = ", ".join(sorted(missing | other)[:3])
        raise UserError(
            f"the weights given for {folder} fill {len(names) - len(missing | other)} of the {len(names)} "
            f"tensors of {type(network).__name__} (not {absent} ...): they are of another network"
        )
    return network, missing | other
