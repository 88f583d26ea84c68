"""From raw data to a data set and its audit: the steps open and audit."""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any

import polars as pl

from instar import machine, steps, store
from instar.audit.check import run_checks
from instar.data import fetching, opening, reading
from instar.data.fetching import Located
from instar.data.fingerprint import fingerprint
from instar.data.raw import Raw
from instar.errors import UserError
from instar.modality.modalities import MODALITIES
from instar.pipeline.choosing import asked_is_at_hand
from instar.pipeline.common import at_hand, at_work, step
from instar.pipeline.frozen import frozen_findings
from instar.pipeline.options import Options, at_hand_by_name, firm, first_asked, options_of, same_network
from instar.progress import say
from instar.records import Audit, Dataset


@dataclass(frozen=True)
class Seen:
    """A source that has been read and measured: runs that differ in their splits alone share it."""

    located: Located
    fingerprint: str
    raw: Raw
    measured: pl.DataFrame


def start(options: Options, out: Path | None = None, seen: Seen | None = None) -> Path:
    """Open the data into a new run directory, or find the one that these options made.

    As long as nothing is planned, other settings and another backbone take the place of those asked for before.

    Args:
        seen: what `look` found for the same source and columns, where that has just been done.

    Raises:
        UserError: the directory holds a run with other options, or another process is at work on it.
    """
    options = firm(options)
    folder = out or Path("runs") / name_of(options)
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is a file; choose another folder with --out")
    if not (folder / store.MACHINE).exists() and folder.exists() and {p.name for p in folder.iterdir()} - {steps.LOCK}:
        raise UserError(f"{folder} exists and is not a run of instar; choose another folder with --out")
    with steps.alone(folder):
        if (folder / store.MACHINE).exists():
            ask_instead(folder, options)
            unchanged(folder)
            opened(folder)
        else:
            at_hand_by_name(options)
            open_data(folder, options, seen)
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
    at_hand_by_name(options)
    keep: tuple[str, ...] = ("open", "audit") if same_network(before, options) else ("open",)
    if first_asked(before).get("grouping", "near") != first_asked(options).get("grouping", "near"):
        keep = ()
    say(f"{folder}: another {', '.join(other)} than before, nothing was planned yet: taken as asked")
    steps.ask_again(folder, store.plain(new), keep=keep)


def opened(folder: Path) -> None:
    """Open the data of a run again where that was not done to its end, or for other options, or where files of it were
    changed: as far as they come out as they were, what rests on them stands.

    Raises:
        UserError: the source is no longer what was opened.
    """
    if not store.current(folder, "open"):
        unchanged(folder)
        open_data(folder, options_of(folder))


def unchanged(folder: Path) -> None:
    """Refuse to go on with data that are no longer what the run has opened."""
    source = store.read_machine(folder).get("source", {})
    path = Path(source.get("path", ""))
    if "fingerprint" in source and path.exists() and fingerprint(path) != source["fingerprint"]:
        raise UserError(f"{path} has changed since {folder} was opened; start a new run with another --out")


def originals_unchanged(folder: Path) -> None:
    """`unchanged`, for a step that looks at original examples again: these are files of a folder; texts stand in the
    table of the run."""
    if Path(store.read_machine(folder).get("source", {}).get("path", "")).is_dir():
        unchanged(folder)


@contextmanager
def originals(dataset: Dataset) -> Iterator[None]:
    """An original example that is gone meanwhile is an error of one line."""
    try:
        yield
    except FileNotFoundError as error:
        gone = Path(error.filename or "")
        if not dataset.root or Path(dataset.root) not in gone.parents:
            raise
        raise UserError(f"{gone} is gone: put it back, or start a new run with another --out") from error


def name_of(options: Options) -> str:
    """What a run directory is called where the user gives no name."""
    parts = [Path(options.source).stem or "data"]
    if options.backbone:
        parts.append(options.backbone.rstrip("/").split(":")[-1].split("/")[-1])
    return re.sub(r"[^\w.-]+", "_", "-".join(parts)).lower()


def look(options: Options) -> Seen:
    """Read and measure what is to be learnt from; nothing of it depends on limit, seed or fold."""
    located = fetching.resolve(options.source)
    seen = fingerprint(located.path)  # first, so that a change while it is read is noticed
    columns = {key: getattr(options, key) or getattr(located, key) for key in ("text", "image", "label")}
    raw = reading.read(str(located.path), **columns)
    if located.entry:
        raw = replace(raw, name=located.name)
    modality = MODALITIES[raw.modality]
    say(f"{raw.name}: {raw.frame.height} {modality.many} found, measuring them")
    measured = modality.measure(raw.frame.filter(pl.col("input").is_not_null()).select("id", "input"), Path(raw.root))
    return Seen(located, seen, raw, measured)


def open_data(folder: Path, options: Options, seen: Seen | None = None) -> Dataset:
    """Read, measure, group and split the data; seal the labels of the test split.

    What machine.yaml knows of an earlier opening of this run stays: its steps, whose digests tell what is stale, and
    how often the test split was opened.
    """
    machine.restart_peak()
    started = monotonic()
    seen = seen or look(options)
    located, modality = seen.located, MODALITIES[seen.raw.modality]
    grouping = first_asked(options).get("grouping", "near")
    fold = opening.Fold(options.fold, options.folds) if options.folds else None
    dataset, sealed = opening.build(
        seen.raw, seen.measured, limit=options.limit, seed=options.seed, grouping=grouping, fold=fold
    )
    before = store.read_machine(folder)
    about: dict[str, Any] = {
        "format": steps.FORMAT,
        "command": ["instar", *sys.argv[1:]] if Path(sys.argv[0]).stem in ("instar", "__main__") else [],
        "options": asdict(options),
        "source": {
            "path": str(located.path),
            "licence": located.licence,
            "citation": located.citation,
            "fingerprint": seen.fingerprint,
        },
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": machine.versions(),
        "machine": {"cores": machine.cores(), "memory_gb": round(machine.memory_gb(), 1)},
    }
    store.write_yaml(folder / store.MACHINE, {**about, **{k: v for k, v in before.items() if k not in about}})
    store.write_dataset(folder, dataset, sealed)
    store.finish(folder, "open", started, peak_memory_mb=machine.peak_memory_mb())
    usable = dataset.part("train", "val", "test").height
    say(f"open: {usable} {modality.many} of {len(dataset.classes)} classes to learn from and to test on")
    return dataset


def audit(folder: Path) -> Audit:
    """Run every check of the modality, and those on frozen features, whose time is recorded apart; write the page.

    The labels of the test split are not there to be seen. The step is whole before the page is written: a fault of
    the page does not cost the audit.
    """
    from instar.report.build import write_report

    with at_work(folder, "audit"):
        with step(folder, "audit") as record:
            dataset = store.read_dataset(folder)
            at_hand(dataset)
            asked = asked_is_at_hand(folder, dataset)
            found = run_checks(dataset, MODALITIES[dataset.modality].checks)
            started = monotonic()
            found = Audit((*found.findings, *frozen_findings(folder, dataset, found, asked)))
            record["frozen_seconds"] = round(monotonic() - started, 2)
            store.write_audit(folder, found)
            for finding in found.findings:
                if finding.verdict == "issue":
                    say(f"  issue {finding.code}: {finding.sentence}")
        write_report(folder)
    return found
