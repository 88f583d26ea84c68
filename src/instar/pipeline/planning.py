"""The step plan: choose the backbone, measure it, decide; and take in what a person asks for later."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from instar import machine, store
from instar.modality.modalities import MODALITIES
from instar.pipeline.choosing import choose_backbone
from instar.pipeline.common import at_work, fits, step, taken_in, tell, write
from instar.pipeline.data import ask_instead, opened
from instar.pipeline.options import firm, firm_setting, options_of, wishes
from instar.plan import assemble, edits
from instar.progress import say
from instar.records import Card, Json, Measurements, Plan

if TYPE_CHECKING:
    from instar.models.network import Network


def ask(folder: Path, settings: Sequence[str]) -> None:
    """Take in settings of a later command: as decisions of the plan with basis asked, or, before there is a plan, as
    if the command that made the run had had them too.
    """
    wanted = tuple(map(firm_setting, settings))
    with at_work(folder, "audit"):
        options = options_of(folder)
        if store.finished(folder, "plan"):
            taken_in(folder, dict(map(edits.parse_setting, wanted)))
        else:
            ask_instead(folder, firm(replace(options, settings=(*options.settings, *wanted))))
            opened(folder)


def plan(folder: Path, like: Path | None = None) -> Plan:
    """Choose the backbone, measure it on this machine, and decide every field of the recipe, with reasons.

    What was asked for in an earlier plan of this run (by `--set` or by editing plan.yaml) is asked for again.

    Args:
        like: another run; what was measured for it holds for this one too where it was the same network, machine and
            size, so that runs to be compared do not differ by a noise of their measurements.
    """
    with at_work(folder, "plan"):
        with step(folder, "plan") as record:
            options, asked = wishes(folder, anew=True)
            dataset = store.read_dataset(folder)
            modality = MODALITIES[dataset.modality]
            chosen, network = choose_backbone(dataset, options.backbone, options, asked.get("input_size"))
            extent = modality.extent(dataset, network.card.spec, asked.get("input_size"))
            measurements, record["measured"] = measured((folder, *([like] if like else [])), network, extent)
            found = store.read_audit(folder)
            made = assemble.make(
                dataset,
                found,
                network.card,
                measurements,
                chosen,
                options.weights,
                asked,
                seed=options.seed,
                augmentations=tuple(modality.augmentations),
                fits=modality.fits,
            )
            fits(store.recipe_of(made), network.card, folder)
            store.write_card(folder, network.card, network.kept)
            store.write_record(folder / store.MEASUREMENTS, measurements)
            write(folder, made)
        tell(folder)
    return made


def measured(runs: Sequence[Path], network: "Network", extent: int) -> tuple[Measurements, Json]:
    """How fast this machine runs the network, and under what conditions that was measured.

    Measurements vary by some percent, and a plan that changes with them would start the training anew: those of an
    earlier plan of these runs are kept as long as network, size of the examples, machine and torch are the same.
    """
    import torch

    from instar.plan.measure import measure
    from instar.prepare.passes import device

    now = {
        "network": _identity(network.card),
        "extent": extent,
        "device": device().type,
        "cores": machine.cores(),
        "torch": str(torch.__version__),
    }
    for run in runs:
        stamp = store.read_machine(run).get("steps", {}).get("plan", {})
        path = run / store.MEASUREMENTS
        if stamp.get("measured") == now and path.exists() and store.digest(path) == stamp["writes"][store.MEASUREMENTS]:
            say(f"measurements of {network.card.title} on this machine are kept: {path}")
            return store.read_measurements(run), now
    return measure(network, extent=extent), now


def _identity(card: Card) -> str:
    """Digest of what a speed depends on: the network and its weights, not where its files lie."""
    spec = replace(card.spec, tokenizer="")
    return hashlib.sha256(repr(replace(card, spec=spec)).encode()).hexdigest()
