"""The steps of a run, what each reads and writes, and the refusal to rest on what has changed.

Before a step starts, `begin` compares the digests of the files with those that their writers left in machine.yaml.
"""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from instar.errors import UserError
from instar.files import digest, read_yaml, write_yaml
from instar.records import Json

DATASET, TABLE, SEALED = "1-data/dataset.yaml", "1-data/table.parquet", "1-data/sealed.parquet"
AUDIT, PLAN, CARD = "2-audit/audit.yaml", "3-plan/plan.yaml", "3-plan/backbone.yaml"
MEASUREMENTS, MACHINE = "3-plan/measurements.yaml", "machine.yaml"
EPOCHS, BEST, PROBE = "4-train/epochs.csv", "4-train/best.safetensors", "4-train/probe.safetensors"
PREDICTIONS, BASELINES = "5-eval/predictions.parquet", "5-eval/baselines.parquet"
EVALUATION = "5-eval/evaluation.yaml"


@dataclass(frozen=True)
class Step:
    """A step of the pipeline: the files that it reads and writes, below the run directory."""

    name: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]


STEPS = {
    step.name: step
    for step in (
        Step("open", (), (DATASET, TABLE, SEALED)),
        Step("audit", (DATASET, TABLE), (AUDIT,)),
        Step("plan", (DATASET, TABLE, AUDIT), (PLAN, CARD, MEASUREMENTS)),
        Step("prepare", (DATASET, TABLE, PLAN, CARD), ()),
        Step("train", (DATASET, TABLE, PLAN, CARD), (EPOCHS, BEST, PROBE)),
        Step(
            "evaluate",
            (DATASET, TABLE, SEALED, PLAN, CARD, BEST, PROBE),
            (PREDICTIONS, BASELINES, EVALUATION),
        ),
        Step(
            "deck",
            (DATASET, TABLE, AUDIT, PLAN, CARD, MEASUREMENTS, EPOCHS, PREDICTIONS, BASELINES, EVALUATION),
            ("deck.pptx", "deck.html"),
        ),
    )
}


def read_machine(run: Path) -> dict[str, Any]:
    """machine.yaml: how the run was made; empty where there is none yet."""
    path = run / MACHINE
    return read_yaml(path, dict[str, Any]) if path.exists() else {}


def begin(run: Path, name: str) -> None:
    """Refuse to start a step when a file that it reads is missing or rests on something that has changed since."""
    stamps = read_machine(run).get("steps", {})
    for upstream in _upstream(name):
        remedy = f"run `instar {'run' if upstream.name == 'open' else upstream.name} {run}`"
        stamp = stamps.get(upstream.name)
        needed = [f for f in upstream.writes if any(f in s.reads for s in STEPS.values())]
        missing = [f for f in needed if not (run / f).exists()]
        if missing or stamp is None:
            raise UserError(f"{run} has no finished step {upstream.name}; {remedy} first")
        for kind in ("reads", "writes"):
            for file, value in stamp[kind].items():
                if (run / file).exists() and digest(run / file) != value:
                    raise UserError(f"{run / file} has changed since step {upstream.name}; {remedy} again")


def finished(run: Path, name: str) -> bool:
    """Whether a step has once been whole."""
    return name in read_machine(run).get("steps", {})


def current(run: Path, name: str) -> bool:
    """Whether a step is whole and neither what it read nor what it wrote has changed since."""
    stamp = read_machine(run).get("steps", {}).get(name)
    if stamp is None:
        return False
    known = {**stamp["reads"], **stamp["writes"]}
    return all((run / file).exists() and digest(run / file) == value for file, value in known.items())


def count(run: Path, what: str) -> int:
    """Count one more of something that must not be forgotten, even if what follows fails."""
    machine = read_machine(run)
    machine[what] = machine.get(what, 0) + 1
    write_yaml(run / MACHINE, machine)
    return int(machine[what])


def accept(run: Path, name: str, file: str) -> None:
    """Take the file as it is now for what a finished step wrote: for `plan.yaml`, which may be edited."""
    machine = read_machine(run)
    machine["steps"][name]["writes"][file] = digest(run / file)
    write_yaml(run / MACHINE, machine)


def _upstream(name: str) -> list[Step]:
    """The steps whose files a step rests on, directly or not, in the order of the pipeline."""
    wanted = set(STEPS[name].reads)
    found: list[Step] = []
    for step in reversed(STEPS.values()):
        if wanted.intersection(step.writes):
            found.insert(0, step)
            wanted.update(step.reads)
    return found


def finish(run: Path, name: str, started: float, **more: Json) -> None:
    """Record in machine.yaml that a step is whole: digests of what it read and wrote, seconds, peak memory."""
    step = STEPS[name]
    machine = read_machine(run)
    stamp = {
        "seconds": round(time.monotonic() - started, 2),
        **more,
        "reads": {f: digest(run / f) for f in step.reads},
        "writes": {f: digest(run / f) for f in step.writes},
    }
    steps = {**machine.get("steps", {}), name: stamp}
    write_yaml(run / MACHINE, {**machine, "steps": {k: steps[k] for k in STEPS if k in steps}})
