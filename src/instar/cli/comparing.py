"""The verb that sets runs side by side."""

from pathlib import Path
from typing import Annotated

import typer

from instar.cli.common import app
from instar.progress import say

RUNS = "Run directories or studies, two or more, that were tested on the same rows."
WIDE = 160
"""Letters a line where the output is no terminal."""
OUT = "A folder for the page, the tables (CSV) and the figures."


@app.command()
def compare(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN RUN…", help=RUNS)],
    out: Annotated[Path | None, typer.Option("--out", metavar="FOLDER", help=OUT)] = None,
) -> None:
    """Set runs on the same test rows side by side: scores, paired tests, cost, and what differed in their plans."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from instar.study import comparing, told

    side = comparing.compare(runs)
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = WIDE
    for table in told.tables(side, short=True):
        console.print(f"\n{table.title}" if table.rows else f"\n{table.title}: nothing", style="bold", markup=False)
        if table.rows:
            drawn = Table(box=SIMPLE_HEAD, pad_edge=False)
            for name in table.header:
                drawn.add_column(Text(name), overflow="fold")
            for row in table.rows:
                drawn.add_row(*map(Text, row))
            console.print(drawn)
            console.print(" ".join(table.note.split()), style="dim", markup=False)
    if out is not None:
        comparing.write(side, out, told.page(side))
        say(f"Comparison: {out / 'README.md'}")
