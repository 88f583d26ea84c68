"""The step plan: choose the backbone, measure it, decide; and take in what a person asks for later."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from instar import store
from instar.errors import UserError
from instar.modality.modalities import MODALITIES
from instar.pipeline.common import amend, fits, load, settled, step, write
from instar.pipeline.data import Options
from instar.plan import assemble, backbone, edits
from instar.progress import say
from instar.records import Dataset, Decision, Json, Plan

if TYPE_CHECKING:
    from instar.models.network import Network


def ask(folder: Path, settings: Sequence[str]) -> None:
    """Take in settings of a later command as decisions of the plan with basis asked."""
    made = settled(folder)[0] if (folder / store.PLAN).exists() else plan(folder)
    amend(folder, edits.apply(made, dict(edits.parse_setting(setting) for setting in settings)))


def plan(folder: Path) -> Plan:
    """Choose the backbone, measure it on this machine, and decide every field of the recipe, with reasons.

    What was asked for in an earlier plan of this run (by `--set` or by editing plan.yaml) is asked for again.
    """
    earlier = _asked_before(folder)
    with step(folder, "plan"):
        from instar.plan.measure import measure

        dataset = store.read_dataset(folder)
        modality = MODALITIES[dataset.modality]
        options = options_of(folder)
        asked = earlier if earlier is not None else dict(edits.parse_setting(s) for s in options.settings)
        wanted = asked.pop("backbone", None) or options.backbone
        chosen, network = _choose_backbone(dataset, wanted, options, asked.get("input_size"))
        measurements = measure(network)
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
        store.write_record(folder / store.CARD, network.card)
        store.write_record(folder / store.MEASUREMENTS, measurements)
        write(folder, made)
    return made


def options_of(folder: Path) -> Options:
    """What the user asked for when the run was made."""
    known = store.read_machine(folder)["options"]
    return Options(**{**known, "settings": tuple(known["settings"])})


def _asked_before(folder: Path) -> dict[str, Json] | None:
    """What an earlier plan of this run was asked for; None where there is no plan, or none that can be read."""
    if not store.finished(folder, "plan") or not (folder / store.PLAN).exists():
        return None
    try:
        earlier = edits.absorb(*store.read_plan(folder))
    except UserError as error:
        broken = (folder / store.PLAN).rename(folder / "3-plan/plan.broken.yaml")
        say(f"the earlier plan cannot be read ({error}); it is kept as {broken}, and the plan is made anew")
        return None
    return {d.field: d.value for d in earlier.live().values() if d.basis == "asked"}


def _choose_backbone(
    dataset: Dataset, asked: str | None, options: Options, input_size: int | None
) -> tuple[Decision, "Network"]:
    """The asked backbone, or the first of the modality's that loads; a refused one leaves its reason in the plan."""
    modality = MODALITIES[dataset.modality]
    if options.weights and not asked:
        raise UserError("--weights needs --backbone SOURCE:NAME, which says what network the file belongs to")
    tried: list[tuple[str, str]] = []
    for candidate in (asked,) if asked else modality.backbones:
        say(f"backbone {candidate}: loading")
        try:
            network = load(candidate, options.weights, dataset, dropout=0.0, seed=options.seed, input_size=input_size)
        except UserError as error:
            if asked:
                raise
            say(f"  not at hand: {error}")
            tried.append((candidate, str(error)))
            continue
        tried.append((candidate, ""))
        return backbone.choose(dataset, tried, asked), network
    raise AssertionError("the last backbone of a modality is always at hand")
