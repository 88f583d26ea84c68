"""From raw data to a data set and its audit: the steps open and audit."""

import re
import sys
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any

import polars as pl

from instar import machine, steps, store
from instar.audit.check import run_checks
from instar.data import fetching, opening, reading
from instar.data.fingerprint import fingerprint
from instar.errors import UserError
from instar.modality.modalities import MODALITIES
from instar.pipeline.common import at_hand, step
from instar.pipeline.frozen import frozen_findings
from instar.pipeline.options import Options, firm, first_asked, options_of, same_network
from instar.progress import say
from instar.records import Audit, Dataset


def start(options: Options, out: Path | None = None) -> Path:
    """Open the data into a new run directory, or find the one that these options made.

    As long as nothing is planned, other settings and another backbone take the place of those asked for before.

    Raises:
        UserError: the directory holds a run with other options, or another process is at work on it.
    """
    options = firm(options)
    folder = out or Path("runs") / _name(options)
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is a file; choose another folder with --out")
    if not (folder / store.MACHINE).exists() and folder.exists() and {p.name for p in folder.iterdir()} - {steps.LOCK}:
        raise UserError(f"{folder} exists and is not a run of instar; choose another folder with --out")
    with steps.alone(folder):
        if (folder / store.MACHINE).exists():
            ask_instead(folder, options)
            opened(folder)
        else:
            open_data(folder, options)
        unchanged(folder)
    return folder


ANY_TIME = ("backbone", "weights", "settings")
"""Options that other ones may take the place of as long as nothing is planned."""


def ask_instead(folder: Path, options: Options) -> None:
    """Take these options for those that the run was made with; what was done otherwise is done again.

    Raises:
        UserError: they differ in what the data were opened with, or the run is planned already.
    """
    before = options_of(folder)
    old, new = asdict(before), asdict(options)
    other = [key for key in new if new[key] != old[key]]
    if not other:
        return
    if other == ["settings"] and store.finished(folder, "plan"):
        raise UserError(f"{folder} is planned already; ask on the run itself: instar run {folder} --set key=value")
    if store.finished(folder, "plan") or not set(other) <= set(ANY_TIME):
        raise UserError(f"{folder} holds a run with another {', '.join(other)}; choose another --out or delete it")
    keep: tuple[str, ...] = ("open", "audit") if same_network(before, options) else ("open",)
    if first_asked(before).get("grouping", "near") != first_asked(options).get("grouping", "near"):
        keep = ()
    say(f"{folder}: another {', '.join(other)} than before, nothing was planned yet: taken as asked")
    steps.ask_again(folder, store.plain(new), keep=keep)


def opened(folder: Path) -> None:
    """Open the data of a run again where that was not done to its end, or for other options."""
    if not store.current(folder, "open"):
        open_data(folder, options_of(folder))


def unchanged(folder: Path) -> None:
    """Refuse to go on with data that are no longer what the run has opened."""
    source = store.read_machine(folder).get("source", {})
    path = Path(source.get("path", ""))
    if "fingerprint" in source and path.exists() and fingerprint(path) != source["fingerprint"]:
        raise UserError(f"{path} has changed since {folder} was opened; start a new run with another --out")


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
    grouping = first_asked(options).get("grouping", "near")
    dataset, sealed = opening.build(raw, measured, limit=options.limit, seed=options.seed, grouping=grouping)
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
    """Run every check of the modality, and those on frozen features, whose time is recorded apart; write the page.

    The labels of the test split are not there to be seen.
    """
    with step(folder, "audit") as record:
        from instar.report.build import write_report

        dataset = store.read_dataset(folder)
        at_hand(dataset)
        found = run_checks(dataset, MODALITIES[dataset.modality].checks)
        started = monotonic()
        found = Audit((*found.findings, *frozen_findings(folder, dataset, found)))
        record["frozen_seconds"] = round(monotonic() - started, 2)
        store.write_audit(folder, found)
        write_report(folder)
        for finding in found.findings:
            if finding.verdict == "issue":
                say(f"  issue {finding.code}: {finding.sentence}")
    return found
