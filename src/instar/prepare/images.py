"""Pictures, decoded and resized once, as squares of uint8 that training crops from."""

import contextlib
import hashlib
import json
import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torchvision.transforms.v2 import functional as F

from instar import store
from instar.data.decode import Unreadable, decode
from instar.errors import UserError
from instar.machine import cores
from instar.prepare.augment import MODES, augmented, centre, normalised
from instar.prepare.base import Batch
from instar.prepare.chunks import write_in_chunks
from instar.progress import bar
from instar.records import Dataset, InputSpec, Recipe

VERSION = 1
"""Goes up when the same input gives other pixels."""
CHUNK = 256
MARGIN = 8 / 7
"""The stored square is at least this much wider than the input, so that random crops have room (256 for
224)."""


@dataclass(frozen=True)
class Shape:
    """How pictures are brought to squares."""

    size: int
    side: int
    fit: str
    interpolation: str


@dataclass(frozen=True)
class PreparedImages:
    """Pictures as `prepare.base.Prepared`."""

    key: str
    ids: tuple[str, ...]
    costs: NDArray[np.int64]
    squares: Callable[[NDArray[np.int64]], NDArray[np.uint8]]
    """rows (B,) -> stored squares (B, S, S, 3)"""
    shape: Shape
    mean: tuple[float, ...]
    std: tuple[float, ...]

    def batch(self, rows: NDArray[np.int64], augment: tuple[str, ...], seed: int) -> Batch:
        """pixels (B, 3, H, W), normalised: the centre view, or a random view where `augment` names
        anything."""
        return {"pixels": normalised(self.views(rows, augment, seed), self.mean, self.std)}

    def views(self, rows: NDArray[np.int64], augment: tuple[str, ...], seed: int) -> torch.Tensor:
        """What the network sees, before normalisation: (B, H, W, 3), values 0 to 255."""
        stored_BSSC = torch.from_numpy(self.squares(rows))
        if not augment:
            return centre(stored_BSSC, self.shape.size)
        return augmented(stored_BSSC, self.shape.size, augment, self.shape.interpolation, seed)


def shape_of(recipe: Recipe, spec: InputSpec) -> Shape:
    """Side of the stored square: the network's own resizing (size / crop share), but room for random
    crops."""
    size = recipe.input_size
    side = max(round(size / spec.crop_share), math.ceil(size * MARGIN))
    return Shape(size, side, recipe.fit, spec.interpolation)


def square(pixels_HWC: NDArray[np.uint8], shape: Shape) -> NDArray[np.uint8]:
    """Bring a picture to the stored square (S, S, 3); evaluation sees the middle `size` pixels of it.

    crop: the shorter side becomes S, the middle is kept. squash: both sides become S. pad: the longer side
    becomes `size`, so that evaluation sees the whole picture, in the middle of its own mean colour. Resized
    with antialiasing by torchvision on uint8 tensors: 2,600 to 3,900 pictures a second on one core where
    Pillow does 570 to 890 (to 256 pixels, butterfly and Caltech-101).
    """
    height, width = pixels_HWC.shape[:2]
    if shape.fit == "crop":
        short = min(height, width)
        top, left = (height - short) // 2, (width - short) // 2
        return _resized(pixels_HWC[top : top + short, left : left + short], shape.side, shape.side, shape)
    if shape.fit == "squash":
        return _resized(pixels_HWC, shape.side, shape.side, shape)
    scale = shape.size / max(height, width)
    inner = _resized(pixels_HWC, max(1, round(height * scale)), max(1, round(width * scale)), shape)
    canvas = np.empty((shape.side, shape.side, 3), np.uint8)
    canvas[:] = inner.mean((0, 1)).round()
    top, left = (shape.side - inner.shape[0]) // 2, (shape.side - inner.shape[1]) // 2
    canvas[top : top + inner.shape[0], left : left + inner.shape[1]] = inner
    return canvas


def _resized(pixels_HWC: NDArray[np.uint8], height: int, width: int, shape: Shape) -> NDArray[np.uint8]:
    picture_CHW = torch.from_numpy(np.require(pixels_HWC, requirements=["C", "W"])).permute(2, 0, 1)
    resized = F.resize(picture_CHW, [height, width], interpolation=MODES[shape.interpolation], antialias=True)
    pixels: NDArray[np.uint8] = resized.permute(1, 2, 0).numpy()
    return pixels


def prepare_images(dataset: Dataset, recipe: Recipe, spec: InputSpec) -> Path:
    """Write the squares of splits train, val and test into the cache, once, and return their folder.

    The folder's name is a digest of ids, contents and shape, so it is found again by whoever needs the same.
    An interrupted call is taken up after the last whole chunk.

    Raises:
        UserError: a file is no longer what the data set measured, or the disk is too small.
    """
    shape = shape_of(recipe, spec)
    rows = dataset.part("train", "val", "test").select("id", "input", "measure.sha256")
    wanted = list(rows.iter_rows())
    content = json.dumps([VERSION, shape.side, shape.fit, shape.interpolation, shape.size * (shape.fit == "pad")])
    key = hashlib.sha256((content + json.dumps([(id_, digest) for id_, _, digest in wanted])).encode()).hexdigest()[:20]
    folder = store.home() / "prepared" / key
    if (folder / "pixels.npy").exists():
        return folder
    store.write_text(folder / "ids.json", json.dumps(list(rows["id"])))
    root = Path(dataset.root)

    def one(row: tuple[str, str, str]) -> NDArray[np.uint8]:
        path = root / row[1]
        try:
            content = path.read_bytes()
        except OSError as error:
            raise UserError(
                f"{path} cannot be read ({error.strerror}); put it back or run `instar run` again"
            ) from error
        if hashlib.sha256(content).hexdigest() != row[2]:
            raise UserError(f"{path} has changed since it was opened; run `instar run` again")
        return square(decode(content), shape)

    with single_threaded(), ThreadPoolExecutor(cores()) as pool, bar("preparing", len(wanted)) as advance:
        write_in_chunks(
            folder / "pixels.npy",
            (len(wanted), shape.side, shape.side, 3),
            np.uint8,
            CHUNK,
            lambda done: (
                np.stack(list(pool.map(one, wanted[start : start + CHUNK])))
                for start in range(done, len(wanted), CHUNK)
            ),
            lambda n: advance(n, ""),
        )
    return folder


def open_images(folder: Path, recipe: Recipe, spec: InputSpec) -> PreparedImages:
    """Open what `prepare_images` wrote. Pixels stay on the disk and are mapped, so memory does not grow with
    them."""
    stored = np.load(folder / "pixels.npy", mmap_mode="r")
    ids = tuple(json.loads((folder / "ids.json").read_text()))
    costs = np.ones(len(ids), np.int64)
    shape = shape_of(recipe, spec)
    return PreparedImages(
        f"{folder.name} {shape} {spec.mean} {spec.std}",
        ids,
        costs,
        lambda rows: stored[rows],
        shape,
        spec.mean,
        spec.std,
    )


def example_images(paths: Sequence[str], recipe: Recipe, spec: InputSpec) -> PreparedImages:
    """Pictures of any folder for `predict`, decoded when a batch asks for them. Ids are the paths."""
    shape = shape_of(recipe, spec)

    def one(path: str) -> NDArray[np.uint8]:
        try:
            return square(decode(Path(path).read_bytes()), shape)
        except Unreadable as error:
            raise UserError(f"{path} cannot be read ({error}); leave it out") from error

    def squares(rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        return np.stack([one(paths[row]) for row in rows])

    changed = [(path, Path(path).stat().st_mtime_ns) for path in paths]
    key = hashlib.sha256(f"{changed} {shape} {spec.mean} {spec.std}".encode()).hexdigest()
    costs = np.ones(len(paths), np.int64)
    return PreparedImages(key, tuple(paths), costs, squares, shape, spec.mean, spec.std)


@contextlib.contextmanager
def single_threaded() -> Iterator[None]:
    """Keep torch to one thread where our own threads share the cores already."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
