"""Splits of groups: stratified by class, no group in two parts."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

SHARES = {"train": 0.7, "val": 0.15, "test": 0.15}
"""Our judgement: of 1,000 examples 150 to test on, which tells 90 % accuracy to about ±5 points."""

OVERSHOOT = 1.05
"""How far a group may carry a part of a class beyond its share; larger groups stay in train."""


def split(
    sizes: NDArray[np.int64], strata: NDArray[np.int64], shares: Mapping[str, float], seed: int
) -> tuple[list[str], tuple[int, ...]]:
    """Put each group into one part, so that every class comes near the shares, counted in rows.

    Within a class the groups are shuffled; the small parts are filled one after the other, each with the next
    groups that bring it nearer to its share; what is left is the part named first. Rounding errors are
    carried to the next class, so that the parts as a whole keep their shares even with many small classes. A
    class with at least as many groups as there are parts has a group in each; one with fewer stays whole in
    the part named first.

    Args:
        sizes: rows of each group.
        strata: the class by which each group is stratified, numbered from 0.
        shares: part -> share of the rows; the first takes the rest.
        seed: equal arguments give equal parts.

    Returns:
        The part of each group, and the classes that had too few groups.
    """
    first, *others = shares
    rng = np.random.default_rng(seed)
    parts = [first] * len(sizes)
    too_few: list[int] = []
    carried = dict.fromkeys(others, 0.0)
    for stratum in np.unique(strata):
        left = [int(g) for g in rng.permutation(np.flatnonzero(strata == stratum))]
        if len(left) < len(shares):
            too_few.append(int(stratum))
            continue
        rows = int(sizes[left].sum())
        for still, part in zip(range(len(others), 0, -1), others, strict=True):
            target = rows * shares[part]
            taken = _fill(left, sizes, target + carried[part], most=len(left) - still)
            got = int(sizes[taken].sum())
            carried[part] = float(np.clip(carried[part] + target - got, -1, 1))
            for group in taken:
                parts[group] = part
            left = [group for group in left if parts[group] == first]
    return parts, tuple(too_few)


def folds(
    sizes: NDArray[np.int64], strata: NDArray[np.int64], number: int, seed: int
) -> tuple[NDArray[np.int64], tuple[int, ...]]:
    """Put each group into one of `number` folds, so that every class is spread over them evenly, counted in rows.

    Within a class the groups are shuffled, and the largest go first, each into the fold that has fewest rows of the
    class so far; among equals into the one that has fewest of all classes (longest processing time first: Graham 1969,
    doi:10.1137/0117039). A class with fewer groups than a training, a validation and a test part need is tested in no
    fold; one with fewer groups than folds is tested in as many folds as it has groups.

    Returns:
        The fold of each group, from 0, -1 where it is never tested; and the classes of which that is so.
    """
    rng = np.random.default_rng(seed)
    fold = np.full(len(sizes), -1, dtype=np.int64)
    rows = np.zeros(number, dtype=np.int64)
    too_few: list[int] = []
    for stratum in np.unique(strata):
        left = rng.permutation(np.flatnonzero(strata == stratum))
        if len(left) < len(SHARES):
            too_few.append(int(stratum))
            continue
        of_class = np.zeros(number, dtype=np.int64)
        for group in left[np.argsort(-sizes[left], kind="stable")]:
            chosen = int(np.lexsort((rows, of_class))[0])
            fold[group] = chosen
            of_class[chosen] += sizes[group]
            rows[chosen] += sizes[group]
    return fold, tuple(too_few)


def _fill(order: Sequence[int], sizes: NDArray[np.int64], target: float, most: int) -> list[int]:
    """The next groups that bring the sum of sizes nearer to the target; at least one, at most `most`."""
    taken: list[int] = []
    filled = 0
    for group in order:
        nearer = filled + sizes[group] / 2 <= target
        if nearer and filled + sizes[group] <= target * OVERSHOOT + 0.5 and len(taken) < most:
            taken.append(group)
            filled += int(sizes[group])
    return taken or [min(order, key=lambda group: sizes[group])]


def random_leak(group_of_row: NDArray[np.int64], train_share: float) -> float:
    """Share of test rows that would have an exact twin in train, had single rows been split at random.

    A row of a group of g has none there with probability (1 - train_share) ** (g - 1), each of the others
    being drawn on its own.
    """
    if len(group_of_row) == 0:
        return 0.0
    _, inverse, sizes = np.unique(group_of_row, return_inverse=True, return_counts=True)
    return float(np.mean(1 - (1 - train_share) ** (sizes[inverse] - 1)))


def near_leak(
    sizes: NDArray[np.int64], first: NDArray[np.int64], second: NDArray[np.int64], train_share: float
) -> tuple[float, float]:
    """Share of test rows that would have a near copy in train, as `random_leak` has it for exact twins.

    Args:
        sizes: rows of each different content; 0 for one that is not split.
        first, second: the pairs of contents that are near copies.

    Returns:
        The share had single rows been split at random, and had each content with all of its rows.
    """
    n = len(sizes)
    beside = np.bincount(first, sizes[second], n) + np.bincount(second, sizes[first], n)
    contents = np.bincount(first, sizes[second] > 0, n) + np.bincount(second, sizes[first] > 0, n)
    rows = max(int(sizes.sum()), 1)
    alone, together = (float((sizes * (1 - (1 - train_share) ** near)).sum() / rows) for near in (beside, contents))
    return alone, together
