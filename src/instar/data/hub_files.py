"""Which files of a repository on the hub make up a data set, and which split each belongs to."""

import fnmatch
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from instar.data.archive import is_archive
from instar.data.folder import PICTURES, TABLES
from instar.errors import UserError
from instar.records import Json

SHARD = re.compile(r"(.*?)(?:[-_.]\d+(?:-of-\d+)?)*")
"""The name of a split before the number of a shard: train-00000-of-00002, train_0."""
LEAFLETS = ("readme", "licence", "license", "dataset_infos", "dataset_dict", "state", "dataset_info")
"""Names of JSON and text files that describe a set and hold no examples."""


@dataclass(frozen=True)
class Files:
    """The files of one configuration: (path in the repository, split or "")."""

    chosen: tuple[tuple[str, str], ...]

    @property
    def paths(self) -> list[str]:
        return [path for path, _ in self.chosen]

    @property
    def parquet(self) -> bool:
        return all(path.endswith(".parquet") for path in self.paths)


def choose(card: Mapping[str, Json], paths: Sequence[str], config: str | None, repo: str) -> Files:
    """The files to fetch: of the configuration in the card, else all Parquet, else all data.

    Args:
        card: the front matter of the README.
        paths: all files of the repository.
    """
    configs = {str(entry["config_name"]): entry for entry in card.get("configs") or []}
    if configs:
        return _configured(configs, paths, config, repo)
    data = [path for path in paths if not path.startswith(".") and _stem(path).lower() not in LEAFLETS]
    parquet = [path for path in data if path.endswith(".parquet")]
    folders = sorted({PurePosixPath(path).parts[0] for path in parquet if "/" in path} - {"data"})
    if config is not None or len(folders) > 1:
        if config not in folders:
            raise _unclear(folders, config, repo)
        parquet = [path for path in parquet if path.startswith(f"{config}/")]
    if parquet:
        return Files(tuple((path, _split(path)) for path in parquet))
    kept = [p for p in data if PurePosixPath(p).suffix.lower() in (*TABLES, *PICTURES, ".json") or is_archive(Path(p))]
    if not kept:
        raise UserError(f"hf:{repo} holds no table, picture or archive that instar reads; choose another set")
    return Files(tuple((path, "") for path in kept))


def _configured(
    configs: Mapping[str, Mapping[str, Json]], paths: Sequence[str], config: str | None, repo: str
) -> Files:
    default = [name for name, entry in configs.items() if entry.get("default") or name == "default"]
    name = config or (next(iter(configs)) if len(configs) == 1 else default[0] if default else "")
    if name not in configs:
        raise _unclear(list(configs), config, repo)
    chosen: dict[str, str] = {}
    listed = configs[name].get("data_files", "**")
    for entry in listed if isinstance(listed, list) else [listed]:
        split = str(entry["split"]) if isinstance(entry, dict) else ""
        patterns = entry["path"] if isinstance(entry, dict) else entry
        for pattern in [patterns] if isinstance(patterns, str) else patterns:
            found = [path for path in paths if fnmatch.fnmatchcase(path, str(pattern))]
            chosen.update({path: split or _split(path) for path in found if path not in chosen})
    if not chosen:
        raise UserError(f"hf:{repo}: its card lists files for {name} that it does not have; try another set")
    return Files(tuple(chosen.items()))


def _unclear(configs: Sequence[str], config: str | None, repo: str) -> UserError:
    known = ", ".join(configs) or "none"
    asked = f"has no configuration {config}" if config else "has several configurations"
    first = configs[0] if configs else "NAME"
    return UserError(f"hf:{repo} {asked}; it has {known}: write for example hf:{repo}/{first}")


def _split(path: str) -> str:
    """What a file is called apart from the number of its shard, or its folder where the name is a number."""
    stem = _stem(path)
    match = SHARD.fullmatch(stem)
    name = match[1] if match else stem
    return PurePosixPath(path).parent.name if name.isdecimal() or not name else name


def _stem(path: str) -> str:
    return PurePosixPath(path).name.split(".")[0]
