"""instar itself, by the steps of a run directory."""

import os
import shutil
import time
from pathlib import Path

import polars as pl

from contest.sets import SETTINGS
from contest.task import Clock, Floats, Point, Task
from instar import pipeline, store

LEFT_BEHIND = shutil.ignore_patterns("4-train", "5-eval", "deck.*", ".lock")


def train(task: Task, clock: Clock, out: Path) -> Floats:
    """`prepare` and `train` on a copy of the run, with a cache of its own that is empty, then `evaluate`.

    Nothing that the audit has prepared or computed is found again, so the time is that of one who has planned before.
    The seed is that of the training: all seeds have the split of the run.
    """
    shutil.rmtree(out, ignore_errors=True)
    run = out / "run"
    shutil.copytree(task.run, run, ignore=LEFT_BEHIND)
    os.environ["INSTAR_HOME"] = str(out / "home")
    pipeline.ask(run, [*SETTINGS, f"seed={task.seed}"])
    clock.started = time.monotonic()
    pipeline.prepare(run)
    prepared = time.monotonic() - clock.started
    pipeline.train(run)
    clock.stop()
    steps = store.read_machine(run)["steps"]
    clock.peak_memory_mb = max(steps[step]["peak_memory_mb"] or 0.0 for step in ("prepare", "train")) or None
    epochs = store.read_epochs(run)
    outside = clock.spent - prepared - sum(epoch.seconds for epoch in epochs)
    spent = prepared + max(outside, 0.0)  # what no epoch accounts for counts from the start
    for epoch in epochs:
        spent += epoch.seconds
        clock.curve.append(Point(round(spent, 2), f"{epoch.stage}, {epoch.epoch}", epoch.val_score))
    pipeline.evaluate(run)
    shutil.rmtree(out / "home")
    predicted = store.read_frame(run / store.PREDICTIONS).filter(pl.col("split") == "test")
    columns = [f"p.{name}" for name in task.dataset.classes]
    order = pl.DataFrame({"id": task.test.ids}).join(predicted, on="id", how="left", maintain_order="left")
    probabilities: Floats = order.select(columns).to_numpy()
    return probabilities
