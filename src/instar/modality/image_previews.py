"""Before and after: what preparing does to pictures, for a reader."""

from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from PIL import Image, ImageOps

from instar import store
from instar.data.decode import decode
from instar.files import write_frame
from instar.prepare.images import PreparedImages, open_images
from instar.records import Dataset, InputSpec, Recipe

COUNT = 6
VIEWS = 3
LONGEST = 480
"""Longest side in pixels of the reduced original."""
GAP = 8
SHEET_CELL = 224
"""Side in pixels of a cell of the contact sheet."""


def previews(folder: Path, dataset: Dataset, recipe: Recipe, spec: InputSpec, run: Path) -> None:
    """Write figures/prepared.csv and its pictures below `run`: original, what the network sees, augmented
    views; and figures/prepared.png, a contact sheet of them all, a row each.

    Training pictures only: the narrowest and the widest, and others spread evenly over the table.
    """
    prepared = open_images(folder, recipe, spec)
    place = {id_: row for row, id_ in enumerate(prepared.ids)}
    rows, sheet = [], []
    for number, (id_, label, path) in enumerate(_chosen(dataset).iter_rows(), 1):
        stem = f"figures/prepared/{number}"
        row = np.array([place[id_]])
        original = Image.fromarray(decode((Path(dataset.root) / path).read_bytes()))
        original.thumbnail((LONGEST, LONGEST))
        _save(run / f"{stem}-before.png", np.asarray(original))
        after = _pixels(prepared, row, (), 0)
        _save(run / f"{stem}-after.png", after)
        sheet.append([original, Image.fromarray(after)])
        if recipe.augment:
            views = [
                _pixels(prepared, row, recipe.augment, recipe.seed + VIEWS * number + view) for view in range(VIEWS)
            ]
            gap = np.full((recipe.input_size, GAP, 3), 255, np.uint8)
            strip = [part for view in views for part in (view, gap)][:-1]
            _save(run / f"{stem}-augmented.png", np.concatenate(strip, 1))
            sheet[-1] += [Image.fromarray(view) for view in views]
        augmented = f"{stem}-augmented.png" if recipe.augment else ""
        rows.append((id_, label, f"{stem}-before.png", f"{stem}-after.png", augmented, "", ""))
    columns = ["id", "label", "before_path", "after_path", "augmented_path", "before_text", "after_text"]
    write_frame(run / "figures/prepared.csv", pl.DataFrame(rows, columns, orient="row"))
    _save(run / "figures/prepared.png", _contact_sheet(sheet))


def _contact_sheet(rows: list[list[Image.Image]]) -> NDArray[np.uint8]:
    """Pictures in cells of one size on white, each whole and in the middle of its cell."""
    cell = SHEET_CELL + GAP
    sheet = Image.new("RGB", (cell * max(map(len, rows)) + GAP, cell * len(rows) + GAP), "white")
    for i, row in enumerate(rows):
        for j, picture in enumerate(row):
            fitted = ImageOps.contain(picture, (SHEET_CELL, SHEET_CELL))
            left, top = (cell * k + GAP + (SHEET_CELL - side) // 2 for k, side in zip((j, i), fitted.size, strict=True))
            sheet.paste(fitted, (left, top))
    return np.asarray(sheet)


def _chosen(dataset: Dataset) -> pl.DataFrame:
    """id, label, input of `COUNT` training pictures, among them those of the most extreme shapes."""
    train = dataset.part("train").with_columns(aspect=pl.col("measure.width") / pl.col("measure.height"))
    places = np.linspace(0, train.height - 1, min(COUNT, train.height)).round().astype(int).tolist()
    aspects = train["aspect"].to_list()
    extremes = [i for i in (int(np.argmin(aspects)), int(np.argmax(aspects))) if min(aspects) < max(aspects)]
    kept = list(dict.fromkeys(extremes + places))[: len(places)]
    return train[kept].select("id", "label", "input")


def _pixels(prepared: PreparedImages, row: NDArray[np.int64], augment: tuple[str, ...], seed: int) -> NDArray[np.uint8]:
    view_HWC = prepared.views(row, augment, seed)[0]
    pixels: NDArray[np.uint8] = view_HWC.float().round().byte().numpy()
    return pixels


def _save(path: Path, pixels_HWC: NDArray[np.uint8]) -> None:
    with store.replacing(path) as temporary:
        Image.fromarray(pixels_HWC).save(temporary, "PNG")
