"""The runs of a study, made one after the other, and what they say together."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from instar import pipeline, steps, store
from instar.data.told import told
from instar.errors import UserError
from instar.pipeline.branching import branch
from instar.pipeline.data import look, unchanged
from instar.pipeline.options import Options
from instar.progress import say
from instar.records import Kind, Study
from instar.study import layout
from instar.study.summary import summarise


def run(options: Options, kind: Kind, number: int, out: Path | None = None) -> Path:
    """All runs of a study and their summary. A second call with the same options goes on where the first one stopped.

    Returns:
        The directory of the study.
    """
    return finish(layout.begin(options, kind, number, out))


def finish(folder: Path, settings: Sequence[str] = ()) -> Path:
    """What is missing of a study: runs, summary, reasons, decks.

    Args:
        settings: asked of every run, as decisions of its plan.
    """
    with steps.alone(folder):
        study = layout.read(folder)
        make = _folds if study.kind == "folds" else _seeds
        make(folder, study, settings)
        study = summarise(folder, study)
        layout.write(folder, study)
        say(f"{len(study.runs)} {study.kind}: {folder / 'README.md'}")
        for name in study.runs:  # the decks last, as each tells of all
            pipeline.finish(folder / name, last="explain")
            made = store.read_machine(folder / name)["steps"].get("deck", {}).get("study")
            if made != store.digest(folder / steps.STUDY) or not store.current(folder / name, "deck"):
                pipeline.deck(folder / name)
    return folder


def _folds(folder: Path, study: Study, settings: Sequence[str]) -> None:
    """Every fold is audited and planned anew: a plan made on one fold would have seen the test labels of another.

    Data are read and measured once for all; what was measured of the network for the first fold holds for the others.
    """
    wanted = layout.options_of(study)
    missing = [name for name in wanted if not (folder / name / store.MACHINE).exists()]
    seen = look(next(iter(wanted.values()))) if missing else None
    for name, options in wanted.items():
        pipeline.start(options, folder / name, seen)
    if missing:
        _tell(folder / missing[0])
    first = folder / study.runs[0]
    for i, name in enumerate(study.runs, 1):
        say(f"fold {i} of {len(study.runs)}")
        if settings:
            pipeline.finish(folder / name, last="plan", like=first)
            pipeline.ask(folder / name, settings)
        pipeline.finish(folder / name, last="evaluate", like=first)


def _seeds(folder: Path, study: Study, settings: Sequence[str]) -> None:
    """Data, audit and plan are those of the first seed: they depend on the split, which all share."""
    wanted = layout.options_of(study)
    names = list(wanted)
    first = folder / names[0]
    new = not (first / store.MACHINE).exists()
    pipeline.start(wanted[names[0]], first)
    if new:
        _tell(first)
    for i, (name, options) in enumerate(wanted.items(), 1):
        say(f"seed {i} of {len(names)}")
        run = folder / name
        if run != first and not (run / store.MACHINE).exists():
            branch(first, run, options)
        unchanged(run)
        if settings:
            pipeline.finish(run, last="plan")
            pipeline.ask(run, settings)
        if run != first:
            _seeded(run, options)
        pipeline.finish(run, last="evaluate")
    _alike(folder, study)


def _seeded(run: Path, options: Options) -> None:
    """Ask the plan of a branch for the seed of its own, where that has not been done."""
    setting = options.settings[-1]
    if store.recipe_of(store.read_plan(run)[0]).seed != int(setting.partition("=")[2]):
        pipeline.ask(run, [setting])


def _alike(folder: Path, study: Study) -> None:
    """Refuse to call something the chance of training that is another plan."""
    first, *others = (asdict(store.recipe_of(store.read_plan(folder / name)[0])) for name in study.runs)
    for name, recipe in zip(study.runs[1:], others, strict=True):
        other = [key for key in recipe if key != "seed" and recipe[key] != first[key]]
        if other:
            raise UserError(
                f"{folder / name} is planned with another {', '.join(other)} than {study.runs[0]}: seeds must not "
                f"differ in anything else; ask all of them: instar run {folder} --set {other[0]}=…"
            )


def _tell(run: Path) -> None:
    for line in told(store.read_dataset(run).opening):
        say(f"  {line}")
