"""The rate finder, beside the steps: it changes nothing of a run but adds figures."""

from dataclasses import asdict
from pathlib import Path

import polars as pl

from instar import store
from instar.errors import UserError
from instar.pipeline.common import at_work, settled
from instar.pipeline.learning import material
from instar.progress import say


def rates(folder: Path, name: str | None = None) -> dict[str, float | None]:
    """Try rates for every stage that thaws something, or for the one named, each from the solved head on a copy of the
    network: figures/rates-STAGE.svg, .png and .csv.

    Returns:
        The suggested rate of each stage; None where no rate brought the loss down. The plan stays as it is.

    Raises:
        UserError: no such stage, or the run has no plan.
    """
    with at_work(folder, "train"):
        if not store.finished(folder, "plan"):
            store.begin(folder, "train")  # says what is missing
        recipe = store.recipe_of(settled(folder))
        store.begin(folder, "train")
        stages = [stage for stage in recipe.stages if stage.thaw != 0 and name in (None, stage.name)]
        if not stages:
            known = ", ".join(stage.name for stage in recipe.stages if stage.thaw != 0)
            raise UserError(
                f"no stage {name or 'that thaws something'} in {folder / store.PLAN}; there is {known or 'none'}"
            )
        from instar.charts.rates import rates as chart
        from instar.charts.theme import save
        from instar.train.finder import suggestion, trials, with_solved_head
        from instar.train.loss import class_weights

        network, data, _ = material(folder, recipe)
        with_solved_head(network, recipe, data)
        weights_C = class_weights(data.train_labels, data.classes, recipe)
        answers: dict[str, float | None] = {}
        for stage in stages:
            found = trials(network, stage, recipe, data, weights_C)
            rate = answers[stage.name] = suggestion(found)
            frame = pl.DataFrame([asdict(trial) for trial in found])
            save(chart(frame, stage.lr, rate), frame, folder / "figures", f"rates-{stage.name}")
            hint = f"{rate:g} (--set stages.{stage.name}.lr={rate:g})" if rate else "none: no rate lowers the loss"
            say(f"stage {stage.name}: planned {stage.lr:g}, suggested {hint}")
    return answers
