"""Pictures of several sources in one folder, under names that no disk minds."""

import os
import re
import shutil
import unicodedata
from pathlib import Path, PurePosixPath

import polars as pl

from instar.data.folder import PICTURES
from instar.errors import UserError
from instar.progress import bar

CLASS_LENGTH, SOURCE_LENGTH, STEM_LENGTH = 60, 20, 36
"""Characters of the parts of a name; four bytes each and a number stay below the 255 bytes that a disk
allows."""


def place_images(rows: pl.DataFrame, folder: Path, files: str) -> pl.Series:
    """Put the files of pictures below `folder`/images, bytes unchanged; returns their paths below
    `folder`."""
    names = file_names(rows)
    with bar("placing images", rows.height) as advance:
        for root, path, name in zip(rows["root"], rows["input"], names, strict=True):
            source, target = (Path(root) / path).resolve(), folder / name
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
                _place(source, target, files)
            except OSError as error:
                reason = f"{error.strerror or error}"
                raise UserError(
                    f"cannot write {target} ({reason}); free some space or name a folder elsewhere"
                ) from error
            advance(1, "")
    return pl.Series(names, dtype=pl.String)


def _place(source: Path, target: Path, files: str) -> None:
    if files == "link":
        try:
            os.link(source, target)
            return
        except OSError:  # another disk, or one without hard links
            target.unlink(missing_ok=True)
    shutil.copyfile(source, target)


def file_names(rows: pl.DataFrame) -> list[str]:
    """images/CLASS/SOURCE-NAME for each row (source, original, input, label), no two alike on any disk.

    Letters and digits of all scripts stay, the rest becomes "_"; names that differ in capitals only, or that
    were cut to the same, get a number. A row's suffix stays if it is that of a picture.
    """
    folders: dict[str, str] = {}
    taken: set[str] = set()
    names: list[str] = []
    for source, path, label in zip(rows["source"], rows["input"], rows["label"], strict=True):
        if label not in folders:
            folders[label] = _free(f"images/{_slug(label, CLASS_LENGTH)}", "", taken)
        file = PurePosixPath(path)
        known = file.suffix.lower() in PICTURES
        stem = _slug(file.stem if known else file.name, STEM_LENGTH)
        start = f"{folders[label]}/{_slug(source, SOURCE_LENGTH)}-{stem}"
        names.append(_free(start, file.suffix if known else "", taken))
    return names


def _slug(text: str, length: int) -> str:
    """Letters, digits, "-", "_" and inner "." of a text; never hidden, never empty."""
    plain = re.sub(r"[^\w.-]+", "_", unicodedata.normalize("NFC", text))
    return plain.strip("._- ")[:length].rstrip(".") or "_"


def _free(start: str, suffix: str, taken: set[str]) -> str:
    """`start` with the suffix, with the first number that makes it new; notes it as taken."""
    name, n = start + suffix, 1
    while (key := unicodedata.normalize("NFKC", name).casefold()) in taken:
        n += 1
        name = f"{start}-{n}{suffix}"
    taken.add(key)
    return name
