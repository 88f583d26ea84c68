"""The verbs that use a trained network."""

import sys
from typing import Annotated

import typer

from instar.cli.common import Run, app
from instar.errors import UserError

NEW = "Images or folders of images; for texts, files with a text a line, or - for standard input."
SURE = "Label only what is sure enough for this share of right labels, such as 0.95; the rest gets none."
SETS = "Beside the label a set of classes that holds the true one in this share of all cases."


@app.command()
def predict(
    run: Run,
    files: Annotated[list[str] | None, typer.Argument(help=NEW)] = None,
    form: Annotated[str, typer.Option("--format", help="csv or json (an object a line).")] = "csv",
    all_classes: Annotated[bool, typer.Option("--all", help="The probability of every class.")] = False,
    sure: Annotated[float | None, typer.Option("--sure", metavar="SHARE", help=SURE)] = None,
    sets: Annotated[float | None, typer.Option("--sets", metavar="SHARE", help=SETS)] = None,
) -> None:
    """Label new examples. What cannot be read is named and gets no label; the exit status is then 2."""
    import polars as pl

    from instar import pipeline

    if form not in ("csv", "json"):
        raise UserError(f"--format {form} is not known; choose csv or json")
    for name, share in (("sure", sure), ("sets", sets)):
        if share is not None and not 0 < share < 1:
            raise UserError(f"--{name} {share:g} is no share; give one between 0 and 1, such as 0.95")
    found = pipeline.predict(run, files or [], sure=sure, sets=sets)
    shown = found if all_classes else found.select(pl.exclude("^p\\..*$"))
    if form == "csv" and sets is not None:
        shown = shown.with_columns(pl.col("set").list.join(" | "))
    sys.stdout.write(shown.write_csv() if form == "csv" else shown.write_ndjson())
    bad = found.filter(found["error"].is_not_null())
    if bad.height:
        first = bad.row(0, named=True)
        raise UserError(
            f"{bad.height} of {found.height} inputs cannot be read, first {first['input']!r}: {first['error']}"
        )
