"""The choice of the backbone: the steps audit (frozen features) and plan make the same one."""

from typing import TYPE_CHECKING

from instar.errors import UserError
from instar.modality.modalities import MODALITIES
from instar.pipeline.common import load
from instar.pipeline.options import Options
from instar.plan import backbone
from instar.progress import say
from instar.records import Dataset, Decision

if TYPE_CHECKING:
    from instar.models.network import Network


def choose_backbone(
    dataset: Dataset, asked: str | None, options: Options, input_size: int | None
) -> tuple[Decision, "Network"]:
    """The asked backbone, or the first of the modality's that loads; a refused one leaves its reason in the plan.

    Args:
        dataset: whose modality proposes backbones.
        asked: SOURCE:NAME, where the user named one.
        options: weights file and seed are taken from here (`options.wishes` gives those last asked for).
        input_size: pixels a side or tokens to build the network for; None is the network's own.

    Raises:
        UserError: the asked backbone cannot be loaded, or a weights file is given without a backbone.
    """
    if options.weights and not asked:
        raise UserError("--weights needs --backbone SOURCE:NAME, which says what network the file belongs to")
    tried: list[tuple[str, str]] = []
    for candidate in (asked,) if asked else MODALITIES[dataset.modality].backbones:
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
