"""Which examples stand together in a batch, and all randomness of the training, as pure functions of the
seed."""

import numpy as np
from numpy.typing import NDArray

WINDOW = 50
"""Batches whose examples are sorted by cost together."""


def seed_of(*parts: int) -> int:
    """A seed that depends on all parts; different parts give unrelated seeds."""
    return int(np.random.SeedSequence(parts).generate_state(1, np.uint64)[0] >> np.uint64(1))


def batches(costs: NDArray[np.int64], size: int, seed: int, least: int = 1) -> list[NDArray[np.int64]]:
    """Indices of all examples in random batches of at most `size`, of nearly equal length.

    Where that would leave a batch with fewer than `least` examples, there is a batch fewer, and some hold more than
    `size`: an odd number of examples by twos ends with a three.

    Within windows of `WINDOW` batches the examples are sorted by cost, so that texts of a batch are similarly
    long and little is padded; the batches then come in random order.
    """
    generator = np.random.default_rng(seed)
    order = generator.permutation(len(costs))
    windows = np.array_split(order, max(1, round(len(order) / (WINDOW * size))))
    order = np.concatenate([window[np.argsort(costs[window], kind="stable")] for window in windows])
    parts = np.array_split(order, max(1, min(-(-len(order) // size), len(order) // least)))
    return [parts[i] for i in generator.permutation(len(parts))]
