"""Heat maps: of any network a grid of the right shape, which points to what decides and rests on what was learned."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from timm import create_model
from torch import Tensor, nn

from explain_worlds import CORNER, RECIPE, SIDE, Corners, corners, network, of_pictures
from instar.explain.base import Unexplained, at_rest
from instar.explain.deletion import deletion
from instar.explain.heatmaps import Heatmaps, without
from instar.explain.sanity import correlation, sanity, shuffled
from instar.metrics import Floats, Ints
from instar.models.body import Pixels, cut_last_linear
from instar.models.hf_images import Classified
from instar.models.network import Network
from instar.models.scratch import ConvNet
from instar.models.sources import load
from instar.models.torchvision_source import network_without_head
from instar.records import InputSpec
from training_worlds import recipe


def timm(name: str, **options: Any) -> nn.Module:
    return Pixels(create_model(name, num_classes=0, **options))


def torchvision(name: str) -> nn.Module:
    return Pixels(network_without_head(name)[0])


def hugging(name: str, **options: Any) -> nn.Module:
    config = getattr(transformers, name)(num_labels=1000, **options)
    made: nn.Module = transformers.AutoModelForImageClassification.from_config(config)
    cut_last_linear(made, 1000)
    return Classified(made, False)


SMALL = {"image_size": 64, "hidden_size": 24, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 48}
VIT = partial(hugging, "ViTConfig", **SMALL)
SWIN = partial(hugging, "SwinConfig", image_size=64, embed_dim=12, depths=[1, 1], num_heads=[2, 2])
MOBILENET = partial(hugging, "MobileNetV2Config", depth_multiplier=0.35)
MADE: dict[str, tuple[Callable[[], nn.Module], int, int, int]] = {
    "timm resnet18": (partial(timm, "resnet18"), 96, 3, 0),
    "timm convnext": (partial(timm, "convnext_atto"), 96, 3, 0),
    "timm vit": (partial(timm, "vit_tiny_patch16_224", img_size=64), 64, 4, 1),
    "timm distilled": (partial(timm, "deit_tiny_distilled_patch16_224", img_size=64), 64, 4, 2),
    "timm registers": (partial(timm, "vit_little_patch16_reg4_gap_256", img_size=64, depth=3), 64, 4, 4),
    "timm swin, channels last": (partial(timm, "swin_tiny_patch4_window7_224", img_size=112), 112, 4, 0),
    "torchvision mobilenet": (partial(torchvision, "mobilenet_v2"), 96, 3, 0),
    "torchvision squeezenet": (partial(torchvision, "squeezenet1_1"), 64, 3, 0),
    "hf mobilenet": (
        MOBILENET,
        96,
        3,
        0,
    ),
    "hf vit": (VIT, 64, 4, 1),
    "hf swin, tokens": (SWIN, 64, 8, 0),
    "scratch": (lambda: Pixels(ConvNet()), 96, 6, 0),
}


def pictures(size: int, n: int = 2) -> Corners:
    pixels = torch.rand(n, 3, size, size, generator=torch.Generator().manual_seed(0))
    return Corners(pixels, np.zeros(n, np.int64), tuple(map(str, range(n))), np.ones(n, np.int64))


@pytest.mark.parametrize("name", MADE)
def test_every_kind_of_network_gives_a_grid(name: str) -> None:
    torch.manual_seed(0)
    make, size, side, extra = MADE[name]
    body = make()
    with torch.no_grad():
        features = body.eval()(pixels=torch.zeros(1, 3, size, size)).shape[-1]
    made = network(body, features, "image", InputSpec(size, (0.0,) * 3, (1.0,) * 3, "bilinear", 1.0))
    with at_rest(made.model):
        reader = Heatmaps(made, pictures(size), recipe(input_size=size))
        one, other = (reader.weights(np.array([0, 1]), np.array([c, c])) for c in (0, 1))
        everything = [np.ones(side**2, np.bool_)] * 2
        gone = reader.probabilities(np.array([0, 1]), everything)
    assert (reader.side, reader.grid.extra) == (side, extra)
    assert [weights.shape for weights in one] == [(side**2,)] * 2
    assert all(np.ptp(weights) > 0 for weights in one)
    assert not np.allclose(one[0] / abs(one[0]).max(), other[0] / abs(one[0]).max())
    assert gone.shape == (2, 3) and np.allclose(gone.sum(1), 1)


def test_second_classifiers_are_left_alone_and_all_is_as_before() -> None:
    made = load("scratch:torchvision/googlenet", None, classes=3, dropout=0.1, seed=0, input_size=96)
    assert made.model.seconds()
    made.model.train()
    made.model.head.weight.requires_grad_(False)
    before = {name: value.clone() for name, value in made.model.state_dict().items()}
    with at_rest(made.model):
        reader = Heatmaps(made, pictures(96), recipe(input_size=96))
        assert len(reader.weights(np.array([0]), np.array([2]))[0]) == reader.side**2
        with shuffled(made, "all", 0):
            assert not torch.equal(made.model.head.weight, before["head.weight"])
    assert all(torch.equal(value, before[name]) for name, value in made.model.state_dict().items())
    assert all(module.training for module in made.model.modules())
    assert not made.model.head.weight.requires_grad and made.model.head.bias.requires_grad
    assert not any(module._forward_hooks for module in made.model.modules())


def test_a_network_without_a_grid_says_so() -> None:
    class Flat(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.Sequential(nn.Flatten(), nn.Linear(3 * 64, 8))

        def forward(self, pixels: Tensor) -> Tensor:
            features: Tensor = self.layers(pixels)
            return features

    made = network(Flat(), 8, "image", InputSpec(8, (0.0,) * 3, (1.0,) * 3, "bilinear", 1.0))
    with pytest.raises(Unexplained, match="the network makes no grid"):
        Heatmaps(made, pictures(8), RECIPE)


def test_the_weights_add_up_to_the_margin_where_a_mean_and_a_linear_layer_follow() -> None:
    made, prepared = of_pictures()
    rows, classes = np.arange(4), np.array([0, 1, 2, 0])
    with at_rest(made.model):
        found = Heatmaps(made, prepared, RECIPE).weights(rows, classes)
        logits = made.model(prepared.batch(rows, (), 0)) - made.model.head.bias
    margins = (logits.gather(1, torch.from_numpy(classes)[:, None])[:, 0] - logits.mean(1)).numpy()
    assert np.allclose([weights.sum() for weights in found], margins, atol=1e-4)


@pytest.fixture(scope="module")
def corner_world() -> tuple[Network, Corners]:
    return of_pictures()


def test_the_map_points_to_the_corner_that_decides(corner_world: tuple[Network, Corners]) -> None:
    made, prepared = corner_world
    rows = np.arange(30)
    with at_rest(made.model):
        reader = Heatmaps(made, prepared, RECIPE)
        found = reader.weights(rows, prepared.labels[rows])
    near = CORNER + 3
    share = []
    for weights in found:
        map_SS = weights.reshape(reader.side, reader.side).clip(0)
        share.append(map_SS[:near, :near].sum() / map_SS.sum())
    assert np.mean(share) > 2 * (near / SIDE) ** 2


def test_both_tests_tell_good_maps_from_bad_ones(corner_world: tuple[Network, Corners]) -> None:
    made, prepared = corner_world
    rows = np.arange(24)
    classes = prepared.labels[rows]
    with at_rest(made.model):
        reader = Heatmaps(made, prepared, RECIPE)
        weights = reader.weights(rows, classes)
        curves, kept, gain = deletion(reader, rows, classes, weights, 0)
        random = [np.random.default_rng(i).normal(size=found.size) for i, found in enumerate(weights)]
        _, _, chance = deletion(reader, rows, classes, random, 0)
        alike = {score.subject: score for score in sanity(made, reader, rows, classes, weights, 0)}
    assert gain.low > 0 and gain.n == 24
    assert kept[1].value - kept[0].value == pytest.approx(gain.value)
    assert chance.low < 0.05
    assert alike["all"].high < 0.5
    start = curves.filter(curves["share"] == 0)["probability"]
    assert start[0] == start[1]


def test_a_map_that_ignores_the_network_fails_the_sanity_test(corner_world: tuple[Network, Corners]) -> None:
    made, prepared = corner_world

    class Edges(Heatmaps):
        def weights(self, rows: Ints, classes: Ints) -> list[Floats]:
            return [pixels.abs().mean(0).double().flatten().numpy() for pixels in prepared.pixels[rows]]

    rows = np.arange(12)
    with at_rest(made.model):
        reader = Edges(made, prepared, RECIPE)
        alike = sanity(made, reader, rows, prepared.labels[rows], reader.weights(rows, rows), 0)
    assert [score.value for score in alike] == pytest.approx([1.0] * 3)


def test_what_is_not_marked_stays_as_it_is() -> None:
    pixels = corners(2).pixels
    gone = torch.zeros(2, SIDE, SIDE, dtype=torch.bool)
    gone[0, :6, :6] = True
    found = without(pixels, gone)
    assert torch.equal(found[1], pixels[1]) and torch.equal(found[0, :, 6:], pixels[0, :, 6:])
    assert found[0, :, :6, :6].std() < pixels[0, :, :6, :6].std() / 2


def test_a_map_without_variation_ranks_nothing() -> None:
    assert correlation(np.zeros(9), np.arange(9.0)) == 0.0
    assert correlation(np.arange(9.0), -np.arange(9.0)) == pytest.approx(-1)


def test_the_prepared_form_does_not_matter(corner_world: tuple[Network, Corners]) -> None:
    made, prepared = corner_world
    rows = np.arange(5)
    with at_rest(made.model):
        one = Heatmaps(made, prepared, RECIPE).weights(rows, prepared.labels[rows])
        other = Heatmaps(made, prepared, recipe(channels_last=True)).weights(rows, prepared.labels[rows])
    assert np.allclose(np.stack(one), np.stack(other), atol=1e-5)
