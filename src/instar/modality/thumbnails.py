"""Tiny pictures of pictures, made once: whoever looks at the same pictures again finds them."""

import contextlib
import hashlib
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import polars as pl
from numpy.typing import NDArray
from PIL import Image

from instar.data.decode import decode
from instar.errors import UserError
from instar.files import home, replacing
from instar.machine import cores
from instar.progress import bar
from instar.records import Dataset

VERSION = 1
"""Goes up when the same picture gives another thumbnail."""
CHUNK = 32
"""Pictures a task of a thread."""


class Thumbnails:
    """Thumbnails of a data set's pictures, kept in the cache under a digest of all that can be read of them.

    Audit and evaluation share them, whatever stands in which split, and so do runs on the same pictures. Each is made
    when it is first asked for: the means of the whole picture's areas, so that it owes nothing to a network's crop.
    """

    def __init__(self, dataset: Dataset, side: int) -> None:
        self.root, self.side = Path(dataset.root), side
        contents = dataset.table.filter(pl.col("error").is_null())["measure.sha256"].unique().sort().to_list()
        self.place = {content: i for i, content in enumerate(contents)}
        key = hashlib.sha256(f"{VERSION} {side} {contents}".encode()).hexdigest()[:20]
        self.path = home() / "thumbnails" / f"{key}.npz"

    def of(self, rows: pl.DataFrame) -> NDArray[np.uint8]:
        """The thumbnails (N, side, side, 3) of rows of the data set's table.

        Raises:
            FileNotFoundError: a picture that was never asked for before is gone.
            UserError: ... is no longer what the data set measured.
        """
        made, pixels = self._known()
        wanted = [
            (self.place[content], name, content) for name, content in rows.select("input", "measure.sha256").iter_rows()
        ]
        lacking = list({i: (name, content) for i, name, content in wanted if not made[i]}.items())
        if lacking:
            parts = [lacking[start : start + CHUNK] for start in range(0, len(lacking), CHUNK)]
            with ThreadPoolExecutor(cores()) as pool, bar("thumbnails", len(lacking)) as advance:
                for part, found in zip(
                    parts, pool.map(lambda p: [self._one(*what) for _, what in p], parts), strict=True
                ):
                    places = [i for i, _ in part]
                    made[places], pixels[places] = True, np.stack(found)
                    advance(len(part), "")
            with replacing(self.path) as temporary:
                np.savez(temporary, made=made, pixels=pixels)
        return pixels[[i for i, _, _ in wanted]]

    def _known(self) -> tuple[NDArray[np.bool_], NDArray[np.uint8]]:
        unreadable = (OSError, ValueError, EOFError, KeyError, BadZipFile)
        with contextlib.suppress(*unreadable), np.load(BytesIO(self.path.read_bytes())) as kept:
            return kept["made"], kept["pixels"]
        n = len(self.place)
        return np.zeros(n, np.bool_), np.zeros((n, self.side, self.side, 3), np.uint8)

    def _one(self, name: str, content: str) -> NDArray[np.uint8]:
        path = self.root / name
        found = path.read_bytes()
        if hashlib.sha256(found).hexdigest() != content:
            raise UserError(f"{path} has changed since it was opened; run `instar run` again")
        picture = Image.fromarray(decode(found))
        return np.asarray(picture.resize((self.side, self.side), Image.Resampling.BOX))
