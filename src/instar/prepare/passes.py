"""One pass of a network over examples, without gradients."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from instar.models.network import Network
from instar.prepare.ahead import ahead
from instar.prepare.base import Batch, Prepared
from instar.progress import bar
from instar.records import Recipe

BATCH = 64


def device() -> torch.device:
    """The accelerator of this machine, else the CPU."""
    return torch.accelerator.current_accelerator(check_available=True) or torch.device("cpu")


@contextlib.contextmanager
def running(recipe: Recipe) -> Iterator[None]:
    """Threads as the recipe says, as long as the block lasts."""
    threads = torch.get_num_threads()
    torch.set_num_threads(recipe.threads)
    torch.get_num_threads()  # makes the number firm in this thread, whatever others set for themselves
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def autocast(recipe: Recipe, where: torch.device) -> contextlib.AbstractContextManager[Any]:
    """The recipe's precision: bf16 arithmetic on float32 weights, or float32 throughout."""
    return torch.autocast(where.type, torch.bfloat16, enabled=recipe.precision == "bf16")


def placed(model: nn.Module, recipe: Recipe, where: torch.device) -> None:
    """Bring a model to the device, with its convolutions laid out as the recipe says."""
    model.to(where).to(memory_format=_layout(recipe))  # type: ignore[call-overload]


def moved(batch: Batch, recipe: Recipe, where: torch.device) -> Batch:
    """Bring a batch to the device, pictures laid out as the recipe says."""
    return {
        name: value.to(where, memory_format=_layout(recipe)) if value.ndim == 4 else value.to(where)
        for name, value in batch.items()
    }


def _layout(recipe: Recipe) -> torch.memory_format:
    return torch.channels_last if recipe.channels_last else torch.contiguous_format


def one_pass(
    run: Callable[[Batch], Tensor],
    prepared: Prepared,
    rows: NDArray[np.int64],
    recipe: Recipe,
    augment: tuple[str, ...] = (),
    seed: int = 0,
    first: int = 0,
) -> Iterator[NDArray[np.float32]]:
    """What `run` makes of the examples at `rows[first:]`, in batches of `BATCH`, in order. float32 (B, ...)
    each.

    The network must be in evaluation mode. Only a few batches are in memory at a time. The batch that begins
    at row i is augmented with `seed` + i, so a pass that begins later (`first`, a multiple of `BATCH`) gives
    the same.
    """
    where = device()
    starts = range(first, len(rows), BATCH)

    def load(start: int) -> Batch:
        return moved(prepared.batch(rows[start : start + BATCH], augment, seed + start), recipe, where)

    for batch in ahead(load, starts):
        with torch.inference_mode(), autocast(recipe, where):
            result = run(batch)
        yield result.float().cpu().numpy()


def logits(
    network: Network, prepared: Prepared, rows: NDArray[np.int64], recipe: Recipe, what: str
) -> NDArray[np.float32]:
    """Logits (N, C) of the examples at `rows`, in evaluation mode, cheapest examples first."""
    network.model.eval()
    placed(network.model, recipe, device())
    order = np.argsort(prepared.costs[rows], kind="stable")
    result = np.empty((len(rows), network.model.head.out_features), np.float32)
    done = 0
    with running(recipe), bar(what, len(rows)) as advance:
        for part in one_pass(network.model, prepared, rows[order], recipe):
            result[order[done : done + len(part)]] = part
            done += len(part)
            advance(len(part), "")
    return result
