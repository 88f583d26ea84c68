"""A run that begins where another one stands after its plan."""

import shutil
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from instar import steps, store
from instar.pipeline.options import Options

SHARED = ("open", "audit", "plan")
FOLDERS = ("1-data", "2-audit", "3-plan")


def branch(source: Path, folder: Path, options: Options) -> None:
    """Give a new run the data, the audit and the plan of another one: what is asked for besides, by `options`, is for
    the caller to ask of it. machine.yaml comes last, so that a branch which was interrupted is no run.

    Raises:
        UserError: the other run has changed since it was planned.
    """
    steps.begin(source, "train")
    with steps.alone(folder):
        for name in FOLDERS:
            shutil.rmtree(folder / name, ignore_errors=True)
            shutil.copytree(source / name, folder / name)
        known = store.read_machine(source)
        kept = {key: known[key] for key in ("format", "command", "source", "versions", "machine")}
        stamps = {name: known["steps"][name] for name in SHARED}
        about = {
            **kept,
            "started": datetime.now(UTC).isoformat(timespec="seconds"),
            "options": store.plain(asdict(options)),
            "branched_from": source.name,
            "steps": stamps,
        }
        store.write_yaml(folder / store.MACHINE, about)
