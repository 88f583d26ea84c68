"""The step plan: choose the backbone, measure it, decide; and take in what a person asks for later."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from instar import store
from instar.modality.modalities import MODALITIES
from instar.models.named import several
from instar.pipeline import candidates
from instar.pipeline.choosing import candidates_of, choose_backbone
from instar.pipeline.common import at_hand, at_work, fits, step, taken_in, tell, write
from instar.pipeline.data import ask_instead, opened, originals
from instar.pipeline.options import firm, firm_setting, options_of, wishes
from instar.pipeline.speeds import conditions, kept, measured
from instar.plan import assemble, edits
from instar.records import Plan


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
            found, size, scores = store.read_audit(folder), asked.get("input_size"), None
            if several(options.backbone):
                at_hand(dataset)
                named = candidates_of(options.backbone, dataset)
                with originals(dataset):
                    scores = candidates.compare(dataset, found, named, asked, options.seed, folder)
                chosen, network, weights = candidates.taken(scores, dataset, options.seed, size)
                extent = modality.extent(dataset, network.card.spec, size)
                measurements = kept(candidates.cache(), network, extent)
                record["measured"] = conditions(network, extent)
            else:
                weights = options.weights
                chosen, network = choose_backbone(dataset, options.backbone, options, size)
                extent = modality.extent(dataset, network.card.spec, size)
                measurements, record["measured"] = measured((folder, *([like] if like else [])), network, extent)
            made = assemble.make(
                dataset,
                found,
                network.card,
                measurements,
                chosen,
                weights,
                asked,
                seed=options.seed,
                augmentations=tuple(modality.augmentations),
                fits=modality.fits,
            )
            fits(store.recipe_of(made), network.card, folder)
            store.write_card(folder, network.card, network.kept)
            store.write_record(folder / store.MEASUREMENTS, measurements)
            candidates.write(folder, scores)
            write(folder, made)
        tell(folder)
    return made
