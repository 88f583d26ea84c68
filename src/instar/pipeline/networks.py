"""The planned and the trained network, and what a network refuses."""

from pathlib import Path
from typing import TYPE_CHECKING

from instar import steps, store
from instar.errors import UserError
from instar.modality.base import same_kind
from instar.modality.modalities import MODALITIES
from instar.records import Card, Dataset, Recipe

if TYPE_CHECKING:
    from instar.models.network import Network


def load(
    name: str,
    weights: str | None,
    dataset: Dataset,
    *,
    dropout: float,
    seed: int,
    input_size: int | None = None,
) -> "Network":
    """The network for a data set; refuses one of another modality, or for a size that it does not take."""
    from instar.models import sources

    try:
        network = sources.load(
            name,
            Path(weights) if weights else None,
            classes=len(dataset.classes),
            dropout=dropout,
            seed=seed,
            input_size=input_size,
        )
    except (AssertionError, RuntimeError, ValueError) as error:  # the libraries refuse sizes in many ways
        if input_size is None or isinstance(error, UserError):
            raise
        raise UserError(_refusal(name, input_size, error)) from error
    same_kind(network.card, MODALITIES[dataset.modality])
    return network


def takes(size: int, card: Card, run: Path) -> None:
    """Refuse a size that the backbone does not take, by building it so, unfilled: only the libraries know which they
    take, and refuse in many ways. A most that is known is looked at in `fits`."""
    if MODALITIES[card.modality].bounded:
        return
    from instar.models import sources

    try:
        sources.unfilled(card, run / steps.KEPT, frozenset(), classes=1, input_size=size)
    except (AssertionError, RuntimeError, ValueError) as error:
        raise UserError(f"{run / store.PLAN}: {_refusal(card.backbone, size, error)}") from error


def _refusal(name: str, size: int, error: Exception) -> str:
    if isinstance(error, UserError):
        return str(error)
    why = next(iter(str(error).splitlines()), type(error).__name__)
    return f"{name} does not take input_size={size} ({why}); ask for another"


def network_of(run: Path, dataset: Dataset, recipe: Recipe) -> "Network":
    """The network as the recipe wants it, before any training.

    Raises:
        UserError: its weights, or the files that its architecture and tokenizer are made from, are not those that the
            run was planned with.
    """
    network = load(
        recipe.backbone,
        recipe.weights,
        dataset,
        dropout=recipe.dropout,
        seed=recipe.seed,
        input_size=recipe.input_size,
    )
    if network.card.weights_sha256 != store.read_card(run).weights_sha256:
        raise UserError(f"the weights of {recipe.backbone} have changed since {run} was planned; {anew(run)}")
    kept = {name: store.digest(run / steps.KEPT / name) for name in _visible(run / steps.KEPT)}
    now = {name: store.digest(path) for name, path in network.kept.items()}
    changed = sorted(name for name in {*kept, *now} if kept.get(name) != now.get(name))
    if changed:
        raise UserError(f"{changed[0]} of {recipe.backbone} has changed since {run} was planned; {anew(run)}")
    return network


def _visible(folder: Path) -> list[str]:
    """The files below a folder but for those that systems and editors hide in it, as `steps` digests it."""
    names = [path.relative_to(folder) for path in folder.rglob("*") if path.is_file()]
    return [name.as_posix() for name in names if not any(part.startswith(".") for part in name.parts)]


def trained_network(run: Path, file: str, dataset: Dataset, recipe: Recipe) -> "Network":
    """The network with a state that training has written into the run: what it was loaded from is not needed."""
    from instar.evaluate.predict import load_best
    from instar.models import sources
    from instar.models.weights import names_in

    path = run / file
    empty = sources.unfilled(
        store.read_card(run),
        run / steps.KEPT,
        names_in(path),
        classes=len(dataset.classes),
        input_size=recipe.input_size,
    )
    return load_best(empty, path)


def anew(run: Path) -> str:
    """The remedy where something is not what was planned with."""
    return f"put it back, or plan anew: instar plan {run}"
