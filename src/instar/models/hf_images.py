"""Networks for pictures of transformers."""

import inspect
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor, nn
from transformers import PretrainedConfig
from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING, MODEL_MAPPING

from instar.errors import UserError
from instar.models.body import cut_last_linear, image_width
from instar.models.hf_loading import Given, Made, fill
from instar.records import InputSpec

PREPROCESSOR = "preprocessor_config.json"
BILINEAR = 2
"""PIL's number for it in `resample`."""


class Classified(nn.Module):
    """A transformers classifier whose last layer is an identity: its logits are the features (B, D)."""

    def __init__(self, network: nn.Module, resampled: bool) -> None:
        super().__init__()
        self.network = network
        self.options = {"interpolate_pos_encoding": True} if resampled else {}

    def forward(self, pixels: Tensor) -> Tensor:
        """Features (B, D) of normalised pixels (B, 3, H, W)."""
        features_BD: Tensor = self.network(pixel_values=pixels, **self.options).logits
        return features_BD.flatten(1)


class Pooled(nn.Module):
    """A transformers network without a classifier of its own: its pooled output, else its first token."""

    def __init__(self, network: nn.Module, pooled: bool) -> None:
        super().__init__()
        self.network = network
        self.pooled = pooled

    def forward(self, pixels: Tensor) -> Tensor:
        """Features (B, D) of normalised pixels (B, 3, H, W)."""
        output = self.network(pixel_values=pixels)
        features_BD: Tensor = output.pooler_output if self.pooled else output.last_hidden_state[:, 0]
        return features_BD.flatten(1)


def make(folder: Path, config: PretrainedConfig, given: Given, input_size: int | None) -> Made:
    """Load a network and cut it where its own classifier began.

    The library's classifier knows what its last layer gets (a pooled map, the class token, the class token
    beside the mean of the patches), so it is loaded and only that layer taken off. A network that has none
    gives its pooled output where the file fills the pooler, else its first token.

    Raises:
        UserError: no preprocessor_config.json, wrong weights, a size that the network does not take.
    """
    spec = read_spec(folder)
    size = input_size or spec.size
    network: Any
    module: nn.Module
    if type(config) in MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING:
        network, missing = fill(MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING, folder, config, given)
        gone = cut_last_linear(network, int(config.num_labels or 0))
        missing = frozenset(name for name in missing if not name.startswith(gone))
        options = inspect.signature(network.forward).parameters
        module = Classified(network, size != spec.size and "interpolate_pos_encoding" in options)
    else:
        network, missing = fill(MODEL_MAPPING, folder, config, given)
        children = dict(network.named_children())
        pooled = "pooler" in children and not any(name.startswith("pooler.") for name in missing)
        if "pooler" in children and not pooled:
            network.pooler = None
            missing = frozenset(name for name in missing if not name.startswith("pooler."))
        module = Pooled(network, pooled)
    try:
        features = image_width(module, size)
    except (ValueError, RuntimeError) as error:
        raise UserError(f"{folder} does not take pictures of {size} pixels: {str(error).splitlines()[0]}") from None
    return Made(module, "image", features, spec, frozenset(f"network.{name}" for name in missing))


def read_spec(folder: Path) -> InputSpec:
    """How the network's pictures were prepared, from preprocessor_config.json.

    Sizes stand there in several forms: a number, the shorter edge (then usually a centre crop), height and
    width (no crop), and for ConvNeXt the size after the crop with `crop_pct`.

    Raises:
        UserError: no such file.
    """
    path = folder / PREPROCESSOR
    if not path.is_file():
        raise UserError(f"{folder} has no {PREPROCESSOR}: without it nobody knows how its pictures are normalised")
    config = json.loads(path.read_text("utf-8"))
    resized = _side(config.get("size", 224))
    crop = _side(config["crop_size"]) if config.get("do_center_crop", True) and "crop_size" in config else resized
    normalise = config.get("do_normalize", True)
    return InputSpec(
        size=crop,
        mean=tuple(config["image_mean"]) if normalise else (0.0, 0.0, 0.0),
        std=tuple(config["image_std"]) if normalise else (1.0, 1.0, 1.0),
        interpolation="bilinear" if config.get("resample", BILINEAR) == BILINEAR else "bicubic",
        crop_share=crop / resized if crop != resized else float(config.get("crop_pct") or 1.0),
    )


def _side(size: Any) -> int:
    if isinstance(size, Mapping):
        return int(size["shortest_edge"] if "shortest_edge" in size else size["height"])
    return int(size[0] if isinstance(size, list) else size)
