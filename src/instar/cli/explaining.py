"""The verb that shows reasons."""

from pathlib import Path
from typing import Annotated

import typer

from instar.cli.common import Run, app
from instar.cli.using import NEW
from instar.progress import say

PAGE = "Where to write the page with the reasons for new examples."


@app.command()
def explain(
    run: Run,
    files: Annotated[list[str] | None, typer.Argument(help=NEW)] = None,
    out: Annotated[Path, typer.Option("--out", help=PAGE)] = Path("reasons.html"),
) -> None:
    """Show what in an example speaks for the answer: for answers on the test split, or for new examples."""
    from instar import pipeline

    if files:
        say(f"In a browser: {pipeline.explain_new(run, files, out)}")
    else:
        pipeline.explain(run)
        say(f"Reasons: {run / '5-eval/reasons'}")
