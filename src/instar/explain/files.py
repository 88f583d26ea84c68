"""The reasons of a run on the disk: 5-eval/reasons/. Without torch, so that a deck can read them anywhere."""

import shutil
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from PIL import Image

from instar.errors import UserError
from instar.files import read_frame, read_yaml, replacing, write_frame, write_yaml
from instar.records import Reasons
from instar.steps import REASONS

NAME = "reasons.yaml"
SHEET = "figures/16-heatmaps"
"""All pictures with their maps, one below the other, and the table of what they show."""
GAP = 12
TABLES = ("examples", "deletion", "tokens")
STRINGS = dict.fromkeys(("id", "kind", "label", "predicted", "other", "path", "order", "class", "word"), "String")
"""Columns that hold text, even where every cell of them looks like a number."""
_EMPTY: dict[str, Any] = {name: pl.DataFrame() for name in TABLES}


def write_reasons(run: Path, reasons: Reasons, pictures: Mapping[str, NDArray[np.uint8]]) -> None:
    """reasons.yaml, its tables and its pictures (path below the run -> pixels); those of an earlier step go."""
    shutil.rmtree(run / REASONS, ignore_errors=True)
    for path, pixels in pictures.items():
        save_picture(run / path, pixels)
    if pictures:
        gap = np.full((GAP, next(iter(pictures.values())).shape[1], 3), 255, np.uint8)
        sheet = [part for pixels in pictures.values() for part in (pixels, gap)][:-1]
        save_picture(run / f"{SHEET}.png", np.concatenate(sheet))
        write_frame(run / f"{SHEET}.csv", reasons.examples)
    for name in TABLES:
        frame = getattr(reasons, name)
        if frame.width:
            write_frame(run / REASONS / f"{name}.csv", frame)
    content = asdict(replace(reasons, **_EMPTY))
    write_yaml(run / REASONS / NAME, {key: value for key, value in content.items() if key not in TABLES})


def read_reasons(run: Path) -> Reasons | None:
    """Read what `write_reasons` wrote; None where the step was not run."""
    if not (run / REASONS / NAME).exists():
        return None
    try:
        found = read_yaml(run / REASONS / NAME, Reasons)
    except UserError as error:
        raise UserError(f"{error}; run `instar explain {run}` to write it anew") from error
    paths = {name: run / REASONS / f"{name}.csv" for name in TABLES}
    frames: dict[str, Any] = {name: read_frame(path, STRINGS) for name, path in paths.items() if path.exists()}
    return replace(found, **frames)


def save_picture(path: Path, pixels_HWC: NDArray[np.uint8]) -> None:
    """A PNG, whole or not at all."""
    with replacing(path) as temporary:
        Image.fromarray(pixels_HWC).save(temporary, "PNG")
