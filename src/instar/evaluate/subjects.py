"""Who answered the test part: the fine-tuned network and what is simpler, on the same rows."""

from dataclasses import dataclass

import polars as pl

from instar.evaluate.intervals import by_group
from instar.evaluate.metrics import Sparse, contributions
from instar.metrics import Floats, Ints

SUBJECTS = ("tuned", "probe", "cheap", "majority")


@dataclass(frozen=True, eq=False)
class Answers:
    """Of one subject, for the test rows in their order."""

    predicted: Ints
    """(N,) indices of classes."""
    probabilities: Floats | None
    """(N, C); None where the subject gives answers only."""

    def sums(self, truth: Ints, groups: Ints, classes: int) -> Sparse:
        """(G, 3C + 7): what each group adds to a tally."""
        return by_group(contributions(truth, self.predicted, classes, self.probabilities), groups)


def subjects(test: pl.DataFrame, baselines: pl.DataFrame, classes: tuple[str, ...]) -> dict[str, Answers]:
    """The answers of each subject that gave any, the fine-tuned network first.

    test: the test rows of predictions.parquet; baselines: see `predictions.baselines`, perhaps without probabilities.
    """
    found = {"tuned": _answers(test, classes)}
    for name in SUBJECTS[1:]:
        given = baselines.filter(pl.col("subject") == name).drop("label")
        if given.height:
            found[name] = _answers(test.select("id").join(given, on="id", maintain_order="left"), classes)
    return found


def indices(names: pl.Series, classes: tuple[str, ...]) -> Ints:
    """Position of each name among the classes."""
    return names.replace_strict(list(classes), range(len(classes)), return_dtype=pl.Int64).to_numpy()


def _answers(rows: pl.DataFrame, classes: tuple[str, ...]) -> Answers:
    columns = [f"p.{name}" for name in classes]
    told = set(columns) <= set(rows.columns) and not rows[columns[0]].has_nulls()
    p: Floats | None = rows.select(columns).to_numpy().astype("float64") if told else None
    return Answers(indices(rows["predicted"], classes), p)
