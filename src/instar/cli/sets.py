"""The verbs that get or make data sets."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from instar.cli.common import app, show
from instar.progress import say

SETS = "butterfly, mcdonalds, caltech101, flowers102, kaggle:OWNER/NAME or hf:OWNER/NAME."


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
        show(folder)
