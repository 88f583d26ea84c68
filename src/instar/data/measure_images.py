"""What is measured of a picture."""

import hashlib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl

from instar.data.decode import Unreadable, read_picture
from instar.data.look import look
from instar.machine import cores
from instar.progress import bar
from instar.records import Json

CHUNK = 32
"""Pictures a task of a thread: each is read, decoded, measured and forgotten before the next."""
SCHEMA: dict[str, type[pl.DataType]] = {
    "id": pl.String,
    "twin": pl.String,
    "error": pl.String,
    "measure.sha256": pl.String,
    "measure.bytes": pl.Int64,
    "measure.format": pl.String,
    "measure.mode": pl.String,
    "measure.width": pl.Int64,
    "measure.height": pl.Int64,
    "measure.brightness": pl.Float64,
    "measure.contrast": pl.Float64,
    "measure.grey": pl.Boolean,
    **{
        f"measure.{channel}{figure}": pl.Float64
        for figure in ("", "_deviation")
        for channel in ("red", "green", "blue")
    },
    "measure.sharpness": pl.Float64,
    "measure.border": pl.Float64,
    "measure.phash": pl.String,
}


def measure(rows: pl.DataFrame, root: Path) -> pl.DataFrame:
    """Measure pictures, each file read once, on all cores.

    Threads, not processes: reading, decoding (simplejpeg and Pillow) and hashing let go of the interpreter's
    lock, as measured by how far another thread gets meanwhile, and nothing has to be started or sent.

    Args:
        rows: columns id and input (a path below `root`).

    Returns:
        A row per row of `rows`, in their order, with the columns of `SCHEMA`: twin is a digest of shape and
        decoded pixels, so that a copy under another name or with other metadata is a twin; error says why a
        file gives no picture; width and height are those of the upright picture; format and mode tell how it is
        stored; all else is told by `look.look`.
    """
    pairs = list(rows.select("id", "input").iter_rows())
    chunks = [pairs[start : start + CHUNK] for start in range(0, len(pairs), CHUNK)]
    found: list[dict[str, Json]] = []
    with ThreadPoolExecutor(cores()) as pool, bar("measuring", len(pairs)) as advance:
        for part in pool.map(lambda chunk: _measure_chunk(chunk, root), chunks):
            found += part
            advance(len(part), "")
    return pl.DataFrame(found, schema=SCHEMA)


def _measure_chunk(chunk: Iterable[tuple[str, str]], root: Path) -> list[dict[str, Json]]:
    return [{"id": id_, **_measure_file(root / path)} for id_, path in chunk]


def _measure_file(path: Path) -> dict[str, Json]:
    try:
        content = path.read_bytes()
    except (FileNotFoundError, IsADirectoryError):
        return {"error": "file missing"}
    except OSError as error:
        return {"error": f"cannot be opened ({error.strerror})"}
    of_file = {"measure.sha256": hashlib.sha256(content).hexdigest(), "measure.bytes": len(content)}
    try:
        picture = read_picture(content)
    except Unreadable as error:
        return {**of_file, "error": str(error)}
    height, width, _ = picture.pixels.shape
    digest = hashlib.sha256(f"{height} {width} ".encode())
    digest.update(picture.pixels.data)
    return {
        **of_file,
        "twin": digest.hexdigest(),
        "measure.format": picture.format,
        "measure.mode": picture.mode,
        "measure.width": width,
        "measure.height": height,
        **{f"measure.{name}": value for name, value in look(picture.pixels).items()},
    }
