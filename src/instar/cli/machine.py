"""The verbs that tell what is at hand on this machine."""

import sys
from typing import Annotated

import typer

from instar.cli.common import app


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
