"""What was fetched, where it lies below the home of instar, and whether it is whole."""

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from instar import files
from instar.errors import UserError
from instar.progress import say

RESERVE = 64 * 2**20
"""Bytes that stay free on the disk, whatever is fetched. Our judgement."""


class DiskFullError(UserError):
    """No room: what has been downloaded is sound and is kept."""


@dataclass(frozen=True)
class Receipt:
    """What stands beside a fetched folder, in `<folder>.fetched.yaml`: without it, the folder is a part."""

    source: str
    """kaggle:..., hf:..., or the address of a mirror or archive."""
    version: str
    """Kaggle's number of the version, the hub's commit, or the checksum of the archive."""
    opens: str
    """What to open: a path below the folder, or "" for the folder itself."""
    licence: str
    """As the source states it; "" where it states none."""
    fetched: str
    """Date and time, UTC."""


def place(*parts: str) -> Path:
    """Where a set lies in the cache."""
    return files.home().joinpath("data", *parts)


def beside(folder: Path, suffix: str) -> Path:
    """A file that belongs to a fetched folder and stands beside it."""
    return folder.with_name(folder.name + suffix)


def receipt_of(folder: Path) -> Receipt | None:
    """The receipt of a folder that is whole."""
    path = beside(folder, ".fetched.yaml")
    return files.read_yaml(path, Receipt) if path.exists() and folder.is_dir() else None


def sign(folder: Path, receipt: Receipt) -> Receipt:
    """Declare a folder whole."""
    files.write_yaml(beside(folder, ".fetched.yaml"), asdict(receipt))
    return receipt


@contextlib.contextmanager
def held(folder: Path) -> Iterator[None]:
    """Keep other processes away from a folder of the cache while it is being filled."""
    make(folder.parent)
    lock = FileLock(beside(folder, ".lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        say(f"another process is fetching {folder}; waiting for it")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


@contextlib.contextmanager
def filling(folder: Path) -> Iterator[Path]:
    """Yield an empty folder beside `folder`, which takes its place in one step if all went well.

    What an earlier process left when it was killed is removed first, so call it under `held`.
    """
    temporary = folder.with_name(f".{folder.name}.unfinished")
    shutil.rmtree(temporary, ignore_errors=True)
    make(temporary)
    try:
        yield temporary
        if folder.exists():
            shutil.rmtree(folder)
        temporary.rename(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def make(folder: Path) -> None:
    """Make a folder with its parents, or say why not."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"cannot make the folder {folder} ({error.strerror}); set INSTAR_HOME to one that can be written"
        ) from error


def need_room(folder: Path, size: int, what: str) -> None:
    """Refuse to begin what would fill the disk.

    Raises:
        UserError: fewer than `size` bytes and the reserve are free where `folder` lies.
    """
    free = shutil.disk_usage(folder).free
    if size + RESERVE > free:
        raise full(folder, f"{what} needs {megabytes(size + RESERVE)}, {megabytes(free)} are free")


def full(folder: Path, how: str) -> DiskFullError:
    """The error for a disk without room."""
    return DiskFullError(f"the disk of {folder} is full: {how}; free some space or set INSTAR_HOME to a larger disk")


def megabytes(size: int) -> str:
    """Bytes for people."""
    return f"{size / 1e6:,.1f} MB" if size < 1e8 else f"{size / 1e6:,.0f} MB"
