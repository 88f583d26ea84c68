"""Features of the frozen body: computed once, kept on the disk."""

import hashlib
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from instar.files import digest as file_digest
from instar.models.network import Network
from instar.prepare.base import Prepared
from instar.prepare.chunks import write_in_chunks
from instar.prepare.passes import BATCH, device, one_pass, placed, running
from instar.progress import bar
from instar.records import Recipe

VERSION = 1


def digest_of(module: nn.Module) -> str:
    """SHA-256 over the names and values of all parameters and buffers."""
    digest = hashlib.sha256()
    for name, tensor in module.state_dict().items():
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()


def features(
    network: Network,
    prepared: Prepared,
    rows: NDArray[np.int64],
    *,
    augment: tuple[str, ...],
    seed: int,
    cache: Path,
    what: str,
    recipe: Recipe,
) -> NDArray[np.float32]:
    """Features (N, D) that the head gets for the examples at `rows`: one pass through the body, in evaluation
    mode.

    They are kept below `cache` under a digest of body (its tensors, and the files that its architecture is made
    from: how a text's vectors are pooled is in no tensor), examples, rows, augmentation and arithmetic, and found
    there by the next call; an interrupted pass is taken up after its last whole chunk. `what` names the work
    for the progress bar.
    """
    order = np.argsort(prepared.costs[rows], kind="stable")
    settings = (VERSION, prepared.key, augment, seed, recipe.precision, recipe.channels_last, recipe.threads)
    digest = hashlib.sha256(f"{settings} {digest_of(network.model.body)}".encode())
    for name, file in sorted(network.kept.items()):
        digest.update(f"{name} {file_digest(file)}".encode())
    digest.update(np.ascontiguousarray(rows, np.int64).data)
    path = cache / f"{digest.hexdigest()[:20]}.npy"
    if not path.exists():
        _write(path, network, prepared, rows[order], augment, seed, what, recipe)
    stored_ND = np.load(path)
    result: NDArray[np.float32] = np.empty_like(stored_ND)
    result[order] = stored_ND
    return result


def _write(
    path: Path,
    network: Network,
    prepared: Prepared,
    rows: NDArray[np.int64],
    augment: tuple[str, ...],
    seed: int,
    what: str,
    recipe: Recipe,
) -> None:
    """Write the features of `rows`, cheapest examples first, so that batches of texts hold little padding."""
    model = network.model
    model.eval()
    placed(model, recipe, device())
    with running(recipe), bar(what, len(rows)) as advance:
        write_in_chunks(
            path,
            (len(rows), network.card.features),
            np.float32,
            BATCH,
            lambda start: one_pass(model.features, prepared, rows, recipe, augment, seed, start),
            lambda n: advance(n, ""),
        )
