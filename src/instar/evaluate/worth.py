"""What single decisions were worth: answers with and without each, on the same examples."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import t as student

from instar import store
from instar.evaluate.intervals import Sampled, by_group, difference, jackknife, sample, sure
from instar.evaluate.metrics import Sparse, contributions
from instar.evaluate.paired import swapped
from instar.files import kinds, read_yaml
from instar.metrics import LOWER_IS_BETTER
from instar.shares import LEVEL

WORTH, ABOUT = "6-ablate/worth.csv", "6-ablate/worth.yaml"
Answers = Mapping[int, pl.DataFrame]
"""Seed -> what a training with it answers on the validation split: id, group, label, predicted."""


@dataclass(frozen=True)
class Difference:
    """What one decision was worth in one metric, above 0 where it helps, whatever the metric."""

    metric: str
    with_it: float
    without: float
    worth: float
    low: float
    high: float
    p: float
    """Of no difference, for this decision alone."""
    seeds: int
    spread: float
    """Between the largest and the smallest worth of a seed; 0 for one seed, which tells nothing of that."""


def worths(
    planned: Answers, without: Mapping[str, Answers], classes: tuple[str, ...], metrics: tuple[str, ...], seed: int
) -> dict[str, tuple[Difference, ...]]:
    """The worth of each decision in each metric, over the seeds that it shares with the plan.

    With one seed the interval is the paired one of `intervals.difference`, and p is of exchanges (`paired.swapped`);
    both hold what other examples would have changed, and not what another seed would have. With more, the variance of
    the mean over seeds is added to the sampling variance of that mean (jackknife over groups), with the degrees of
    freedom of Satterthwaite (1946, doi:10.2307/3002019): two seeds that differ make a wide interval, as they should.

    Args:
        planned: of the plan as it is.
        without: of the plan without a decision, by its name.
        seed: of the bootstrap.
    """
    subjects = {("", s): found for s, found in planned.items()}
    subjects |= {(name, s): found for name, answers in without.items() for s, found in answers.items() if s in planned}
    sums = [_sums(found, planned[min(planned)], classes) for found in subjects.values()]
    sampled = dict(zip(subjects, sample(sums, len(classes), metrics, seed), strict=True))
    result = {}
    for name, answers in without.items():
        pairs = [(sampled["", s], sampled[name, s]) for s in sorted(answers) if s in planned]
        result[name] = tuple(_difference(pairs, metric, seed) for metric in metrics)
    return result


def _sums(answers: pl.DataFrame, like: pl.DataFrame, classes: tuple[str, ...]) -> Sparse:
    assert answers["id"].equals(like["id"]), "answers to the same examples, in the same order"
    place = {name: i for i, name in enumerate(classes)}
    truth, predicted = (
        answers[column].replace_strict(place, return_dtype=pl.Int64).to_numpy() for column in ("label", "predicted")
    )
    return by_group(contributions(truth, predicted, len(classes)), answers["group"].to_numpy())


def _difference(pairs: Sequence[tuple[Sampled, Sampled]], metric: str, seed: int) -> Difference:
    each = np.array([ours.value(metric) - theirs.value(metric) for ours, theirs in pairs])
    if len(pairs) == 1 or not jackknife(_left_out(pairs, metric)) + each.var():
        _, found = difference(*pairs[0], metric)
        ours, theirs = pairs[0]
        low, high = found.low, found.high
        p = swapped(ours.sums, theirs.sums, ours.classes, (metric,), seed)[metric]
    else:
        low, high, p = _over_seeds(pairs, metric, each)
    worth = float(each.mean())
    ends = (0.0 - worth, 0.0 - high, 0.0 - low) if metric in LOWER_IS_BETTER else (worth, low, high)
    with_it, without = (float(np.mean([pair[i].value(metric) for pair in pairs])) for i in (0, 1))
    return Difference(metric, with_it, without, *ends, p, len(pairs), float(np.ptp(each)))


def _left_out(pairs: Sequence[tuple[Sampled, Sampled]], metric: str) -> NDArray[np.float64]:
    """(G,): the mean difference over seeds with each group left out."""
    each = np.array([ours.left_out[metric] - theirs.left_out[metric] for ours, theirs in pairs])
    return np.asarray(each.mean(axis=0), dtype=np.float64)


def _over_seeds(
    pairs: Sequence[tuple[Sampled, Sampled]], metric: str, each: NDArray[np.float64]
) -> tuple[float, float, float]:
    """The ends of the interval of the mean over seeds, and the p-value; a handful of groups that differ make none
    sure (`intervals.sure`)."""
    n, worth = len(pairs), float(each.mean())
    examples, seeds = jackknife(_left_out(pairs, metric)), float(each.var(ddof=1)) / n
    freedom = (examples + seeds) ** 2 * (n - 1) / seeds**2 if seeds else np.inf
    error = float(np.sqrt(examples + seeds))
    half = float(student.ppf((1 + LEVEL) / 2, freedom)) * error
    gain = np.sum([ours.summed(metric) - theirs.summed(metric) for ours, theirs in pairs], axis=0)
    p, low, high = float(2 * student.sf(abs(worth) / error, freedom)), worth - half, worth + half
    return (low, high, p) if sure(gain) else (min(low, 0.0), max(high, 0.0), max(p, 1 - LEVEL))


def write_worth(run: Path, worth: pl.DataFrame) -> None:
    """worth.csv, a row per decision and metric, and worth.yaml: what the rows are about, and which training it is."""
    first = worth.row(0, named=True)
    about = {
        "trained": _trained(run),
        "split": "val",
        "metric": first["metric"],
        "n": first["n"],
        "groups": first["groups"],
        "decisions": {
            row["decision"]: {k: row[k] for k in ("field", "value", "off", "worth", "low", "high", "p_holm", "seeds")}
            for row in worth.filter(pl.col("metric") == first["metric"]).iter_rows(named=True)
        },
        "columns": kinds(worth),
    }
    store.write_frame(run / WORTH, worth)
    store.write_yaml(run / ABOUT, about, ABOUT_WORTH)


ABOUT_WORTH = """What single decisions of the plan were worth, on the validation split: its examples also chose the
checkpoints, with and without each decision, so the figures are a little too kind to whatever tries more. The test
split was not opened for them. Made by `instar ablate`; `trained` is the digest of the network that was compared."""


def read_worth(run: Path) -> pl.DataFrame:
    """What `write_worth` wrote; an empty frame where there is nothing, or it is about another training."""
    if not (run / WORTH).exists() or not (run / ABOUT).exists():
        return pl.DataFrame()
    about = read_yaml(run / ABOUT, dict[str, Any])
    return store.read_frame(run / WORTH, about["columns"]) if about["trained"] == _trained(run) else pl.DataFrame()


def _trained(run: Path) -> str:
    """Digest of the run's own network."""
    return str(store.read_machine(run)["steps"]["train"]["writes"].get(store.BEST, ""))
