"""What a source hands over: a network without its old classifier, and what is known of it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn

from instar.records import InputSpec


@dataclass(frozen=True)
class Tap:
    """Where a second classifier hangs on a network, for training alone (Szegedy et al. 2014, arXiv 1409.4842)."""

    after: str
    """Module below `Body.module` whose output (B, K, H, W) it gets."""
    layers: nn.Module
    """What stands between that and the second classifier: (B, K, H, W) -> (B, features)."""
    features: int
    weight: float
    """Of its loss, beside the head's."""
    filled: bool = False
    """Whether a file filled `layers`; else they stand at their random start."""


@dataclass(frozen=True)
class Body:
    """A network from its input to the features (B, D) that its old classifier got."""

    module: nn.Module
    modality: str
    """image or text: decides what `module` takes (pixels, or input_ids and attention_mask)."""
    features: int
    """D."""
    spec: InputSpec
    title: str
    weights: str
    """Where they came from, to show a reader; "random" where no file filled them."""
    missing: frozenset[str] = frozenset()
    """Parameters of `module` that the file did not hold: they stand at their random start."""
    files: tuple[Path, ...] = ()
    """The files of weights that filled it."""
    kept: Mapping[str, Path] = field(default_factory=dict)
    """Small files that its architecture and its tokenizer are made from, by the names under which a run keeps them."""
    taps: tuple[Tap, ...] = ()
    assumed: str = ""
    """What nobody tells of it and is taken as usual: a sentence for the reader."""


@dataclass(frozen=True)
class Source:
    """One library of networks."""

    load: Callable[[str, Path | None, int, int | None], Body]
    """(name, weights, seed, input size or None for the network's own) -> body"""
    unfilled: Callable[[str, Path, int, frozenset[str]], Body]
    """(name, folder of the run with the kept files, input size, names of the body's tensors) -> the same body, not
    filled: neither the weights nor the folder that they came from are needed"""
    reachable: Callable[[str], str]
    """name -> "" where it can be loaded without a network, else the reason why not"""
    like: Callable[[str], list[str]]
    """What a user may have meant -> the name itself where the library has it, else names that resemble it"""


class Pixels(nn.Module):
    """Gives a network of pictures the name of the batch's key: pixels (B, 3, H, W) -> features (B, D)."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, pixels: Tensor) -> Tensor:
        """Features (B, D) of normalised pixels (B, 3, H, W)."""
        features_BD: Tensor = self.network(pixels)
        return features_BD


def width(module: nn.Module, **example: Tensor) -> int:
    """How wide the features are, by running one example: the libraries' attributes differ, some lie."""
    training = module.training
    module.eval()
    with torch.inference_mode():
        features_BD: Tensor = module(**example)
    module.train(training)
    return features_BD.shape[-1]


def image_width(module: nn.Module, size: int) -> int:
    """Width of the features of a black square picture."""
    return width(module, pixels=torch.zeros(1, 3, size, size))


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Random starts that depend on the seed alone; the generator of the rest is left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def cut_last_linear(network: nn.Module, classes: int) -> tuple[str, ...]:
    """Take the classifier off in place: the last linear layer with `classes` outputs becomes an identity.

    Dropout directly before it goes too: the new head has its own, set by the plan (transformers' MobileNets
    carry 0.8 and 0.999 here). Returns the prefixes of the state dict that belonged to it.

    Raises:
        LookupError: no such layer (SqueezeNet classifies by a convolution).
    """
    modules = list(network.named_modules())
    linear = [i for i, (_, m) in enumerate(modules) if isinstance(m, nn.Linear) and m.out_features == classes]
    if not linear:
        raise LookupError("no linear layer with that many outputs")
    last = linear[-1]
    name, before = modules[last][0], modules[last - 1]
    network.set_submodule(name, nn.Identity())
    if isinstance(before[1], nn.Dropout):
        network.set_submodule(before[0], nn.Identity())
    return (name + ".",)
