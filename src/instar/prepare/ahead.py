"""Load what is needed next while the network works on what is there."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import torch

S = TypeVar("S")
T = TypeVar("T")
DEPTH = 2


def ahead(make: Callable[[S], T], items: Iterable[S]) -> Iterator[T]:
    """Yield `make(item)` for each item in order, made by one background thread up to `DEPTH` items ahead.

    One thread is enough: decoding, resizing and tensor arithmetic release the interpreter's lock. It computes
    without helpers of its own, since the network keeps the cores busy (the number of threads is each thread's
    own affair in torch). `make` must not draw from global random generators, which the caller may be seeding
    at the same time.
    """
    torch.get_num_threads()  # makes the caller's own number firm before another thread sets its own
    waiting: deque[Future[T]] = deque()
    pool = ThreadPoolExecutor(1, "ahead", torch.set_num_threads, (1,))
    try:
        for item in items:
            waiting.append(pool.submit(make, item))
            if len(waiting) > DEPTH:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
