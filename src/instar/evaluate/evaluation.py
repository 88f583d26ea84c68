"""From predictions to everything that is said about them: a pure function, without torch."""

import numpy as np
import polars as pl

from instar.evaluate.confidence import judge
from instar.evaluate.intervals import Sampled, by_group, difference, interval, sample
from instar.evaluate.metrics import Sparse, contributions, tally
from instar.evaluate.slices import slices
from instar.evaluate.suspects import mistakes
from instar.metrics import LOWER_IS_BETTER, ORDERED, Ints, f1, precision, recall
from instar.records import Audit, Evaluation, Score
from instar.shares import intervals_of

SUBJECTS = ("tuned", "probe", "cheap", "majority")
LABELS = ("accuracy", "balanced_accuracy", "macro_f1")
CLASSES_FOR_TOP_5 = 10
"""With fewer classes, five guesses are at least half of them."""

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
) -> Evaluation:
    """All tables of an evaluation, from the test rows of `predictions`.

    predictions: id, split, group, label, predicted, confidence, p.<class> for each class in order;
    baselines: subject (majority, probe, cheap), id, label, predicted, on the same test rows;
    ordered: whether the distance between classes means something; opened: how often the test split has been
    opened; seed: of the bootstrap; table: that of the data set, for its twins, its measures and its columns;
    audit: for its pairs of near copies; temperature: what the logits were divided by.
    """
    test = predictions.filter(pl.col("split") == "test")
    probabilities = test.select([f"p.{name}" for name in classes]).to_numpy().astype(np.float64)
    groups = test["group"].to_numpy()
    truth, predicted = _indices(test["label"], classes), _indices(test["predicted"], classes)
    common = LABELS + (ORDERED if ordered else ())
    own = (
        *LABELS,
        "log_loss",
        *(("top_5",) if len(classes) >= CLASSES_FOR_TOP_5 else ()),
        *common[len(LABELS) :],
    )
    sums = {"tuned": by_group(contributions(truth, predicted, len(classes), probabilities), groups)}
    for subject in SUBJECTS[1:]:
        given = baselines.filter(pl.col("subject") == subject)
        if given.height:
            joined = test.select("id").join(given.select("id", "predicted"), on="id", maintain_order="left")
            answers = _indices(joined["predicted"], classes)
            sums[subject] = by_group(contributions(truth, answers, len(classes)), groups)
    tuned, *others = sample(list(sums.values()), len(classes), own, seed)
    simpler = dict(zip(list(sums)[1:], others, strict=True))
    scores = _scores("tuned", own, tuned, truth.size)
    for subject, theirs in simpler.items():
        scores += _scores(subject, common, theirs, truth.size)
    gains = tuple(g for subject, theirs in simpler.items() for g in _gains(subject, common, tuned, theirs, truth.size))
    found, columns = slices(test, table, seed)
    judged = judge(predictions, classes, temperature, seed)
    return Evaluation(
        scores=scores,
        gains=gains,
        groups=int(np.unique(groups).size),
        opened=opened,
        majority=str(baselines.filter(pl.col("subject") == "majority")["predicted"][0]),
        per_class=_per_class(truth, predicted, classes, sums["tuned"]),
        confusion=_confusion(truth, predicted, classes),
        errors=mistakes(predictions, baselines, classes, table, audit),
        slices=found,
        slice_columns=columns,
        **judged._asdict(),
    )


def _indices(names: pl.Series, classes: tuple[str, ...]) -> Ints:
    """Position of each name among the classes."""
    return names.replace_strict(list(classes), range(len(classes)), return_dtype=pl.Int64).to_numpy()


def _scores(subject: str, metrics: tuple[str, ...], sampled: Sampled, n: int) -> tuple[Score, ...]:
    """The scores of one subject, each with its interval."""
    found = [(m, sampled.value(m), interval(sampled, m, constant=subject == "majority")) for m in metrics]
    return tuple(Score(subject, m, value, i.low, i.high, n, i.method) for m, value, i in found)


def _gains(subject: str, metrics: tuple[str, ...], ours: Sampled, theirs: Sampled, n: int) -> tuple[Score, ...]:
    """How much better the first is than the second, above 0 if it is better."""
    gains = []
    for metric in metrics:
        value, i = difference(ours, theirs, metric)
        ends = (-value, -i.high, -i.low) if metric in LOWER_IS_BETTER else (value, i.low, i.high)
        gains.append(Score(subject, metric, *ends, n, i.method))
    return tuple(gains)


def _confusion(truth: Ints, predicted: Ints, classes: tuple[str, ...]) -> pl.DataFrame:
    """How often each pair of true and predicted class occurs, in the order of the classes."""
    pairs, n = np.unique(np.stack([truth, predicted], axis=1), axis=0, return_counts=True)
    names = np.array(classes, dtype=object)
    schema = {"label": pl.String, "predicted": pl.String, "n": pl.Int64}
    return pl.DataFrame({"label": names[pairs[:, 0]], "predicted": names[pairs[:, 1]], "n": n}, schema=schema)


def _per_class(truth: Ints, predicted: Ints, classes: tuple[str, ...], sums: Sparse) -> pl.DataFrame:
    """One row per class, in the order of the classes; the intervals count twins as `shares.intervals_of` does.

    sums: of the groups of examples. A class without test examples has recall 0 in the interval from 0 to 1;
    `most_confused_with` is the wrong answer given most often (the first of equals), null if there is none.
    """
    t = tally(truth, predicted, len(classes))
    ends = intervals_of(sums[:, : len(classes)], sums[:, 2 * len(classes) : 3 * len(classes)])
    rows = []
    for i, name in enumerate(classes):
        wrong = np.bincount(predicted[(truth == i) & (predicted != i)], minlength=len(classes))
        rows.append(
            {
                "label": name,
                "n": int(t.actual[i]),
                "precision": float(precision(t)[i]),
                "recall": float(recall(t)[i]),
                "f1": float(f1(t)[i]),
                "recall_low": ends[i].low,
                "recall_high": ends[i].high,
                "most_confused_with": classes[int(wrong.argmax())] if wrong.any() else None,
                "confused_n": int(wrong.max()),
            }
        )
    return pl.DataFrame(rows, schema_overrides={"most_confused_with": pl.String})
