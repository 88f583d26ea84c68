"""Networks of torchvision (https://pytorch.org/vision/stable/models.html)."""

import difflib
import hashlib
import shutil
import tempfile
import urllib.request
from collections import OrderedDict
from dataclasses import replace
from http.client import HTTPException
from pathlib import Path
from typing import Any

import torch
import torchvision
from torch import nn
from torchvision.models.vision_transformer import VisionTransformer, interpolate_embeddings

from instar.errors import UserError
from instar.models.body import Body, Pixels, Source, Tap, cut_last_linear, image_width, seeded
from instar.models.titles import title
from instar.models.torchvision_second import detach, filled, left_out
from instar.models.weights import fill, read_state
from instar.records import InputSpec

CLASSES = 1000
"""All of torchvision's classifiers are ImageNet's."""
SECONDS = 10.0
"""How long the host may stay silent."""
RESCALES_INPUT = ("inception_v3", "googlenet")
"""Their weights were ported from TensorFlow: `transform_input` undoes ImageNet's normalisation first."""


def load(name: str, weights: Path | None, seed: int, input_size: int | None) -> Body:
    """Build a network and fill it from a file, torch.hub's folder of checkpoints or the network.

    Raises:
        UserError: unknown name, no weights to be had, or weights of another network.
    """
    entry = _entry(name, weights)
    path = weights or _checkpoint(name, entry)
    spec = _spec(entry)
    with seeded(seed):
        network, gone, taps = _cut(name, input_size or spec.size, spec)
    state = read_state(path)
    if isinstance(network, VisionTransformer) and "encoder.pos_embedding" in state:
        state = dict(interpolate_embeddings(network.image_size, network.patch_size, OrderedDict(state)))
    fill(network, state, (*gone, *left_out(name)), str(path))
    taps = filled(name, taps, state, str(path))
    return replace(_body(name, network, spec, input_size, path.name), files=(path,), taps=taps)


def unfilled(name: str, kept: Path, input_size: int, names: frozenset[str]) -> Body:
    """The same network, to be filled by somebody else; torchvision itself knows its architecture."""
    return build(name, 0, input_size)


def build(name: str, seed: int, input_size: int | None) -> Body:
    """The same network from a random start."""
    spec = _spec(_entry(name, None))
    with seeded(seed):
        network, _, taps = _cut(name, input_size or spec.size, spec)
    body = _body(name, network, spec, input_size, "random")
    return replace(body, title=f"{body.title} from scratch", taps=taps)


def reachable(name: str) -> str:
    """ "" where a checkpoint of the network lies in torch.hub's folder."""
    try:
        entry = _entry(name, None)
    except UserError as error:
        return str(error)
    path = _place(entry)
    return "" if path.is_file() else f"{path} is not there"


def network_without_head(name: str, **options: Any) -> tuple[nn.Module, tuple[str, ...], tuple[Tap, ...]]:
    """An unfilled network without its classifier, the prefixes of the state dict that belonged to that, and its second
    classifiers.

    SqueezeNet classifies each place of the map by a convolution and averages then: here the map is averaged.
    """
    if name in RESCALES_INPUT:
        options |= {"aux_logits": True, "init_weights": False, "transform_input": True}
    network = torchvision.models.get_model(name, weights=None, **options)
    if name.startswith("squeezenet"):
        network.classifier = nn.AdaptiveAvgPool2d(1)
        return network, ("classifier.",), ()
    taps = detach(name, network)
    return network, cut_last_linear(network, CLASSES), taps


def _cut(name: str, size: int, spec: InputSpec) -> tuple[nn.Module, tuple[str, ...], tuple[Tap, ...]]:
    if name.startswith("vit_"):
        return network_without_head(name, image_size=size)
    if name.startswith("maxvit") and size != spec.size:
        raise UserError(f"torchvision:{name} takes pictures of {spec.size} pixels only, not {size}")
    return network_without_head(name)


def _body(name: str, network: nn.Module, spec: InputSpec, input_size: int | None, where: str) -> Body:
    module = Pixels(network)
    return Body(module, "image", image_width(module, input_size or spec.size), spec, title(name), where)


def _entry(name: str, weights: Path | None) -> Any:
    """torchvision's record of one set of weights: the one that `weights` is a copy of, or one that lies in
    torch.hub's folder, or the one that torchvision recommends."""
    found = like(name)
    if found != [name]:
        near = f"; it has {', '.join(found)}" if found else ""
        raise UserError(f"torchvision {torchvision.__version__} has no classifier {name!r}{near}")
    entries = torchvision.models.get_model_weights(name)
    best = [entries.DEFAULT, *(entry for entry in entries if entry is not entries.DEFAULT)]
    if weights is not None:
        return next((entry for entry in best if _file(entry) == weights.name), entries.DEFAULT)
    return next((entry for entry in best if _place(entry).is_file()), entries.DEFAULT)


def _file(entry: Any) -> str:
    return str(entry.url).rpartition("/")[2]


def _place(entry: Any) -> Path:
    return Path(torch.hub.get_dir()) / "checkpoints" / _file(entry)


def _spec(entry: Any) -> InputSpec:
    transforms = entry.transforms()
    size, resized = transforms.crop_size[0], transforms.resize_size[0]
    return InputSpec(
        size=size,
        mean=tuple(transforms.mean),
        std=tuple(transforms.std),
        interpolation="bilinear" if transforms.interpolation.value == "bilinear" else "bicubic",
        crop_share=size / resized,
    )


def _checkpoint(name: str, entry: Any) -> Path:
    """The checkpoint in torch.hub's folder, fetched whole or not at all.

    Not by `torch.hub.load_state_dict_from_url`, which waits without limit for a host that does not answer.
    The file's name ends in the first digits of its SHA-256.
    """
    path = _place(entry)
    if path.is_file():
        return path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            part = Path(folder) / path.name
            with urllib.request.urlopen(entry.url, timeout=SECONDS) as answer, part.open("wb") as file:
                shutil.copyfileobj(answer, file)
            with part.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            if not digest.startswith(path.stem.rpartition("-")[2]):
                raise OSError("what came is not the file that was asked for")
            part.replace(path)
    except (OSError, HTTPException) as error:
        raise UserError(
            f"cannot get the weights of torchvision:{name} from {entry.url} ({error}) and they are not in "
            f"{path.parent}: put {path.name} there, or give a file with --weights"
        ) from None
    return path


def like(name: str) -> list[str]:
    """The name where torchvision has it, else those that resemble it."""
    names = torchvision.models.list_models(module=torchvision.models)
    return [name] if name in names else difflib.get_close_matches(name, names, 5)


SOURCE = Source(load, unfilled, reachable, like)
