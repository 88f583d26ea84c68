"""The verbs that use a trained network."""

import sys
from typing import Annotated

import typer

from instar.cli.common import Run, app
from instar.errors import UserError

NEW = "Images or folders of images; for texts, files with a text a line, or - for standard input."


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
