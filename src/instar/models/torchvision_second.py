"""The second classifiers of torchvision's Inception v3 and GoogLeNet, taken off the network."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn
from torch.nn.functional import interpolate

from instar.models.body import Tap
from instar.models.weights import fill


@dataclass(frozen=True)
class Place:
    """Where one of them stands in torchvision's network."""

    name: str
    after: str
    classifier: str
    """Its own last layer."""
    weight: float
    least: int
    """Side of the smallest map that it takes."""
    trained: bool
    """Whether torchvision's files hold it trained; GoogLeNet's "are NOT pretrained", as its source warns."""


PLACES = {
    "inception_v3": (Place("AuxLogits", "Mixed_6e", "fc", 0.4, 17, True),),
    "googlenet": (
        Place("aux1", "inception4a", "fc2", 0.3, 1, False),
        Place("aux2", "inception4d", "fc2", 0.3, 1, False),
    ),
}
"""Weights of the losses: GoogLeNet's as in its paper (Szegedy et al. 2014, arXiv 1409.4842, section 5), Inception's as
in torchvision's reference script and PyTorch's tutorial on fine-tuning."""


class Enlarged(nn.Module):
    """Layers whose kernels need a map of some size, which pictures below the network's own size do not give."""

    def __init__(self, layers: nn.Module, least: int) -> None:
        super().__init__()
        self.layers = layers
        self.least = least

    def forward(self, maps_BKHW: Tensor) -> Tensor:
        """(B, K, H, W) -> (B, F)."""
        if min(maps_BKHW.shape[-2:]) < self.least:
            size = [max(side, self.least) for side in maps_BKHW.shape[-2:]]
            maps_BKHW = interpolate(maps_BKHW, size, mode="bilinear", align_corners=False)
        features_BF: Tensor = self.layers(maps_BKHW)
        return features_BF


def detach(name: str, network: Any) -> tuple[Tap, ...]:
    """Take the second classifiers off, in place, each without its own last layer."""
    taps = []
    for place in PLACES.get(name, ()):
        layers = getattr(network, place.name)
        features = getattr(layers, place.classifier).in_features
        setattr(layers, place.classifier, nn.Identity())
        setattr(network, place.name, None)
        taps.append(Tap(f"network.{place.after}", Enlarged(layers, place.least), features, place.weight))
    if taps:
        network.aux_logits = False
    return tuple(taps)


def filled(name: str, taps: tuple[Tap, ...], state: Mapping[str, Tensor], where: str) -> tuple[Tap, ...]:
    """The second classifiers filled from a file of the whole network, as far as it holds them trained.

    Raises:
        UserError: what it holds of one is of another network.
    """
    found = []
    for place, tap in zip(PLACES.get(name, ()), taps, strict=True):
        start = f"{place.name}."
        own = {key.removeprefix(start): value for key, value in state.items() if key.startswith(start)}
        whole = place.trained and bool(own)
        if whole:
            fill(tap.layers.get_submodule("layers"), own, (f"{place.classifier}.",), where)
        found.append(Tap(tap.after, tap.layers, tap.features, tap.weight, whole))
    return tuple(found)


def left_out(name: str) -> tuple[str, ...]:
    """Their prefixes in a state dict."""
    return tuple(f"{place.name}." for place in PLACES.get(name, ()))
