"""Pictures are decoded once, brought to squares, and refused when they have changed."""

import hashlib
import inspect
import io
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
import torch
from PIL import Image

from instar.data.decode import decode
from instar.errors import UserError
from instar.files import read_frame
from instar.modality.image_feed import FEED
from instar.prepare import images as module
from instar.prepare.images import PreparedImages, Shape, open_images, prepare_images, shape_of, square
from instar.records import Dataset, InputSpec, Recipe
from training_worlds import recipe

SPEC = InputSpec(32, (0.5,) * 3, (0.25,) * 3, "bilinear", 0.875)
SHAPES = ((40, 60), (64, 64), (20, 90), (50, 48), (48, 50), (10, 12), (33, 77))


def settings(**changes: object) -> Recipe:
    return replace(recipe(input_size=32, augment=("random_resized_crop",)), **changes)  # type: ignore[arg-type]


def world(root: Path, n: int = 9) -> Dataset:
    """Noise in different shapes; one quarantined row and one without label, which take no part."""
    generator = np.random.default_rng(0)
    rows = []
    splits = ["train"] * (n - 4) + ["val", "test", "quarantined", "unlabelled"]
    for i, split in enumerate(splits):
        height, width = SHAPES[i % len(SHAPES)]
        buffer = io.BytesIO()
        pixels = generator.integers(0, 255, (height, width, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(buffer, "PNG")
        content = b"broken" if split == "quarantined" else buffer.getvalue()
        (root / f"{i}.png").write_bytes(content)
        rows.append(
            {
                "id": f"{i}.png", "input": f"{i}.png", "split": split,
                "label": "a" if split == "train" else None,
                "group": i, "error": None, "measure.sha256": hashlib.sha256(content).hexdigest(),
                "measure.width": width, "measure.height": height,
            }
        )  # fmt: skip
    return Dataset("w", "image", str(root), str(root), ("a", "b"), False, {}, {}, pl.DataFrame(rows))


def test_prepared_once_and_found_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = world(tmp_path)
    folder = prepare_images(dataset, settings(), SPEC)
    monkeypatch.setattr(module, "square", lambda *_: pytest.fail("decoded again"))
    assert prepare_images(dataset, settings(), SPEC) == folder
    prepared = open_images(folder, settings(), SPEC)
    assert prepared.ids == tuple(dataset.part("train", "val", "test")["id"])
    view = prepared.batch(np.array([0, 2]), (), 0)["pixels"]
    assert view.shape == (2, 3, 32, 32)
    stored = np.load(folder / "pixels.npy")[[0, 2], 2:34, 2:34].astype(np.float64)
    np.testing.assert_allclose(view.permute(0, 2, 3, 1).numpy(), (stored / 255 - 0.5) / 0.25, atol=1e-5)


def test_another_shape_or_content_is_another_folder(tmp_path: Path) -> None:
    dataset = world(tmp_path)
    folders = [
        prepare_images(dataset, settings(), SPEC),
        prepare_images(dataset, settings(fit="pad"), SPEC),
        prepare_images(dataset, settings(fit="squash"), SPEC),
        prepare_images(dataset, settings(input_size=40), SPEC),
        prepare_images(dataset, settings(), replace(SPEC, interpolation="bicubic")),
        prepare_images(replace(dataset, table=dataset.table[1:]), settings(), SPEC),
    ]
    assert len(set(folders)) == len(folders)
    assert prepare_images(dataset, settings(seed=7, batch_size=3), SPEC) == folders[0]


def size(path: Path) -> tuple[int, int]:
    with Image.open(path) as picture:
        return picture.size


@pytest.mark.parametrize("change", ["edited", "deleted"])
def test_a_changed_picture_is_refused(change: str, tmp_path: Path) -> None:
    dataset = world(tmp_path)
    path = tmp_path / "3.png"
    if change == "edited":
        path.write_bytes(path.read_bytes() + b" ")
    else:
        path.unlink()
    with pytest.raises(UserError, match=r"3\.png .*run `instar run` again"):
        prepare_images(dataset, settings(batch_size=2, input_size=33), SPEC)


def test_an_interrupted_call_goes_on_after_the_last_whole_chunk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHUNK", 2)
    dataset, plan = world(tmp_path), settings(input_size=34)
    real, seen = square, 0

    def stop(*arguments: object) -> object:
        nonlocal seen
        seen += 1
        if seen == 6:
            raise KeyboardInterrupt
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "square", stop)
    with pytest.raises(KeyboardInterrupt):
        prepare_images(dataset, plan, SPEC)
    done, seen = seen, 100
    interrupted = np.load(prepare_images(dataset, plan, SPEC) / "pixels.npy")
    assert seen - 100 == 7 - 4 < done  # two chunks of two were whole
    files = [(tmp_path / f"{i}.png").read_bytes() for i in range(7)]
    expected = [real(decode(content), shape_of(plan, SPEC)) for content in files]
    assert np.array_equal(interrupted, np.stack(expected))


def test_a_full_disk_is_said_before_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("instar.prepare.chunks.shutil.disk_usage", lambda _: SimpleNamespace(free=10))
    with pytest.raises(UserError, match="free some space"):
        prepare_images(world(tmp_path), settings(input_size=35), SPEC)


def test_crop_keeps_the_middle_and_pad_the_whole() -> None:
    picture = np.zeros((100, 300, 3), np.uint8)
    picture[:, :100] = (255, 0, 0)
    picture[:, 100:200] = (0, 255, 0)
    picture[:, 200:] = (0, 0, 255)
    crop, pad, squash = (square(picture, Shape(56, 64, fit, "bilinear")) for fit in ("crop", "pad", "squash"))
    assert crop.shape == pad.shape == squash.shape == (64, 64, 3)
    assert (crop[:, 2:-2] == (0, 255, 0)).all()
    assert [squash[32, x].argmax() for x in (8, 32, 56)] == [0, 1, 2]
    seen = pad[4:60, 4:60]
    assert [seen[28, x].argmax() for x in (4, 28, 52)] == [0, 1, 2]
    assert (seen[:18] == 85).all() and (seen[38:] == 85).all()


def test_the_square_has_room_for_random_crops() -> None:
    assert shape_of(settings(input_size=224), SPEC).side == 256
    assert shape_of(settings(input_size=224), replace(SPEC, crop_share=1.0)).side == 256
    assert shape_of(settings(input_size=224), replace(SPEC, crop_share=0.8)).side == 280


@pytest.mark.parametrize("shape", [(1, 500), (500, 1), (1, 1)])
@pytest.mark.parametrize("fit", ["crop", "pad", "squash"])
def test_the_most_extreme_pictures_fit(shape: tuple[int, int], fit: str) -> None:
    assert square(np.full((*shape, 3), 7, np.uint8), Shape(56, 64, fit, "bicubic")).max() == 7


def test_new_pictures_are_seen_as_the_prepared_ones(tmp_path: Path) -> None:
    dataset = world(tmp_path)
    prepared = FEED.open(FEED.prepare(dataset, settings(), SPEC), settings(), SPEC)
    rows = np.arange(len(prepared.ids))
    fresh = FEED.examples([str(tmp_path / id_) for id_ in prepared.ids], settings(), SPEC)
    assert torch.equal(fresh.batch(rows, (), 0)["pixels"], prepared.batch(rows, (), 0)["pixels"])
    (tmp_path / "bad.png").write_bytes(b"nothing")
    with pytest.raises(UserError, match=r"bad\.png"):
        FEED.examples([str(tmp_path / "bad.png")], settings(), SPEC).batch(np.array([0]), (), 0)


def test_memory_is_mapped(tmp_path: Path) -> None:
    folder = prepare_images(world(tmp_path), settings(), SPEC)
    prepared = open_images(folder, settings(), SPEC)
    assert isinstance(prepared, PreparedImages)
    closure = inspect.getclosurevars(prepared.squares)
    assert isinstance(closure.nonlocals["stored"], np.memmap)


def test_previews_show_the_extremes(tmp_path: Path) -> None:
    dataset = world(tmp_path, 14)
    run, plan = tmp_path / "run", settings(augment=("random_resized_crop", "color_jitter"))
    FEED.previews(FEED.prepare(dataset, plan, SPEC), dataset, plan, SPEC, run)
    frame = read_frame(run / "figures/prepared.csv")
    assert frame.height == 6
    assert {"2.png", "3.png"} <= set(frame["id"])  # the widest (90 x 20) and the narrowest (48 x 50)
    for row in frame.iter_rows(named=True):
        assert size(run / row["after_path"]) == (32, 32)
        assert size(run / row["augmented_path"]) == (3 * 32 + 2 * 8, 32)
        assert size(run / row["before_path"]) == size(tmp_path / row["id"])
    sheet = np.asarray(Image.open(run / "figures/prepared.png"))
    assert sheet.shape == (6 * 232 + 8, 5 * 232 + 8, 3)  # a row each: original, what the network sees, three views
    cells = [sheet[8 + 232 * i :, 8 + 232 * j :][:224, :224] for i in range(6) for j in range(5)]
    assert all(cell.std() > 0 for cell in cells)
