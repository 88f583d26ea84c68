"""From predictions to everything that is said about them: a pure function, without torch."""

import numpy as np
import polars as pl

from instar.evaluate.calibration import reliability
from instar.evaluate.intervals import by_group, differences, intervals, wilson
from instar.evaluate.metrics import (
    LOWER_IS_BETTER,
    METRICS,
    Ints,
    Sparse,
    contributions,
    f1,
    precision,
    recall,
    tally,
    tally_of,
)
from instar.records import Evaluation, Score

SUBJECTS = ("tuned", "probe", "cheap", "majority")
LABELS = ("accuracy", "balanced_accuracy", "macro_f1")
ORDERED = ("mae", "quadratic_kappa")
CLASSES_FOR_TOP_5 = 10
"""With fewer classes, five guesses are at least half of them."""


def evaluate(
    predictions: pl.DataFrame,
    baselines: pl.DataFrame,
    classes: tuple[str, ...],
    *,
    ordered: bool,
    opened: int,
    seed: int,
) -> Evaluation:
    """All tables of an evaluation, from the test rows of `predictions`.

    predictions: id, split, group, label, predicted, confidence, p.<class> for each class in order;
    baselines: subject (majority, probe, cheap), id, label, predicted, on the same test rows;
    ordered: whether the distance between classes means something; opened: how often the test split has been
    opened; seed: of the bootstrap.
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
    ours = by_group(contributions(truth, predicted, len(classes), probabilities), groups)
    scores = _scores("tuned", own, ours, truth.size, len(classes), seed)
    gains: tuple[Score, ...] = ()
    for subject in SUBJECTS[1:]:
        given = baselines.filter(pl.col("subject") == subject)
        if given.height:
            joined = test.select("id").join(given.select("id", "predicted"), on="id", maintain_order="left")
            answers = _indices(joined["predicted"], classes)
            theirs = by_group(contributions(truth, answers, len(classes)), groups)
            scores += _scores(subject, common, theirs, truth.size, len(classes), seed)
            gains += _gains(subject, common, ours, theirs, truth.size, len(classes), seed)
    right = truth == predicted
    return Evaluation(
        scores=scores,
        gains=gains,
        groups=int(np.unique(groups).size),
        opened=opened,
        majority=str(baselines.filter(pl.col("subject") == "majority")["predicted"][0]),
        per_class=_per_class(truth, predicted, classes),
        confusion=_confusion(truth, predicted, classes),
        reliability=reliability(test["confidence"].to_numpy().astype(np.float64), right.astype(np.float64)),
        errors=test.filter(pl.col("label") != pl.col("predicted"))
        .select("id", "label", "predicted", "confidence")
        .sort("confidence", "id", descending=[True, False]),
    )


def _indices(names: pl.Series, classes: tuple[str, ...]) -> Ints:
    """Position of each name among the classes."""
    return names.replace_strict(list(classes), range(len(classes)), return_dtype=pl.Int64).to_numpy()


def _scores(subject: str, metrics: tuple[str, ...], sums: Sparse, n: int, classes: int, seed: int) -> tuple[Score, ...]:
    """The scores of one subject, each with its interval, from its sums per group."""
    whole = tally_of(np.asarray(sums.sum(axis=0)), classes)
    ends = intervals(sums, classes, metrics, seed)
    return tuple(Score(subject, m, float(METRICS[m](whole)), *ends[m], n=n) for m in metrics)


def _gains(
    subject: str, metrics: tuple[str, ...], ours: Sparse, theirs: Sparse, n: int, classes: int, seed: int
) -> tuple[Score, ...]:
    """How much better the first is than the second, above 0 if it is better."""
    found = differences(ours, theirs, classes, metrics, seed)
    gains = []
    for metric, (value, low, high) in found.items():
        lower = metric in LOWER_IS_BETTER
        gains.append(Score(subject, metric, *((-value, -high, -low) if lower else (value, low, high)), n=n))
    return tuple(gains)


def _confusion(truth: Ints, predicted: Ints, classes: tuple[str, ...]) -> pl.DataFrame:
    """How often each pair of true and predicted class occurs, in the order of the classes."""
    pairs, n = np.unique(np.stack([truth, predicted], axis=1), axis=0, return_counts=True)
    names = np.array(classes, dtype=object)
    schema = {"label": pl.String, "predicted": pl.String, "n": pl.Int64}
    return pl.DataFrame({"label": names[pairs[:, 0]], "predicted": names[pairs[:, 1]], "n": n}, schema=schema)


def _per_class(truth: Ints, predicted: Ints, classes: tuple[str, ...]) -> pl.DataFrame:
    """One row per class, in the order of the classes.

    A class without test examples has recall 0 in the interval from 0 to 1; `most_confused_with` is the wrong
    answer given most often (the first of equals), null if there is none.
    """
    t = tally(truth, predicted, len(classes))
    rows = []
    for i, name in enumerate(classes):
        n = int(t.actual[i])
        low, high = wilson(float(recall(t)[i]), n)
        wrong = np.bincount(predicted[(truth == i) & (predicted != i)], minlength=len(classes))
        rows.append(
            {
                "label": name,
                "n": n,
                "precision": float(precision(t)[i]),
                "recall": float(recall(t)[i]),
                "f1": float(f1(t)[i]),
                "recall_low": low,
                "recall_high": high,
                "most_confused_with": classes[int(wrong.argmax())] if wrong.any() else None,
                "confused_n": int(wrong.max()),
            }
        )
    return pl.DataFrame(rows, schema_overrides={"most_confused_with": pl.String})
