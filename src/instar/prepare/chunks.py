"""A large .npy file that is written chunk by chunk, and taken up where it was left."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from instar.errors import UserError

SPARE_BYTES = 200 * 2**20
"""Left free on the disk for everything else; our judgement."""


def need_space(folder: Path, n_bytes: int) -> None:
    """Raise `UserError` where the disk of `folder` cannot take `n_bytes` more."""
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free
    if free < n_bytes + SPARE_BYTES:
        raise UserError(
            f"{folder} has {free / 1e9:.1f} GB free and {(n_bytes + SPARE_BYTES) / 1e9:.1f} GB are needed: "
            "free some space, or set INSTAR_HOME to a folder on another disk"
        )


def write_in_chunks(
    path: Path,
    shape: tuple[int, ...],
    dtype: DTypeLike,
    chunk: int,
    make: Callable[[int], Iterator[NDArray[Any]]],
    advance: Callable[[int], object],
) -> None:
    """Write the array whose rows from `start` on are those of `make(start)`, `chunk` rows at a time.

    Whole chunks that an earlier, interrupted call left in `<path>.part` are kept: the length of that file
    says how many there are. Nothing is ever cut off there, so a second process at the same work does no harm:
    both write the same bytes to the same places. Rows are written, not mapped, because a full disk is an
    exception for `write` and a SIGBUS for a mapped page.
    """
    part = path.with_name(path.name + ".part")
    row_bytes = int(np.prod(shape[1:])) * np.dtype(dtype).itemsize
    need_space(path.parent, shape[0] * row_bytes - (part.stat().st_size if part.exists() else 0))
    try:
        with os.fdopen(os.open(part, os.O_RDWR | os.O_CREAT, 0o644), "r+b") as stream:
            header = {
                "descr": np.lib.format.dtype_to_descr(np.dtype(dtype)),
                "fortran_order": False,
                "shape": shape,
            }
            np.lib.format.write_array_header_1_0(stream, header)
            begin = stream.tell()
            done = max(part.stat().st_size - begin, 0) // row_bytes // chunk * chunk
            advance(min(done, shape[0]))
            stream.seek(begin + done * row_bytes)
            for rows in make(done):
                assert rows.shape[1:] == shape[1:] and rows.dtype == dtype, (rows.shape, rows.dtype)
                stream.write(np.ascontiguousarray(rows).data)
                stream.flush()
                advance(len(rows))
            os.fsync(stream.fileno())
        if not path.exists():  # a second process may have been first
            part.replace(path)
    except OSError as error:
        raise UserError(
            f"cannot write {part}: {error.strerror or error}; free some space or set INSTAR_HOME"
        ) from error
