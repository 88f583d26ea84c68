"""The new set on the disk: pictures and table, whole or absent."""

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from instar.errors import UserError
from instar.files import write_frame
from instar.modality.base import Modality

TABLE = "table.csv"


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


def write_set(
    kept: pl.DataFrame, licences: Mapping[str, str], modality: Modality, folder: Path, files: str
) -> pl.DataFrame:
    """Write what does not fit into a table, and table.csv, and return the table.

    Returns:
        the modality's column, label, source, licence, original, original_label; no cell is empty.
    """
    table = kept.select(
        modality.place(kept, folder, files).alias(modality.column),
        "label",
        "source",
        pl.col("source").replace_strict(licences, return_dtype=pl.String).alias("licence"),
        "original",
        pl.col("was").alias("original_label"),
    )
    write_frame(folder / TABLE, table)
    return table
