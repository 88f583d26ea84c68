"""From raw data to a data set and its audit: the steps open and audit."""

import re
import sys
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any

import polars as pl

from instar import machine, store
from instar.audit.check import run_checks
from instar.data import fetching, opening, reading
from instar.data.fingerprint import fingerprint
from instar.errors import UserError
from instar.modality.modalities import MODALITIES
from instar.models.sources import SOURCE
from instar.pipeline.common import step
from instar.plan import edits
from instar.progress import say
from instar.records import Audit, Dataset


@dataclass(frozen=True)
class Options:
    """What the user asked for. `source` is whatever `data.fetching.resolve` finds: a folder, a table, a name."""

    source: str
    text: str | None = None
    image: str | None = None
    label: str | None = None
    backbone: str | None = None
    weights: str | None = None
    limit: int | None = None
    seed: int = 0
    settings: tuple[str, ...] = ()
    """key=value, each a decision with basis asked."""


def start(options: Options, out: Path | None = None) -> Path:
    """Open the data into a new run directory, or find the one that these options made.

    Raises:
        UserError: the directory holds a run with other options.
    """
    options = replace(options, source=_absolute(options.source), weights=options.weights and _absolute(options.weights))
    for setting in options.settings:
        edits.check_key(edits.parse_setting(setting)[0])
    if options.backbone and options.backbone.partition(":")[0] not in SOURCE:
        raise UserError(f"--backbone {options.backbone}: write SOURCE:NAME with SOURCE one of {', '.join(SOURCE)}")
    folder = out or Path("runs") / _name(options)
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is a file; choose another folder with --out")
    if folder.exists() and any(folder.iterdir()):
        known = store.read_machine(folder).get("options")
        if known is None:
            raise UserError(f"{folder} exists and is not a run of instar; choose another folder with --out")
        other = [key for key, value in asdict(options).items() if store.plain(value) != known.get(key)]
        if other:
            raise UserError(f"{folder} holds a run with another {', '.join(other)}; choose another --out or delete it")
    if not store.current(folder, "open"):
        open_data(folder, options)
    unchanged(folder)
    return folder


def unchanged(folder: Path) -> None:
    """Refuse to go on with data that are no longer what the run has opened."""
    source = store.read_machine(folder).get("source", {})
    path = Path(source.get("path", ""))
    if "fingerprint" in source and path.exists() and fingerprint(path) != source["fingerprint"]:
        raise UserError(f"{path} has changed since {folder} was opened; start a new run with another --out")


def _absolute(path: str) -> str:
    return str(Path(path).resolve()) if Path(path).exists() else path


def _name(options: Options) -> str:
    parts = [Path(options.source).stem or "data"]
    if options.backbone:
        parts.append(options.backbone.rstrip("/").split(":")[-1].split("/")[-1])
    return re.sub(r"[^\w.-]+", "_", "-".join(parts)).lower()


def open_data(folder: Path, options: Options) -> Dataset:
    """Read, measure, group and split the data; seal the labels of the test split."""
    machine.restart_peak()
    started = monotonic()
    located = fetching.resolve(options.source)
    columns = {key: getattr(options, key) or getattr(located, key) for key in ("text", "image", "label")}
    raw = reading.read(str(located.path), **columns)
    if located.entry:
        raw = replace(raw, name=located.name)
    modality = MODALITIES[raw.modality]
    say(f"{raw.name}: {raw.frame.height} {modality.many} found, measuring them")
    measured = modality.measure(raw.frame.filter(pl.col("input").is_not_null()).select("id", "input"), Path(raw.root))
    dataset, sealed = opening.build(raw, measured, limit=options.limit, seed=options.seed)
    about: dict[str, Any] = {
        "command": ["instar", *sys.argv[1:]] if Path(sys.argv[0]).stem in ("instar", "__main__") else [],
        "options": asdict(options),
        "source": {
            "path": str(located.path),
            "licence": located.licence,
            "citation": located.citation,
            "fingerprint": fingerprint(located.path),
        },
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": machine.versions(),
        "machine": {"cores": machine.cores(), "memory_gb": round(machine.memory_gb(), 1)},
    }
    store.write_yaml(folder / store.MACHINE, about)
    store.write_dataset(folder, dataset, sealed)
    store.finish(folder, "open", started, peak_memory_mb=machine.peak_memory_mb())
    usable = dataset.part("train", "val", "test").height
    say(f"open: {usable} {modality.many} of {len(dataset.classes)} classes to learn from and to test on")
    return dataset


def audit(folder: Path) -> Audit:
    """Run every check of the modality; the labels of the test split are not there to be seen."""
    with step(folder, "audit"):
        dataset = store.read_dataset(folder)
        found = run_checks(dataset, MODALITIES[dataset.modality].checks)
        store.write_audit(folder, found)
        for finding in found.findings:
            if finding.verdict == "issue":
                say(f"  issue {finding.code}: {finding.sentence}")
    return found
