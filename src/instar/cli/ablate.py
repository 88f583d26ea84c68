"""The verb that asks what each decision was worth."""

from typing import Annotated

import typer

from instar.cli.common import Run, app
from instar.progress import say

DECISIONS = "Decisions to switch off, such as thaw, augment, loss_weights; without any, all that are on."
SEEDS = "Trainings with and without each; the first with it is the run's own."
MINUTES = "Leave out trainings that would take longer than that together, by estimate."


@app.command()
def ablate(
    run: Run,
    decisions: Annotated[list[str] | None, typer.Argument(metavar="[DECISION]...", help=DECISIONS)] = None,
    seeds: Annotated[int, typer.Option("--seeds", min=1, metavar="N", help=SEEDS)] = 1,
    minutes: Annotated[float | None, typer.Option("--minutes", min=0, metavar="M", help=MINUTES)] = None,
) -> None:
    """Switch single decisions off: what each was worth on the validation split, with interval, back into the plan."""
    from instar import pipeline
    from instar.evaluate.worth import WORTH

    pipeline.ablate(run, decisions or [], seeds=seeds, minutes=minutes)
    say(f"Worth: {run / WORTH}\nIn the plan: {run / '3-plan/plan.md'}\nOn a slide: instar deck {run}")
