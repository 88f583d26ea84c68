"""What the verbs share: the application, its arguments and its options."""

from pathlib import Path
from typing import Annotated, Any

import typer

from instar.progress import say

app = typer.Typer(
    help="Fine-tune pre-trained networks on your labelled images or texts, and see the reasons.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

DATA = "A folder, a table, a zip or tar, or a name that `instar fetch` knows; or a run directory."
BACKBONE = (
    "Network to start from (SOURCE: timm, torchvision, hf, hub, scratch); several with commas between (each perhaps "
    "=FILE of weights), or catalogue: the plan scores them and takes one; else the plan chooses."
)
FOLDS = "A study of K runs, each tested on another part of the data, and what they say together."
SEEDS = "A study of N runs that differ in the seed of training alone, and what they say together."
SETTING = "A value of the plan that you want, such as epochs=3 or lr=1e-4; may be repeated."


def column(name: str, what: str) -> Any:
    """The option that names a column of a table."""
    return typer.Option(f"--{name}", metavar="COLUMN", help=f"Column with the {what}; guessed where not given.")


DataOrRun = Annotated[str, typer.Argument(metavar="DATA|RUN", help=DATA)]
Run = Annotated[Path, typer.Argument(metavar="RUN", help="A run directory, as `run` or `plan` made it.")]
Out = Annotated[Path | None, typer.Option("--out", help="The run directory to make.", show_default="runs/NAME")]
Text = Annotated[str | None, column("text", "texts")]
Image = Annotated[str | None, column("image", "paths of the images")]
Label = Annotated[str | None, column("label", "labels")]
Backbone = Annotated[str | None, typer.Option("--backbone", metavar="SOURCE:NAME[,…]", help=BACKBONE)]
Weights = Annotated[
    Path | None,
    typer.Option("--weights", metavar="FILE", help="Weights of the backbone (.safetensors), for work offline."),
]
Limit = Annotated[int | None, typer.Option("--limit", min=1, metavar="N", help="At most N examples per class.")]
Seed = Annotated[int | None, typer.Option("--seed", metavar="N", help="Seed of split and training; 0 where not given.")]
Folds = Annotated[int | None, typer.Option("--folds", min=2, metavar="K", help=FOLDS)]
Seeds = Annotated[int | None, typer.Option("--seeds", min=2, metavar="N", help=SEEDS)]
Set = Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help=SETTING)]


def show(folder: Path) -> None:
    """Say where the presentation of a run lies."""
    say(f"\nPresentation: {folder / 'deck.pptx'}\nIn a browser: {folder / 'deck.html'}")


def printed(folder: Path) -> None:
    """Print the presentation to deck.pdf where a browser or LibreOffice is at hand; say so where it cannot be."""
    from instar.deck.pdf import print_deck

    if (why := print_deck(folder)) is not None:
        say(why)


def older(file: Path, than: Path) -> bool:
    """Whether a file was written before another one."""
    return file.stat().st_mtime < than.stat().st_mtime
