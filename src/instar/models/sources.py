"""Every backbone in one form: SOURCE:NAME -> `Network`. The libraries behind are imported when used."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from instar.errors import UserError
from instar.files import digest
from instar.records import Card

if TYPE_CHECKING:
    from instar.models.body import Source
    from instar.models.network import Network


def _timm() -> "Source":
    from instar.models import timm_source

    return timm_source.SOURCE


def _torchvision() -> "Source":
    from instar.models import torchvision_source

    return torchvision_source.SOURCE


def _hf() -> "Source":
    from instar.models import hf_source

    return hf_source.SOURCE


def _scratch() -> "Source":
    from instar.models import scratch

    return scratch.SOURCE


def _hub() -> "Source":
    from instar.models import hub_source

    return hub_source.SOURCE


SOURCE: dict[str, Callable[[], "Source"]] = {
    "timm": _timm,
    "torchvision": _torchvision,
    "hf": _hf,
    "scratch": _scratch,
    "hub": _hub,
}


def load(
    backbone: str,
    weights: Path | None,
    *,
    classes: int,
    dropout: float,
    seed: int,
    input_size: int | None = None,
) -> "Network":
    """Open a backbone and put a new head on it.

    Weights come from `weights`, else from this machine (a folder, the hub's cache), else from the network; a
    backbone that should be pre-trained never starts at random. `card.spec` is the backbone's own, whatever
    `input_size` (pixels a side, or tokens) it is built for; None is the backbone's own size.

    Args:
        backbone: SOURCE:NAME, for instance timm:mobilenetv2_100 or hf:sentence-transformers/all-MiniLM-L6-v2.
        weights: a .safetensors file (or .pth, .pt, .bin with tensors only) for that network.
        dropout: share of the features that the head does not see in training.
        seed: decides the start of the head and of whatever no file fills.

    Raises:
        UserError: an unknown source or name, no weights to be had, or weights of another network.
    """
    from instar.models.body import seeded
    from instar.models.depth import depth_groups
    from instar.models.network import Classifier, Network

    source, name = _parts(backbone)
    body = source().load(name, weights, seed, input_size)
    with seeded(seed):
        model = Classifier(body.module, body.features, classes, dropout, seed, body.taps)
    fresh = {"head.weight", "head.bias"} | {f"body.{name}" for name in body.missing}
    for i, (tap, second) in enumerate(zip(body.taps, model.second, strict=True)):
        new = second.get_submodule("head") if tap.filled else second
        prefix = f"second.{i}.head." if tap.filled else f"second.{i}."
        fresh |= {prefix + name for name, _ in new.named_parameters()}
    pretrained = body.weights != "random"
    if not pretrained:
        fresh |= {f"body.{name}" for name, _ in body.module.named_parameters()}
    card = Card(
        backbone=backbone,
        title=body.title,
        modality=body.modality,
        spec=body.spec,
        groups=depth_groups(body.module),
        features=body.features,
        parameters=sum(p.numel() for part in (model.body, model.head) for p in part.parameters()),
        pretrained=pretrained,
        weights=body.weights,
        weights_sha256=_digest(body.files),
        assumed=body.assumed,
    )
    return Network(model, frozenset(fresh), card, body.kept)


def unfilled(card: Card, kept: Path, names: frozenset[str], *, classes: int, input_size: int) -> "Network":
    """The network of a card with nothing in it yet, for a trained state: neither its pre-trained weights nor the place
    that they came from are needed.

    Args:
        card: as `load` gave it.
        kept: folder with the files that `Network.kept` named.
        names: of the tensors of the trained state.
        classes: outputs of the head.
        input_size: pixels a side or tokens that the state was trained with.

    Raises:
        UserError: a kept file is missing, or the library no longer has the network.
    """
    from instar.models.network import Classifier, Network

    source, name = _parts(card.backbone)
    inner = frozenset(key.removeprefix("body.") for key in names if key.startswith("body."))
    body = source().unfilled(name, kept, input_size, inner)
    taps = body.taps if any(key.startswith("second.") for key in names) else ()
    model = Classifier(body.module, body.features, classes, 0.0, 0, taps)
    return Network(model, frozenset(key for key, _ in model.named_parameters()), card)


def _digest(files: Sequence[Path]) -> str:
    """SHA-256 of one file; of several, of their digests in order; "" of none."""
    found = [digest(path) for path in files]
    return found[0] if len(found) == 1 else hashlib.sha256(" ".join(found).encode()).hexdigest() if found else ""


def reachable(backbone: str) -> str:
    """ "" where the backbone can be loaded without a network now, else the reason; builds nothing."""
    source, name = _parts(backbone)
    return source().reachable(name)


def check(backbone: str) -> None:
    """Refuse what does not say which library to take, before any work is done, with what may have been meant.

    Raises:
        UserError: not SOURCE:NAME.
    """
    source, colon, name = backbone.partition(":")
    if colon and name and source in SOURCE:
        return
    meant = {library: make().like(backbone) for library, make in SOURCE.items()}
    exact = [f"{library}:{backbone}" for library, names in meant.items() if names == [backbone]]
    close = [f"{library}:{known}" for library, names in meant.items() for known in names[:2]]
    found = f", for instance {' or '.join(exact or close)}" if exact or close else ""
    raise UserError(
        f"--backbone {backbone} names no source; choose with SOURCE:NAME, SOURCE one of {', '.join(SOURCE)}{found}"
    )


def _parts(backbone: str) -> "tuple[Callable[[], Source], str]":
    check(backbone)
    source, _, name = backbone.partition(":")
    return SOURCE[source], name
