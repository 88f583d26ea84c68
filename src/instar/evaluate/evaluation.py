"""From predictions to everything that is said about them: a pure function, without torch."""

from collections.abc import Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray

from instar.evaluate import ranks
from instar.evaluate.classes import confusion, per_class
from instar.evaluate.confidence import judge
from instar.evaluate.intervals import Interval, Sampled, difference, interval, sample
from instar.evaluate.ranks import Ranked, ranked
from instar.evaluate.slices import slices
from instar.evaluate.subjects import Answers, indices, subjects
from instar.evaluate.subsets import subsets
from instar.evaluate.suspects import mistakes
from instar.metrics import LABELS, LOWER_IS_BETTER, ORDERED
from instar.records import Audit, Evaluation, Score

AUROC = "auroc"
TOP = {5: 10, 2: 4}
"""Guesses that a top-k accuracy allows, the first for which there are at least so many classes: with fewer, so many
guesses would be more than half of them."""

UNKNOWN = pl.DataFrame(schema={"id": pl.String, "twin": pl.Int64, "label": pl.String})
"""The table of a data set of which nothing is known but its predictions."""
UNAUDITED = Audit(())


def evaluate(
    predictions: pl.DataFrame,
    baselines: pl.DataFrame,
    classes: tuple[str, ...],
    *,
    ordered: bool,
    opened: int,
    seed: int,
    table: pl.DataFrame = UNKNOWN,
    audit: Audit = UNAUDITED,
    temperature: float = 1.0,
    doubted: pl.DataFrame | None = None,
) -> Evaluation:
    """All tables of an evaluation, from the test rows of `predictions`.

    predictions: id, split, group, label, predicted, confidence, p.<class> for each class in order;
    baselines: subject (majority, probe, cheap), id, label, predicted, p.<class>, on the same test rows;
    ordered: whether the distance between classes means something; opened: how often the test split has been
    opened; seed: of the bootstrap; table: that of the data set, for its twins, its measures and its columns;
    audit: for its pairs of near copies; temperature: what the logits were divided by; doubted: doubt, id of the test
    rows that the audit doubts (`audit.doubts`).
    """
    test = predictions.filter(pl.col("split") == "test")
    groups = test["group"].to_numpy()
    truth = indices(test["label"], classes)
    answers = subjects(test, baselines, classes)
    metrics = {name: _metrics(given, len(classes), ordered=ordered) for name, given in answers.items()}
    sums = [given.sums(truth, groups, len(classes)) for given in answers.values()]
    sampled = dict(zip(answers, sample(sums, len(classes), metrics["tuned"], seed), strict=True))
    ranking = {
        name: ranked(truth, given.probabilities, groups)
        for name, given in answers.items()
        if given.probabilities is not None
    }
    macro = {name: found[0] for name, found in ranking.items()}
    predicted = answers["tuned"].predicted
    found, columns = slices(test, table, seed)
    judged = judge(predictions, classes, temperature, seed)
    return Evaluation(
        scores=tuple(
            score
            for name in answers
            for score in _scores(name, metrics[name], sampled[name], macro.get(name), len(truth))
        ),
        gains=tuple(
            gain
            for name in answers
            if name != "tuned"
            for gain in _gains(name, metrics[name], sampled, macro, len(truth))
        ),
        groups=int(np.unique(groups).size),
        opened=opened,
        majority=str(baselines.filter(pl.col("subject") == "majority")["predicted"][0]),
        per_class=per_class(truth, predicted, classes, sums[0], ranking["tuned"][1]),
        confusion=confusion(truth, predicted, classes),
        subsets=subsets(truth, groups, answers, _masks(test["id"], doubted), len(classes), ordered=ordered, seed=seed),
        errors=mistakes(predictions, baselines, classes, table, audit),
        slices=found,
        slice_columns=columns,
        **judged._asdict(),
    )


def _masks(ids: pl.Series, doubted: pl.DataFrame | None) -> dict[str, NDArray[np.bool_]]:
    """Which of these rows each ground doubts."""
    if doubted is None:
        return {}
    found = doubted.group_by("doubt", maintain_order=True).agg("id")
    return {name: ids.is_in(rows).to_numpy() for name, rows in found.iter_rows()}


def _metrics(given: Answers, classes: int, *, ordered: bool) -> tuple[str, ...]:
    """The metrics that are made of a tally and can be told of a subject."""
    top = next((f"top_{k}" for k, least in TOP.items() if classes >= least), None)
    told = ("log_loss", "brier", *((top,) if top else ())) if given.probabilities is not None else ()
    return (*LABELS, *told, *(ORDERED if ordered else ()))


def _scores(
    subject: str, metrics: tuple[str, ...], sampled: Sampled, macro: Ranked | None, n: int
) -> tuple[Score, ...]:
    """The scores of one subject, each with its interval."""
    constant = subject == "majority"
    found = [(m, sampled.value(m), interval(sampled, m, constant=constant)) for m in metrics]
    if macro is not None:
        fixed = Interval(macro.value, macro.value, "definition")  # equal probabilities rank nothing: all pairs are ties
        found.append((AUROC, macro.value, fixed if constant else ranks.interval(macro)))
    return tuple(Score(subject, m, value, i.low, i.high, n, i.method) for m, value, i in found)


def _gains(
    subject: str,
    metrics: tuple[str, ...],
    sampled: Mapping[str, Sampled],
    macro: Mapping[str, Ranked | None],
    n: int,
) -> tuple[Score, ...]:
    """How much better the network is than the subject, above 0 if it is better."""
    found = [(m, *difference(sampled["tuned"], sampled[subject], m)) for m in metrics]
    ours, theirs = macro.get("tuned"), macro.get(subject)
    if ours is not None and theirs is not None:
        found.append((AUROC, *ranks.difference(ours, theirs)))
    gains = []
    for metric, value, i in found:
        ends = (-value, -i.high, -i.low) if metric in LOWER_IS_BETTER else (value, i.low, i.high)
        gains.append(Score(subject, metric, *ends, n, i.method))
    return tuple(gains)
