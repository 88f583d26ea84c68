"""Augmentation is a pure function of the seed and stays within the picture."""

import threading

import numpy as np
import pytest
import torch
from torchvision.transforms.v2 import functional as F

from instar.prepare.augment import augmented, centre, normalised, recoloured
from instar.prepare.augment_names import AUGMENTATIONS
from instar.prepare.trivial import CHANGES


def squares(n: int = 12, side: int = 40) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    coarse = torch.randint(0, 256, (n, 3, 5, 5), generator=generator, dtype=torch.uint8)
    pixels: torch.Tensor = F.resize(coarse, [side, side]).permute(0, 2, 3, 1).contiguous()
    return pixels


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_the_same_seed_gives_the_same_views_in_any_thread(name: str) -> None:
    pixels = squares()
    first = augmented(pixels, 32, (name,), "bicubic", 3)
    assert first.shape == (12, 32, 32, 3)
    assert first.min() >= 0 and first.max() <= 255
    assert pixels.equal(squares())
    torch.manual_seed(99)
    found: list[torch.Tensor] = []
    thread = threading.Thread(target=lambda: found.append(augmented(pixels, 32, (name,), "bicubic", 3)))
    state = torch.get_rng_state()
    thread.start()
    thread.join()
    assert torch.equal(found[0], first)
    assert torch.equal(torch.get_rng_state(), state)
    assert not torch.equal(augmented(pixels, 32, (name,), "bicubic", 4), first)
    assert not torch.equal(first.float(), centre(pixels, 32).float())


def test_a_flip_is_a_mirror_of_about_half() -> None:
    pixels = squares(200)
    views, plain = augmented(pixels, 32, ("horizontal_flip",), "bilinear", 0), centre(pixels, 32)
    mirrored = [torch.equal(v, p.flip(1)) for v, p in zip(views, plain, strict=True)]
    same = [torch.equal(v, p) for v, p in zip(views, plain, strict=True)]
    assert all(a != b for a, b in zip(mirrored, same, strict=True))
    assert 70 < sum(mirrored) < 130


def test_random_crops_show_a_third_to_all_of_the_picture() -> None:
    ramp = torch.linspace(0, 255, 64).view(1, 1, 64, 1).expand(300, 64, 64, 3).round().byte().contiguous()
    views = augmented(ramp, 32, ("random_resized_crop",), "bilinear", 0).float()
    width = (views[:, 16, -1, 0] - views[:, 16, 0, 0]) / 255
    assert width.min() > (0.35 * 3 / 4) ** 0.5 - 0.1
    assert width.max() > 0.9
    assert 0.6 < width.mean() < 0.85


def test_recolouring_without_strength_changes_nothing_and_grey_is_grey() -> None:
    pixels, generator = squares(), torch.Generator().manual_seed(0)
    assert torch.allclose(recoloured(pixels, 0.0, 0.0, generator), pixels.float(), atol=1e-3)
    grey = recoloured(pixels, 0.0, 1.0, generator)
    assert torch.allclose(grey[..., 0], grey[..., 1], atol=1e-3)
    expected = F.rgb_to_grayscale(pixels.permute(0, 3, 1, 2)).float()[:, 0]
    assert (grey[..., 0] - expected).abs().max() < 1.5


def test_recolouring_is_torchvisions_where_nothing_is_cut_off() -> None:
    pixels = (squares() // 2 + 60).byte()

    class Fixed:
        brightness, contrast, saturation = 1.1, 0.8, 1.2

    draws = (torch.tensor([Fixed.brightness, Fixed.contrast, Fixed.saturation]) - 1) / 0.3 / 2 + 0.5

    def rand(*_: object, **__: object) -> torch.Tensor:
        return torch.cat([draws, torch.ones(1)]).view(4, 1).expand(4, 12)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch, "rand", rand)
        ours = recoloured(pixels, 0.3, 0.0, torch.Generator()).permute(0, 3, 1, 2)
    theirs = F.adjust_saturation(pixels.permute(0, 3, 1, 2).float() / 255, Fixed.saturation)
    theirs = F.adjust_contrast(F.adjust_brightness(theirs, Fixed.brightness), Fixed.contrast)
    assert (ours - theirs * 255).abs().max() < 3  # our grey mean is taken on every fourth pixel


def test_every_trivial_change_keeps_the_form() -> None:
    picture = squares(1)[0].permute(2, 0, 1)
    for change in CHANGES:
        for strength in (-1.0, 0.0, 1.0):
            out = change(picture, strength)
            assert out.shape == picture.shape and out.dtype == torch.uint8


def test_normalised_is_what_it_says() -> None:
    pixels = squares()
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    expected = (pixels.numpy() / 255 - np.array(mean)) / np.array(std)
    found = normalised(centre(pixels, 40), mean, std)
    np.testing.assert_allclose(found.permute(0, 2, 3, 1).numpy(), expected, atol=1e-5)
    assert found.is_contiguous(memory_format=torch.channels_last)
    assert normalised(pixels.float(), mean, std).equal(found)
