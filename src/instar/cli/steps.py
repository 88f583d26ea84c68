"""The verbs that make a run, or one step of it."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from instar.cli.common import Backbone, DataOrRun, Image, Label, Limit, Out, Run, Seed, Set, Text, Weights, app, show
from instar.errors import UserError
from instar.progress import say

Then = Callable[[Path], None]


def _verb(name: str, description: str, then: Then) -> None:
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
        from instar import pipeline, store
        from instar.data.told import told

        given = (out, text, image, label, backbone, weights, limit, seed)
        if (Path(data) / store.MACHINE).exists():
            if any(value is not None for value in given):
                raise UserError(f"{data} is a run directory and keeps its options; name the data to start another run")
            folder = pipeline.start(pipeline.options_of(Path(data)), Path(data))
            if settings:
                pipeline.ask(folder, settings)
        else:
            if weights is not None and not weights.is_file():
                raise UserError(f"--weights {weights} does not exist; name a .safetensors file")
            file = str(weights) if weights else None
            options = pipeline.Options(
                data, text, image, label, backbone, file, limit, seed or 0, tuple(settings or ())
            )
            folder = pipeline.start(options, out)
            for line in told(store.read_dataset(folder).opening):
                say(f"  {line}")
        then(folder)

    app.command(name, help=description)(command)


def _run(folder: Path) -> None:
    from instar import pipeline

    pipeline.finish(folder)
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


_verb(
    "run",
    "All steps, from raw data to a presentation. The same command again goes on where it stopped.",
    _run,
)
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
def deck(run: Run) -> None:
    """Make the presentation again."""
    from instar import pipeline

    pipeline.deck(run)
    show(run)
