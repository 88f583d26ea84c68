"""Heat maps of pictures: which cells of the network's last grid speak for a class."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from instar.explain.base import Bools, Unexplained, answers, margin, onto_device, parts
from instar.explain.places import Place, cut, places
from instar.metrics import Floats, Ints
from instar.models.network import Network
from instar.prepare.base import Batch, Prepared
from instar.prepare.passes import device
from instar.records import Recipe

COARSE = 4
"""Cells a side to which a picture is averaged where parts of it are taken out: colours stay about right, so that the
network does not answer to the hole itself."""


class Heatmaps:
    """Gradient times activation, summed over the channels, at the last grid that the answer depends on.

    It is HiResCAM (Draelos and Carin 2020, arXiv 2011.08891). Where nothing but a mean and a linear layer follows, as
    in most convolutional networks, it equals Grad-CAM (Selvaraju et al. 2016, arXiv 1610.02391) and its sum is the
    margin itself but for a constant. A transformer that answers from its class token gives no gradient to the patches
    of its last block, so there it is the block before.

    Raises:
        Unexplained: the network has no such grid.
    """

    method = "gradient-times-activation"

    def __init__(self, network: Network, prepared: Prepared, recipe: Recipe) -> None:
        self.model, self.prepared, self.recipe = network.model, prepared, recipe
        self.grid = self._found(network)
        self.place = self.grid.module
        self.side = self.grid.side

    def weights(self, rows: Ints, classes: Ints) -> list[Floats]:
        """For each picture the weights of its cells (S * S,), row by row."""
        found: list[Floats] = []
        for some in parts(np.zeros(len(rows), np.int64)):
            weights_BSS = self._weights(self.grid, self._batch(rows[some]), classes[some])
            found += list(weights_BSS.flatten(1).double().cpu().numpy())
        return found

    def elsewhere(self, weights: Floats, rng: np.random.Generator) -> Floats:
        """The map moved by a random step, what leaves it on one side coming in on the other. So the same shapes are
        taken out: cells strewn at random would leave more edges, to which a network answers as well."""
        step = divmod(int(rng.integers(1, self.side**2)), self.side)
        moved: Floats = np.roll(weights.reshape(self.side, self.side), step, (0, 1)).ravel()
        return moved

    def probabilities(self, rows: Ints, gone: Sequence[Bools]) -> Floats:
        """Probabilities (N, C) when cells are taken out: what lies there is averaged away."""
        found = []
        for some in parts(np.zeros(len(rows), np.int64)):
            masks = torch.from_numpy(np.stack([gone[i] for i in some])).to(device())
            pixels = self._batch(rows[some])["pixels"]
            found.append(answers(self.model, {"pixels": without(pixels, masks.unflatten(1, (self.side, self.side)))}))
        return np.concatenate(found)

    def _batch(self, rows: Ints) -> Batch:
        return onto_device(self.prepared.batch(rows, (), 0), self.recipe)

    def _weights(self, place: Place, batch: Batch, classes: Ints) -> Tensor:
        """Weights (B, S, S)."""
        with cut(self.model.body, place) as seen, torch.enable_grad():
            whole = margin(self.model(batch), torch.from_numpy(classes).to(device())).sum()
            (gradient,) = torch.autograd.grad(whole, seen[0], allow_unused=True, materialize_grads=True)
        return (place.cells(seen[0].detach()) * place.cells(gradient)).sum(-1)

    def _found(self, network: Network) -> Place:
        """The last grid from which a gradient comes back, for every class."""
        batch = self._batch(np.array([0]))
        known = places(network.model.body, network.card.groups, lambda: network.model(batch))
        for place in reversed(known):
            if bool(self._weights(place, batch, np.array([0])).abs().sum() > 0):
                return place
        raise Unexplained(f"{network.card.title} makes no grid of {COARSE - 1} and more cells that its answer rests on")


def without(pixels_BCHW: Tensor, gone_BSS: Tensor) -> Tensor:
    """Pictures whose marked cells are averaged over areas of a quarter of their side."""
    size = pixels_BCHW.shape[-2:]
    coarse = functional.interpolate(pixels_BCHW, (COARSE, COARSE), mode="area")
    smooth = functional.interpolate(coarse, size, mode="bilinear", align_corners=False)
    gone_B1HW = functional.interpolate(gone_BSS[:, None].to(pixels_BCHW.dtype), size, mode="nearest") > 0
    return torch.where(gone_B1HW, smooth, pixels_BCHW)
