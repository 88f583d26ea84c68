"""The steps of a run, what each reads and writes, and the refusal to rest on what has changed.

Before a step starts, `begin` compares the digests of the files with those that their writers left in machine.yaml.
One process at a time works on a run (`alone`).
"""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from instar.errors import UserError
from instar.files import digest_below, read_yaml, there, whole, write_yaml
from instar.records import Json

FORMAT = 2
"""Of a run directory; goes up when this version cannot go on with what an older one wrote."""
AUDIT_FORMAT = 2
"""Of audit.yaml; goes up when rules, charts or slides ask findings for what those of an older version lack."""
LOCK = ".lock"
DATASET, TABLE, SEALED = "1-data/dataset.yaml", "1-data/table.parquet", "1-data/sealed.parquet"
AUDIT, FINDINGS = "2-audit/audit.yaml", "2-audit/findings/"
RECIPE = "3-plan/plan.yaml#recipe"
"""The values of the plan without their reasons: what is trained rests on these alone, so that a reason may be added."""
PLAN, CARD, MEASUREMENTS = "3-plan/plan.yaml", "3-plan/backbone.yaml", "3-plan/measurements.yaml"
KEPT, BACKBONES, EXCLUDED = "3-plan/backbone/", "3-plan/backbones/", "3-plan/excluded.csv"
SCORES, PREPARED = "3-plan/backbones/scores.csv", "figures/prepared.csv"
EPOCHS, BEST, PROBE = "4-train/epochs.csv", "4-train/best.safetensors", "4-train/probe.safetensors"
TEMPERATURE, VALIDATION = "4-train/temperature.yaml", "4-train/validation.parquet"
PREDICTIONS, BASELINES = "5-eval/predictions.parquet", "5-eval/baselines.parquet"
EVALUATION = "5-eval/evaluation.yaml"
_NAMES = "per_class confusion subsets errors slices slice_columns reliability risk_coverage conformal conformal_classes"
EVALUATION_TABLES = tuple(f"5-eval/{name}.csv" for name in _NAMES.split())
EDITS, OWN = "deck.yaml", "deck/"
"""What a person changes in the deck, and his own pictures and template."""
REASONS = "5-eval/reasons/"
MACHINE, STUDY = "machine.yaml", "study.yaml"
"""How the run was made; beside run directories, what several runs say together."""
PREDICTS_WITH = (DATASET, PLAN, CARD, KEPT, BEST, TEMPERATURE)
"""All that new examples are labelled with."""
ANSWERS_REST_ON = (DATASET, TABLE, SEALED, RECIPE, CARD, KEPT, EXCLUDED, BEST, PROBE, TEMPERATURE, VALIDATION)
"""What predictions.parquet and baselines.parquet are made from; while it stays as it is, they are not made again."""


@dataclass(frozen=True)
class Step:
    """A step of the pipeline: the files that it reads and writes, below the run directory.

    A name that ends in "/" is a folder: whatever files there are in it, none included. `RECIPE` is a part of a file.
    """

    name: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    optional: bool = False
    """Whether later steps, which tell what it found, do without it where it was never run."""


STEPS = {
    step.name: step
    for step in (
        Step("open", (), (DATASET, TABLE, SEALED)),
        Step("audit", (DATASET, TABLE), (AUDIT, FINDINGS)),
        Step("plan", (DATASET, TABLE, AUDIT, FINDINGS), (PLAN, CARD, MEASUREMENTS, KEPT, EXCLUDED, BACKBONES)),
        Step("prepare", (DATASET, TABLE, RECIPE, CARD, KEPT), (PREPARED,)),
        Step("train", (DATASET, TABLE, RECIPE, CARD, KEPT, EXCLUDED), (EPOCHS, BEST, PROBE, TEMPERATURE, VALIDATION)),
        Step(
            "evaluate",
            (*ANSWERS_REST_ON, AUDIT, FINDINGS),
            (PREDICTIONS, BASELINES, EVALUATION, *EVALUATION_TABLES),
        ),
        Step(
            "explain", (DATASET, TABLE, RECIPE, CARD, MEASUREMENTS, KEPT, BEST, PREDICTIONS), (REASONS,), optional=True
        ),
        Step(
            "deck",
            (
                *(DATASET, TABLE, AUDIT, FINDINGS, PLAN, CARD, MEASUREMENTS, BACKBONES, PREPARED, EPOCHS),
                *(PREDICTIONS, BASELINES, EVALUATION, *EVALUATION_TABLES, REASONS),
                *(EDITS, OWN),
            ),
            ("deck.pptx", "deck.html"),
        ),
    )
}


@contextlib.contextmanager
def alone(run: Path) -> Iterator[None]:
    """Hold the run directory for this process; blocks may stand in each other.

    The lock is the operating system's (flock), so it ends with the process that holds it, however that ends.

    Raises:
        UserError: another process holds it, or the folder cannot be written.
    """
    lock = FileLock(run.resolve() / LOCK, is_singleton=True)
    made = [folder for folder in (run, *run.parents) if not folder.exists()]
    try:
        run.mkdir(parents=True, exist_ok=True)
        lock.acquire(blocking=False)
    except Timeout:
        raise UserError(f"another instar is at work on {run}; wait for its end, or choose another --out") from None
    except OSError as error:
        raise UserError(f"cannot write {run}: {error.strerror or error}; choose another folder with --out") from None
    try:
        yield
    finally:
        if made and [path.name for path in run.iterdir()] == [LOCK]:  # nothing came of it: leave nothing
            (run / LOCK).unlink()
            with contextlib.suppress(OSError):  # a parent may hold something else by now
                for folder in made:
                    folder.rmdir()
        lock.release()


def read_machine(run: Path) -> dict[str, Any]:
    """machine.yaml: how the run was made; empty where there is none yet."""
    path = run / MACHINE
    return read_yaml(path, dict[str, Any]) if path.exists() else {}


def check_format(run: Path) -> None:
    """Refuse a run directory that another version of instar made and this one cannot go on with."""
    machine = read_machine(run)
    if machine and machine.get("format") != FORMAT:
        raise UserError(f"{run} was made by another version of instar; run it again: instar run DATA --out NEW")


def begin(run: Path, name: str) -> None:
    """Refuse to start a step when a file that it reads is missing or rests on something that has changed since."""
    check_format(run)
    stamps = read_machine(run).get("steps", {})
    for upstream in _upstream(name):
        remedy = f"run `instar {'run' if upstream.name == 'open' else upstream.name} {run}`"
        stamp = stamps.get(upstream.name)
        if stamp is None and upstream.optional:
            continue
        needed = [f for f in upstream.writes if any(f in s.reads for s in STEPS.values())]
        missing = [f for f in needed if not there(run, f)]
        if missing or stamp is None:
            raise UserError(f"{run} has no finished step {upstream.name}; {remedy} first")
        for kind in ("reads", "writes"):
            for file, value in stamp[kind].items():
                if there(run, file) and digest_below(run, file) != value:
                    raise UserError(f"{run / whole(file)} has changed since step {upstream.name}; {remedy} again")


def begin_predict(run: Path, *more: str) -> None:
    """Refuse to answer with a network that is not there, or whose plan has changed since it was trained. Only what
    answers rest on is looked at, and `more`: neither examples nor labels nor findings have to be there still."""
    check_format(run)
    remedy = f"run `instar run {run}`"
    stamp = read_machine(run).get("steps", {}).get("train")
    if stamp is None:
        raise UserError(f"{run} has no finished step train; {remedy} first")
    needed = (*PREDICTS_WITH, *more)
    gone = next((file for file in needed if not there(run, file)), None)
    if gone is not None:
        raise UserError(f"{run / gone} is not there; {remedy} again")
    for file, value in {**stamp["reads"], **stamp["writes"]}.items():
        if whole(file) in needed and digest_below(run, file) != value:
            raise UserError(f"{run / whole(file)} has changed since step train; {remedy} again")


def finished(run: Path, name: str) -> bool:
    """Whether a step has once been whole."""
    return name in read_machine(run).get("steps", {})


def current(run: Path, name: str, *files: str) -> bool:
    """Whether a step is whole, as this version makes it, and neither what it read nor what it wrote, or the files
    named, has changed since."""
    stamp = read_machine(run).get("steps", {}).get(name, {"reads": {}, "writes": {}})
    known = {**stamp["reads"], **stamp["writes"]}
    wanted = files or (*known, *STEPS[name].writes)
    return all(file in known for file in wanted) and _same(run, {file: known[file] for file in wanted})


def rests(run: Path, name: str) -> bool:
    """Whether a step has once been whole, and what it read is as it was then."""
    return current(run, name, *STEPS[name].reads)


def _same(run: Path, known: dict[str, str]) -> bool:
    return all(there(run, file) and digest_below(run, file) == value for file, value in known.items())


def count(run: Path, what: str) -> None:
    """Count one more of something that must not be forgotten, even if what follows fails."""
    machine = read_machine(run)
    write_yaml(run / MACHINE, {**machine, what: machine.get(what, 0) + 1})


def accept(run: Path, name: str, *files: str) -> None:
    """Take files as they are now for what a finished step wrote: for `plan.yaml`, which may be edited."""
    machine = read_machine(run)
    machine["steps"][name]["writes"] |= {file: digest_below(run, file) for file in files}
    write_yaml(run / MACHINE, machine)


def ask_again(run: Path, options: dict[str, Json], *, keep: tuple[str, ...]) -> None:
    """Record what the user asks for now in place of what was asked for before; steps but those to keep are undone."""
    machine = read_machine(run)
    kept = {name: stamp for name, stamp in machine.get("steps", {}).items() if name in keep}
    write_yaml(run / MACHINE, {**machine, "options": options, "steps": kept})


def _upstream(name: str) -> list[Step]:
    """The steps whose files a step rests on, directly or not, in the order of the pipeline."""
    wanted = set(map(whole, STEPS[name].reads))
    found: list[Step] = []
    for step in reversed(STEPS.values()):
        if wanted.intersection(step.writes):
            found.insert(0, step)
            wanted.update(map(whole, step.reads))
    return found


def finish(run: Path, name: str, started: float, **more: Json) -> None:
    """Record in machine.yaml that a step is whole: digests of what it read and wrote, seconds, peak memory."""
    step = STEPS[name]
    machine = read_machine(run)
    stamp = {
        "seconds": round(time.monotonic() - started, 2),
        **more,
        "reads": {f: digest_below(run, f) for f in step.reads},
        "writes": {f: digest_below(run, f) for f in step.writes},
    }
    steps = {**machine.get("steps", {}), name: stamp}
    write_yaml(run / MACHINE, {"format": FORMAT, **machine, "steps": {k: steps[k] for k in STEPS if k in steps}})
