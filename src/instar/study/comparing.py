"""`instar compare`: any runs and studies side by side, to the terminal and into a folder."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from instar import store
from instar.charts import study as charts
from instar.charts.theme import save
from instar.errors import UserError
from instar.evaluate.compare import Comparison
from instar.study import subjects
from instar.study.differences import cost, differences
from instar.study.layout import is_study
from instar.study.subjects import Compared


@dataclass(frozen=True)
class Side:
    """A comparison and its tables."""

    found: tuple[Compared, ...]
    metric: str
    """That of the headline."""
    metrics: tuple[str, ...]
    rows: int
    groups: int
    scores: pl.DataFrame
    """`Comparison.scores`."""
    pairs: pl.DataFrame
    """`Comparison.pairs`."""
    cost: pl.DataFrame
    """`differences.cost`."""
    differences: pl.DataFrame
    """`differences.differences`."""


def compare(paths: Sequence[Path]) -> Side:
    """Compare runs and studies that were tested on the same rows.

    Raises:
        UserError: fewer than two, one that is not evaluated, or test rows that differ.
    """
    if len(paths) < 2:
        raise UserError("compare takes two runs or more; `instar evaluate RUN` tells of one")
    found = subjects.read(paths)
    answers = [subjects.subject(compared) for compared in found]
    subjects.check(found, answers)
    comparison = Comparison(tuple(answers))
    chosen = [store.recipe_of(store.read_plan(compared.first)[0]).metric for compared in found]
    metric = chosen[0] if chosen[0] in comparison.metrics and len(set(chosen)) == 1 else "accuracy"
    return Side(
        tuple(found),
        metric,
        comparison.metrics,
        answers[0].rows.height,
        len(set(comparison.groups.tolist())),
        comparison.scores(),
        comparison.pairs(),
        cost(found),
        differences(found),
    )


def write(side: Side, folder: Path, page: str) -> None:
    """The page, the tables and the figures.

    Raises:
        UserError: the folder is a run, a study or a file.
    """
    if folder.is_file():
        raise UserError(f"--out {folder} is a file; choose a folder")
    if (folder / store.MACHINE).exists() or is_study(folder):
        raise UserError(f"--out {folder} holds a run; choose a folder of its own")
    for name in ("scores", "pairs", "differences", "cost"):
        store.write_frame(folder / f"{name}.csv", getattr(side, name))
    own = side.scores.filter(pl.col("metric") == side.metric).rename({"subject": "name"})
    dots = own.with_columns(joint=pl.lit(True))
    save(charts.runs(dots, side.metric), dots, folder / "figures", "scores")
    spent = own.join(side.cost.rename({"subject": "name"}).select("name", "seconds"), on="name", maintain_order="left")
    paid = spent.filter(pl.col("seconds") > 0)
    if paid.height:
        save(charts.cost(paid, side.metric), spent, folder / "figures", "cost")
    store.write_text(folder / "README.md", page)
