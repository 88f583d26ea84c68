"""How fast this machine runs a network: measured once, and kept."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from instar import machine, store
from instar.files import read_yaml
from instar.progress import say
from instar.records import Card, Json, Measurements

if TYPE_CHECKING:
    from instar.models.network import Network


def conditions(network: "Network", extent: int) -> dict[str, Json]:
    """What a measurement of speed depends on."""
    import torch

    from instar.prepare.passes import device

    return {
        "network": identity(network.card),
        "extent": extent,
        "device": device().type,
        "cores": machine.cores(),
        "torch": str(torch.__version__),
    }


def measured(runs: Sequence[Path], network: "Network", extent: int) -> tuple[Measurements, Json]:
    """How fast this machine runs the network, and under what conditions that was measured.

    Measurements vary by some percent, and a plan that changes with them would start the training anew: those of an
    earlier plan of these runs are kept as long as network, size of the examples, machine and torch are the same.
    """
    from instar.plan.measure import measure

    now = conditions(network, extent)
    for run in runs:
        stamp = store.read_machine(run).get("steps", {}).get("plan", {})
        path = run / store.MEASUREMENTS
        if stamp.get("measured") == now and path.exists() and store.digest(path) == stamp["writes"][store.MEASUREMENTS]:
            say(f"measurements of {network.card.title} on this machine are kept: {path}")
            return store.read_measurements(run), now
    return measure(network, extent=extent), now


def kept(cache: Path, network: "Network", extent: int) -> Measurements:
    """As `measured`, for one of several candidates, kept below `cache` whatever run asks."""
    from instar.plan.measure import measure

    digest = hashlib.sha256(repr(conditions(network, extent)).encode()).hexdigest()[:20]
    path = cache / f"{digest}.speed.yaml"
    if not path.exists():
        store.write_record(path, measure(network, extent=extent))
    return read_yaml(path, Measurements)


def identity(card: Card) -> str:
    """Digest of what a speed depends on: the network and its weights, not where its files lie."""
    spec = replace(card.spec, tokenizer="")
    return hashlib.sha256(repr(replace(card, spec=spec)).encode()).hexdigest()
