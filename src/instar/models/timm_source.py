"""Networks of timm (https://github.com/huggingface/pytorch-image-models)."""

import difflib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import timm
from timm.data.config import resolve_data_config
from torch import Tensor, nn

from instar.errors import UserError
from instar.models import hub
from instar.models.body import Body, Pixels, Source, image_width, seeded
from instar.models.titles import title
from instar.models.weights import read_state
from instar.records import InputSpec

WEIGHTS_FILE = "model.safetensors"


def load(name: str, weights: Path | None, seed: int, input_size: int | None) -> Body:
    """Build a network and fill it from a file, the hub's cache or the hub.

    The weights go in at the network's own input size, classifier included, so that nothing is left to guess;
    then timm itself takes the classifier off and, where a network has a fixed grid, resamples it.

    Raises:
        UserError: unknown name, no weights to be had, or weights of another network.
    """
    config = pretrained_config(name)
    path = weights or hub.fetch_file(_repository(name, config), _file(config))
    state = read_state(path)
    classes = _classes(state, config)
    overlay = {"state_dict": state, "num_classes": classes, "label_offset": 0, "custom_load": False}
    try:
        with seeded(seed):
            network: Any = timm.create_model(name, pretrained=True, num_classes=classes, pretrained_cfg_overlay=overlay)
    except RuntimeError as error:
        raise UserError(f"{path} does not fit timm:{name}: {_faults(str(error))}") from None
    network.pretrained_cfg.pop("state_dict")
    network.reset_classifier(0)
    spec = _spec(config)
    _resize(network, name, config, input_size)
    body = Pixels(network)
    where = weights.name if weights else _repository(name, config)
    return Body(body, "image", image_width(body, input_size or spec.size), spec, title(name), where, files=(path,))


def unfilled(name: str, kept: Path, input_size: int, names: frozenset[str]) -> Body:
    """The same network, to be filled by somebody else; timm itself knows its architecture."""
    return build(name, 0, input_size)


def build(name: str, seed: int, input_size: int | None) -> Body:
    """The same network from a random start."""
    config = pretrained_config(name)
    spec = _spec(config)
    with seeded(seed):
        network = timm.create_model(name, pretrained=False, num_classes=0)
        _resize(network, name, config, input_size)
    body = Pixels(network)
    features = image_width(body, input_size or spec.size)
    return Body(body, "image", features, spec, f"{title(name)} from scratch", "random")


def reachable(name: str) -> str:
    """ "" where the weights are in the hub's cache."""
    try:
        config = pretrained_config(name)
        repository, file = _repository(name, config), _file(config)
    except UserError as error:
        return str(error)
    if hub.cached_file(repository, file) is None:
        return f"{file} of {repository} is not in the hub's cache"
    return ""


def pretrained_config(name: str) -> dict[str, Any]:
    """timm's own record of a network: where its weights are and how pictures were prepared for them.

    Raises:
        UserError: timm has no such network; names that resemble it.
    """
    if not timm.is_model(name):
        near = f"; it has {', '.join(like(name))}" if like(name) else ""
        raise UserError(f"timm {timm.__version__} has no network {name!r}{near}")
    found = timm.get_pretrained_cfg(name)
    if found is None:
        raise UserError(f"timm has no weights for {name!r}; scratch:timm/{name} starts it at random")
    return dict(found.to_dict())


def _repository(name: str, config: Mapping[str, Any]) -> str:
    repository = config.get("hf_hub_id")
    if not repository:
        raise UserError(f"timm knows no hub entry for {name!r}: give a file with --weights")
    return str(repository)


def _file(config: Mapping[str, Any]) -> str:
    return Path(config.get("hf_hub_filename") or WEIGHTS_FILE).with_suffix(".safetensors").name


def _classes(state: Mapping[str, Tensor], config: Mapping[str, Any]) -> int:
    """Classes of the classifier that the file holds; 0 where it holds none."""
    names = config.get("classifier") or ()
    names = (names,) if isinstance(names, str) else names
    found = [state[f"{name}.weight"].shape[0] for name in names if f"{name}.weight" in state]
    return int(found[0]) if found else 0


def _spec(config: Mapping[str, Any]) -> InputSpec:
    data = resolve_data_config(pretrained_cfg=dict(config))
    return InputSpec(
        size=int(data["input_size"][-1]),
        mean=tuple(data["mean"]),
        std=tuple(data["std"]),
        interpolation="bilinear" if data["interpolation"] == "bilinear" else "bicubic",
        crop_share=float(data["crop_pct"]),
    )


def _resize(network: nn.Module, name: str, config: Mapping[str, Any], input_size: int | None) -> None:
    own = int(config["input_size"][-1])
    if input_size in (None, own) or not config.get("fixed_input_size"):
        return
    set_input_size = getattr(network, "set_input_size", None)
    if set_input_size is None:
        raise UserError(f"timm:{name} takes pictures of {own} pixels only, not {input_size}")
    set_input_size(img_size=(input_size, input_size))


def _faults(message: str) -> str:
    """torch's list of keys that do not fit, which runs over hundreds of lines, in a few words."""
    keys = [a or b for a, b in re.findall(r'"([\w.]+)"|size mismatch for ([\w.]+)', message)]
    if not keys:
        return message.splitlines()[0]
    return f"{len(keys)} keys are missing, unknown or of another shape ({', '.join(keys[:3])})"


def like(name: str) -> list[str]:
    """The name where timm has it, else those that resemble it."""
    return [name] if timm.is_model(name) else difflib.get_close_matches(name.partition(".")[0], timm.list_models(), 5)


SOURCE = Source(load, unfilled, reachable, like)
