"""Parquet files as `datasets` writes them, to one table: class names, splits, pictures as files."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import polars as pl

from instar.data import cache
from instar.data.folder import split_name
from instar.files import replacing
from instar.progress import bar, say
from instar.records import Json

ROWS = 256
"""Rows with pictures that are in memory at once."""
SUFFIXES = {
    b"\xff\xd8": ".jpg",
    b"\x89PNG": ".png",
    b"GIF8": ".gif",
    b"BM": ".bmp",
    b"II": ".tif",
    b"MM": ".tif",
    b"RIFF": ".webp",
}
IMAGE_NAMES = ("image", "img", "picture", "photo", "pixel_values")
TABLE = "examples.parquet"


def write_examples(
    shards: Sequence[tuple[Path, str]], card: Mapping[str, Json], config: str | None, folder: Path
) -> None:
    """Write `folder`/examples.parquet, and the pictures below `folder`/pictures.

    The columns are those of the shards, with class numbers replaced by names where the files or the card give
    names (-1, the sign for no label, becomes null); with `file_name` in place of encoded pictures, and
    `original_name`, what they were called; and with `split`: train, val or test.

    Args:
        shards: (file, its split as the set calls it).
    """
    parts = dict(zip(dict.fromkeys(split for _, split in shards), _parts(shards), strict=True))
    schema = pl.read_parquet_schema(shards[0][0])
    names = {column: known for column, known in class_names(shards[0][0], card, config).items() if column in schema}
    images = [column for column, kind in schema.items() if _is_image(kind)]
    image = next((column for column in images if column.lower() in IMAGE_NAMES), next(iter(images), None))
    if len(images) > 1:
        say(f"several columns hold pictures ({', '.join(images)}); {image} is used, the others are left out")
    frames = []
    for at, (path, split) in enumerate(shards):
        lazy = pl.scan_parquet(path).drop([column for column in images if column != image])
        if image is not None:
            lazy = _write_pictures(path, lazy, image, folder, f"{at:03d}").lazy()
        frames.append(lazy.with_columns(_named(names)).with_columns(pl.lit(parts[split]).alias("split")))
    table = pl.concat(frames, how="diagonal_relaxed")
    if set(parts.values()) == {"train"}:
        table = table.drop("split")
    with replacing(folder / TABLE) as temporary:
        table.sink_parquet(temporary)


def _parts(shards: Sequence[tuple[Path, str]]) -> Iterator[str]:
    """train, val or test for each split of the set, in their order."""
    for split in dict.fromkeys(split for _, split in shards):
        known = split_name(split) or split_name(split.split("_")[0].split(".")[0])
        if known is None and split and len({split for _, split in shards}) > 1:
            say(f"the split {split} of this set counts as train")
        yield known or "train"


def class_names(shard: Path, card: Mapping[str, Json], config: str | None) -> dict[str, list[str]]:
    """Names of the classes per column: from the metadata of the file, else from the card."""
    known = json.loads(pl.read_parquet_metadata(shard).get("huggingface", "{}"))
    features = known.get("info", {}).get("features", {})
    names = {c: list(f["names"]) for c, f in features.items() if isinstance(f, dict) and f.get("names")}
    infos = card.get("dataset_info") or []
    for info in [infos] if isinstance(infos, Mapping) else infos:
        if config in (None, info.get("config_name", config)):
            for feature in info.get("features") or []:
                kind = feature.get("dtype")
                if isinstance(kind, Mapping) and "class_label" in kind:
                    listed = kind["class_label"]["names"]
                    ordered = (
                        [listed[key] for key in sorted(listed, key=int)] if isinstance(listed, Mapping) else listed
                    )
                    names.setdefault(feature["name"], [str(name) for name in ordered])
    return names


def _named(names: Mapping[str, Sequence[str]]) -> list[pl.Expr]:
    return [
        pl.col(column).replace_strict(dict(enumerate(known)), default=None, return_dtype=pl.String)
        for column, known in names.items()
    ]


def _is_image(kind: pl.DataType) -> bool:
    """Whether a column holds encoded files: {bytes, path}, as `datasets` stores them."""
    fields = {field.name: field.dtype for field in kind.fields} if isinstance(kind, pl.Struct) else {}
    return fields.get("bytes") == pl.Binary and "path" in fields


def _write_pictures(path: Path, lazy: pl.LazyFrame, image: str, folder: Path, shard: str) -> pl.DataFrame:
    """Write the pictures of one shard, a few rows at a time; the rows with names in place of the pictures."""
    height = lazy.select(pl.len()).collect().item()
    done = []
    with bar(f"writing the pictures of {path.name}", height) as advance:
        for start in range(0, height, ROWS):
            rows = lazy.slice(start, ROWS).collect()
            cells = rows[image].to_list()
            cache.need_room(folder, sum(len(cell["bytes"] or b"") for cell in cells if cell), path.name)
            saved = [_save(cell, folder, f"pictures/{shard}/{start + i:07d}") for i, cell in enumerate(cells)]
            originals = [cell["path"] if cell else None for cell in cells]
            done.append(
                rows.drop(image).with_columns(
                    pl.Series("file_name", saved, dtype=pl.String),
                    pl.Series("original_name", originals, dtype=pl.String),
                )
            )
            advance(len(cells), "")
    return pl.concat(done)


def _save(cell: Mapping[str, Json] | None, folder: Path, name: str) -> str:
    """Write one picture in its original bytes; a row without a picture names a file that is not there."""
    content = (cell or {}).get("bytes")
    if content is None:
        return f"{name}.missing.jpg"
    suffix = next((SUFFIXES[magic] for magic in SUFFIXES if content.startswith(magic)), ".jpg")
    target = folder / (name + suffix)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    return name + suffix
