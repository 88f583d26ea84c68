"""The new set on the disk: pictures and table, whole or absent."""

import os
import re
import shutil
import tempfile
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import polars as pl

from instar.data.folder import PICTURES
from instar.errors import UserError
from instar.files import write_frame
from instar.progress import bar

TABLE = "table.csv"
CLASS_LENGTH, SOURCE_LENGTH, STEM_LENGTH = 60, 20, 36
"""Characters of the parts of a name; four bytes each and a number stay below the 255 bytes that a disk
allows."""


def vacant(out: Path) -> None:
    """Refuse a folder that holds something."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UserError(f"{out} exists already; name another folder, or delete it first")


@contextmanager
def whole(out: Path) -> Iterator[Path]:
    """Yield an empty folder beside `out` that takes its place if all went well, and is gone if not.

    Raises:
        UserError: `out` holds something, or cannot be made.
    """
    vacant(out)
    with _refused(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=out.parent, prefix=f".{out.name}."))
    try:
        temporary.chmod(0o755)
        yield temporary
        with _refused(out):
            if out.exists():
                out.rmdir()
            temporary.rename(out)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def _refused(out: Path) -> Iterator[None]:
    """What the disk refuses, as one line with a remedy."""
    try:
        yield
    except OSError as error:
        reason = f"{error.strerror or error}"
        raise UserError(f"cannot write {out} ({reason}); free some space or name a folder elsewhere") from error


def place_images(rows: pl.DataFrame, folder: Path, files: str) -> pl.Series:
    """Put the files of pictures below `folder`/images, bytes unchanged; returns their paths below
    `folder`."""
    names = file_names(rows)
    with bar("placing images", rows.height) as advance:
        for root, path, name in zip(rows["root"], rows["input"], names, strict=True):
            source, target = (Path(root) / path).resolve(), folder / name
            with _refused(target):
                target.parent.mkdir(parents=True, exist_ok=True)
                _place(source, target, files)
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


def place_texts(rows: pl.DataFrame, folder: Path, files: str) -> pl.Series:
    """The texts themselves: they stand in the table."""
    return rows["input"]


@dataclass(frozen=True)
class Form:
    """How examples of one modality stand in the new set."""

    column: str
    """First column of the table."""
    place: Callable[[pl.DataFrame, Path, str], pl.Series]
    """(rows, folder, link or copy) -> its cells; writes what does not fit into a table."""


FORMS = {"image": Form("filename", place_images), "text": Form("text", place_texts)}


def write_set(kept: pl.DataFrame, licences: Mapping[str, str], modality: str, folder: Path, files: str) -> pl.DataFrame:
    """Write pictures and table.csv, and return the table.

    Returns:
        filename or text, label, source, licence, original, original_label; no cell is empty.
    """
    form = FORMS[modality]
    table = kept.select(
        form.place(kept, folder, files).alias(form.column),
        "label",
        "source",
        pl.col("source").replace_strict(licences, return_dtype=pl.String).alias("licence"),
        "original",
        pl.col("was").alias("original_label"),
    )
    write_frame(folder / TABLE, table)
    return table
