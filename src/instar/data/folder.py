"""What lies in a folder, and pictures in a folder per class."""

import re
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import polars as pl

from instar.data.decode import MAGIC
from instar.data.order import natural
from instar.data.walk import walk
from instar.errors import UserError

FORMATS = {
    **dict.fromkeys((".jpg", ".jpeg", ".jpe", ".jfif"), "JPEG"), ".png": "PNG", ".gif": "GIF", ".bmp": "BMP",
    ".dib": "DIB", ".tif": "TIFF", ".tiff": "TIFF", ".webp": "WEBP",
    **dict.fromkeys((".ppm", ".pgm", ".pbm", ".pnm"), "PPM"), ".avif": "AVIF", ".heic": "HEIF", ".heif": "HEIF",
    ".tga": "TGA",
}  # fmt: skip
"""Suffix of a picture -> the format that it names, as Pillow calls it."""
PICTURES = frozenset(FORMATS)
"""Suffixes of pictures; HEIC is among them, though not decoded: such files are counted, not passed over."""
TABLES = frozenset((".csv", ".tsv", ".parquet", ".jsonl", ".ndjson"))
JUNK = frozenset(("thumbs.db", "desktop.ini", "__macosx", "lost+found", "system volume information", "$recycle.bin"))
NAMED = 20
"""Files that take no part of which the names are kept."""
_SPLIT = re.compile(
    r"(train|val|dev|test)(?:ing|id|idation)?(?:[-_ .]?(?:set|data|split|images|imgs|img))?", re.IGNORECASE
)


@dataclass(frozen=True)
class Files:
    """Files below a folder, as paths with slashes below it, in natural order."""

    pictures: tuple[str, ...]
    tables: tuple[str, ...]
    ignored: int
    """Files that are neither, and hidden ones; a hidden folder counts as one."""
    unread: tuple[str, ...] = ()
    """Folders that cannot be looked into, each with the reason."""
    cut: bool = False
    """Whether there is more than was to be looked at."""
    hidden: int = 0
    """Of the ignored ones, those that are hidden or that systems leave behind."""
    passed: tuple[str, ...] = ()
    """The first `NAMED` of the ignored ones that are not hidden, as paths below the folder first looked at."""

    def below(self, folder: str) -> "Files":
        """The files of a folder in it, with paths below that folder; all others are ignored."""
        start = folder + "/"
        kept = [
            tuple(p.removeprefix(start) for p in kind if p.startswith(start)) for kind in (self.pictures, self.tables)
        ]
        lost = len(self.pictures) + len(self.tables) - len(kept[0]) - len(kept[1])
        return replace(self, pictures=kept[0], tables=kept[1], ignored=self.ignored + lost)


def is_picture(path: Path) -> bool:
    """Whether a file says that it is a picture: by its suffix, else by its first bytes.

    A link that leads nowhere counts by its suffix, so that the picture is missed and not passed over. What cannot be
    opened and has no such suffix is no picture.
    """
    try:
        if path.suffix.lower() in PICTURES:
            return path.is_file() or path.is_symlink()
        if path.suffix.lower() in TABLES or not path.is_file():
            return False
        with path.open("rb") as stream:
            return MAGIC.match(stream.read(12)) is not None
    except OSError:
        return False


def split_name(name: str) -> str | None:
    """train, val or test, if that is what a folder, table or cell is called ("Training_set", "valid" ...)."""
    match = _SPLIT.fullmatch(name.strip())
    return None if match is None else {"dev": "val"}.get(match[1].lower(), match[1].lower())


def path_key(path: str) -> tuple[object, ...]:
    """Natural sort key of a path, folder by folder."""
    return tuple(natural(part) for part in path.split("/"))


def look(root: Path, most: int | None = None) -> Files:
    """Find the pictures and tables below a folder. Links are followed, but not in circles.

    Args:
        most: look at so many files, nearest first, and leave the rest; None: look at all.
    """
    pictures: list[str] = []
    tables: list[str] = []
    unread: list[str] = []
    passed: list[str] = []
    ignored = hidden = seen = 0
    for level in walk(root, lambda name: not _is_hidden(name)):
        hidden += len(level.passed)
        if level.error:
            unread.append(f"{root / level.folder} ({level.error})")
        for name in level.files:
            if seen == most:
                return _files(pictures, tables, hidden, ignored, passed, unread, cut=True)
            seen += 1
            path = level.path(name)
            suffix = PurePosixPath(name).suffix.lower()
            if _is_hidden(name):
                hidden += 1
            elif suffix in TABLES:
                tables.append(path)
            elif is_picture(root / path):
                pictures.append(path)
            else:
                ignored += 1
                passed += [path] if len(passed) < NAMED else []
    return _files(pictures, tables, hidden, ignored, passed, unread, cut=False)


def _files(
    pictures: list[str], tables: list[str], hidden: int, ignored: int, passed: list[str], unread: list[str], cut: bool
) -> Files:
    pictures.sort(key=path_key)
    tables.sort(key=path_key)
    return Files(tuple(pictures), tuple(tables), hidden + ignored, tuple(unread), cut, hidden, tuple(passed))


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name.lower() in JUNK


def unwrap(root: Path, files: Files) -> tuple[Path, Files]:
    """Step down through folders that hold nothing but one folder of folders, as in unpacked archives."""
    while True:
        paths = [PurePosixPath(p) for p in (*files.pictures, *files.tables)]
        tops = {p.parts[0] for p in paths}
        lone = len(tops) == 1 and min(len(p.parts) for p in paths) > 1
        if not lone or not (files.tables or any(len(p.parts) > 2 for p in paths)):
            return root, files
        (top,) = tops
        root, files = root / top, files.below(top)


def read_classes(root: Path, files: Files) -> tuple[pl.DataFrame, str]:
    """Pictures in a folder per class, perhaps below train/, val/ and test/.

    A picture that lies beside the folders of classes has no label; in a test folder without classes it counts
    as unlabelled. Where there are folders of splits, everything outside them is ignored.

    Returns:
        (columns id, input, label, given), layout.
    """
    rows = [_place(path) for path in files.pictures]
    depths = Counter((part, label is not None) for _, label, part in rows)
    split = depths["train", True] > 0
    if not split:
        rows = [(path, path.split("/")[0] if "/" in path else None, None) for path in files.pictures]
        labels = {label for _, label, _ in rows if label}
        if labels and all(split_name(label) for label in labels):
            raise UserError(
                f"{root} has folders of splits without folders of classes in them; "
                "make a folder per class below each, or add a CSV with filename and label"
            )
    kept = [(path, label, part) for path, label, part in rows if part is not None or not split]
    given = ["unlabelled" if part is not None and label is None else part for _, label, part in kept]
    paths = [path for path, _, _ in kept]
    frame = pl.DataFrame(
        {"id": paths, "input": paths, "label": [label for _, label, _ in kept], "given": given},
        schema={"id": pl.String, "input": pl.String, "label": pl.String, "given": pl.String},
    )
    layout = "train, val and test folders with a folder per class" if split else "a folder per class"
    return frame, layout


def _place(path: str) -> tuple[str, str | None, str | None]:
    """(path, class, split) of a picture, if its first folder is that of a split."""
    parts = path.split("/")
    return path, parts[1] if len(parts) > 2 else None, split_name(parts[0]) if len(parts) > 1 else None
