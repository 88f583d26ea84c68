"""Files, written whole or not at all, and read with errors that a person understands."""

import contextlib
import hashlib
import io
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import polars as pl
import pydantic
import yaml

from instar.errors import UserError
from instar.records import Json

T = TypeVar("T")
TEXT_COLUMNS = (
    *("id", "label", "predicted", "class", "input", "text", "most_confused_with", "given", "error"),
    *("finding", "stage", "before_text", "after_text", "column", "slice", "why"),
)
"""Columns of tables whose kinds are not kept beside them that are text, even where every value looks like a number."""
KINDS: dict[str, type[pl.DataType]] = {
    kind.__name__: kind
    for kind in (
        *(pl.Boolean, pl.String, pl.Float32, pl.Float64),
        *(pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64),
    )
}
"""What a column can hold, by the name under which it is kept."""


def home() -> Path:
    """The cache of instar: $INSTAR_HOME, else ~/.cache/instar."""
    return Path(os.environ.get("INSTAR_HOME") or Path.home() / ".cache" / "instar")


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success it takes the place of `path` in one step."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=path.suffix)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror or error}; choose another folder") from error
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb") as stream:
            os.fsync(stream.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror or error}; free some space or choose --out") from error
    finally:
        temporary.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file whole."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: Path, content: str) -> None:
    """Write a UTF-8 text file whole."""
    write_bytes(path, content.encode())


def write_frame(path: Path, frame: pl.DataFrame) -> None:
    """Write a table as .parquet or .csv, by the suffix."""
    buffer = io.BytesIO()
    if path.suffix == ".parquet":
        frame.write_parquet(buffer)
    else:
        frame.write_csv(buffer)
    write_bytes(path, buffer.getvalue())


def kinds(frame: pl.DataFrame) -> dict[str, str]:
    """What the columns of a table hold, to be kept beside a CSV, which does not tell; text where no kind is known."""
    return {name: str(kind) if str(kind) in KINDS else "String" for name, kind in frame.schema.items()}


def read_frame(path: Path, columns: Mapping[str, str] | None = None) -> pl.DataFrame:
    """Read a table that `write_frame` wrote; `columns` are its `kinds`, where they were kept."""
    if not path.exists():
        raise UserError(f"{path} is gone; repeat the step that writes it: 2-audit by audit, 3-plan by plan, and so on")
    if path.suffix == ".parquet":
        return pl.read_parquet(path)
    if not path.read_bytes().strip():
        return pl.DataFrame()
    header = pl.read_csv(path, n_rows=0, infer_schema=False).columns
    known = {**dict.fromkeys(TEXT_COLUMNS, "String"), **(columns or {})}
    kept = {name: KINDS[known[name]] for name in header if name in known}
    return pl.read_csv(path, schema_overrides=kept, infer_schema_length=None)


def write_yaml(path: Path, content: Json, comment: str = "") -> None:
    """Write plain data as YAML, keys in the order given, after an optional comment."""
    text = yaml.safe_dump(plain(content), sort_keys=False, allow_unicode=True, width=110)
    write_text(path, "".join(f"# {line}\n" for line in comment.splitlines()) + text)


def read_yaml(path: Path, kind: type[T]) -> T:
    """Read YAML into a record, with errors that name the file and the key."""
    if not path.exists():
        raise UserError(f"{path} is gone; repeat the step that writes it: 2-audit by audit, 3-plan by plan, and so on")
    try:
        return pydantic.TypeAdapter(kind).validate_python(yaml.safe_load(path.read_text(encoding="utf-8")))
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not UTF-8 text ({error.reason} at byte {error.start}); save it as UTF-8") from None
    except yaml.YAMLError as error:
        raise UserError(
            f"{path} is not valid YAML: {' '.join(str(error).split())}; mend it or make it again"
        ) from error
    except pydantic.ValidationError as error:
        raise UserError(f"{path}: {explain(error)}") from error


def explain(error: pydantic.ValidationError) -> str:
    """One line for the first thing that pydantic minds."""
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"]) or "the file"
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    if first["type"] in ("unexpected_keyword_argument", "extra_forbidden"):
        return f"unknown key {where}; remove it{more}"
    return f"{where}: {first['msg'].lower()}, got {first.get('input')!r:.80}{more}"


def plain(value: Json) -> Json:
    """Plain data: tuples as lists, recursively, so that YAML needs no tags."""
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    return value


def digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def whole(name: str) -> str:
    """The file of which `name` is a part: what stands before the key in FILE#KEY, or all of it."""
    return name.partition("#")[0]


def there(run: Path, name: str) -> bool:
    """Whether there is such a file below `run`; a folder may be empty or missing."""
    return name.endswith("/") or (run / whole(name)).exists()


def digest_below(run: Path, name: str) -> str:
    """SHA-256 of what `name` stands for below `run`: a file's content; of FOLDER/ the names and contents of its files,
    but for those that systems and editors hide in it; of FILE#KEY what stands under a key of a YAML file, or, where it
    cannot be read, all of it."""
    if "#" in name:
        return _digest_of_key(run / whole(name), name.partition("#")[2])
    if not name.endswith("/"):
        return digest(run / name)
    names = sorted(path.relative_to(run / name) for path in (run / name).rglob("*") if path.is_file())
    seen = [found for found in names if not any(part.startswith(".") for part in found.parts)]
    listed = "\n".join(f"{found.as_posix()} {digest(run / name / found)}" for found in seen)
    return hashlib.sha256(listed.encode()).hexdigest()


def _digest_of_key(path: Path, key: str) -> str:
    try:
        content = read_yaml(path, dict[str, Any])
    except UserError:
        return digest(path)
    return hashlib.sha256(json.dumps(content.get(key), sort_keys=True, default=str).encode()).hexdigest()
