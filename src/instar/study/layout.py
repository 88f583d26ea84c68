"""The directory of a study: which runs stand in it, and what was asked for of all of them."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path

from instar import steps, store
from instar.errors import UserError
from instar.files import plain, read_yaml, write_yaml
from instar.pipeline.data import name_of
from instar.pipeline.options import Options, firm, first_asked
from instar.records import Json, Kind, Study

OF_ONE = {"folds": "fold", "seeds": "seed"}
OWN = ("folds", "fold")
"""Options that the runs of a study get, each its own."""
COMMENT = {
    "folds": "Several runs, each tested on another part of the data. README.md tells the figures in words.",
    "seeds": "Several runs that differ in the chance of training alone. README.md tells the figures in words.",
}


def is_study(folder: Path) -> bool:
    """Whether a folder is the directory of a study."""
    return (folder / steps.STUDY).is_file()


def read(folder: Path) -> Study:
    """study.yaml."""
    return read_yaml(folder / steps.STUDY, Study)


def write(folder: Path, study: Study) -> None:
    """study.yaml."""
    write_yaml(folder / steps.STUDY, asdict(study), COMMENT[study.kind])


def begin(options: Options, kind: Kind, number: int, out: Path | None) -> Path:
    """The directory of the study, made where there is none; more seeds than before are taken in.

    Raises:
        UserError: the options do not fit a study, or the directory holds another one or something else.
    """
    options = firm(options)
    if kind == "seeds" and "seed" in first_asked(options):
        raise UserError("--seeds gives every run a seed of training of its own; leave --set seed away")
    folder = out or Path("runs") / f"{name_of(options)}-{kind}"
    if folder.is_file():
        raise UserError(f"{folder} is a file; choose another folder with --out")
    wanted = Study(kind, _names(options, kind, number), _asked(options))
    if not is_study(folder):
        if folder.is_dir() and {path.name for path in folder.iterdir()} - {steps.LOCK}:
            what = "holds a run" if (folder / store.MACHINE).exists() else "holds something else"
            raise UserError(f"{folder} {what}; choose another folder for the study with --out")
        folder.mkdir(parents=True, exist_ok=True)
        write(folder, wanted)
        return folder
    known = read(folder)
    _same(folder, known, wanted)
    if len(wanted.runs) > len(known.runs):
        write(folder, replace(known, runs=wanted.runs, rests_on={}))
    return folder


def _same(folder: Path, known: Study, wanted: Study) -> None:
    """Refuse to go on with a study in another way than it was begun."""
    if known.kind != wanted.kind:
        raise UserError(f"{folder} is a study of {known.kind}; choose another --out for {wanted.kind}")
    other = [key for key, value in wanted.options.items() if known.options.get(key) != value]
    if other:
        raise UserError(f"{folder} holds a study with another {', '.join(other)}; choose another --out or delete it")
    had, now = len(known.runs), len(wanted.runs)
    if known.kind == "folds" and had != now:
        raise UserError(
            f"{folder} shares the examples out to {had} folds; {now} are other parts of them: choose another --out"
        )
    if now < had:
        raise UserError(f"{folder} has {had} seeds already; ask for {had} or more, or choose another --out")


def _asked(options: Options) -> Mapping[str, Json]:
    return {key: value for key, value in plain(asdict(options)).items() if key not in OWN}


def _names(options: Options, kind: Kind, number: int) -> tuple[str, ...]:
    first = 1 if kind == "folds" else options.seed
    return tuple(f"{OF_ONE[kind]}-{i}" for i in range(first, first + number))


def options_of(study: Study) -> dict[str, Options]:
    """The options of each run, by its name.

    Seeds share the split of the first: `Options.seed` draws the split, the setting seed= is that of the training.
    """
    base = Options(**{**study.options, "settings": tuple(study.options["settings"])})
    if study.kind == "folds":
        return {name: replace(base, folds=len(study.runs), fold=i) for i, name in enumerate(study.runs, 1)}
    seeds = range(base.seed, base.seed + len(study.runs))
    return {
        name: base if seed == base.seed else replace(base, settings=(*base.settings, f"seed={seed}"))
        for name, seed in zip(study.runs, seeds, strict=True)
    }
