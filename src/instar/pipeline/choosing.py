"""The choice of the backbone: the steps audit (frozen features) and plan make the same one."""

from pathlib import Path
from typing import TYPE_CHECKING

from instar.errors import UserError
from instar.modality.modalities import MODALITIES
from instar.models.named import CATALOGUE, Named, here, named, several
from instar.pipeline.networks import load
from instar.pipeline.options import Options, wishes
from instar.plan import backbone
from instar.progress import say
from instar.records import Dataset, Decision

if TYPE_CHECKING:
    from instar.models.network import Network


def choose_backbone(
    dataset: Dataset, asked: str | None, options: Options, input_size: int | None
) -> tuple[Decision, "Network"]:
    """The asked backbone, or the first that loads of several asked for or of the modality's; a refused one leaves its
    reason in the plan. What several are worth is looked at by the plan (`pipeline.candidates`), later than the audit.

    Whether a backbone is at hand does not depend on the size that was asked for: a size that the first one does not
    take is the person's to change, and no reason to take another.

    Args:
        dataset: whose modality proposes backbones.
        asked: SOURCE:NAME, where the user named one.
        options: weights file and seed are taken from here (`options.wishes` gives those last asked for).
        input_size: pixels a side or tokens to build the network for; None is the network's own.

    Raises:
        UserError: the asked backbone cannot be loaded, a weights file is given without a backbone, or the network
            does not take the asked size.
    """
    if options.weights and not asked:
        raise UserError("--weights needs --backbone SOURCE:NAME, which says what network the file belongs to")
    if asked and not several(asked):
        say(f"backbone {asked}: loading")
        network = load(asked, options.weights, dataset, dropout=0.0, seed=options.seed, input_size=input_size)
        return backbone.choose(dataset, [(asked, "")], asked), network
    tried: list[tuple[str, str]] = []
    for one in candidates_of(asked, dataset):
        say(f"backbone {one.backbone}: loading")
        try:
            network = load(one.backbone, one.weights, dataset, dropout=0.0, seed=options.seed)
        except UserError as error:
            say(f"  not at hand: {error}")
            tried.append((one.backbone, str(error)))
            continue
        if input_size not in (None, network.card.spec.size):
            network = load(one.backbone, one.weights, dataset, dropout=0.0, seed=options.seed, input_size=input_size)
        tried.append((one.backbone, ""))
        return backbone.choose(dataset, tried, None), network
    backbone.choose(dataset, tried, None)
    raise AssertionError("a choice among none refuses")


def candidates_of(asked: str | None, dataset: Dataset) -> tuple[Named, ...]:
    """The backbones to choose among: several that were asked for, else the modality's own.

    Raises:
        UserError: the catalogue is asked for, and none of it is at hand.
    """
    own = MODALITIES[dataset.modality].backbones
    if asked is None:
        return tuple(Named(name, None) for name in own)
    if asked != CATALOGUE:
        return named(asked)
    if found := here(dataset.modality, own):
        return found
    raise UserError(
        "--backbone catalogue: none of the recommended backbones is on this machine (`instar backbones` lists them); "
        "name one with --backbone SOURCE:NAME"
    )


def asked_is_at_hand(folder: Path, dataset: Dataset) -> "tuple[Decision, Network] | None":
    """Load what was asked for, where a backbone or a size was, so that a refusal does not come after a long audit.

    Returns:
        As `choose_backbone`, for who needs the network later; None where nothing was asked for.

    Raises:
        UserError: as `choose_backbone`.
    """
    options, asked = wishes(folder)
    if options.backbone or options.weights or asked.get("input_size") is not None:
        return choose_backbone(dataset, options.backbone, options, asked.get("input_size"))
    return None
