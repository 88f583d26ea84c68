"""How large a usual batch of a data set is: what the speed of a network is measured with. Torch is not needed here."""

import numpy as np
from numpy.typing import NDArray

from instar.prepare.words import lengths
from instar.records import Dataset, InputSpec

MOST = 2_000
"""Training texts that are tokenised for this: less than a second."""
BATCH = 32
"""Texts that are padded to the longest of them."""
USUAL = 0.95
"""Share of the texts that shall not be cut where no size was asked for (our judgement)."""


def pixels(dataset: Dataset, spec: InputSpec, asked: int | None) -> int:
    """Pixels a side: what was asked for, else what the network was trained at."""
    return asked or spec.size


def tokens(dataset: Dataset, spec: InputSpec, asked: int | None) -> int:
    """Tokens that a training text costs on average once it is padded to the longest of its batch.

    The mean, since an epoch costs the sum over its batches; texts of similar length stand together in a batch
    (`train.batches`), so sorted texts are taken `BATCH` at a time. Repairs of texts hardly change lengths and are not
    decided yet.
    """
    texts = dataset.part("train")["input"]
    found_N = np.sort(lengths(texts.gather_every(-(-len(texts) // MOST)).to_list(), spec, ()))
    most = min(asked or usual(found_N), spec.size)
    batches = np.array_split(np.minimum(found_N, most), -(-len(found_N) // BATCH))
    return max(1, round(float(np.average([b.max() for b in batches], weights=[len(b) for b in batches]))))


def usual(tokens_N: NDArray[np.int64]) -> int:
    """Tokens that `USUAL` of the texts, 19 in 20, do not exceed."""
    return int(np.quantile(tokens_N, USUAL, method="inverted_cdf"))
