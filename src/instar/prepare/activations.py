"""Activations where a network is cut: computed once for each view of an example, kept on the disk."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from instar.models.network import Network
from instar.models.split import CUT, Split, lower
from instar.prepare.base import Batch, Prepared
from instar.prepare.chunks import write_in_chunks
from instar.prepare.passes import BATCH, one_pass
from instar.progress import bar
from instar.records import Recipe

VERSION = 1
HALF_MOST = 60_000.0
"""float16 ends at 65,504."""


@dataclass(frozen=True)
class View:
    """The rows of some examples in one file."""

    stored: NDArray[np.float16] | NDArray[np.float32]
    """(R, F), mapped"""
    begin: NDArray[np.int64]
    """Where the rows of an example begin, by its row in `Prepared`; -1 where it is not in the file."""


@dataclass(frozen=True)
class Activations:
    """Examples as `prepare.base.Prepared`, of which the lower part of a network has made activations already."""

    key: str
    ids: tuple[str, ...]
    costs: NDArray[np.int64]
    inner: Prepared
    at: Split
    train: tuple[View, ...]
    """Random views of every training example."""
    centre: View
    """Of every validation example."""
    epoch: int = 0
    """Training examples show view `epoch` modulo their number."""

    def batch(self, rows: NDArray[np.int64], augment: tuple[str, ...], seed: int) -> Batch:
        """`CUT` (R, F), and the ids and mask of texts. What `augment` and `seed` would change was drawn long ago."""
        view = self.centre if self.centre.begin[rows[0]] >= 0 else self.train[self.epoch % len(self.train)]
        begin = view.begin[rows]
        if not self.at.tokens:
            return {CUT: torch.from_numpy(view.stored[begin])}
        parts = [view.stored[start : start + n] for start, n in zip(begin, self.costs[rows], strict=True)]
        return {CUT: torch.from_numpy(np.concatenate(parts)), **self.inner.batch(rows, (), seed)}


def rows_needed(prepared: Prepared, at: Split, rows: NDArray[np.int64]) -> int:
    """Rows of activations of the examples at `rows`: one each, or one for each token."""
    return int(prepared.costs[rows].sum()) if at.tokens else len(rows)


def written(
    folder: Path,
    network: Network,
    at: Split,
    prepared: Prepared,
    rows: NDArray[np.int64],
    *,
    augment: tuple[str, ...],
    seed: int,
    half: bool,
    digest: str,
    what: str,
    recipe: Recipe,
) -> View:
    """Activations of one view of the examples at `rows`, cheapest examples first, written where they are not yet.

    The file's name holds a digest of all that it depends on; `digest` stands for the weights of the frozen part. An
    interrupted pass is taken up with the batch in which it was interrupted, and gives the same bits.

    Raises:
        OverflowError: a value does not fit float16, which `half` asks for.
    """
    order = rows[np.argsort(prepared.costs[rows], kind="stable")]
    lengths = prepared.costs[order] if at.tokens else np.ones(len(order), np.int64)
    starts = np.concatenate([[0], np.cumsum(lengths)])
    settings = (VERSION, digest, prepared.key, augment, seed, half, recipe.precision, recipe.channels_last)
    named = hashlib.sha256(f"{settings} {recipe.threads}".encode())
    named.update(np.ascontiguousarray(rows, np.int64).data)
    path = folder / f"{named.hexdigest()[:20]}.npy"
    dtype = np.dtype(np.float16 if half else np.float32)
    width = sum(at.widths)

    def make(done: int) -> Iterator[NDArray[np.float16] | NDArray[np.float32]]:
        first = int(np.searchsorted(starts, done, side="right") - 1) // BATCH * BATCH
        known = done - int(starts[first])
        network.model.eval()
        passes = one_pass(lambda b: lower(network.model, at, b), prepared, order, recipe, augment, seed, first)
        for part in passes:
            if half and np.nanmax(np.abs(part), initial=0.0) > HALF_MOST:
                raise OverflowError
            yield part[known:].astype(dtype)
            known = max(known - len(part), 0)

    if not path.exists():
        with bar(what, int(starts[-1])) as advance:
            write_in_chunks(path, (int(starts[-1]), width), dtype, 1, make, lambda n: advance(n, ""))
    begin = np.full(len(prepared.ids), -1, np.int64)
    begin[order] = starts[:-1]
    return View(np.load(path, mmap_mode="r"), begin)


def opened(
    network: Network, at: Split, prepared: Prepared, train: Sequence[View], centre: View, digest: str
) -> Activations:
    """The written views as a source of batches."""
    key = f"{prepared.key} at the cut of {digest}, {len(train)} views"
    return Activations(key, prepared.ids, prepared.costs, prepared, at, tuple(train), centre)
