"""One pass of a network over examples, without gradients."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import log_softmax
from torch import Tensor, nn

from instar import processes
from instar.models.network import Network
from instar.prepare.ahead import ahead
from instar.prepare.base import Batch, Prepared, count, taken
from instar.prepare.flipped import FLIP, Flipped
from instar.prepare.memory import as_memory_allows, in_parts
from instar.progress import bar
from instar.records import Recipe

BATCH = 64


def device() -> torch.device:
    """The accelerator of this machine, else the CPU; the CPU, too, where `accelerate launch --cpu` asks for it."""
    if processes.cpu_wanted():
        return torch.device("cpu")
    return torch.accelerator.current_accelerator(check_available=True) or torch.device("cpu")


@contextlib.contextmanager
def running(recipe: Recipe, neighbours: int = 1) -> Iterator[None]:
    """Threads as the recipe says, as long as the block lasts; `neighbours` processes at work share them."""
    threads = torch.get_num_threads()
    torch.set_num_threads(max(1, recipe.threads // neighbours))
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


def laid_out(batch: Batch, recipe: Recipe, where: torch.device) -> Batch:
    """A batch as it goes to the device: pictures laid out as the recipe says, in memory that CUDA can copy from while
    it computes."""
    laid = {
        name: value.to(memory_format=_layout(recipe)) if value.ndim == 4 else value for name, value in batch.items()
    }
    return {name: value.pin_memory() for name, value in laid.items()} if where.type == "cuda" else laid


def brought(batch: Batch, where: torch.device) -> Batch:
    """The batch on the device; nothing waits for a copy from pinned memory."""
    return {name: value.to(where, non_blocking=where.type == "cuda") for name, value in batch.items()}


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
    the same. Where memory does not suffice for `BATCH` examples at once, fewer are computed at once from there on.
    """
    where, size = device(), BATCH
    starts = range(first, len(rows), BATCH)

    def load(start: int) -> Batch:
        return laid_out(prepared.batch(rows[start : start + BATCH], augment, seed + start), recipe, where)

    for batch in ahead(load, starts):

        def attempt(size: int, batch: Batch = batch) -> NDArray[np.float32]:
            parts = []
            for some in in_parts(count(batch), size):
                with torch.inference_mode(), autocast(recipe, where):
                    result = run(brought(taken(batch, some), where))
                parts.append(result.float().cpu().numpy())
            return np.concatenate(parts)

        result, size = as_memory_allows(attempt, size, 1, "computing without gradients")
        yield result


def logits(
    network: Network,
    prepared: Prepared,
    rows: NDArray[np.int64],
    recipe: Recipe,
    what: str,
    *,
    part: int = 0,
    parts: int = 1,
) -> NDArray[np.float32]:
    """Logits (N, C) of the examples at `rows`, in evaluation mode, cheapest examples first.

    Of `parts` processes each computes its `part` of the batches and leaves zeros for the others: their sum is what one
    process computes.
    """
    network.model.eval()
    placed(network.model, recipe, device())
    order = np.argsort(prepared.costs[rows], kind="stable")
    starts = range(part * BATCH, len(rows), parts * BATCH)
    own = np.concatenate([order[:0], *(order[start : start + BATCH] for start in starts)])
    result = np.zeros((len(rows), network.model.head.out_features), np.float32)
    done = 0
    with running(recipe, processes.neighbours() if parts > 1 else 1), bar(what, len(own)) as advance:
        for some in one_pass(network.model, prepared, rows[own], recipe):
            result[own[done : done + len(some)]] = some
            done += len(some)
            advance(len(some), "")
    return result


Pass = Callable[[Network, Prepared, NDArray[np.int64], Recipe, str], NDArray[np.float32]]


def answer_logits(
    network: Network, prepared: Prepared, rows: NDArray[np.int64], recipe: Recipe, what: str, of: Pass | None = None
) -> NDArray[np.float32]:
    """Logits (N, C) of what is answered for the examples at `rows`: their softmax is the mean of the probabilities of
    each example as it is and as `Recipe.test_augment` changes it (test-time augmentation: Krizhevsky et al. 2012,
    doi:10.1145/3065386). Without a change these are the logits themselves. `of` makes the passes: `logits`
    where nothing else is said."""
    of = of or logits
    found = of(network, prepared, rows, recipe, what)
    if FLIP not in recipe.test_augment:
        return found
    turned = of(network, Flipped(prepared), rows, recipe, f"{what}, mirrored")
    both: NDArray[np.float32] = np.logaddexp(log_softmax(found, axis=1), log_softmax(turned, axis=1))
    return both - np.float32(np.log(2))
