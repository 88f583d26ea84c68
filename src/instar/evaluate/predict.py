"""Trained networks, filled from their files; `prepare.passes.logits` runs them. Needs torch, alone in `evaluate`."""

from pathlib import Path

from instar.models.network import Network
from instar.models.weights import check_fit, read_state


def load_best(network: Network, path: Path) -> Network:
    """Fill a network with a whole state that training wrote (best.safetensors or probe.safetensors), and return it.

    What the network holds before does not matter: nothing of it stays.

    Raises:
        UserError: the file is missing, broken, or of another network.
    """
    state = read_state(path)
    check_fit({name: value.shape for name, value in network.model.state_dict().items()}, state, str(path))
    network.model.load_state_dict(state)
    return network
