"""What several steps need: timing and recording a step, loading the planned network."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from instar import machine, store
from instar.errors import UserError
from instar.progress import say
from instar.records import Dataset, Json, Recipe

if TYPE_CHECKING:
    from instar.models.network import Network


@contextmanager
def step(run: Path, name: str, more: dict[str, Json] | None = None) -> Iterator[None]:
    """Check the inputs of a step, time it, and record it as whole when the block ends without an error."""
    store.begin(run, name)
    machine.restart_peak()
    started = monotonic()
    yield
    store.finish(run, name, started, peak_memory_mb=machine.peak_memory_mb(), **(more or {}))
    say(f"{name}: done in {monotonic() - started:.1f} s")


def load(
    name: str,
    weights: str | None,
    dataset: Dataset,
    *,
    dropout: float,
    seed: int,
    input_size: int | None = None,
) -> "Network":
    from instar.models import sources

    network = sources.load(
        name,
        Path(weights) if weights else None,
        classes=len(dataset.classes),
        dropout=dropout,
        seed=seed,
        input_size=input_size,
    )
    if network.card.modality != dataset.modality:
        raise UserError(
            f"{name} is a network for {network.card.modality}s, this set has {dataset.modality}s; choose another --backbone"
        )
    return network


def network_of(dataset: Dataset, recipe: Recipe) -> "Network":
    return load(
        recipe.backbone,
        recipe.weights,
        dataset,
        dropout=recipe.dropout,
        seed=recipe.seed,
        input_size=recipe.input_size,
    )
