"""The command line. Nothing heavy is imported before a verb needs it."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from instar import processes
from instar.errors import UserError, mistake
from instar.progress import console, say

app = typer.Typer(
    help="Fine-tune pre-trained networks on your labelled images or texts, and see the reasons.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

DATA = "A folder, a table, a zip or tar, or a name that `instar fetch` knows; or a run directory."
BACKBONE = "Network to start from (SOURCE: timm, torchvision, hf, hub, scratch); else the plan chooses."
SETS = "butterfly, mcdonalds, caltech101, flowers102, kaggle:OWNER/NAME or hf:OWNER/NAME."
NEW = "Images or folders of images; for texts, files with a text a line, or - for standard input."
SETTING = "A value of the plan that you want, such as epochs=3 or lr=1e-4; may be repeated."


def _column(name: str, what: str) -> Any:
    return typer.Option(f"--{name}", metavar="COLUMN", help=f"Column with the {what}; guessed where not given.")


DataOrRun = Annotated[str, typer.Argument(metavar="DATA|RUN", help=DATA)]
Run = Annotated[Path, typer.Argument(metavar="RUN", help="A run directory, as `run` or `plan` made it.")]
Out = Annotated[Path | None, typer.Option("--out", help="The run directory to make.", show_default="runs/NAME")]
Text = Annotated[str | None, _column("text", "texts")]
Image = Annotated[str | None, _column("image", "paths of the images")]
Label = Annotated[str | None, _column("label", "labels")]
Backbone = Annotated[str | None, typer.Option("--backbone", metavar="SOURCE:NAME", help=BACKBONE)]
Weights = Annotated[
    Path | None,
    typer.Option("--weights", metavar="FILE", help="Weights of the backbone (.safetensors), for work offline."),
]
Limit = Annotated[int | None, typer.Option("--limit", min=1, metavar="N", help="At most N examples per class.")]
Seed = Annotated[int | None, typer.Option("--seed", metavar="N", help="Seed of split and training; 0 where not given.")]
Set = Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help=SETTING)]
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
    _show(folder)


def _show(folder: Path) -> None:
    say(f"\nPresentation: {folder / 'deck.pptx'}\nIn a browser: {folder / 'deck.html'}")


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
    _show(run)


@app.command()
def predict(
    run: Run,
    files: Annotated[list[str] | None, typer.Argument(help=NEW)] = None,
    form: Annotated[str, typer.Option("--format", help="csv or json (an object a line).")] = "csv",
    all_classes: Annotated[bool, typer.Option("--all", help="The probability of every class.")] = False,
) -> None:
    """Label new examples. What cannot be read is named and gets no label; the exit status is then 2."""
    from instar import pipeline

    if form not in ("csv", "json"):
        raise UserError(f"--format {form} is not known; choose csv or json")
    found = pipeline.predict(run, files or [])
    shown = found if all_classes else found.select("input", "label", "probability", "error")
    sys.stdout.write(shown.write_csv() if form == "csv" else shown.write_ndjson())
    bad = found.filter(found["error"].is_not_null())
    if bad.height:
        first = bad.row(0, named=True)
        raise UserError(
            f"{bad.height} of {found.height} inputs cannot be read, first {first['input']!r}: {first['error']}"
        )


@app.command()
def fetch(
    name: Annotated[str, typer.Argument(metavar="NAME", help=SETS)],
) -> None:
    """Get a known set, a Kaggle set or a Hugging Face set into the cache; `run` takes the same names."""
    from instar.data.fetching import fetch as get

    sys.stdout.write(f"{get(name).path}\n")


@app.command()
def compose(
    recipe: Annotated[Path, typer.Argument(metavar="RECIPE", help="A YAML file, see docs/compose.md.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The folder to make.")],
) -> None:
    """Merge several sets into a new one, with a data card."""
    from instar.compose.build import compose as build

    say(f"To go on: instar run {build(recipe, out)}")


@app.command()
def demo(out: Annotated[Path, typer.Option("--out", help="Where to write.")] = Path("demo")) -> None:
    """Make two small data sets with planted flaws and run both: no network needed, under five minutes."""
    from instar.demo.play import play

    for folder in play(out):
        _show(folder)


@app.command()
def doctor() -> None:
    """What this machine can do: device, speed of threads, backbones at hand, credentials, disk."""
    from instar.doctor import examine

    for line in examine():
        sys.stdout.write(line + "\n")


@app.command()
def backbones(text: Annotated[bool, typer.Option("--text", help="For texts instead of images.")] = False) -> None:
    """Recommended backbones: what they cost, their licence and paper, and whether they are at hand here."""
    from instar.doctor import backbones as lines

    sys.stdout.writelines(f"{line}\n" for line in lines("text" if text else "image"))


def main() -> None:
    """Run the command line: a user's mistake is one line and exit status 2."""
    try:
        processes.check(sys.argv[1:2])
        app()
    except (UserError, OSError) as error:
        if (line := mistake(error)) is None:
            raise
        console.print(f"{processes.name()}: {line}", style="red", markup=False, soft_wrap=True)
        sys.exit(2)
    except KeyboardInterrupt:
        console.print("instar: interrupted; the same command goes on where it stopped", markup=False)
        sys.exit(130)
