"""Any runs on the same test rows: scores, paired differences and tests, from their predictions alone."""

from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations
from typing import Any

import numpy as np
import polars as pl
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from instar.evaluate.intervals import Sampled, by_group, sample
from instar.evaluate.metrics import contributions
from instar.evaluate.paired import flipped, holm, mcnemar, swapped
from instar.evaluate.several import compared, mean_of, scored
from instar.metrics import LOWER_IS_BETTER, ORDERED, Floats, Ints

LABELS = ("accuracy", "balanced_accuracy", "macro_f1")
SHOWN = 3
"""Ids that are named where rows differ."""


@dataclass(frozen=True)
class Subject:
    """What is compared: the answers of a run, of a study of folds, or of several seeds."""

    name: str
    classes: tuple[str, ...]
    ordered: bool
    answers: tuple[pl.DataFrame, ...] = field(compare=False)
    """A table per network that answered all rows: id, group, label, predicted, p.<class>, sorted by id. Networks of a
    study of folds answer different rows and stand in one table."""
    content: pl.DataFrame = field(compare=False)
    """id, content: something that tells whether examples of one id are the same."""

    @property
    def rows(self) -> pl.DataFrame:
        """id, group, label of every test row, sorted by id."""
        return self.answers[0].select("id", "group", "label")


def apart(one: Subject, other: Subject) -> list[str]:
    """How the test rows of two subjects differ, a phrase each; empty where they can be compared."""
    ids, theirs = one.rows["id"], other.rows["id"]
    only, missing = ids.filter(~ids.is_in(theirs.implode())), theirs.filter(~theirs.is_in(ids.implode()))
    said = [
        f"{len(found):,} only in {name} ({_named(found)})"
        for name, found in ((one.name, only), (other.name, missing))
        if len(found)
    ]
    both = one.rows.join(other.rows, on="id", suffix="_other")
    labels = both.filter(pl.col("label") != pl.col("label_other"))["id"]
    if len(labels):
        said.append(f"{len(labels):,} with another label ({_named(labels)})")
    content = both.select("id").join(one.content, on="id").join(other.content, on="id", suffix="_other")
    changed = content.filter(pl.col("content") != pl.col("content_other"))["id"]
    if len(changed):
        said.append(f"{len(changed):,} with another content ({_named(changed)})")
    return said


def _named(ids: pl.Series) -> str:
    return ", ".join(ids.head(SHOWN)) + (" …" if len(ids) > SHOWN else "")


@dataclass(frozen=True)
class Comparison:
    """Subjects on the same test rows."""

    subjects: tuple[Subject, ...]
    seed: int = 0

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """Those of all subjects, each once: in the order of the first, then what others have besides."""
        return tuple(dict.fromkeys(c for s in self.subjects for c in s.classes))

    @cached_property
    def ordered(self) -> bool:
        """Whether all subjects mean the same order of the same classes."""
        return all(s.ordered and s.classes == self.classes for s in self.subjects)

    @cached_property
    def metrics(self) -> tuple[str, ...]:
        """What all subjects are judged by; probabilities only where all share out theirs among the same classes."""
        alike = all(set(s.classes) == set(self.classes) for s in self.subjects)
        return (*LABELS, *(("log_loss",) if alike else ()), *(ORDERED if self.ordered else ()))

    @cached_property
    def groups(self) -> Ints:
        """(N,): the group of each row; what any subject has kept together is one witness."""
        n = self.subjects[0].rows.height
        columns = [s.rows["group"].rank("dense").to_numpy().astype(np.int64) - 1 for s in self.subjects]
        offsets = n + np.concatenate([[0], np.cumsum([c.max() + 1 for c in columns])[:-1]])
        ends = np.concatenate([c + offset for c, offset in zip(columns, offsets, strict=True)])
        starts = np.tile(np.arange(n), len(columns))
        graph = sparse.coo_array((np.ones(ends.size), (starts, ends)), shape=(int(ends.max()) + 1,) * 2)
        found: Ints = connected_components(graph, directed=False)[1][:n].astype(np.int64)
        return found

    @cached_property
    def sampled(self) -> tuple[tuple[Sampled, ...], ...]:
        """The sums of every network of every subject, groups drawn alike for all."""
        counts = [len(s.answers) for s in self.subjects]
        sums = [by_group(self._sums(a), self.groups) for s in self.subjects for a in s.answers]
        drawn = sample(sums, len(self.classes), self.metrics, self.seed)
        ends = np.cumsum(counts).tolist()
        return tuple(tuple(drawn[end - n : end]) for n, end in zip(counts, ends, strict=True))

    def _sums(self, answers: pl.DataFrame) -> Any:
        truth, predicted = (self._indices(answers[column]) for column in ("label", "predicted"))
        columns = [
            pl.col(f"p.{c}") if f"p.{c}" in answers.columns else pl.lit(0.0).alias(f"p.{c}") for c in self.classes
        ]
        probabilities: Floats = answers.select(columns).to_numpy().astype(np.float64)
        return contributions(truth, predicted, len(self.classes), probabilities)

    def _indices(self, names: pl.Series) -> Ints:
        return names.replace_strict(list(self.classes), range(len(self.classes)), return_dtype=pl.Int64).to_numpy()

    def scores(self) -> pl.DataFrame:
        """subject, metric, value, low, high, n, networks: a row for each subject and metric."""
        rows = []
        for subject, networks in zip(self.subjects, self.sampled, strict=True):
            for metric in self.metrics:
                value, low, high = scored(networks, metric)
                rows.append((subject.name, metric, value, low, high, subject.rows.height, len(networks)))
        return pl.DataFrame(rows, ("subject", "metric", "value", "low", "high", "n", "networks"), orient="row")

    def pairs(self) -> pl.DataFrame:
        """first, second, metric, gain, low, high, p, p_holm, and for accuracy McNemar's test too.

        gain is above 0 where the first is better, whatever the metric. p: sign flips over groups, exact for accuracy,
        else of random exchanges (`evaluate.paired`); p_holm: corrected over all pairs, within the metric. McNemar
        (only_first, only_second, mcnemar_p, mcnemar_holm) counts every row as a witness of its own, which is right only
        where no group holds several; it is null where a subject is several networks.
        """
        rows: list[dict[str, Any]] = []
        for (i, one), (j, two) in combinations(enumerate(self.subjects), 2):
            p = self._chances(i, j)
            for metric in self.metrics:
                value, low, high = compared(self.sampled[i], self.sampled[j], metric)
                if metric in LOWER_IS_BETTER:
                    value, low, high = -value, -high, -low
                row = {"first": one.name, "second": two.name, "metric": metric, "gain": value, "low": low, "high": high}
                rows.append({**row, "p": p[metric], **self._mcnemar(one, two, metric)})
        frame = pl.DataFrame(rows, infer_schema_length=None, schema_overrides=MCNEMAR)
        return pl.concat(
            frame.filter(pl.col("metric") == metric).with_columns(
                pl.Series("p_holm", holm(part["p"].to_list())),
                _corrected(part["mcnemar_p"]).alias("mcnemar_holm"),
            )
            for metric in self.metrics
            for part in (frame.filter(pl.col("metric") == metric),)
        ).select("first", "second", "metric", "gain", "low", "high", "p", "p_holm", *MCNEMAR, "mcnemar_holm")

    def _chances(self, i: int, j: int) -> dict[str, float]:
        ours, theirs = mean_of(self.sampled[i]), mean_of(self.sampled[j])
        scale = len(self.sampled[i]) * len(self.sampled[j])
        right = np.rint((ours.summed("accuracy") - theirs.summed("accuracy")) * scale).astype(np.int64)
        others = [m for m in self.metrics if m != "accuracy"]
        random = swapped(ours.sums, theirs.sums, len(self.classes), others, self.seed)
        return {"accuracy": flipped(right), **random}

    def _mcnemar(self, one: Subject, two: Subject, metric: str) -> dict[str, Any]:
        if metric != "accuracy" or len(one.answers) > 1 or len(two.answers) > 1:
            return dict.fromkeys(MCNEMAR)
        first, second = (
            (a["label"] == a["predicted"]).to_numpy().astype(np.int64) for a in (one.answers[0], two.answers[0])
        )
        return dict(zip(MCNEMAR, mcnemar(first, second), strict=True))


MCNEMAR = {"only_first": pl.Int64, "only_second": pl.Int64, "mcnemar_p": pl.Float64}


def _corrected(p: pl.Series) -> pl.Series:
    """Holm's correction over the values that there are."""
    known = p.drop_nulls()
    corrected = iter(holm(known.to_list()))
    return pl.Series([None if value is None else next(corrected) for value in p], dtype=pl.Float64)
