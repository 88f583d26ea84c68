"""What several runs say together: from their predictions, without torch."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from scipy import sparse

from instar.evaluate.intervals import Sampled, by_group, sample
from instar.evaluate.metrics import Sparse, contributions, tally_of
from instar.evaluate.several import compared, scored, t_interval, within
from instar.metrics import LABELS, LOWER_IS_BETTER, METRICS, ORDERED, Ints
from instar.records import Joint, Kind

SUBJECTS = ("tuned", "probe", "cheap", "majority")


@dataclass(frozen=True)
class Answered:
    """What one run of several answered."""

    test: pl.DataFrame = field(compare=False)
    """Its test rows: id, group, label, predicted, p.<class>."""
    baselines: pl.DataFrame = field(compare=False)
    """subject, id, label, predicted on the same rows."""
    learnt: int
    """Rows that the run could learn from: all that are neither tested nor set aside."""

    def of(self, subject: str) -> pl.DataFrame:
        """The answers of one subject: id, group, label, predicted, and p.<class> of the network's."""
        if subject == "tuned":
            return self.test
        given = self.baselines.filter(pl.col("subject") == subject).select("id", "predicted")
        return self.test.select("id", "group", "label").join(given, on="id", how="inner", maintain_order="left")


@dataclass(frozen=True)
class Together:
    """The runs of a study, sampled."""

    kind: Kind
    runs: Sequence[Answered]
    classes: tuple[str, ...]
    ordered: bool
    seed: int = 0

    @property
    def subjects(self) -> list[str]:
        """The subjects that every run has answers of."""
        return [s for s in SUBJECTS if all(run.of(s).height == run.test.height for run in self.runs)]

    def metrics(self, subject: str) -> tuple[str, ...]:
        """What a subject is judged by: probabilities are looked at for the network's answers alone."""
        told = ("log_loss", "brier") if subject == "tuned" else ()
        return (*LABELS, *told, *(ORDERED if self.ordered else ()))

    def figures(self) -> tuple[tuple[Joint, ...], tuple[Joint, ...], int]:
        """Scores, gains over the simpler subjects, and the number of twin groups among the test rows."""
        own = {s: [self._sums(run.of(s), s) for run in self.runs] for s in self.subjects}
        groups = [self._groups(run.test) for run in self.runs]
        if self.kind == "folds":
            together, witness = {s: [_stacked(sums)] for s, sums in own.items()}, np.concatenate(groups)
        else:
            together, witness = own, groups[0]
        flat = [by_group(sums, witness) for parts in together.values() for sums in parts]
        drawn = iter(sample(flat, len(self.classes), self.metrics("tuned"), self.seed))
        sampled = {s: [next(drawn) for _ in parts] for s, parts in together.items()}
        values = {s: [_value(sums, len(self.classes)) for sums in parts] for s, parts in own.items()}
        n = int(witness.size)
        scores = tuple(self._scores(sampled, values, n))
        return scores, tuple(self._gains(sampled, values, n)), int(np.unique(witness).size)

    def _scores(
        self, sampled: Mapping[str, list[Sampled]], values: Mapping[str, list[dict[str, float]]], n: int
    ) -> Iterator[Joint]:
        for subject, networks in sampled.items():
            constant = subject == "majority" and self._one_answer(subject)
            for metric in self.metrics(subject):
                found = scored(networks, metric, constant=constant)
                each = np.array([v[metric] for v in values[subject]])
                ends = within(t_interval(each, self._shared()), metric)
                yield Joint(subject, metric, *found, n, float(each.mean()), float(each.std(ddof=1)), *ends)

    def _gains(
        self, sampled: Mapping[str, list[Sampled]], values: Mapping[str, list[dict[str, float]]], n: int
    ) -> Iterator[Joint]:
        for subject in self.subjects[1:]:
            for metric in self.metrics(subject):
                value, low, high = compared(sampled["tuned"], sampled[subject], metric)
                each = np.array([a[metric] - b[metric] for a, b in zip(values["tuned"], values[subject], strict=True)])
                if metric in LOWER_IS_BETTER:
                    value, low, high, each = -value, -high, -low, -each
                spread, ends = float(each.std(ddof=1)), t_interval(each, self._shared())
                yield Joint(subject, metric, value, low, high, n, float(each.mean()), spread, *ends)

    def _shared(self) -> float:
        """Rows tested per row learnt from, of the mean fold; 0 for seeds, which do not resample the data."""
        if self.kind == "seeds":
            return 0.0
        return float(np.mean([run.test.height / run.learnt for run in self.runs]))

    def _one_answer(self, subject: str) -> bool:
        return pl.concat(run.of(subject)["predicted"] for run in self.runs).n_unique() == 1

    def _groups(self, answers: pl.DataFrame) -> Ints:
        groups: Ints = answers["group"].to_numpy().astype(np.int64)
        return groups

    def _sums(self, answers: pl.DataFrame, subject: str) -> Sparse:
        truth, predicted = (
            answers[c].replace_strict(list(self.classes), range(len(self.classes)), return_dtype=pl.Int64).to_numpy()
            for c in ("label", "predicted")
        )
        names = [f"p.{c}" for c in self.classes]
        probabilities = answers.select(names).to_numpy().astype(np.float64) if subject == "tuned" else None
        return contributions(truth, predicted, len(self.classes), probabilities)


def _stacked(parts: Sequence[Sparse]) -> Sparse:
    return sparse.csr_array(sparse.vstack(parts))


def _value(sums: Sparse, classes: int) -> dict[str, float]:
    total = tally_of(np.asarray(sums.sum(axis=0), dtype=np.float64), classes)
    return {metric: float(of(total)) for metric, of in METRICS.items()}
