"""Which file a table means by the name of a picture."""

import posixpath
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

ANYWHERE = "*"


def names_of(pictures: Iterable[str]) -> frozenset[str]:
    """All that a table may call these pictures: paths from any folder above, with and without suffix."""
    return frozenset(name for path in pictures for name, _ in _names(path))


def locate(listed: Sequence[str], pictures: Sequence[str]) -> list[str]:
    """Paths of the pictures that a table lists by name.

    The names of one table are all seen from one folder. It is the folder that fits best: its share of listed
    names found, times found over listed or present (so that of two folders with the same names, that of the
    right size wins). Only where names are spread over several folders, none of which fits, each name is
    looked for in all of them, and holds if it occurs once. Where no name fits, as with the absolute paths of
    another machine, the first folders of all names are cut off until one does.

    Args:
        listed: names as they stand in the table, perhaps without suffix.
        pictures: paths of all pictures, with slashes.

    Returns:
        A path for each name, the one where the picture should be if it is not there.
    """
    wanted = [_clean(name) for name in listed]
    known = names_of(pictures)
    while not known.intersection(wanted) and any("/" in name for name in wanted):
        wanted = [name.split("/", 1)[-1] for name in wanted]
    distinct = set(wanted)
    at: dict[str, dict[str, str]] = defaultdict(dict)
    inside: Counter[str] = Counter()
    for path in pictures:
        inside.update(folder.as_posix() for folder in PurePosixPath(path).parents)
        for name, folder in _names(path):
            if name in distinct:
                at[folder].setdefault(name, path)
    everywhere = _once(at)
    candidates = {**at, ANYWHERE: everywhere}
    inside[ANYWHERE] = len(pictures)

    def fit(folder: str) -> float:
        found = len(candidates[folder])
        return found / len(distinct) * found / max(len(distinct) + inside[folder] - found, 1)

    best = max(candidates, key=lambda folder: (fit(folder), folder != ANYWHERE, -len(folder)))
    fallback = "" if best in (ANYWHERE, ".") else best + "/"
    return [candidates[best].get(name, fallback + name) for name in wanted]


def _once(at: dict[str, dict[str, str]]) -> dict[str, str]:
    """Names that lead to one picture only, over several folders."""
    paths: dict[str, set[str]] = defaultdict(set)
    for seen in at.values():
        for name, path in seen.items():
            paths[name].add(path)
    return {name: next(iter(found)) for name, found in paths.items() if len(found) == 1}


def _names(path: str) -> Iterable[tuple[str, str]]:
    """(name, folder from which the name is seen): both with and without suffix, from each folder above."""
    pure = PurePosixPath(path)
    for folder in pure.parents:
        below = pure.relative_to(folder)
        yield below.as_posix(), folder.as_posix()
        yield below.with_suffix("").as_posix(), folder.as_posix()


def _clean(name: str) -> str:
    """The name with slashes for backslashes, never above the folder: no drive, /, ./ or ../ in front."""
    return re.sub(r"^(?:[A-Za-z]:|\.{1,2}(?=/)|/)+", "", posixpath.normpath(name.strip().replace("\\", "/")))
