"""The verbs that make a run, or one step of it."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from instar.cli.common import (
    Backbone,
    DataOrRun,
    Folds,
    Image,
    Label,
    Limit,
    Out,
    Run,
    Seed,
    Seeds,
    Set,
    Text,
    Weights,
    app,
    older,
    printed,
    show,
)
from instar.errors import UserError
from instar.progress import say

if TYPE_CHECKING:
    from instar.pipeline import Options

STUDY, MACHINE = "study.yaml", "machine.yaml"
"""Files that tell the directory of a study and that of a run."""


class Given(NamedTuple):
    """Options of a verb that makes a run."""

    out: Path | None
    text: str | None
    image: str | None
    label: str | None
    backbone: str | None
    weights: Path | None
    limit: int | None
    seed: int | None


def _opened(data: str, given: Given, settings: list[str] | None) -> Path:
    """The run directory of these data, made where there is none; or the one that was named."""
    from instar import pipeline, store
    from instar.data.told import told

    if (Path(data) / store.MACHINE).exists():
        _keeps_its_own(data, "run directory", given)
        folder = pipeline.start(pipeline.options_of(Path(data)), Path(data))
        if settings:
            pipeline.ask(folder, settings)
        return folder
    folder = pipeline.start(_options(data, given, settings), given.out)
    for line in told(store.read_dataset(folder).opening):
        say(f"  {line}")
    return folder


def _keeps_its_own(data: str, what: str, given: Given) -> None:
    if any(value is not None for value in given):
        raise UserError(f"{data} is a {what} and keeps its options; name the data to start another run")


def _options(data: str, given: Given, settings: list[str] | None) -> "Options":
    from instar.pipeline import Options

    if given.weights is not None and not given.weights.is_file():
        raise UserError(f"--weights {given.weights} does not exist; name a .safetensors file")
    return Options(
        data,
        text=given.text,
        image=given.image,
        label=given.label,
        backbone=given.backbone,
        weights=str(given.weights) if given.weights else None,
        limit=given.limit,
        seed=given.seed or 0,
        settings=tuple(settings or ()),
    )


def _verb(name: str, description: str, then: Callable[[Path], None]) -> None:
    """Register a verb that takes data with options, or a run directory that has its options already."""

    def command(
        data: DataOrRun,
        out: Out = None,
        text: Text = None,
        image: Image = None,
        label: Label = None,
        backbone: Backbone = None,
        weights: Weights = None,
        limit: Limit = None,
        seed: Seed = None,
        settings: Set = None,
    ) -> None:
        if (Path(data) / STUDY).is_file():
            raise UserError(f"{data} is a study of several runs; name one of them, or call `instar run {data}`")
        then(_opened(data, Given(out, text, image, label, backbone, weights, limit, seed), settings))

    app.command(name, help=description)(command)


@app.command()
def run(
    data: DataOrRun,
    out: Out = None,
    text: Text = None,
    image: Image = None,
    label: Label = None,
    backbone: Backbone = None,
    weights: Weights = None,
    limit: Limit = None,
    seed: Seed = None,
    folds: Folds = None,
    seeds: Seeds = None,
    settings: Set = None,
) -> None:
    """All steps, from raw data to a presentation. The same command again goes on where it stopped."""
    from instar import pipeline

    given = Given(out, text, image, label, backbone, weights, limit, seed)
    if (Path(data) / STUDY).is_file():
        from instar.study import running

        if folds is not None or seeds is not None:
            raise UserError(f"{data} is a study and keeps its runs; repeat the command that made it to add seeds")
        _keeps_its_own(data, "study", given)
        running.finish(Path(data), settings or ())
    elif folds is not None or seeds is not None:
        from instar.study import running

        if folds is not None and seeds is not None:
            raise UserError("--folds and --seeds answer different questions; make a study of each")
        if (Path(data) / MACHINE).exists():
            raise UserError(f"{data} is a run directory, which has one split and one seed; name the data for a study")
        running.run(_options(data, given, settings), "folds" if folds else "seeds", folds or seeds or 0, out)
    else:
        folder = pipeline.finish(_opened(data, given, settings))
        if not (folder / "deck.pdf").exists() or older(folder / "deck.pdf", folder / "deck.html"):
            printed(folder)
        show(folder)


def _audit(folder: Path) -> None:
    from instar import pipeline

    pipeline.audit(folder)
    say(f"Findings: {folder / '2-audit/audit.yaml'}")


def _plan(folder: Path) -> None:
    from instar import pipeline, store

    if not store.current(folder, "audit"):
        pipeline.audit(folder)
    pipeline.plan(folder)
    say(f"To read: {folder / '3-plan/plan.md'}\nTo edit: {folder / '3-plan/plan.yaml'}")


_verb("audit", "What is in the data: classes, twins, conflicts, sizes, what cannot be read.", _audit)
_verb("plan", "Decide how to train, each decision with its reason.", _plan)


@app.command()
def prepare(run: Run) -> None:
    """Bring every example into the form that the network takes."""
    from instar import pipeline

    pipeline.prepare(run)


@app.command()
def train(run: Run) -> None:
    """Fine-tune as planned; goes on where it was after an interruption."""
    from instar import pipeline

    pipeline.train(run)
    say(f"Curves: {run / '4-train/epochs.csv'}")


@app.command()
def rates(run: Run, stage: Annotated[str | None, typer.Argument(help="One stage of the plan.")] = None) -> None:
    """Try rates on a copy of the network: a figure and a suggestion for each stage that thaws something."""
    from instar import pipeline

    pipeline.rates(run, stage)


@app.command()
def evaluate(run: Run) -> None:
    """Open the test split: scores with intervals, baselines, errors."""
    from instar import pipeline

    pipeline.evaluate(run)
    say(f"Scores: {run / '5-eval/evaluation.yaml'}")


@app.command()
def deck(
    run: Run,
    template: Annotated[
        Path | None,
        typer.Option("--template", metavar="MY.pptx", help="Take layout, fonts and colours of your own; is kept."),
    ] = None,
    no_pdf: Annotated[bool, typer.Option("--no-pdf", help="Leave out deck.pdf, which takes some seconds.")] = False,
) -> None:
    """Make the presentation again, with what deck.yaml changes in it."""
    from instar import pipeline

    pipeline.deck(run, template)
    if not no_pdf:
        printed(run)
    show(run)
