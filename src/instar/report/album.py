"""Pictures inside a page, small and bounded; and contact sheets of the classes for figures/."""

import base64
import io
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont, ImageOps

from instar.data.decode import Unreadable, decode
from instar.machine import cores
from instar.records import Dataset

SIDE = 232
"""Longest side in pixels of an example."""
QUALITY = 82
MOST_CLASSES = 200
"""Classes that are shown."""
MEAN_OF, IN_ALL = 40, 3000
"""Pictures of a mean picture at most, and of all of them together about."""
FEW, MANY = 12, 60
"""Up to so many classes have larger and more pictures."""
GAP = 4


@dataclass
class Album:
    """What room is left for pictures, in bytes: a page with thousands of pictures opens on no telephone."""

    left: int = 4_000_000
    lost: list[Path] = field(default_factory=list)
    """Pictures that could be read when the data were opened, and no longer can."""

    def read(self, path: Path) -> Image.Image | None:
        """A picture; None where it cannot be read."""
        try:
            return Image.fromarray(decode(path.read_bytes()))
        except (OSError, Unreadable):
            self.lost.append(path)
            return None

    def thumbnail(self, path: Path) -> str | None:
        """A picture as a data URI; empty where there is no room for it any more, None where it cannot be read."""
        if self.left <= 0:
            return ""
        picture = self.read(path)
        if picture is None:
            return None
        picture.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
        return self.keep(picture)

    def keep(self, picture: Image.Image) -> str:
        """A picture of its final size as a data URI."""
        stream = io.BytesIO()
        picture.save(stream, "JPEG", quality=QUALITY)
        self.left -= stream.tell()
        return "data:image/jpeg;base64," + base64.b64encode(stream.getvalue()).decode()


@dataclass(frozen=True)
class Look:
    """What one class looks like."""

    label: str
    ids: tuple[str, ...]
    mean: Image.Image
    tiles: tuple[Image.Image, ...]

    @property
    def strip(self) -> Image.Image:
        """The tiles side by side."""
        side = self.mean.width
        strip = Image.new("RGB", ((side + GAP) * len(self.tiles) - GAP, side), "white")
        for i, tile in enumerate(self.tiles):
            strip.paste(tile, (i * (side + GAP), 0))
        return strip


def looks(dataset: Dataset, album: Album) -> list[Look]:
    """Mean picture and examples of each class, from training pictures at equal distances of the list.

    The album reads them, and keeps in mind which cannot be read.
    """
    classes = len(dataset.classes)
    side, shown = (96, 8) if classes <= FEW else (72, 6) if classes <= MANY else (64, 5)
    most = max(shown, min(MEAN_OF, IN_ALL // classes))
    train = dataset.part("train").unique("group", keep="first", maintain_order=True)

    def look(label: str) -> Look | None:
        rows = train.filter(pl.col("label") == label)
        if not rows.height:
            return None
        rows = rows[_spread(rows.height, most)]
        picked = set(_spread(rows.height, shown))
        total: NDArray[np.float64] = np.zeros((side, side, 3))
        n, tiles = 0, {}
        for i, (name, path) in enumerate(rows.select("id", "input").iter_rows()):
            picture = album.read(Path(dataset.root) / path)
            if picture is None:
                continue
            n += 1
            total += np.asarray(picture.resize((side, side), Image.Resampling.BOX), dtype=np.float64)
            if i in picked:
                tiles[name] = ImageOps.fit(picture, (side, side), Image.Resampling.LANCZOS)
        if not tiles:
            return None
        mean = Image.fromarray((total / n).round().astype(np.uint8))
        return Look(label, tuple(tiles), mean, tuple(tiles.values()))

    with ThreadPoolExecutor(cores()) as pool:
        found = pool.map(look, dataset.classes[:MOST_CLASSES])
        return [seen for seen in found if seen is not None]


def _spread(n: int, most: int) -> list[int]:
    """At most so many places of n, at equal distances."""
    return sorted(set(np.linspace(0, n - 1, min(n, most)).round().astype(int).tolist()))


def sheets(seen: Sequence[Look]) -> dict[str, tuple[Image.Image, pl.DataFrame]]:
    """Contact sheets by the stem of their files: pictures of each class, mean picture of each class.

    The font at hand has Latin letters only; the table beside a sheet has all names in full.
    """
    side = seen[0].mean.width
    place = pl.int_range(1, len(seen) + 1, eager=True)
    names = [look.label for look in seen]
    table = pl.DataFrame({"place": place, "class": names, "ids": [" ".join(look.ids) for look in seen]})
    few = len(seen) <= FEW
    return {
        "02-class-pictures": (_sheet(names, [look.strip for look in seen], 1 if few else 3, side), table),
        "02-mean-pictures": (_sheet(names, [look.mean for look in seen], 6 if few else 12, side), table.drop("ids")),
    }


def _sheet(names: Sequence[str], pictures: Sequence[Image.Image], columns: int, side: int) -> Image.Image:
    """Pictures with their numbers and names above, column beside column."""
    size = 13
    font = ImageFont.load_default(size)
    wide, tall = max(p.width for p in pictures) + 3 * GAP, side + size + 4 * GAP
    rows = -(-len(pictures) // columns)
    sheet = Image.new("RGB", (wide * min(columns, len(pictures)) + GAP, tall * rows + GAP), "white")
    pen = ImageDraw.Draw(sheet)
    for i, (name, picture) in enumerate(zip(names, pictures, strict=True)):
        left, top = i % columns * wide + GAP, i // columns * tall + GAP
        text = f"{i + 1} {name}"
        while text and pen.textlength(text, font=font) > wide - 2 * GAP:
            text = text[:-1]
        pen.text((left, top), text, fill="#24292E", font=font)
        sheet.paste(picture, (left, top + size + 2 * GAP))
    return sheet
