"""The verbs that tell what is at hand on this machine."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from instar.cli.common import app

PLANNED = "A run that is planned, on whose training examples backbones are scored."
CANDIDATES = "Backbones to score; without any, the recommended ones that are at hand."


@app.command()
def doctor() -> None:
    """What this machine can do: device, speed of threads, backbones at hand, credentials, disk."""
    from instar.doctor import examine

    for line in examine():
        sys.stdout.write(line + "\n")


@app.command()
def backbones(
    run: Annotated[Path | None, typer.Argument(metavar="RUN", help=PLANNED, show_default=False)] = None,
    names: Annotated[
        list[str] | None, typer.Argument(metavar="SOURCE:NAME[=FILE]…", help=CANDIDATES, show_default=False)
    ] = None,
    text: Annotated[bool, typer.Option("--text", help="For texts instead of images.")] = False,
) -> None:
    """Recommended backbones: what they cost, their licence and paper, and whether they are at hand here. With a RUN:
    what these, or others that you name, would gain on its data and cost on this machine, by frozen features."""
    if run is not None:
        from instar import pipeline
        from instar.plan.reasons import lines

        sys.stdout.writelines(f"{line}\n" for line in lines(pipeline.backbones(run, names or [])))
        return
    from instar.doctor import backbones as recommended

    sys.stdout.writelines(f"{line}\n" for line in recommended("text" if text else "image"))
