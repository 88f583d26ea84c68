"""What to do when memory does not suffice: the same work in smaller parts."""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import TypeVar

import torch

from instar.errors import UserError
from instar.progress import say

T = TypeVar("T")
LESS = (
    "close what else takes memory, or ask for less: a smaller --set input_size, --set precision=bf16, fewer thawed "
    "groups (stages.NAME.thaw) or a smaller --backbone"
)
REFUSED = ("DefaultCPUAllocator", "out of memory", "_ALLOC_FAILED")
"""In the messages of the plain RuntimeErrors by which torch tells that the system, an accelerator, cuBLAS or cuDNN gave
it no memory."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error tells of too little memory, of a device or of the machine."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in REFUSED)


@contextmanager
def enough(doing: str) -> Iterator[None]:
    """Tell a person where memory does not suffice for what cannot be done in parts: the weights, the optimiser.

    Raises:
        UserError: it does not.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        raise UserError(f"{doing}: memory does not suffice; {LESS}") from None


def in_parts(n: int, size: int, least: int = 1) -> list[slice]:
    """Slices that make up `n` examples, of nearly equal length and at most `size`; but of `least` or more each, so that
    where both cannot be, some are longer (compare `train.batches`)."""
    parts = max(1, min(-(-n // size), n // least))
    ends = [n * i // parts for i in range(parts + 1)]
    return [slice(start, end) for start, end in pairwise(ends)]


def as_memory_allows(attempt: Callable[[int], T], size: int, least: int, doing: str) -> tuple[T, int]:
    """`attempt(size)`, or with half the size as often as memory does not suffice; returns the size that went, too.

    `attempt` may be called again, and must then begin anew. What a failed attempt held is given back before the next
    one begins.

    Args:
        size, least: examples at once, to begin with and at least.
        doing: what is done, for the line that tells of each halving.

    Raises:
        UserError: memory does not suffice for `least` examples.
    """
    while True:
        try:
            return attempt(size), size
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
        gc.collect()  # here, where the error is gone, which held the frames of the attempt with their tensors
        if size <= least:
            raise UserError(
                f"{doing}: memory does not suffice for {size} example{'s' if size > 1 else ''} at once; {LESS}"
            )
        half = max(size // 2, least)
        say(f"{doing}: memory does not suffice for {size} examples at once; going on with {half} at once")
        size = half
