"""Networks for pictures of torch.hub: entry points of a folder of the person's own, or of a repository on GitHub."""

import copy
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from instar.errors import UserError
from instar.models import hub_code
from instar.models.body import Body, Pixels, Source, image_width, seeded
from instar.models.titles import title
from instar.models.weights import fill, read_state
from instar.records import InputSpec

SPEC = InputSpec(224, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225), "bilinear", 0.875)
ASSUMED = (
    "torch.hub does not tell how a network's pictures were prepared: taken are 224 pixels out of 256 and the mean and "
    "deviation of ImageNet, as is usual."
)


KINDS = (nn.Linear, nn.Identity, nn.Dropout)


def load(name: str, weights: Path | None, seed: int, input_size: int | None) -> Body:
    """Call an entry point and cut its network where its classifier begins.

    The weights are those of `weights`, for the network as the entry gives it when it is told not to load any; without a
    file they are what the entry loads when told to, from torch.hub's folder of checkpoints or the network.

    Raises:
        UserError: code or weights cannot be had, or the network ends in no linear layer.
    """
    place, entry = hub_code.parted(name)
    folder = hub_code.found(place)
    with seeded(seed):
        network, files = hub_code.called(folder, entry, pretrained=weights is None)
    gone = _cut(network, name)
    if weights is not None:
        files = (weights,)
        fill(network, read_state(weights), gone, str(weights))
    return _body(network, entry, input_size, ", ".join(file.name for file in files), files)


def unfilled(name: str, kept: Path, input_size: int, names: frozenset[str]) -> Body:
    """The same network, to be filled by somebody else. Its code is not kept in the run: what runs is what is on this
    machine.

    Raises:
        UserError: the code is no longer where it was.
    """
    place, entry = hub_code.parted(name)
    network, _ = hub_code.called(hub_code.found(place), entry, pretrained=False)
    _cut(network, name)
    return _body(network, entry, input_size, "random", ())


def reachable(name: str) -> str:
    """ "" where the code is on this machine; whether its weights are, only running it would tell."""
    try:
        place, _ = hub_code.parted(name)
    except UserError as error:
        return str(error)
    folder = hub_code.local(place)
    if folder is None:
        return f"{place} is no folder here and not among the repositories of torch.hub ({torch.hub.get_dir()})"
    return "" if (folder / hub_code.CODE).is_file() else f"{folder} has no {hub_code.CODE}"


def _body(network: nn.Module, entry: str, input_size: int | None, where: str, files: tuple[Path, ...]) -> Body:
    module = Pixels(network)
    features = image_width(module, input_size or SPEC.size)
    return Body(module, "image", features, SPEC, title(entry), where, files=files, assumed=ASSUMED)


def _cut(network: nn.Module, name: str) -> tuple[str, ...]:
    """Take the classifier off, in place: the linear layer whose output is the network's, and dropout right before it.
    Gives its prefixes of state.

    A network that ends in an identity has none and is left as it is (DINOv2's entry points are such).

    Raises:
        UserError: it gives no vector per picture, ends in something else, or gives something else in training.
    """
    output, calls = _run(network, name)
    last = [(key, given) for key, given, gave in calls if torch.equal(gave, output)]
    kinds = {key: network.get_submodule(key) for key, _, _ in calls}
    linear = [(key, given) for key, given in last if isinstance(kinds[key], nn.Linear)]
    if linear:
        classifier, features = linear[-1]
        dropouts = [key for key, _, gave in calls if isinstance(kinds[key], nn.Dropout) and torch.equal(gave, features)]
        for key in (classifier, *dropouts):
            network.set_submodule(key, nn.Identity())
    elif not any(isinstance(kinds[key], nn.Identity) for key, _ in last):
        raise UserError(
            f"hub:{name} ends in no linear layer, so nothing tells where its classifier begins; choose another network"
        )
    _one_answer_in_training(network, name)
    return (f"{linear[-1][0]}.",) if linear else ()


def _run(network: nn.Module, name: str) -> tuple[Tensor, list[tuple[str, Tensor, Tensor]]]:
    """What the network gives for one picture in evaluation, and (name, input, output) of its layers of these kinds."""
    calls: list[tuple[str, Tensor, Tensor]] = []

    def note(key: str) -> Any:
        return lambda _, given, gave: calls.append((key, given[0], gave))

    layers = [(key, module) for key, module in network.named_modules() if key and isinstance(module, KINDS)]
    hooks = [module.register_forward_hook(note(key)) for key, module in layers]
    network.eval()
    try:
        with torch.inference_mode():
            output = network(_black(1))
    except Exception as error:  # somebody's code
        why = next(iter(str(error).splitlines()), type(error).__name__)
        raise UserError(f"hub:{name} does not take a picture of {SPEC.size} pixels: {why}") from None
    finally:
        for hook in hooks:
            hook.remove()
    if not isinstance(output, Tensor) or output.ndim != 2:
        shape = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
        raise UserError(f"hub:{name} gives {shape} for a picture, not a vector; choose a network that classifies")
    return output, calls


def _one_answer_in_training(network: nn.Module, name: str) -> None:
    tried = copy.deepcopy(network).train()  # a copy: a pass in training moves statistics
    for module in tried.modules():
        if isinstance(module, _BatchNorm):
            module.eval()  # takes no statistics of a single picture
    try:
        with torch.no_grad():
            output = tried(_black(1))
    except Exception as error:  # somebody's code
        why = next(iter(str(error).splitlines()), type(error).__name__)
        raise UserError(f"hub:{name} does not take a picture alone in training: {why}") from None
    if not isinstance(output, Tensor):
        raise UserError(
            f"hub:{name} gives several outputs in training; take it from torchvision: or timm: if they have it"
        )


def _black(n: int) -> Tensor:
    return torch.zeros(n, 3, SPEC.size, SPEC.size)


def like(name: str) -> list[str]:
    """The name where it can be one of torch.hub's."""
    try:
        hub_code.parted(name)
    except UserError:
        return []
    return [name]


SOURCE = Source(load, unfilled, reachable, like)
