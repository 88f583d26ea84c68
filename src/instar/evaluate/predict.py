"""Trained networks, filled from their files; `prepare.passes.logits` runs them. Needs torch, alone in `evaluate`."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from instar.models.network import Network
from instar.models.weights import check_fit, read_state
from instar.prepare import passes
from instar.prepare.base import Prepared
from instar.records import Recipe


def load_best(network: Network, path: Path) -> Network:
    """Fill a network with the state that training wrote (best.safetensors), and return it.

    Raises:
        UserError: the file is missing, broken, or of another network.
    """
    state = read_state(path)
    check_fit({name: value.shape for name, value in network.model.state_dict().items()}, state, str(path))
    network.model.load_state_dict(state)
    return network


def probe_logits(
    network: Network, path: Path, prepared: Prepared, rows: NDArray[np.int64], recipe: Recipe
) -> NDArray[np.float32]:
    """Logits (N, C) of the linear probe: the head of probe.safetensors on the body as its source gives it.

    Args:
        network: as loaded from its source, *not* trained; its head is replaced.

    Raises:
        UserError: the file is missing, broken, or of another network.
    """
    state = read_state(path)
    head = {f"head.{name}": value.shape for name, value in network.model.head.state_dict().items()}
    check_fit(head, state, str(path))
    with torch.no_grad():
        network.model.head.weight.copy_(state["head.weight"])
        network.model.head.bias.copy_(state["head.bias"])
    return passes.logits(network, prepared, rows, recipe, "predict with the probe")
