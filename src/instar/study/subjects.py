"""Runs and studies as subjects of a comparison: from their files alone."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from instar import steps, store
from instar.errors import UserError
from instar.evaluate.compare import Subject, apart
from instar.modality.modalities import MODALITIES
from instar.records import Dataset
from instar.study import layout


@dataclass(frozen=True)
class Compared:
    """A run or a study, by the name that it has in the comparison."""

    name: str
    kind: str
    """run, folds or seeds."""
    runs: tuple[Path, ...]
    """Its run directories."""
    dataset: Dataset = field(compare=False)
    """Of the first of them."""

    @property
    def first(self) -> Path:
        """A run that stands for all: of a study, plans differ in little."""
        return self.runs[0]


def read(paths: Sequence[Path]) -> list[Compared]:
    """What stands at each path.

    Raises:
        UserError: something that is neither a run nor a study, or not evaluated.
    """
    found: list[Compared] = []
    for path, name in zip(paths, _names(paths), strict=True):
        steps.check_format(path)
        if layout.is_study(path):
            study = layout.read(path)
            kind, runs = str(study.kind), tuple(path / name for name in study.runs)
        elif (path / store.MACHINE).exists():
            kind, runs = "run", (path,)
        else:
            raise UserError(f"{path} is neither a run directory nor a study; `instar run DATA` makes one")
        for run in runs:
            if not steps.current(run, "evaluate", steps.PREDICTIONS):
                raise UserError(f"{run} has no finished step evaluate; run `instar run {path}` first")
        found.append(Compared(name, kind, runs, store.read_dataset(runs[0])))
    return found


def _names(paths: Sequence[Path]) -> list[str]:
    """Short names that tell the paths apart; one path named twice is numbered."""
    whole = [path.resolve() for path in paths]
    names = [path.name for path in whole]
    if len(set(names)) < len(set(whole)):
        names = ["/".join(path.parts[-2:]) for path in whole]
    if len(set(names)) < len(set(whole)):
        names = [str(path) for path in whole]
    again = [names[:i].count(name) for i, name in enumerate(names)]
    return [f"{name} ({n + 1})" if n else name for name, n in zip(names, again, strict=True)]


def subject(compared: Compared) -> Subject:
    """The answers of a run or a study to its test rows."""
    dataset = compared.dataset
    tests = [_test(run) for run in compared.runs]
    answers = tuple(tests)
    if compared.kind == "folds":
        classes = [f"p.{name}" for name in dataset.classes]
        columns = ["id", "group", "label", "predicted", *classes]
        answers = (pl.concat(test.select(columns) for test in tests).sort("id"),)
    what = "measure.sha256" if MODALITIES[dataset.modality].files else "input"
    content = dataset.table.select("id", pl.col(what).alias("content"))
    return Subject(compared.name, dataset.classes, dataset.ordered, answers, content)


def _test(run: Path) -> pl.DataFrame:
    return store.read_frame(run / store.PREDICTIONS).filter(pl.col("split") == "test").sort("id")


def check(found: Sequence[Compared], subjects: Sequence[Subject]) -> None:
    """Refuse to compare what was not tested on the same examples, and say how they differ.

    Raises:
        UserError: with the numbers and the first ids of the rows that differ.
    """
    first, *others = zip(found, subjects, strict=True)
    for one, theirs in others:
        said = apart(first[1], theirs)
        if not said:
            continue
        if _source(first[0]) != _source(one):
            said.append("their data are different files, or have changed in between")
        elif _drawn(first[0]) != _drawn(one):
            said.append(f"drawn with {_drawn(first[0])} and with {_drawn(one)}")
        raise UserError(
            f"{first[0].name} and {one.name} were tested on different rows: {'; '.join(said)}; compare runs of "
            "the same data with the same --seed, --limit and folds"
        )


def _source(compared: Compared) -> object:
    return store.read_machine(compared.first).get("source", {}).get("fingerprint")


def _drawn(compared: Compared) -> str:
    opening = compared.dataset.opening
    parts = [f"{key}={opening.get(key)}" for key in ("seed", "limit", "grouping")]
    fold = opening.get("fold")
    return ", ".join([*parts, *([f"fold {fold[0]} of {fold[1]}"] if fold and compared.kind == "run" else [])])
