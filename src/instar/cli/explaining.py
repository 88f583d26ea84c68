"""The verb that shows reasons."""

from pathlib import Path
from typing import Annotated

import typer

from instar.cli.common import Run, app
from instar.cli.using import NEW
from instar.errors import UserError
from instar.progress import say

PAGE = "Where to write the page with the reasons for new examples."


@app.command()
def explain(
    run: Run,
    files: Annotated[list[str] | None, typer.Argument(help=NEW)] = None,
    out: Annotated[Path | None, typer.Option("--out", help=PAGE, show_default="reasons.html")] = None,
) -> None:
    """Show what in an example speaks for the answer: for answers on the test split, or for new examples."""
    from instar import pipeline

    if files:
        say(f"In a browser: {pipeline.explain_new(run, files, out or Path('reasons.html'))}")
    elif out is not None:
        raise UserError(f"--out {out} is for reasons of new examples; name some, or leave it away")
    else:
        pipeline.explain(run)
        say(f"Reasons: {run / '5-eval/reasons'}")
