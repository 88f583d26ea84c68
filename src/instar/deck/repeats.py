"""The study that a run belongs to, where all its runs are as they were when it was summed up."""

from pathlib import Path

import polars as pl

from instar import files, steps
from instar.records import Study


def read_study(run: Path) -> tuple[Study | None, pl.DataFrame]:
    """study.yaml beside the run, and the table of its figure: name, value, low, high, n, joint.

    A run that was moved out of its study stands alone; so does one of a study that is not whole, or of which any run
    has answered anew since.
    """
    folder = run.resolve().parent
    if not (folder / steps.STUDY).exists():
        return None, pl.DataFrame()
    study = files.read_yaml(folder / steps.STUDY, Study)
    known = {folder / name / steps.PREDICTIONS: value for name, value in study.rests_on.items()}
    whole = all(path.exists() and files.digest(path) == value for path, value in known.items())
    if not whole or run.resolve().name not in study.rests_on:
        return None, pl.DataFrame()
    return study, files.read_frame(folder / "figures" / f"19-{study.kind}.csv", {"name": "String"})
