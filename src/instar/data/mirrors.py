"""Caltech-101 and Flowers-102 from the servers of their authors.

Addresses and checksums are those of torchvision's own loaders (torchvision.datasets, Caltech101 and
Flowers102), which would need torch and cannot resume a download.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from importlib import resources
from pathlib import Path

import polars as pl
import requests

from instar.data import cache
from instar.data.archive import unpack
from instar.data.download import download, get
from instar.errors import UserError
from instar.files import write_frame


@dataclass(frozen=True)
class Remote:
    """A file of a mirror."""

    url: str
    md5: str

    @property
    def name(self) -> str:
        return self.url.rsplit("/", 1)[-1]


CALTECH = Remote(
    "https://data.caltech.edu/records/mzrjq-6wc02/files/caltech-101.zip", "3138e1922a9193bfa496528edbbc45d0"
)
_OXFORD = "https://www.robots.ox.ac.uk/~vgg/data/flowers/102/"
FLOWERS = (
    Remote(_OXFORD + "102flowers.tgz", "52808999861908f626f3c1f4e79d11fa"),
    Remote(_OXFORD + "imagelabels.mat", "e0620be6f572b9609742df49c70aed4d"),
    Remote(_OXFORD + "setid.mat", "a5357ecc9cb78c4bef273ce3793fc85c"),
)
SPLITS = {"trnid": "train", "valid": "val", "tstid": "test"}
"""What setid.mat calls the parts."""


def fetch(name: str, licence: str) -> tuple[Path, cache.Receipt]:
    """Fetch caltech101 or flowers102 into the cache, unless it is there.

    Raises:
        UserError: what `download` and `unpack` refuse, or a server that refuses.
    """
    build, remotes = _builders()[name]
    folder = cache.place(name)
    with cache.held(folder):
        if receipt := cache.receipt_of(folder):
            return folder, receipt
        store = cache.beside(folder, ".download")
        paths = [store / remote.name for remote in remotes]
        for remote, path in zip(remotes, paths, strict=True):
            _download(remote, path)
        with cache.filling(folder) as temporary:
            build(temporary, *paths)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        receipt = cache.Receipt(remotes[0].url, remotes[0].md5, "", licence, now)
        cache.sign(folder, receipt)
        shutil.rmtree(store)
    return folder, receipt


def _builders() -> dict[str, tuple[Callable[..., None], tuple[Remote, ...]]]:
    return {"caltech101": (build_caltech, (CALTECH,)), "flowers102": (build_flowers, FLOWERS)}


def _download(remote: Remote, path: Path) -> None:
    try:
        download(partial(get, remote.url), path, remote.name, md5=remote.md5)
    except requests.HTTPError as error:
        status = error.response.status_code if error.response is not None else "error"
        raise UserError(
            f"the server refuses {remote.url} (HTTP {status}); try later, or download it in a browser, "
            "unpack it and name the folder"
        ) from error


def build_caltech(folder: Path, archive: Path) -> None:
    """Unpack the pictures alone: the zip holds them as a tar, beside one with outlines."""
    inner = folder.with_name(folder.name + ".zip")
    shutil.rmtree(inner, ignore_errors=True)
    inner.mkdir()
    try:
        unpack(archive, inner)
        unpack(_only(inner, "101_ObjectCategories.tar.gz", archive), folder)
    finally:
        shutil.rmtree(inner)


def build_flowers(folder: Path, archive: Path, labels: Path, parts: Path) -> None:
    """Unpack the pictures and write a table of them: filename, label, split."""
    from scipy.io import loadmat

    unpack(archive, folder)
    names = resources.files("instar.data").joinpath("flowers102.txt").read_text("utf-8").splitlines()
    numbers = loadmat(labels, squeeze_me=True)["labels"].tolist()
    lists = loadmat(parts, squeeze_me=True)
    split = {number: ours for theirs, ours in SPLITS.items() for number in lists[theirs].tolist()}
    rows = [
        {"filename": f"jpg/image_{i:05d}.jpg", "label": names[number - 1], "split": split[i]}
        for i, number in enumerate(numbers, start=1)
    ]
    write_frame(folder / "flowers102.csv", pl.DataFrame(rows))


def _only(folder: Path, name: str, archive: Path) -> Path:
    found = [path for path in folder.rglob(name) if path.name == name]
    if len(found) != 1:
        raise UserError(f"{archive.name} holds {name} {len(found)} times; its source has changed")
    return found[0]
