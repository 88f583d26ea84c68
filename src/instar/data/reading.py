"""A path to a `Raw` set: which layout it is, and what stands in it."""

from dataclasses import replace
from pathlib import Path

import polars as pl

from instar.data.columns import Columns, choose
from instar.data.folder import NAMED, TABLES, Files, look, read_classes, split_name, unwrap
from instar.data.locate import names_of
from instar.data.raw import Raw
from instar.data.rows import Part, number_twice_listed, rows_of
from instar.data.table import Table, read_table
from instar.errors import UserError
from instar.records import Json

NEARBY = 100_000
"""Files beside a lone table among which its pictures are looked for: seconds. It may lie in a folder of downloads or at
the top of a disk. Our judgement."""
KINDS = ", ".join(sorted((*TABLES, ".json", ".pq")))


def read(source: str, *, text: str | None, image: str | None, label: str | None) -> Raw:
    """Read a data set in any of the layouts that are known, without looking into the pictures.

    Layouts: a folder per class; train/, val/ and test/ with a folder per class; tables beside pictures
    (filename, label; a table without the label column lists unlabelled pictures); a table of texts; tables of
    texts named after splits. CSV and TSV may lack a header (see `header`). Names are sorted naturally, so that the
    result does not depend on the file system.

    Args:
        source: a folder, or a table (CSV, TSV, Parquet, JSON lines).
        text, image, label: names of columns; what is not given is guessed, and `facts["guessed"]` says why.

    Raises:
        UserError: where there is nothing to learn from, with the remedy.
    """
    path = Path(source).expanduser().absolute()
    if not path.exists():
        raise UserError(f"{source} does not exist; give a folder of pictures or a table ({KINDS})")
    if path.is_file():
        if path.suffix.lower() not in (*TABLES, ".json", ".pq"):
            raise UserError(f"{source} is not a table that is known ({KINDS}); unpack archives first")
        raw = _read_tables(source, path.parent, (path.name,), None, text, image, label)
    else:
        raw = _read_folder(source, path, text, image, label)
    found = raw.frame["label"].drop_nulls().unique()
    if len(found) < 2:
        has = f'only one class, "{found[0]}"' if len(found) else "no label at all"
        raise UserError(f"{source} has {has}; a classifier needs examples of two classes or more")
    return raw


def _read_folder(source: str, path: Path, text: str | None, image: str | None, label: str | None) -> Raw:
    files = look(path)
    if files.unread:
        more = f" and {len(files.unread) - 1} more" if len(files.unread) > 1 else ""
        raise UserError(
            f"{source} holds folders that cannot be looked into: {files.unread[0]}{more}; make them readable or "
            "take them out, so that nothing is missing unseen"
        )
    root, files = unwrap(path, files)
    tables = tuple(name for name in files.tables if "/" not in name)
    if tables and (text or image or not files.pictures):
        return _read_tables(source, root, tables, files, text, image, label)
    sound, broken = _sound(root, tables)
    if sound:
        raw = _read_tables(source, root, sound, files, text, image, label, pictures_only=True)
        if not raw.frame.is_empty():
            return raw
    if not files.pictures:
        raise UserError(f"{source} holds no picture and no table ({KINDS}); check the path")
    root, bare = unwrap(root, replace(files, tables=()))
    try:
        frame, layout = read_classes(root, bare)
    except UserError as error:
        raise broken or error from error
    if broken and frame["label"].n_unique() < 2:
        raise broken
    if label is not None:
        raise UserError(f'{source} is {layout}, which has no column "{label}"; leave out --label')
    return Raw(
        path.name,
        "image",
        source,
        str(root),
        frame,
        _facts(layout, **_left(frame, frozenset(), files.tables, bare)),
    )


def _sound(root: Path, names: tuple[str, ...]) -> tuple[tuple[str, ...], UserError | None]:
    """The tables beside pictures that can be read, and what is wrong with the first one that cannot.

    The pictures may need none of them; the error is for where they turn out to.
    """
    sound: list[str] = []
    broken: UserError | None = None
    for name in names:
        try:
            read_table(root / name)
            sound.append(name)
        except UserError as error:
            broken = broken or error
    return tuple(sound), broken


def _read_tables(
    source: str,
    root: Path,
    names: tuple[str, ...],
    files: Files | None,
    text: str | None,
    image: str | None,
    label: str | None,
    pictures_only: bool = False,
) -> Raw:
    """Read the tables of a folder as one set. `pictures_only`: an empty frame where none lists any."""
    lone = files is None
    if lone and text is None:
        files = look(root, NEARBY)
    pictures = files.pictures if files else ()
    known = names_of(pictures)
    asked = frozenset(name.strip() for name in (text, image, label) if name is not None)
    parts = [_part(read_table(root / name, asked, known), names, text, image, label, known) for name in names]
    if pictures_only:
        parts = [part for part in parts if part.columns.image]
    labelled = [part for part in parts if part.columns.label]
    if pictures_only and not labelled:
        return Raw("", "image", source, str(root), pl.DataFrame(), {})
    first = _check(source, parts, labelled, label)
    alike = [part for part in parts if bool(part.columns.image) == bool(first.columns.image)]
    parts = sorted(alike, key=lambda part: part.columns.label is None)
    frame = pl.concat([rows_of(part, pictures, len(parts) > 1) for part in parts], how="diagonal_relaxed")
    kind = "pictures" if first.columns.image else "texts"
    used = frozenset(part.table.name for part in parts)
    layout = f"a table of {kind}" if len(parts) == 1 else f"{len(parts)} tables of {kind}"
    facts = _facts(
        layout,
        table=" + ".join(part.table.name for part in parts),
        text_column=first.columns.text or "",
        image_column=first.columns.image or "",
        label_column=first.columns.label or "",
        guessed="; ".join(filter(None, (first.table.headless, first.columns.guessed))),
        encoding=" + ".join(dict.fromkeys(part.table.encoding for part in parts)),
        not_utf8=sum(part.table.not_utf8 for part in parts),
        headers_stripped=[name for part in parts for name in part.table.headers_stripped],
        labels_stripped=frame["stripped"].sum(),
        **({} if files is None or (lone and not first.columns.image) else _left(frame, used, files.tables, files)),
    )
    frame = number_twice_listed(frame.drop("stripped"))
    if first.columns.image and files and files.cut and not set(frame["input"]) <= set(pictures):
        raise UserError(
            f"{source} lists pictures that are not among the first {NEARBY:,} files beside it; put the table and its "
            "pictures into a folder of their own and name that folder"
        )
    modality = "image" if first.columns.image else "text"
    name = Path(names[0]).stem if len(names) == 1 and modality == "text" else root.name
    return Raw(name, modality, source, str(root), frame, facts)


def _part(
    table: Table,
    names: tuple[str, ...],
    text: str | None,
    image: str | None,
    label: str | None,
    known: frozenset[str],
) -> Part:
    """The columns of a table; where there are several tables, one may lack the label that was asked for."""
    lacking = len(names) > 1 and label is not None and label.strip() not in table.frame.columns
    columns = choose(table.frame, table.name, text=text, image=image, label=None if lacking else label, known=known)
    if lacking:
        columns = Columns(columns.text, columns.image, None, columns.split, columns.guessed)
    return Part(table, columns, split_name(Path(table.name).stem) if len(names) > 1 else None)


def _check(source: str, parts: list[Part], labelled: list[Part], label: str | None) -> Part:
    """The table that sets the tone: the first with labels."""
    has = ", ".join(f'"{name}"' for part in parts for name in part.table.frame.columns)
    if not labelled:
        if label:
            raise UserError(f'{source} has no column "{label}"; it has {has}')
        raise UserError(f"{source}: cannot tell which column is the label; name it with --label, one of {has}")
    first = labelled[0]
    if not first.columns.image and not first.columns.text:
        asked = f"name it with --text or --image, one of {has}"
        raise UserError(f"{source}: cannot tell which column is the text; {asked}")
    if len(labelled) > 1 and len({part.given for part in labelled} - {None}) < len(labelled):
        tables = ", ".join(part.table.name for part in labelled)
        raise UserError(f"{source} holds several tables with labels ({tables}); name the one to use")
    return first


def _left(frame: pl.DataFrame, used: frozenset[str], tables: tuple[str, ...], files: Files) -> dict[str, Json]:
    """Files that take no part: neither pictures nor tables, tables not used, pictures that no table lists."""
    listed = set(frame["input"])
    unused = [name for name in tables if name not in used]
    unlisted = [name for name in files.pictures if name not in listed]
    itself = len(used.difference(tables))  # a lone table whose suffix is not among `TABLES` was counted as ignored
    names = [*(name for name in files.passed if name not in used), *unused, *unlisted]
    return {
        "ignored_files": files.ignored - itself + len(unused) + len(unlisted),
        "ignored_hidden": files.hidden,
        "ignored_names": names[:NAMED],
    }


def _facts(layout: str, **known: Json) -> dict[str, Json]:
    texts = ("table", "text_column", "image_column", "label_column", "guessed", "encoding")
    numbers = ("not_utf8", "ignored_files", "ignored_hidden", "labels_stripped")
    return {
        "layout": layout,
        **dict.fromkeys(texts, ""),
        **dict.fromkeys(numbers, 0),
        "headers_stripped": [],
        "ignored_names": [],
        **known,
    }
