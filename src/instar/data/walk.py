"""Folders below a folder, nearest first."""

import os
from collections import deque
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from instar.steps import LOCK, MACHINE, STUDY


@dataclass(frozen=True)
class Level:
    """One folder and what lies in it."""

    folder: str
    """Its path with slashes below the root, "" for the root."""
    files: tuple[str, ...] = ()
    """Names of all that is no folder, sorted."""
    passed: tuple[str, ...] = ()
    """Names of folders that were not entered on purpose."""
    error: str = ""
    """Why nothing is known of it, as the system puts it."""

    def path(self, name: str) -> str:
        """The path below the root of something in this folder."""
        return f"{self.folder}/{name}" if self.folder else name


def walk(root: Path, enter: Callable[[str], bool] = lambda name: True) -> Iterator[Level]:
    """Visit the folders below `root`, those that are near first, so that whoever stops early has seen these.

    Links to folders are followed, but no folder is visited twice, so circles end. A folder that cannot be listed is
    a level with an error: `os.walk` would leave it out without a word. Run directories of instar are passed over: a
    run may be made inside the very folder that it reads, and its pictures are no examples.

    Args:
        enter: whether to go into a folder of this name.
    """
    waiting, seen = deque([""]), set[str]()
    while waiting:
        folder = waiting.popleft()
        real = os.path.realpath(root / folder)
        if real in seen:
            continue
        seen.add(real)
        try:
            with os.scandir(root / folder) as entries:
                found = sorted((entry.name, _is_folder(entry)) for entry in entries)
        except OSError as error:
            yield Level(folder, error=error.strerror or str(error))
            continue
        if folder and holds_run([name for name, _ in found]):
            continue
        folders = [name for name, is_folder in found if is_folder]
        level = Level(
            folder,
            tuple(name for name, is_folder in found if not is_folder),
            tuple(name for name in folders if not enter(name)),
        )
        waiting.extend(level.path(name) for name in folders if enter(name))
        yield level


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """Whether an entry is a folder or leads to one; not where a link cannot be followed."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def holds_run(names: Collection[str]) -> bool:
    """Whether a folder with these names in it is a run directory, be it one that has only just been begun, or a study
    of several."""
    if LOCK in names and STUDY in names:
        return True
    begun = LOCK in names and all(name.startswith(".") for name in names)
    return begun or (MACHINE in names and (LOCK in names or "1-data" in names))
